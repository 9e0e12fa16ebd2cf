-- Made by tests/store/golden/make.py; see there.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rev BIGINT NOT NULL,
    last_created_us BIGINT NOT NULL
, ledger_hash TEXT NOT NULL DEFAULT '', epoch TEXT NOT NULL DEFAULT '');
INSERT INTO revision VALUES (1, 43, 1795390662422730, '0e701fcba533d4c806c336b85eed73311cd3a92e9380575677dcaec9d5e62ba5', '');
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    rev BIGINT NOT NULL
);
INSERT INTO project VALUES ('01a2059f-4e47-7790-9d3a-19103e3a2e05', 'shop', 1795390656070588, 1);
INSERT INTO project VALUES ('01a2059f-5029-7053-8556-c93b5b9a40a2', 'default', 1795390656552826, 2);
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
INSERT INTO api_key VALUES ('kKD1kZWh5Cqp', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'all', 'deployments:invoke deployments:publish deployments:read deployments:write', '60c7e2f5dc37ba1e4f6a8df534ec9d2761b0b003412ecede95b6e03be350983c', 1795390656554364, NULL, NULL, 3);
INSERT INTO api_key VALUES ('8QuzgZ9gBbcB', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'reader', 'deployments:read', 'c3d129d6e6c2c24e2c4cb552e7834ae9fc8edb7f8aa96282fad6013bcb2eac31', 1795390657036978, NULL, NULL, 4);
INSERT INTO api_key VALUES ('EKJGpx8iLmi7', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'until 2099', 'deployments:invoke deployments:publish deployments:read deployments:write', 'df780d21f2a92c7eb39211e687d14d86137f1ce05c14a439a30e15a3634a9c53', 1795390657453528, 4070908800000000, NULL, 5);
INSERT INTO api_key VALUES ('9IRtVKDb9XXJ', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'over', 'deployments:invoke deployments:publish deployments:read deployments:write', '5f3da6b73c4f18784fe0bf5cd8d99b567ee6e2f2f91be2eaad694f309c55eac7', 1795390657854897, 1795390658851141, NULL, 6);
INSERT INTO api_key VALUES ('2xDafB1hrwxJ', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'revoked', 'deployments:invoke deployments:publish deployments:read deployments:write', '58c1a0260d4bb005aeb31f1f739cef9b625ff87800b1b138b44f76d7f681db06', 1795390658267375, NULL, 1795390659067725, 9);
INSERT INTO api_key VALUES ('Q006ifVmLUvE', '01a2059f-4e47-7790-9d3a-19103e3a2e05', 'shop', 'deployments:invoke deployments:publish deployments:read deployments:write', '3f5dd8c77e1344c38d214fc4e4b2cb4fc6543b756f1f05126dec93165e56b81a', 1795390658687920, NULL, NULL, 8);
INSERT INTO api_key VALUES ('o5m8G6ADBrks', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'keeper', 'deployments:read keys:admin', 'dce5e4f22cbfa2775eb48108e179cb58b398c21fb3693ab5f0243d3f48f02e08', 1795390660598834, NULL, NULL, 16);
INSERT INTO api_key VALUES ('JUiHP5mBH943', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'von einem Schlüssel', 'deployments:read', 'd4f8a3cffb2a17132dde45e04e8e5d5207da6fcc98f5eef0dbb83fe57f07123a', 1795390660662696, NULL, NULL, 18);
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
    rev BIGINT NOT NULL
