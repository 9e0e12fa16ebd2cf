-- Made by tests/store/golden/make.py; see there.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rev BIGINT NOT NULL,
    last_created_us BIGINT NOT NULL,
    history_hash TEXT NOT NULL DEFAULT '',  -- of the newest row of history: a row cut off at the end is detected
    epoch TEXT NOT NULL DEFAULT ''          -- revisions compare within one epoch; a copy and a restore begin a new one
);
INSERT INTO revision VALUES (1, 43, 1795930747165585, '3e32e0a9d39dcf4c1146af3520f05fc44173b523fb75d966b27b1cd4468c0425', '');
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    rev BIGINT NOT NULL
);
INSERT INTO project VALUES ('01a225d0-6853-7762-bb7b-f75365197aa6', 'shop', 1795930744915620, 1);
INSERT INTO project VALUES ('01a225d0-6902-74d9-b3be-47453f62d30f', 'default', 1795930745090665, 2);
CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,          -- separated by spaces
    token_sha256 TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT,
    revoked_us BIGINT,
    rev BIGINT NOT NULL
);
INSERT INTO api_key VALUES ('dKViFEpmbXXa', '01a225d0-6902-74d9-b3be-47453f62d30f', 'all', 'deployments:invoke deployments:publish deployments:read deployments:write', '412c8dc92a8e4e453625dce4f2a319781be8e4802ae7952acb0d871df17a0db4', 1795930745091773, NULL, NULL, 3);
INSERT INTO api_key VALUES ('gQRk3elWYEEp', '01a225d0-6902-74d9-b3be-47453f62d30f', 'reader', 'deployments:read', 'b5911a78198d0a39284ff66ae9746ce035fd55ad12fb682364563313e01e3586', 1795930745271007, NULL, NULL, 4);
INSERT INTO api_key VALUES ('11PDu4LCwP54', '01a225d0-6902-74d9-b3be-47453f62d30f', 'until 2099', 'deployments:invoke deployments:publish deployments:read deployments:write', 'd43d6a65689aa795c75d00f613d7ea66520d8fda58c951e337c10e3394fb90a2', 1795930745445512, 4070908800000000, NULL, 5);
INSERT INTO api_key VALUES ('D3goSEF7OcOF', '01a225d0-6902-74d9-b3be-47453f62d30f', 'over', 'deployments:invoke deployments:publish deployments:read deployments:write', '721ac01a3338f840326480bef51ac535257dc0d6472a79543b5f63c9148b1345', 1795930745617253, 1795930746615189, NULL, 6);
INSERT INTO api_key VALUES ('TTFi47svgmmP', '01a225d0-6902-74d9-b3be-47453f62d30f', 'revoked', 'deployments:invoke deployments:publish deployments:read deployments:write', '74db05b0de44bfbb714f9c02afe29f643c9bd90f88e14d5137365701d2ad3acd', 1795930745785912, NULL, 1795930746123409, 9);
INSERT INTO api_key VALUES ('YNRfbzhfEEwa', '01a225d0-6853-7762-bb7b-f75365197aa6', 'shop', 'deployments:invoke deployments:publish deployments:read deployments:write', '59f979f061e1ab9282ab23f5d861e3e9dbe7fd857586d4f6c2a5c075a2e30f70', 1795930745956508, NULL, NULL, 8);
INSERT INTO api_key VALUES ('POw3Zma9MUUb', '01a225d0-6902-74d9-b3be-47453f62d30f', 'keeper', 'deployments:read keys:admin', '5ea26af0d2fd120fb0f3d3d82886829ba35fb1ffd01363bf88c1317291499703', 1795930746605922, NULL, NULL, 16);
INSERT INTO api_key VALUES ('9rxlPWFrQ4pA', '01a225d0-6902-74d9-b3be-47453f62d30f', 'von einem Schlüssel', 'deployments:read', 'bd289ca94378cada86d9a6adc45fc97529f9187ef609de9d7526350b7b439290', 1795930746633109, NULL, NULL, 18);
CREATE INDEX api_key_rev ON api_key (rev);
CREATE TABLE deployment (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id),
    key TEXT NOT NULL,
    description TEXT NOT NULL,
    seq BIGINT NOT NULL UNIQUE,    -- the revision that created it: the order of the list
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    deleted_us BIGINT,
    live_version_id TEXT NOT NULL,
    rev BIGINT NOT NULL,
    owner TEXT NOT NULL DEFAULT 'api',  -- 'files': applied from `file`; 'api': changed over HTTP
    file TEXT                           -- also after the API took the deployment over: `moorage drift` compares with it
);
INSERT INTO deployment VALUES ('01a225d0-6e72-774d-b38b-e191c792a086', '01a225d0-6902-74d9-b3be-47453f62d30f', 'greeting', 'Grüßt', 10, 1795930746482646, 1795930746653773, NULL, '01a225d0-6f1a-75d1-b6aa-c92d30687af5', 28, 'api', NULL);
INSERT INTO deployment VALUES ('01a225d0-6e79-74cf-85fe-36baabe970b8', '01a225d0-6902-74d9-b3be-47453f62d30f', 'full', 'Answers refunds', 13, 1795930746489892, 1795930746489892, NULL, '01a225d0-6e79-74cf-85fe-36b96b46219b', 13, 'api', NULL);
INSERT INTO deployment VALUES ('01a225d0-6e7b-715b-a825-7c49b347af61', '01a225d0-6853-7762-bb7b-f75365197aa6', 'greeting', '', 14, 1795930746491499, 1795930746491499, NULL, '01a225d0-6e7b-715b-a825-7c484fc0d240', 14, 'api', NULL);
INSERT INTO deployment VALUES ('01a225d0-6e7d-70f8-bfd6-a17442eff52c', '01a225d0-6902-74d9-b3be-47453f62d30f', 'gone', '', 15, 1795930746493088, 1795930746644728, 1795930746644728, '01a225d0-6e7d-70f8-bfd6-a173680f467d', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a225d0-6f0e-77d4-998f-cf800386e6cd', '01a225d0-6902-74d9-b3be-47453f62d30f', 'posted', 'changed', 19, 1795930746638312, 1795930746664287, NULL, '01a225d0-6f28-756c-8aa0-d95222c3fb06', 38, 'api', NULL);
INSERT INTO deployment VALUES ('01a225d0-6f16-72f3-b431-b083967e5b01', '01a225d0-6902-74d9-b3be-47453f62d30f', 'gone', '', 24, 1795930746646246, 1795930746646246, NULL, '01a225d0-6f16-72f3-b431-b082571ef9be', 24, 'api', NULL);
INSERT INTO deployment VALUES ('01a225d0-6f1f-7466-9f8e-4d451a85a8bb', '01a225d0-6902-74d9-b3be-47453f62d30f', 'from_a_file', '', 29, 1795930746655366, 1795930746655366, NULL, '01a225d0-6f1f-7466-9f8e-4d44e311da64', 29, 'files', 'shop/größen.yaml');
INSERT INTO deployment VALUES ('01a225d0-6f21-74f7-8d64-1546b47896df', '01a225d0-6902-74d9-b3be-47453f62d30f', 'taken_over', 'taken over', 30, 1795930746657002, 1795930746658499, NULL, '01a225d0-6f21-74f7-8d64-15457c111c65', 31, 'api', 'shop/taken.yaml');
INSERT INTO deployment VALUES ('01a225d0-6f23-76f2-ba10-868dca87cb62', '01a225d0-6902-74d9-b3be-47453f62d30f', 'erased', '', 32, 1795930746659933, 1795930746661198, 1795930746661198, '01a225d0-6f23-76f2-ba10-868c71fe506a', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a225d0-6fb8-7022-a1b7-e1006eacf7f1', '01a225d0-6902-74d9-b3be-47453f62d30f', 'recent', '', 39, 1795930746808201, 1795930746809768, 1795930746809768, '01a225d0-6fb8-7022-a1b7-e0ffd51a4276', 40, 'api', NULL);
INSERT INTO deployment VALUES ('01a225d0-6fbb-72ee-9a6f-f7d574c9e22c', '01a225d0-6902-74d9-b3be-47453f62d30f', 'kept_answer', '', 41, 1795930746811472, 1795930746811472, NULL, '01a225d0-6fbb-72ee-9a6f-f7d42aaea68e', 41, 'api', NULL);
INSERT INTO deployment VALUES ('01a225d0-6fbd-740f-a8fb-f837ef03ee7c', '01a225d0-6902-74d9-b3be-47453f62d30f', 'routed', '', 42, 1795930746813596, 1795930747165585, NULL, '01a225d0-711d-701c-8517-21b37d96669a', 43, 'api', NULL);
CREATE UNIQUE INDEX deployment_key ON deployment (project_id, key) WHERE deleted_us IS NULL;
CREATE INDEX deployment_rev ON deployment (rev);
CREATE INDEX deployment_list ON deployment (project_id, seq);
CREATE INDEX deployment_deleted ON deployment (deleted_us) WHERE deleted_us IS NOT NULL;
CREATE INDEX deployment_gone ON deployment (project_id, key) WHERE deleted_us IS NOT NULL;
CREATE TABLE version (
    id TEXT PRIMARY KEY,
    deployment_id TEXT NOT NULL REFERENCES deployment (id),
    major BIGINT NOT NULL,
    minor BIGINT NOT NULL,
    prompt_config TEXT NOT NULL,
    variables TEXT NOT NULL,
    notes TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    api_key_id TEXT,               -- of the author; NULL for the operator
    rev BIGINT NOT NULL,
    made_as TEXT NOT NULL DEFAULT 'published',  -- or 'draft'; history says whether a draft was published since
    description TEXT NOT NULL DEFAULT '',
    deleted_us BIGINT,
    runtime_config TEXT NOT NULL DEFAULT '{}',  -- JSON object: settings, fallbacks, retry_count, variants, routing
    UNIQUE (deployment_id, major, minor)
);
INSERT INTO version VALUES ('01a225d0-6e72-774d-b38b-e19010628b5d', '01a225d0-6e72-774d-b38b-e191c792a086', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"one"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', '73ee64a3573733a101d28a852244129bb3f14ed69a77e8b7f0d7cb9f11655317', 1795930746482646, 'dKViFEpmbXXa', 10, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6e76-72a2-9ca9-348cf1851c06', '01a225d0-6e72-774d-b38b-e191c792a086', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"two"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '3ade4ae8179d5fd0152aed84669fbfc0c32123d567a212cd939fce1178638438', 1795930746486249, 'dKViFEpmbXXa', 11, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6e78-72a1-b66d-f22dc4a1a478', '01a225d0-6e72-774d-b38b-e191c792a086', 2, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"three"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '2c266711562281abc9f67ec50ec9dfee6cfc0fc105f95cb470c12bc22f4c77b4', 1795930746488118, 'dKViFEpmbXXa', 12, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6e79-74cf-85fe-36b96b46219b', '01a225d0-6e79-74cf-85fe-36baabe970b8', 1, 0, '{"tools":[{"type":"function","function":{"name":"find_order","parameters":{"type":"object","properties":{"number":{"type":"string","minLength":1},"window":{"type":"object","properties":{"days":{"type":"integer"}},"additionalProperties":true},"note":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}},"required":["number"],"additionalProperties":false},"description":"Finds an order by its number.","strict":true},"display_name":"Find an order","id":42}],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{"temperature":0.2,"maxTokens":512,"topK":40,"topP":0.95,"frequencyPenalty":-0.5,"presencePenalty":1.5,"numImages":2,"seed":42.5,"format":"b64_json","dimensions":"1024x1024","quality":"hd","style":"vivid","responseFormat":{"type":"json_object"},"cacheControl":{"type":"ephemeral","ttl":"1h"},"photoRealVersion":"v2","encoding_format":"float","reasoningEffort":"high","budgetTokens":2048,"verbosity":"low","thinkingLevel":"low"},"provider":"openai","messages":[{"role":"system","content":"You help {{customer}}. ✓ 👋  "},{"role":"user","content":[{"type":"text","text":"Where is this?"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","id":"img_1","detail":"high"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","uri":"https://example.com/a.pdf","mimeType":"application/pdf","filename":"a.pdf"}}]},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"find_order","arguments":"{\"number\": \"7\"}"},"id":"call_1","index":0}],"tool_call_id":null},{"role":"tool","content":"On its way.","tool_call_id":"call_1"}]}', '[]', '', '7edfb5eb6172776248b8183a420238b5d14efcb53e92cb5b42c9ae79df173eb3', 1795930746489892, 'dKViFEpmbXXa', 13, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6e7b-715b-a825-7c484fc0d240', '01a225d0-6e7b-715b-a825-7c49b347af61', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"of the shop"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '6f698d10a8ab1ec5ff7643b7001ed31acd23a6770570dde95295dee681caac6c', 1795930746491499, 'YNRfbzhfEEwa', 14, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6e7d-70f8-bfd6-a173680f467d', '01a225d0-6e7d-70f8-bfd6-a17442eff52c', 1, 0, '', '', '', 'd11a0cbb04906c0e3c484dfb5c37ec5a4a8f35f24d2435d4a861dde0f48e4fd1', 1795930746493088, 'dKViFEpmbXXa', 15, 'published', '', NULL, '');
INSERT INTO version VALUES ('01a225d0-6f0e-77d4-998f-cf7fb26fbc39', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 1, 0, '', '', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795930746638312, 'dKViFEpmbXXa', 19, 'published', '', 1795930746665561, '');
INSERT INTO version VALUES ('01a225d0-6f16-72f3-b431-b082571ef9be', '01a225d0-6f16-72f3-b431-b083967e5b01', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '550a78ae9e82acb21679e4a1d74f526c25479d6c94a1710edc6fe1a7a9635c2d', 1795930746646246, 'dKViFEpmbXXa', 24, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6f19-735a-9b6c-d050314cac5d', '01a225d0-6e72-774d-b38b-e191c792a086', 2, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"a draft"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'f079839c101f2d7cb46127d7f23f63fa1f767425404da1e1f54fe86fe5271617', 1795930746649100, 'dKViFEpmbXXa', 25, 'draft', 'a draft', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6f1a-75d1-b6aa-c92d30687af5', '01a225d0-6e72-774d-b38b-e191c792a086', 2, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"at once"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', 'b892186654582d35bcb5e6ddac245950c52c1646356aff2d5b2339e042f69de6', 1795930746650691, 'dKViFEpmbXXa', 26, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6f1f-7466-9f8e-4d44e311da64', '01a225d0-6f1f-7466-9f8e-4d451a85a8bb', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795930746655366, 'dKViFEpmbXXa', 29, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6f21-74f7-8d64-15457c111c65', '01a225d0-6f21-74f7-8d64-1546b47896df', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795930746657002, 'dKViFEpmbXXa', 30, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6f23-76f2-ba10-868c71fe506a', '01a225d0-6f23-76f2-ba10-868dca87cb62', 1, 0, '', '', '', 'ec2aa88a75098a816a601a4c16cc31fae4a41e533eff86e8e0ce51c778432a23', 1795930746659933, 'dKViFEpmbXXa', 32, 'published', '', NULL, '');
INSERT INTO version VALUES ('01a225d0-6f26-714c-a844-d1de8363b9f8', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"with versions that are erased and deleted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'cb9aeb64e647ff49675764dcfda997dab0dac42e9ba6cb7bf4e085251e7ed954', 1795930746662648, 'dKViFEpmbXXa', 34, 'published', '', 1795930746805845, '{}');
INSERT INTO version VALUES ('01a225d0-6f28-756c-8aa0-d95222c3fb06', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 1, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"live"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '467f5ee4abc08c62cd15a3b3e1b45e58adc873d7c54df9ba6b00f3a225e8b583', 1795930746664287, 'dKViFEpmbXXa', 35, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6fb8-7022-a1b7-e0ffd51a4276', '01a225d0-6fb8-7022-a1b7-e1006eacf7f1', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"deleted, and not erased"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'a3755321a5c12b59fea1cd9e0cec8c0915466fec52d171ed04514985519a26dc', 1795930746808201, 'dKViFEpmbXXa', 39, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6fbb-72ee-9a6f-f7d42aaea68e', '01a225d0-6fbb-72ee-9a6f-f7d574c9e22c', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795930746811472, 'dKViFEpmbXXa', 41, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a225d0-6fbd-740f-a8fb-f836e6d97540', '01a225d0-6fbd-740f-a8fb-f837ef03ee7c', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hello {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'f80abcf191ac2b73ecf2f8f2a05fffd9ba533bbd623f1dd583d0299579c807f4', 1795930746813596, 'dKViFEpmbXXa', 42, 'published', '', NULL, '{"settings":{"missing_inputs":"keep"},"retry_count":1,"variants":[{"name":"other","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hi {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"settings":{"engine":"mustache"},"retry_count":2}],"routing":[{"variant":"other","when":{"größe":{"in":["XL","é"]}}},{"variant":"other","when":{},"split":{"by":"user_id","percent":12.5}}]}');
INSERT INTO version VALUES ('01a225d0-711d-701c-8517-21b37d96669a', '01a225d0-6fbd-740f-a8fb-f837ef03ee7c', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hello {{title}} {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '0beb6137927948792dfc27ae1b2a4ddab12a3c3cd2ce5284a1508c1a7373d893', 1795930747165585, 'dKViFEpmbXXa', 43, 'published', '', NULL, '{"settings":{"missing_inputs":"keep"},"retry_count":1,"variants":[{"name":"other","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hi {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"settings":{"engine":"mustache"},"retry_count":2}],"routing":[{"variant":"other","when":{"größe":{"in":["XL","é"]}}},{"variant":"other","when":{},"split":{"by":"user_id","percent":12.5}}]}');
CREATE INDEX version_deployment ON version (deployment_id, rev);
CREATE INDEX version_deleted ON version (deleted_us) WHERE deleted_us IS NOT NULL;
CREATE TABLE history (
    rev BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL REFERENCES project (id),
    deployment_id TEXT NOT NULL REFERENCES deployment (id),
    action TEXT NOT NULL,          -- created, published, undone, changed, deleted, restored
    from_version_id TEXT,
    to_version_id TEXT,
    reason TEXT NOT NULL,
    api_key_id TEXT,               -- NULL for the operator
    api_key_name TEXT,
    request_id TEXT,
    at_us BIGINT NOT NULL,
    hash TEXT NOT NULL,
    breaking TEXT NOT NULL DEFAULT ''  -- JSON array: the breaking changes that were allowed; '' for none
);
INSERT INTO history VALUES (10, '01a225d0-6e73-7796-9f1f-744826a8fd6a', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6e72-774d-b38b-e191c792a086', 'created', NULL, '01a225d0-6e72-774d-b38b-e19010628b5d', '', 'dKViFEpmbXXa', 'all', '01a225d0-6e70-773d-a7fe-dca12bdc377d', 1795930746482646, '85f7a8f1f9ba06a6c360aff097e610a47aabbefc90d723d42582518f033c40c0', '');
INSERT INTO history VALUES (11, '01a225d0-6e76-72a2-9ca9-348da255ae1b', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6e72-774d-b38b-e191c792a086', 'published', '01a225d0-6e72-774d-b38b-e19010628b5d', '01a225d0-6e76-72a2-9ca9-348cf1851c06', '', 'dKViFEpmbXXa', 'all', '01a225d0-6e75-70d2-8048-9533e5937a9b', 1795930746486249, '70d4fb67a4802eba85a0b76efcfb1d8c9a85ece6d09d2367844de1755c33452d', '');
INSERT INTO history VALUES (12, '01a225d0-6e78-72a1-b66d-f22eb17d9520', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6e72-774d-b38b-e191c792a086', 'published', '01a225d0-6e76-72a2-9ca9-348cf1851c06', '01a225d0-6e78-72a1-b66d-f22dc4a1a478', '', 'dKViFEpmbXXa', 'all', '01a225d0-6e77-71e9-84f5-1eeb82f5cec9', 1795930746488118, 'eea47d57a8836b31fcac8b7bb713c3d384bde7eda70b25a67f8cd0bbd959363f', '');
INSERT INTO history VALUES (13, '01a225d0-6e7a-7157-b7c4-e57f6c8ad888', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6e79-74cf-85fe-36baabe970b8', 'created', NULL, '01a225d0-6e79-74cf-85fe-36b96b46219b', '', 'dKViFEpmbXXa', 'all', '01a225d0-6e79-74cf-85fe-36b82dc731c3', 1795930746489892, 'd4edbca87ddc1b2bc0aa7202bc62f4d42e7d7b9a23046217197469d7e32dccaa', '');
INSERT INTO history VALUES (14, '01a225d0-6e7b-715b-a825-7c4afddd5c43', '01a225d0-6853-7762-bb7b-f75365197aa6', '01a225d0-6e7b-715b-a825-7c49b347af61', 'created', NULL, '01a225d0-6e7b-715b-a825-7c484fc0d240', '', 'YNRfbzhfEEwa', 'shop', '01a225d0-6e7b-715b-a825-7c47ba63d439', 1795930746491499, 'f793898312aa060611670d31c07980f3194c7e5e364a128b072f7579d4925ba0', '');
INSERT INTO history VALUES (15, '01a225d0-6e7d-70f8-bfd6-a1755e7d6580', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6e7d-70f8-bfd6-a17442eff52c', 'created', NULL, '01a225d0-6e7d-70f8-bfd6-a173680f467d', '', 'dKViFEpmbXXa', 'all', '01a225d0-6e7c-7676-9240-b99cd86200b3', 1795930746493088, 'd5e68630e30d5cdeeb53b43a07c27e3da55012ffab29c66c1805e0605e131356', '');
INSERT INTO history VALUES (19, '01a225d0-6f0e-77d4-998f-cf816193f19f', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 'created', NULL, '01a225d0-6f0e-77d4-998f-cf7fb26fbc39', '', 'dKViFEpmbXXa', 'all', '01a225d0-6f0c-7282-b234-a53e9a20bb5f', 1795930746638312, '9ec681246d5a53357b20a73fd94985d34a6983dfdae7c7854600f4e61a5442ad', '');
INSERT INTO history VALUES (20, '01a225d0-6f10-744e-89cf-5c0ec6812ccf', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 'changed', '01a225d0-6f0e-77d4-998f-cf7fb26fbc39', '01a225d0-6f0e-77d4-998f-cf7fb26fbc39', '', 'dKViFEpmbXXa', 'all', '01a225d0-6f0f-77d7-aba5-815a969df325', 1795930746640374, '8292605150bd16b3e9b9407af3c9bd89626eb8ed0761b3bbf2cded67236173b4', '');
INSERT INTO history VALUES (21, '01a225d0-6f11-727e-8521-2652159c27f2', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 'deleted', '01a225d0-6f0e-77d4-998f-cf7fb26fbc39', NULL, '', 'dKViFEpmbXXa', 'all', '01a225d0-6f11-727e-8521-26514ddfd32c', 1795930746641647, 'cf09ed9e8a309ea33d2887b4eedbdb546fb45d77912fa8bd001f35856f52bf77', '');
INSERT INTO history VALUES (22, '01a225d0-6f13-738d-a3e8-3d3274c377b3', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 'restored', NULL, '01a225d0-6f0e-77d4-998f-cf7fb26fbc39', 'it is used', 'dKViFEpmbXXa', 'all', '01a225d0-6f12-75d8-8421-3fade1563430', 1795930746643298, '40e401299d6de810ee219bdb40ac11d5801999d6344f5a6f988a3f2952964587', '');
INSERT INTO history VALUES (23, '01a225d0-6f14-74c7-8277-ab092d097ae3', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6e7d-70f8-bfd6-a17442eff52c', 'deleted', '01a225d0-6e7d-70f8-bfd6-a173680f467d', NULL, '', 'dKViFEpmbXXa', 'all', '01a225d0-6f14-74c7-8277-ab086a02e0d2', 1795930746644728, '000681b4f0072282a9909c762d2bb5c1fe3d8d8112449df1c137fb497209bb4c', '');
INSERT INTO history VALUES (24, '01a225d0-6f16-72f3-b431-b084c63c5e32', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f16-72f3-b431-b083967e5b01', 'created', NULL, '01a225d0-6f16-72f3-b431-b082571ef9be', '', 'dKViFEpmbXXa', 'all', '01a225d0-6f15-73c1-b6d3-b0af2787270e', 1795930746646246, '00cc4084f24d0a894e867ee3ab35ae632d77d856e80a58902d349cc3f56be5aa', '');
INSERT INTO history VALUES (26, '01a225d0-6f1a-75d1-b6aa-c92e1fef9a8f', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6e72-774d-b38b-e191c792a086', 'published', '01a225d0-6e78-72a1-b66d-f22dc4a1a478', '01a225d0-6f1a-75d1-b6aa-c92d30687af5', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'dKViFEpmbXXa', 'all', '01a225d0-6f1a-75d1-b6aa-c92c42f3a4bc', 1795930746650691, 'e03b0a918b2a16bc3b228b9a59f621cbb8de3b04cf0c5b04e510d77d339965b1', '');
INSERT INTO history VALUES (27, '01a225d0-6f1c-7757-a109-2ebf552f8d50', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6e72-774d-b38b-e191c792a086', 'published', '01a225d0-6f1a-75d1-b6aa-c92d30687af5', '01a225d0-6e72-774d-b38b-e19010628b5d', 'the first was better', 'dKViFEpmbXXa', 'all', '01a225d0-6f1c-7757-a109-2ebe4997df96', 1795930746652337, 'c843ff671d3bbb1c801a08c68edcac5cf7241441370a254d16696762e258f264', '');
INSERT INTO history VALUES (28, '01a225d0-6f1d-731a-bcb2-6db27ca951c1', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6e72-774d-b38b-e191c792a086', 'undone', '01a225d0-6e72-774d-b38b-e19010628b5d', '01a225d0-6f1a-75d1-b6aa-c92d30687af5', 'or not', '11PDu4LCwP54', 'until 2099', '01a225d0-6f1d-731a-bcb2-6db11245a87f', 1795930746653773, '0a8bd9f20c5a0b626f385b0cbf92b14aaa61ed3497f6f5bda5f813dca1497fcc', '');
INSERT INTO history VALUES (29, '01a225d0-6f1f-7466-9f8e-4d467c7d586a', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f1f-7466-9f8e-4d451a85a8bb', 'created', NULL, '01a225d0-6f1f-7466-9f8e-4d44e311da64', '', 'dKViFEpmbXXa', 'all', '01a225d0-6f1e-74b5-b889-fdc111af1fc0', 1795930746655366, '04541711fbaf5d04ae772865e1ad905d13c2e88e4451ef29d41193988b1376ec', '');
INSERT INTO history VALUES (30, '01a225d0-6f21-74f7-8d64-15471637e919', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f21-74f7-8d64-1546b47896df', 'created', NULL, '01a225d0-6f21-74f7-8d64-15457c111c65', '', 'dKViFEpmbXXa', 'all', '01a225d0-6f20-7521-8ca2-11b2fd4ca826', 1795930746657002, '41cb7a81949bd1abe3f33fe77448f72f1fd90eb2bf579268d7618cabbf326d18', '');
INSERT INTO history VALUES (31, '01a225d0-6f22-73c9-b0da-8c68e0458a84', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f21-74f7-8d64-1546b47896df', 'changed', '01a225d0-6f21-74f7-8d64-15457c111c65', '01a225d0-6f21-74f7-8d64-15457c111c65', '', 'dKViFEpmbXXa', 'all', '01a225d0-6f22-73c9-b0da-8c67bd2fd653', 1795930746658499, '70418be50ec4138264db3a08001cb4538a7735115ef4e9350b72cf01c92c870e', '');
INSERT INTO history VALUES (32, '01a225d0-6f24-71af-ae7e-ea2de6696edc', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f23-76f2-ba10-868dca87cb62', 'created', NULL, '01a225d0-6f23-76f2-ba10-868c71fe506a', '', 'dKViFEpmbXXa', 'all', '01a225d0-6f23-76f2-ba10-868b94a1e2ea', 1795930746659933, '35851ef44fed2dfc166dea083acfa274f4ebc22d0b727ec2753c6e1b38102269', '');
INSERT INTO history VALUES (33, '01a225d0-6f25-7601-b8f9-2d372e0bf473', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f23-76f2-ba10-868dca87cb62', 'deleted', '01a225d0-6f23-76f2-ba10-868c71fe506a', NULL, '', 'dKViFEpmbXXa', 'all', '01a225d0-6f25-7601-b8f9-2d368666d37b', 1795930746661198, '15c971a092326898e9940b655830c2151677557d3030257596c86b0851d33b04', '');
INSERT INTO history VALUES (34, '01a225d0-6f26-714c-a844-d1dfdf406c1c', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 'published', '01a225d0-6f0e-77d4-998f-cf7fb26fbc39', '01a225d0-6f26-714c-a844-d1de8363b9f8', '', 'dKViFEpmbXXa', 'all', '01a225d0-6f26-714c-a844-d1dd526d3627', 1795930746662648, 'e052cebda97ba601af890e94999c20fdabf1579e8f266a235789d5f4626b6c31', '');
INSERT INTO history VALUES (35, '01a225d0-6f28-756c-8aa0-d953ddb0a7a1', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 'published', '01a225d0-6f26-714c-a844-d1de8363b9f8', '01a225d0-6f28-756c-8aa0-d95222c3fb06', '', 'dKViFEpmbXXa', 'all', '01a225d0-6f27-72c1-8f90-e99d6704e095', 1795930746664287, 'd466a62db5e16e8ea7bcf818b843a40e6ae365af96a7fb55d86feb9c1c974544', '');
INSERT INTO history VALUES (36, '01a225d0-6f29-7069-889e-a20d48eed306', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 'deleted', '01a225d0-6f0e-77d4-998f-cf7fb26fbc39', '01a225d0-6f0e-77d4-998f-cf7fb26fbc39', '', 'dKViFEpmbXXa', 'all', '01a225d0-6f29-7069-889e-a20cd4851ae7', 1795930746665561, 'fcd2fb6d282697739a469c74e8c82578b24fa5eb84291b0329c9b08472c41f3c', '');
INSERT INTO history VALUES (38, '01a225d0-6fb5-70dc-8e7b-f5dba652fd3c', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6f0e-77d4-998f-cf800386e6cd', 'deleted', '01a225d0-6f26-714c-a844-d1de8363b9f8', '01a225d0-6f26-714c-a844-d1de8363b9f8', '', 'dKViFEpmbXXa', 'all', '01a225d0-6fb5-70dc-8e7b-f5da72174458', 1795930746805845, '52f58c24dba9f92c0051d66990e5b1e50ce2a53dfcc3298c259558e8286b89cf', '');
INSERT INTO history VALUES (39, '01a225d0-6fb8-7022-a1b7-e10196a11c03', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6fb8-7022-a1b7-e1006eacf7f1', 'created', NULL, '01a225d0-6fb8-7022-a1b7-e0ffd51a4276', '', 'dKViFEpmbXXa', 'all', '01a225d0-6fb7-7283-bdd5-95e8fbcf75e5', 1795930746808201, '16d09704a4a21149d3b2f6e14248a7bd692b839c540ec32806422fa4bd9115c5', '');
INSERT INTO history VALUES (40, '01a225d0-6fb9-76be-959a-45182acffc37', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6fb8-7022-a1b7-e1006eacf7f1', 'deleted', '01a225d0-6fb8-7022-a1b7-e0ffd51a4276', NULL, '', 'dKViFEpmbXXa', 'all', '01a225d0-6fb9-76be-959a-45178606f4c0', 1795930746809768, 'f4831d74f0b81630c1536349355983e2a40403c17469b85d0a10c22fade8cd59', '');
INSERT INTO history VALUES (41, '01a225d0-6fbb-72ee-9a6f-f7d6dedc60b5', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6fbb-72ee-9a6f-f7d574c9e22c', 'created', NULL, '01a225d0-6fbb-72ee-9a6f-f7d42aaea68e', '', 'dKViFEpmbXXa', 'all', '01a225d0-6fba-70c1-a6ff-5ac4663d3c8a', 1795930746811472, '3c2537d636cfb9bb172d67a4f7a3b61e67ff9a30519a2bc1fffa68e280e760b1', '');
INSERT INTO history VALUES (42, '01a225d0-6fbd-740f-a8fb-f8384f5fb695', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6fbd-740f-a8fb-f837ef03ee7c', 'created', NULL, '01a225d0-6fbd-740f-a8fb-f836e6d97540', '', 'dKViFEpmbXXa', 'all', '01a225d0-6fbd-740f-a8fb-f83570e2c19e', 1795930746813596, 'fd441cdc48f3c594136d1a7c6e5ee0551ff6373672ceb58277ab490a090f9f06', '');
INSERT INTO history VALUES (43, '01a225d0-711e-70c8-88f2-06f6c7b090fe', '01a225d0-6902-74d9-b3be-47453f62d30f', '01a225d0-6fbd-740f-a8fb-f837ef03ee7c', 'published', '01a225d0-6fbd-740f-a8fb-f836e6d97540', '01a225d0-711d-701c-8517-21b37d96669a', '', 'dKViFEpmbXXa', 'all', '01a225d0-711b-7254-b237-b337316c691f', 1795930747165585, '3e32e0a9d39dcf4c1146af3520f05fc44173b523fb75d966b27b1cd4468c0425', '["variables.title"]');
CREATE INDEX history_deployment ON history (deployment_id, rev);
CREATE INDEX history_to_version ON history (to_version_id);
CREATE TABLE idempotency (
    project_id TEXT NOT NULL REFERENCES project (id),
    key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    result TEXT NOT NULL,          -- JSON; the tokens of API keys are masked
    created_us BIGINT NOT NULL,
    PRIMARY KEY (project_id, key)
);
INSERT INTO idempotency VALUES ('01a225d0-6902-74d9-b3be-47453f62d30f', 'after_the_purge', 'e0c59bbaf9a21a0f2f784f0013c0d55bc047814f37f22087e0ab00bdaf587b32', '{"type":"DeploymentResult","deployment":{"id":"01a225d0-6fbb-72ee-9a6f-f7d574c9e22c","project_id":"01a225d0-6902-74d9-b3be-47453f62d30f","key":"kept_answer","description":"","seq":41,"created_us":1795930746811472,"updated_us":1795930746811472,"deleted_us":null,"version":{"major":1,"minor":0},"content":{"prompt_config":"{\"tools\":[],\"model\":\"openai/gpt-4o\",\"model_type\":\"chat\",\"model_parameters\":{},\"provider\":\"openai\",\"messages\":[{\"role\":\"system\",\"content\":\"posted\"},{\"role\":\"user\",\"content\":\"Grüße, {{name}}! It''s 100 % 你好 👋 \\\\ \\\"quoted\\\" :name\\nsecond\\tline ✓\"}]}","variables":"[]","runtime_config":"{}"},"content_sha256":"9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365","rev":41,"live_version_id":"01a225d0-6fbb-72ee-9a6f-f7d42aaea68e","owner":"api","file":null},"result":"created","previous_owner":null,"breaking":[]}', 1795930746811472);
CREATE INDEX idempotency_created ON idempotency (created_us);
CREATE TABLE copy (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    source TEXT NOT NULL,          -- its address, without the password
    epoch TEXT NOT NULL,           -- of the source when the copy began
    rev BIGINT NOT NULL            -- of the source when the copy began
);
CREATE TABLE consumer (
    version_id TEXT NOT NULL REFERENCES version (id),
    api_key_id TEXT NOT NULL REFERENCES api_key (id),
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    inputs TEXT NOT NULL,          -- JSON array of names
    PRIMARY KEY (version_id, api_key_id)
);
INSERT INTO consumer VALUES ('01a225d0-6fbd-740f-a8fb-f836e6d97540', 'dKViFEpmbXXa', 1795930746815294, 1795930746815925, '["gr\u00f6\u00dfe", "name"]');
CREATE INDEX consumer_last ON consumer (last_us);