, owner TEXT NOT NULL DEFAULT 'api', file TEXT);
INSERT INTO deployment VALUES ('01a2059f-5e3f-74fd-a327-465ac02e825a', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'greeting', 'Grüßt', 10, 1795390660159158, 1795390660744120, NULL, '01a2059f-607d-77c4-abc2-38b52215c76f', 28, 'api', NULL);
INSERT INTO deployment VALUES ('01a2059f-5e57-7536-87b1-048a367791f3', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'full', 'Answers refunds', 13, 1795390660182992, 1795390660182992, NULL, '01a2059f-5e57-7536-87b1-0489884c5194', 13, 'api', NULL);
INSERT INTO deployment VALUES ('01a2059f-5e66-7506-a6fe-754c9d59c523', '01a2059f-4e47-7790-9d3a-19103e3a2e05', 'greeting', '', 14, 1795390660198677, 1795390660198677, NULL, '01a2059f-5e66-7506-a6fe-754b92d2ee9b', 14, 'api', NULL);
INSERT INTO deployment VALUES ('01a2059f-5e6c-761f-a0c2-a822ea13f20f', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'gone', '', 15, 1795390660204076, 1795390660708879, 1795390660708879, '01a2059f-5e6c-761f-a0c2-a8214aced353', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a2059f-6043-7040-a307-1fe3005e4917', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'posted', 'changed', 19, 1795390660670410, 1795390660789494, NULL, '01a2059f-60b5-719e-85f4-dd075174badf', 38, 'api', NULL);
INSERT INTO deployment VALUES ('01a2059f-606d-7046-9afb-de4a75b4bd08', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'gone', '', 24, 1795390660717142, 1795390660717142, NULL, '01a2059f-606d-7046-9afb-de49132a9403', 24, 'api', NULL);
INSERT INTO deployment VALUES ('01a2059f-608e-7588-a0e6-c89797e35d63', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'from_a_file', '', 29, 1795390660750582, 1795390660750582, NULL, '01a2059f-608e-7588-a0e6-c8961a0f92db', 29, 'files', 'shop/größen.yaml');
INSERT INTO deployment VALUES ('01a2059f-6094-7758-85b8-89f41981fc8f', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'taken_over', 'taken over', 30, 1795390660756151, 1795390660765508, NULL, '01a2059f-6094-7758-85b8-89f37cd9c3fb', 31, 'api', 'shop/taken.yaml');
INSERT INTO deployment VALUES ('01a2059f-60a2-7640-aa41-6a9823c6974b', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'erased', '', 32, 1795390660770261, 1795390660777341, 1795390660777341, '01a2059f-60a2-7640-aa41-6a97ed60b262', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a2059f-6224-7648-b7bc-34c3db44adaf', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'recent', '', 39, 1795390661156167, 1795390661159914, 1795390661159914, '01a2059f-6224-7648-b7bc-34c205d40a14', 40, 'api', NULL);
INSERT INTO deployment VALUES ('01a2059f-622c-71af-857c-db118c4e74a3', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'kept_answer', '', 41, 1795390661163952, 1795390661163952, NULL, '01a2059f-622c-71af-857c-db10ea30c131', 41, 'api', NULL);
INSERT INTO deployment VALUES ('01a2059f-6231-73d6-8922-9cc98c3cea2f', '01a2059f-5029-7053-8556-c93b5b9a40a2', 'routed', '', 42, 1795390661169496, 1795390662422730, NULL, '01a2059f-6717-75f6-b6de-69c71e620b9c', 43, 'api', NULL);
CREATE UNIQUE INDEX deployment_key ON deployment (project_id, key) WHERE deleted_us IS NULL;
CREATE INDEX deployment_rev ON deployment (rev);
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
    api_key_id TEXT,               -- who made it; none when the operator did
    rev BIGINT NOT NULL, made_as TEXT NOT NULL DEFAULT 'published', description TEXT NOT NULL DEFAULT '', deleted_us BIGINT, serving TEXT NOT NULL DEFAULT '{}',
    UNIQUE (deployment_id, major, minor)
);
INSERT INTO version VALUES ('01a2059f-5e3f-74fd-a327-4659c049f03a', '01a2059f-5e3f-74fd-a327-465ac02e825a', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"one"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', '73ee64a3573733a101d28a852244129bb3f14ed69a77e8b7f0d7cb9f11655317', 1795390660159158, 'kKD1kZWh5Cqp', 10, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-5e47-71aa-9a8d-2c8a1e69e57a', '01a2059f-5e3f-74fd-a327-465ac02e825a', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"two"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '3ade4ae8179d5fd0152aed84669fbfc0c32123d567a212cd939fce1178638438', 1795390660166746, 'kKD1kZWh5Cqp', 11, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-5e51-7425-a061-1b69d5777a6d', '01a2059f-5e3f-74fd-a327-465ac02e825a', 2, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"three"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '2c266711562281abc9f67ec50ec9dfee6cfc0fc105f95cb470c12bc22f4c77b4', 1795390660177179, 'kKD1kZWh5Cqp', 12, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-5e57-7536-87b1-0489884c5194', '01a2059f-5e57-7536-87b1-048a367791f3', 1, 0, '{"tools":[{"type":"function","function":{"name":"find_order","parameters":{"type":"object","properties":{"number":{"type":"string","minLength":1},"window":{"type":"object","properties":{"days":{"type":"integer"}},"additionalProperties":true},"note":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}},"required":["number"],"additionalProperties":false},"description":"Finds an order by its number.","strict":true},"display_name":"Find an order","id":42}],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{"temperature":0.2,"maxTokens":512,"topK":40,"topP":0.95,"frequencyPenalty":-0.5,"presencePenalty":1.5,"numImages":2,"seed":42.5,"format":"b64_json","dimensions":"1024x1024","quality":"hd","style":"vivid","responseFormat":{"type":"json_object"},"cacheControl":{"type":"ephemeral","ttl":"1h"},"photoRealVersion":"v2","encoding_format":"float","reasoningEffort":"high","budgetTokens":2048,"verbosity":"low","thinkingLevel":"low"},"provider":"openai","messages":[{"role":"system","content":"You help {{customer}}. ✓ 👋  "},{"role":"user","content":[{"type":"text","text":"Where is this?"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","id":"img_1","detail":"high"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","uri":"https://example.com/a.pdf","mimeType":"application/pdf","filename":"a.pdf"}}]},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"find_order","arguments":"{\"number\": \"7\"}"},"id":"call_1","index":0}],"tool_call_id":null},{"role":"tool","content":"On its way.","tool_call_id":"call_1"}]}', '[]', '', '7edfb5eb6172776248b8183a420238b5d14efcb53e92cb5b42c9ae79df173eb3', 1795390660182992, 'kKD1kZWh5Cqp', 13, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-5e66-7506-a6fe-754b92d2ee9b', '01a2059f-5e66-7506-a6fe-754c9d59c523', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"of the shop"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '6f698d10a8ab1ec5ff7643b7001ed31acd23a6770570dde95295dee681caac6c', 1795390660198677, 'Q006ifVmLUvE', 14, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-5e6c-761f-a0c2-a8214aced353', '01a2059f-5e6c-761f-a0c2-a822ea13f20f', 1, 0, '', '', '', 'd11a0cbb04906c0e3c484dfb5c37ec5a4a8f35f24d2435d4a861dde0f48e4fd1', 1795390660204076, 'kKD1kZWh5Cqp', 15, 'published', '', NULL, '');
INSERT INTO version VALUES ('01a2059f-6043-7040-a307-1fe28c2048d8', '01a2059f-6043-7040-a307-1fe3005e4917', 1, 0, '', '', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795390660670410, 'kKD1kZWh5Cqp', 19, 'published', '', 1795390660798485, '');
INSERT INTO version VALUES ('01a2059f-606d-7046-9afb-de49132a9403', '01a2059f-606d-7046-9afb-de4a75b4bd08', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '550a78ae9e82acb21679e4a1d74f526c25479d6c94a1710edc6fe1a7a9635c2d', 1795390660717142, 'kKD1kZWh5Cqp', 24, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-6077-7482-8108-f09c60a08d49', '01a2059f-5e3f-74fd-a327-465ac02e825a', 2, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"a draft"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'f079839c101f2d7cb46127d7f23f63fa1f767425404da1e1f54fe86fe5271617', 1795390660726864, 'kKD1kZWh5Cqp', 25, 'draft', 'a draft', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-607d-77c4-abc2-38b52215c76f', '01a2059f-5e3f-74fd-a327-465ac02e825a', 2, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"at once"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', 'b892186654582d35bcb5e6ddac245950c52c1646356aff2d5b2339e042f69de6', 1795390660732787, 'kKD1kZWh5Cqp', 26, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-608e-7588-a0e6-c8961a0f92db', '01a2059f-608e-7588-a0e6-c89797e35d63', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795390660750582, 'kKD1kZWh5Cqp', 29, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-6094-7758-85b8-89f37cd9c3fb', '01a2059f-6094-7758-85b8-89f41981fc8f', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795390660756151, 'kKD1kZWh5Cqp', 30, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-60a2-7640-aa41-6a97ed60b262', '01a2059f-60a2-7640-aa41-6a9823c6974b', 1, 0, '', '', '', 'ec2aa88a75098a816a601a4c16cc31fae4a41e533eff86e8e0ce51c778432a23', 1795390660770261, 'kKD1kZWh5Cqp', 32, 'published', '', NULL, '');
INSERT INTO version VALUES ('01a2059f-60ae-74e5-ac3f-b6bc8686f2f1', '01a2059f-6043-7040-a307-1fe3005e4917', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"with versions that are erased and deleted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'cb9aeb64e647ff49675764dcfda997dab0dac42e9ba6cb7bf4e085251e7ed954', 1795390660782311, 'kKD1kZWh5Cqp', 34, 'published', '', 1795390661151020, '{}');
INSERT INTO version VALUES ('01a2059f-60b5-719e-85f4-dd075174badf', '01a2059f-6043-7040-a307-1fe3005e4917', 1, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"live"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '467f5ee4abc08c62cd15a3b3e1b45e58adc873d7c54df9ba6b00f3a225e8b583', 1795390660789494, 'kKD1kZWh5Cqp', 35, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-6224-7648-b7bc-34c205d40a14', '01a2059f-6224-7648-b7bc-34c3db44adaf', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"deleted, and not erased"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'a3755321a5c12b59fea1cd9e0cec8c0915466fec52d171ed04514985519a26dc', 1795390661156167, 'kKD1kZWh5Cqp', 39, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-622c-71af-857c-db10ea30c131', '01a2059f-622c-71af-857c-db118c4e74a3', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795390661163952, 'kKD1kZWh5Cqp', 41, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2059f-6231-73d6-8922-9cc8c7f62c16', '01a2059f-6231-73d6-8922-9cc98c3cea2f', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hello {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'f80abcf191ac2b73ecf2f8f2a05fffd9ba533bbd623f1dd583d0299579c807f4', 1795390661169496, 'kKD1kZWh5Cqp', 42, 'published', '', NULL, '{"settings":{"missing_inputs":"keep"},"retry_count":1,"variants":[{"name":"other","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hi {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"settings":{"engine":"mustache"},"retry_count":2}],"routing":[{"variant":"other","when":{"größe":{"in":["XL","é"]}}},{"variant":"other","when":{},"split":{"by":"user_id","percent":12.5}}]}');
INSERT INTO version VALUES ('01a2059f-6717-75f6-b6de-69c71e620b9c', '01a2059f-6231-73d6-8922-9cc98c3cea2f', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hello {{title}} {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '0beb6137927948792dfc27ae1b2a4ddab12a3c3cd2ce5284a1508c1a7373d893', 1795390662422730, 'kKD1kZWh5Cqp', 43, 'published', '', NULL, '{"settings":{"missing_inputs":"keep"},"retry_count":1,"variants":[{"name":"other","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hi {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"settings":{"engine":"mustache"},"retry_count":2}],"routing":[{"variant":"other","when":{"größe":{"in":["XL","é"]}}},{"variant":"other","when":{},"split":{"by":"user_id","percent":12.5}}]}');
CREATE TABLE ledger (
    rev BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL REFERENCES project (id),
    deployment_id TEXT NOT NULL REFERENCES deployment (id),
    action TEXT NOT NULL,          -- created, published, undone, changed, deleted, restored
    from_version_id TEXT,
    to_version_id TEXT,
    reason TEXT NOT NULL,
    api_key_id TEXT,               -- none when the operator did it
    api_key_name TEXT,
    request_id TEXT,
    at_us BIGINT NOT NULL,
    hash TEXT NOT NULL
, breaking TEXT NOT NULL DEFAULT '');
INSERT INTO ledger VALUES (10, '01a2059f-5e40-73c0-b37d-8beaf1f97186', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-5e3f-74fd-a327-465ac02e825a', 'created', NULL, '01a2059f-5e3f-74fd-a327-4659c049f03a', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-5e36-700c-8aac-3f535f3f8fed', 1795390660159158, 'c37317df3136d366d289a2219f20db99895430cb8d1f4a80252c2ae658d0d0cb', '');
INSERT INTO ledger VALUES (11, '01a2059f-5e47-71aa-9a8d-2c8b2b9d5139', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-5e3f-74fd-a327-465ac02e825a', 'published', '01a2059f-5e3f-74fd-a327-4659c049f03a', '01a2059f-5e47-71aa-9a8d-2c8a1e69e57a', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-5e45-73d5-a059-e6327193d322', 1795390660166746, '4946c5b363b6249a912ff4c9decdae411c3391abaceb6db6c3adc63b7c432d51', '');
INSERT INTO ledger VALUES (12, '01a2059f-5e51-7425-a061-1b6a666cd087', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-5e3f-74fd-a327-465ac02e825a', 'published', '01a2059f-5e47-71aa-9a8d-2c8a1e69e57a', '01a2059f-5e51-7425-a061-1b69d5777a6d', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-5e4a-7006-875c-cadbae553fda', 1795390660177179, '2290f2d03c975fd22a3bdbd7c2afc7ef39b90ee1748dd4680a87eb7811f0bbc6', '');
INSERT INTO ledger VALUES (13, '01a2059f-5e57-7536-87b1-048b7dbd2e8b', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-5e57-7536-87b1-048a367791f3', 'created', NULL, '01a2059f-5e57-7536-87b1-0489884c5194', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-5e55-7028-84b2-06a1f7d33280', 1795390660182992, '8a9191fedcb1c056a34bce43c5b01082d37f0740c82a71825b4c1d2841e3ea15', '');
INSERT INTO ledger VALUES (14, '01a2059f-5e67-7795-9c11-704dc7f155aa', '01a2059f-4e47-7790-9d3a-19103e3a2e05', '01a2059f-5e66-7506-a6fe-754c9d59c523', 'created', NULL, '01a2059f-5e66-7506-a6fe-754b92d2ee9b', '', 'Q006ifVmLUvE', 'shop', '01a2059f-5e60-7237-8340-fcb843de1bdf', 1795390660198677, 'ca66f0cac08a241b22d42c89e26fd6109347ab6dba8753c4039f9e7d447cb50e', '');
INSERT INTO ledger VALUES (15, '01a2059f-5e6c-761f-a0c2-a8236237afd5', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-5e6c-761f-a0c2-a822ea13f20f', 'created', NULL, '01a2059f-5e6c-761f-a0c2-a8214aced353', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-5e6b-746f-8406-b22f765f239f', 1795390660204076, 'b519c98a229787fe6bd0bb6be58df18d03c9e198deffd5fc4a3d5314d3ff9c61', '');
INSERT INTO ledger VALUES (19, '01a2059f-6043-7040-a307-1fe49ddb3eaa', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6043-7040-a307-1fe3005e4917', 'created', NULL, '01a2059f-6043-7040-a307-1fe28c2048d8', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-603d-74b5-98bc-3c793edefeb8', 1795390660670410, '25dc6b606e2188c9c46af8c898454789ccccb715474c9b9a5cf728e6d6f8233e', '');
INSERT INTO ledger VALUES (20, '01a2059f-604b-734d-8dc3-4e72bf9114f0', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6043-7040-a307-1fe3005e4917', 'changed', '01a2059f-6043-7040-a307-1fe28c2048d8', '01a2059f-6043-7040-a307-1fe28c2048d8', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-604a-721e-8b32-15944a48bae5', 1795390660683520, 'e249540000845e0cfc866f21997c0577f52208d15b8a50eec8b18c91fc45ab41', '');
INSERT INTO ledger VALUES (21, '01a2059f-6054-7376-9be8-7c5a52057705', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6043-7040-a307-1fe3005e4917', 'deleted', '01a2059f-6043-7040-a307-1fe28c2048d8', NULL, '', 'kKD1kZWh5Cqp', 'all', '01a2059f-6053-75d7-8a5b-c76b4c87fa90', 1795390660692477, '26486294dfd251a57a2ceac3d588d90a1dad0f473aa872307cecf7204e4c093f', '');
INSERT INTO ledger VALUES (22, '01a2059f-605e-7092-9081-88b4f9258c0a', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6043-7040-a307-1fe3005e4917', 'restored', NULL, '01a2059f-6043-7040-a307-1fe28c2048d8', 'it is used', 'kKD1kZWh5Cqp', 'all', '01a2059f-6058-758e-87ed-ec7adb1a1bf3', 1795390660701952, 'f2df1d576abdef4a897dab81ccd4279e59b3c9e8ab51d291c3abf5cd1e700ed9', '');
INSERT INTO ledger VALUES (23, '01a2059f-6065-74bf-8de6-8912f38e720b', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-5e6c-761f-a0c2-a822ea13f20f', 'deleted', '01a2059f-5e6c-761f-a0c2-a8214aced353', NULL, '', 'kKD1kZWh5Cqp', 'all', '01a2059f-6064-74c2-a4fd-bef109f3f6a5', 1795390660708879, '445b5dfeadf8973809e70720dcda695d0060872b51f5d4a4c81f385786b9164c', '');
INSERT INTO ledger VALUES (24, '01a2059f-606d-7046-9afb-de4b6f7c78b4', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-606d-7046-9afb-de4a75b4bd08', 'created', NULL, '01a2059f-606d-7046-9afb-de49132a9403', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-606b-70ae-8319-83c11f4f6789', 1795390660717142, '9cb7429d1adae16c8e189e1cee94b1bbaf3360b9ab0681c6a65060052ed68bb6', '');
INSERT INTO ledger VALUES (26, '01a2059f-607d-77c4-abc2-38b6cc87a22d', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-5e3f-74fd-a327-465ac02e825a', 'published', '01a2059f-5e51-7425-a061-1b69d5777a6d', '01a2059f-607d-77c4-abc2-38b52215c76f', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'kKD1kZWh5Cqp', 'all', '01a2059f-607b-779c-aace-3a7463dc270e', 1795390660732787, '628b3ceb0e06af726d2c58c36cdb5117832be077276513bed6a87208c6930e77', '');
INSERT INTO ledger VALUES (27, '01a2059f-6083-74fe-a0f9-8656860429ab', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-5e3f-74fd-a327-465ac02e825a', 'published', '01a2059f-607d-77c4-abc2-38b52215c76f', '01a2059f-5e3f-74fd-a327-4659c049f03a', 'the first was better', 'kKD1kZWh5Cqp', 'all', '01a2059f-6081-7581-a317-afde2dd4cc0d', 1795390660738695, 'f6078df171174a37374f3cabf129baf3fbd8bc43c7d4b776565190d3752d98b7', '');
INSERT INTO ledger VALUES (28, '01a2059f-6088-7178-b57b-0266ddf7c38a', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-5e3f-74fd-a327-465ac02e825a', 'undone', '01a2059f-5e3f-74fd-a327-4659c049f03a', '01a2059f-607d-77c4-abc2-38b52215c76f', 'or not', 'EKJGpx8iLmi7', 'until 2099', '01a2059f-6087-7199-9ff8-105760306330', 1795390660744120, '82b2732d9ed9ac77ab08c9936b6612627ac78761f40be4292dc367ab4b9979cc', '');
INSERT INTO ledger VALUES (29, '01a2059f-608e-7588-a0e6-c8985c9b723b', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-608e-7588-a0e6-c89797e35d63', 'created', NULL, '01a2059f-608e-7588-a0e6-c8961a0f92db', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-608c-7368-9ad6-e50f5f417dba', 1795390660750582, 'ab7bb2e675e7758c7df4cda8445c72e6be3a9d9693d30d4649545e2622a9dd16', '');
INSERT INTO ledger VALUES (30, '01a2059f-6094-7758-85b8-89f533ef222f', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6094-7758-85b8-89f41981fc8f', 'created', NULL, '01a2059f-6094-7758-85b8-89f37cd9c3fb', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-6092-719b-bfd8-a3fa0cacddec', 1795390660756151, '055e99cc5e444663d7fb27a74c644d361c2434301f9ec6693df307eb1d0b5edd', '');
INSERT INTO ledger VALUES (31, '01a2059f-609d-7285-a368-b47848aa1bb4', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6094-7758-85b8-89f41981fc8f', 'changed', '01a2059f-6094-7758-85b8-89f37cd9c3fb', '01a2059f-6094-7758-85b8-89f37cd9c3fb', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-609c-7206-8c1c-41b8caedec05', 1795390660765508, '3c0859c82c50864015291a90b3b475d1d4a906905aa29df108c1b7c96bbe17d3', '');
INSERT INTO ledger VALUES (32, '01a2059f-60a2-7640-aa41-6a9997c55bc4', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-60a2-7640-aa41-6a9823c6974b', 'created', NULL, '01a2059f-60a2-7640-aa41-6a97ed60b262', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-60a1-7536-be80-5fc345333805', 1795390660770261, '94d58f92b8e581e55045abf9ae690a33aba30c3de3455272958cdd615616cf7a', '');
INSERT INTO ledger VALUES (33, '01a2059f-60a9-74a8-9f4b-c2e3949304c7', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-60a2-7640-aa41-6a9823c6974b', 'deleted', '01a2059f-60a2-7640-aa41-6a97ed60b262', NULL, '', 'kKD1kZWh5Cqp', 'all', '01a2059f-60a8-7303-a165-0e354626eea3', 1795390660777341, 'f9e0d9069a970d11b050eef619db3ab1476f1f4063484eed45d3933ebf0f46a9', '');
INSERT INTO ledger VALUES (34, '01a2059f-60ae-74e5-ac3f-b6bd5416481c', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6043-7040-a307-1fe3005e4917', 'published', '01a2059f-6043-7040-a307-1fe28c2048d8', '01a2059f-60ae-74e5-ac3f-b6bc8686f2f1', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-60ad-71aa-ac8e-c0687c25b642', 1795390660782311, '05a78d37a5aa0838dfa06c41d925a964090cd293ca13f51bf4654670cf60413b', '');
INSERT INTO ledger VALUES (35, '01a2059f-60b6-754c-aa4f-bde68c1021f7', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6043-7040-a307-1fe3005e4917', 'published', '01a2059f-60ae-74e5-ac3f-b6bc8686f2f1', '01a2059f-60b5-719e-85f4-dd075174badf', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-60b4-72fe-a165-36a1b0fdf0ce', 1795390660789494, 'bbec11d4af85a0a01f5b101180dd6dad2ec501549bf62d284356264089981b29', '');
INSERT INTO ledger VALUES (36, '01a2059f-60be-7337-bf29-069851bdc8ce', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6043-7040-a307-1fe3005e4917', 'deleted', '01a2059f-6043-7040-a307-1fe28c2048d8', '01a2059f-6043-7040-a307-1fe28c2048d8', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-60be-7337-bf29-06979b688e12', 1795390660798485, 'adb755437e9f8eb0667e3975b0c6d729b9f417a8caa20f20c8ec25daf5dafd89', '');
INSERT INTO ledger VALUES (38, '01a2059f-621f-76e2-9051-37941b74157d', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6043-7040-a307-1fe3005e4917', 'deleted', '01a2059f-60ae-74e5-ac3f-b6bc8686f2f1', '01a2059f-60ae-74e5-ac3f-b6bc8686f2f1', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-621d-73d5-b1ee-719ab7a63a08', 1795390661151020, '3761e5cf3bdbca053fb7fbee08b5b3eda603009878255f2c987415e276c24103', '');
INSERT INTO ledger VALUES (39, '01a2059f-6224-7648-b7bc-34c4283a0e95', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6224-7648-b7bc-34c3db44adaf', 'created', NULL, '01a2059f-6224-7648-b7bc-34c205d40a14', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-6223-74a2-9df4-0708e8c965ec', 1795390661156167, '2a860d86999385e0e4812780f75bdebc60d12bc63ae248cc0f9fe3022d46fe53', '');
INSERT INTO ledger VALUES (40, '01a2059f-6228-732c-b4d9-7dbd72e07d07', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6224-7648-b7bc-34c3db44adaf', 'deleted', '01a2059f-6224-7648-b7bc-34c205d40a14', NULL, '', 'kKD1kZWh5Cqp', 'all', '01a2059f-6227-702a-b12d-59ba10cd6491', 1795390661159914, '31ad3f6af85917b26653d020bc3d9b5cb83c69fe8e3ee7291f02f98e0bba0271', '');
INSERT INTO ledger VALUES (41, '01a2059f-622c-71af-857c-db121ce2e854', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-622c-71af-857c-db118c4e74a3', 'created', NULL, '01a2059f-622c-71af-857c-db10ea30c131', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-622b-76a7-a7da-839842171302', 1795390661163952, '5c6aa4cb95626bd0fc48812dcf47b794ed8bf0469e42c5b126ca8b0bd4ed36b8', '');
INSERT INTO ledger VALUES (42, '01a2059f-6231-73d6-8922-9cca2172af05', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6231-73d6-8922-9cc98c3cea2f', 'created', NULL, '01a2059f-6231-73d6-8922-9cc8c7f62c16', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-6230-76f3-acc9-59a6d69767c3', 1795390661169496, '57d4663434673f06eb7996f058057a97766295bc5144a9331a1aad4cf7b7a2d1', '');
INSERT INTO ledger VALUES (43, '01a2059f-6717-75f6-b6de-69c8e102005b', '01a2059f-5029-7053-8556-c93b5b9a40a2', '01a2059f-6231-73d6-8922-9cc98c3cea2f', 'published', '01a2059f-6231-73d6-8922-9cc8c7f62c16', '01a2059f-6717-75f6-b6de-69c71e620b9c', '', 'kKD1kZWh5Cqp', 'all', '01a2059f-6710-7226-a521-83c8b5ca22f0', 1795390662422730, '0e701fcba533d4c806c336b85eed73311cd3a92e9380575677dcaec9d5e62ba5', '["variables.title"]');
CREATE INDEX ledger_deployment ON ledger (deployment_id, rev);
CREATE INDEX version_deployment ON version (deployment_id, rev);
CREATE TABLE idempotency (
    project_id TEXT NOT NULL REFERENCES project (id),
    key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    status BIGINT NOT NULL,
    headers TEXT NOT NULL,         -- JSON object
    body TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (project_id, key)
);
INSERT INTO idempotency VALUES ('01a2059f-5029-7053-8556-c93b5b9a40a2', 'after_the_purge', 'e0c59bbaf9a21a0f2f784f0013c0d55bc047814f37f22087e0ab00bdaf587b32', 201, '{"etag": "\"41-25f9ed4df12c4b2c\"", "cache-control": "private, no-cache", "content-type": "application/json", "x-moorage-result": "created"}', '{"id":"01a2059f-622c-71af-857c-db118c4e74a3","created":"2026-11-22T23:37:41.163Z","updated":"2026-11-22T23:37:41.163Z","key":"kept_answer","description":"","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"version":"1.0"}', 1795390661163952);
CREATE INDEX idempotency_created ON idempotency (created_us);
CREATE INDEX deployment_deleted ON deployment (deleted_us) WHERE deleted_us IS NOT NULL;
CREATE INDEX deployment_gone ON deployment (project_id, key) WHERE deleted_us IS NOT NULL;
CREATE INDEX version_deleted ON version (deleted_us) WHERE deleted_us IS NOT NULL;
CREATE INDEX ledger_to_version ON ledger (to_version_id);
CREATE INDEX deployment_list ON deployment (project_id, seq);
CREATE TABLE copy (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    source TEXT NOT NULL,          -- its address, as it may be shown
    epoch TEXT NOT NULL,           -- of the source when the copy was begun
    rev BIGINT NOT NULL            -- of the source when the copy was begun
);
CREATE TABLE usage (
    version_id TEXT NOT NULL REFERENCES version (id),
    api_key_id TEXT NOT NULL REFERENCES api_key (id),
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    inputs TEXT NOT NULL,          -- JSON array of names
    PRIMARY KEY (version_id, api_key_id)
);
INSERT INTO usage VALUES ('01a2059f-6231-73d6-8922-9cc8c7f62c16', 'kKD1kZWh5Cqp', 1795390661174092, 1795390661176342, '["gr\u00f6\u00dfe", "name"]');
CREATE INDEX usage_last ON usage (last_us);
