-- Made by tests/store/golden/make.py; see there.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rev BIGINT NOT NULL,
    last_created_us BIGINT NOT NULL
, ledger_hash TEXT NOT NULL DEFAULT '', epoch TEXT NOT NULL DEFAULT '');
INSERT INTO revision VALUES (1, 41, 1795377957717947, '024da46a771537ed20681d9b2db632d98cbe2abde1bab9c2e75f36fdabee935d', '');
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    rev BIGINT NOT NULL
);
INSERT INTO project VALUES ('01a204dd-79a8-750f-b7c1-b94973ed8655', 'shop', 1795377953192278, 1);
INSERT INTO project VALUES ('01a204dd-7b10-7744-b75e-4f3602a740c3', 'default', 1795377953552346, 2);
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
INSERT INTO api_key VALUES ('zANisVKT1BCI', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'all', 'deployments:invoke deployments:publish deployments:read deployments:write', 'c4a8214c7b2b7884024d68036f15e3fc3fd4c0e68432e938ee42cdaaa0624499', 1795377953555033, NULL, NULL, 3);
INSERT INTO api_key VALUES ('fCSXXldvWeG3', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'reader', 'deployments:read', 'becf61ac99475da06853136e7b428de7658f67ef68cfc32561e28b8b111cf599', 1795377953962372, NULL, NULL, 4);
INSERT INTO api_key VALUES ('p5kraMALUgjR', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'until 2099', 'deployments:invoke deployments:publish deployments:read deployments:write', '0a3570b13040b9a6ad523247e244108c299d1ac247e6bce9288782f72b89a14d', 1795377954373633, 4070908800000000, NULL, 5);
INSERT INTO api_key VALUES ('ONFbDCiBZWhN', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'over', 'deployments:invoke deployments:publish deployments:read deployments:write', '9fb61782be12378dec4b20e80c79a8dcf30bee5c0d58a679537644539be73d93', 1795377954809968, 1795377955803591, NULL, 6);
INSERT INTO api_key VALUES ('1kZicB9zJyG3', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'revoked', 'deployments:invoke deployments:publish deployments:read deployments:write', 'f99a83ead652dac539a2af11a0f174995674a0508aa1432ad42dad854a37e542', 1795377955187996, NULL, 1795377955926076, 9);
INSERT INTO api_key VALUES ('GnI53FJ1u1yB', '01a204dd-79a8-750f-b7c1-b94973ed8655', 'shop', 'deployments:invoke deployments:publish deployments:read deployments:write', '03890bfaacf712e2cc5e19ce868bb86422aede43e874fdaa86483d194211b668', 1795377955558786, NULL, NULL, 8);
INSERT INTO api_key VALUES ('BFqf12OLScS5', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'keeper', 'deployments:read keys:admin', 'a45482a90f230b84d23a0aa0cbe008ea9211187daa7bfb587bdc58930015d50b', 1795377957291400, NULL, NULL, 16);
INSERT INTO api_key VALUES ('1KkCWAW34Gc2', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'von einem Schlüssel', 'deployments:read', 'e2dbe3029200b6e1127da68d2c6d18a6b78d11845261461cbb15f5f49caba260', 1795377957352151, NULL, NULL, 18);
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
INSERT INTO deployment VALUES ('01a204dd-8812-76f6-9277-d779cfc5a201', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'greeting', 'Grüßt', 10, 1795377956881311, 1795377957403204, NULL, '01a204dd-8a10-74c5-a650-6549dfa60ce5', 28, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-8824-7720-81ba-dc54ce429310', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'full', 'Answers refunds', 13, 1795377956900335, 1795377956900335, NULL, '01a204dd-8824-7720-81ba-dc53b3ec0a5e', 13, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-882c-76e9-9f8c-59b3ef500582', '01a204dd-79a8-750f-b7c1-b94973ed8655', 'greeting', '', 14, 1795377956908604, 1795377956908604, NULL, '01a204dd-882c-76e9-9f8c-59b2f07a6c40', 14, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-8832-7013-ba4e-75d3f0d7bd5f', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'gone', '', 15, 1795377956914512, 1795377957378162, 1795377957378162, '01a204dd-8832-7013-ba4e-75d2bca83ea6', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-89f0-7141-be59-d90867ad2569', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'posted', 'changed', 19, 1795377957357976, 1795377957428076, NULL, '01a204dd-8a34-72cf-9752-7f8afd972e25', 38, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-8a05-7785-b9b7-3b70a02de8ba', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'gone', '', 24, 1795377957381518, 1795377957381518, NULL, '01a204dd-8a05-7785-b9b7-3b6f28622dc7', 24, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-8a1f-7196-bfce-b6ab735a6a69', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'from_a_file', '', 29, 1795377957407499, 1795377957407499, NULL, '01a204dd-8a1f-7196-bfce-b6aa9b2c23f0', 29, 'files', 'shop/größen.yaml');
INSERT INTO deployment VALUES ('01a204dd-8a23-74a5-9e0d-097ac79c6441', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'taken_over', 'taken over', 30, 1795377957410978, 1795377957414207, NULL, '01a204dd-8a23-74a5-9e0d-09797ee87061', 31, 'api', 'shop/taken.yaml');
INSERT INTO deployment VALUES ('01a204dd-8a29-75c8-ac98-372796476f3e', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'erased', '', 32, 1795377957417297, 1795377957420267, 1795377957420267, '01a204dd-8a29-75c8-ac98-3726ef5e3d2d', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-8b51-744d-a3ec-0a7e1bd6b001', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'recent', '', 39, 1795377957712986, 1795377957715460, 1795377957715460, '01a204dd-8b51-744d-a3ec-0a7dbe669efa', 40, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-8b56-7037-a7cf-8e024d35f1d5', '01a204dd-7b10-7744-b75e-4f3602a740c3', 'kept_answer', '', 41, 1795377957717947, 1795377957717947, NULL, '01a204dd-8b56-7037-a7cf-8e017c9758e1', 41, 'api', NULL);
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
    rev BIGINT NOT NULL, made_as TEXT NOT NULL DEFAULT 'published', description TEXT NOT NULL DEFAULT '', deleted_us BIGINT,
    UNIQUE (deployment_id, major, minor)
);
INSERT INTO version VALUES ('01a204dd-8811-7293-bc31-5420b4276864', '01a204dd-8812-76f6-9277-d779cfc5a201', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"one"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', '73ee64a3573733a101d28a852244129bb3f14ed69a77e8b7f0d7cb9f11655317', 1795377956881311, 'zANisVKT1BCI', 10, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-881a-7707-9de3-7d686c846020', '01a204dd-8812-76f6-9277-d779cfc5a201', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"two"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '3ade4ae8179d5fd0152aed84669fbfc0c32123d567a212cd939fce1178638438', 1795377956890053, 'zANisVKT1BCI', 11, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-881e-7647-a10c-2b5424a70f3d', '01a204dd-8812-76f6-9277-d779cfc5a201', 2, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"three"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '2c266711562281abc9f67ec50ec9dfee6cfc0fc105f95cb470c12bc22f4c77b4', 1795377956894451, 'zANisVKT1BCI', 12, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-8824-7720-81ba-dc53b3ec0a5e', '01a204dd-8824-7720-81ba-dc54ce429310', 1, 0, '{"tools":[{"type":"function","function":{"name":"find_order","parameters":{"type":"object","properties":{"number":{"type":"string","minLength":1},"window":{"type":"object","properties":{"days":{"type":"integer"}},"additionalProperties":true},"note":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}},"required":["number"],"additionalProperties":false},"description":"Finds an order by its number.","strict":true},"display_name":"Find an order","id":42}],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{"temperature":0.2,"maxTokens":512,"topK":40,"topP":0.95,"frequencyPenalty":-0.5,"presencePenalty":1.5,"numImages":2,"seed":42.5,"format":"b64_json","dimensions":"1024x1024","quality":"hd","style":"vivid","responseFormat":{"type":"json_object"},"cacheControl":{"type":"ephemeral","ttl":"1h"},"photoRealVersion":"v2","encoding_format":"float","reasoningEffort":"high","budgetTokens":2048,"verbosity":"low","thinkingLevel":"low"},"provider":"openai","messages":[{"role":"system","content":"You help {{customer}}. ✓ 👋  "},{"role":"user","content":[{"type":"text","text":"Where is this?"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","id":"img_1","detail":"high"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","uri":"https://example.com/a.pdf","mimeType":"application/pdf","filename":"a.pdf"}}]},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"find_order","arguments":"{\"number\": \"7\"}"},"id":"call_1","index":0}],"tool_call_id":null},{"role":"tool","content":"On its way.","tool_call_id":"call_1"}]}', '[]', '', '7edfb5eb6172776248b8183a420238b5d14efcb53e92cb5b42c9ae79df173eb3', 1795377956900335, 'zANisVKT1BCI', 13, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-882c-76e9-9f8c-59b2f07a6c40', '01a204dd-882c-76e9-9f8c-59b3ef500582', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"of the shop"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '6f698d10a8ab1ec5ff7643b7001ed31acd23a6770570dde95295dee681caac6c', 1795377956908604, 'GnI53FJ1u1yB', 14, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-8832-7013-ba4e-75d2bca83ea6', '01a204dd-8832-7013-ba4e-75d3f0d7bd5f', 1, 0, '', '', '', 'd11a0cbb04906c0e3c484dfb5c37ec5a4a8f35f24d2435d4a861dde0f48e4fd1', 1795377956914512, 'zANisVKT1BCI', 15, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-89f0-7141-be59-d9073faefde0', '01a204dd-89f0-7141-be59-d90867ad2569', 1, 0, '', '', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795377957357976, 'zANisVKT1BCI', 19, 'published', '', 1795377957431367);
INSERT INTO version VALUES ('01a204dd-8a05-7785-b9b7-3b6f28622dc7', '01a204dd-8a05-7785-b9b7-3b70a02de8ba', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '550a78ae9e82acb21679e4a1d74f526c25479d6c94a1710edc6fe1a7a9635c2d', 1795377957381518, 'zANisVKT1BCI', 24, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-8a0b-762a-94e3-0d25b034c6a7', '01a204dd-8812-76f6-9277-d779cfc5a201', 2, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"a draft"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'f079839c101f2d7cb46127d7f23f63fa1f767425404da1e1f54fe86fe5271617', 1795377957387407, 'zANisVKT1BCI', 25, 'draft', 'a draft', NULL);
INSERT INTO version VALUES ('01a204dd-8a10-74c5-a650-6549dfa60ce5', '01a204dd-8812-76f6-9277-d779cfc5a201', 2, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"at once"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', 'b892186654582d35bcb5e6ddac245950c52c1646356aff2d5b2339e042f69de6', 1795377957392654, 'zANisVKT1BCI', 26, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-8a1f-7196-bfce-b6aa9b2c23f0', '01a204dd-8a1f-7196-bfce-b6ab735a6a69', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795377957407499, 'zANisVKT1BCI', 29, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-8a23-74a5-9e0d-09797ee87061', '01a204dd-8a23-74a5-9e0d-097ac79c6441', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795377957410978, 'zANisVKT1BCI', 30, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-8a29-75c8-ac98-3726ef5e3d2d', '01a204dd-8a29-75c8-ac98-372796476f3e', 1, 0, '', '', '', 'ec2aa88a75098a816a601a4c16cc31fae4a41e533eff86e8e0ce51c778432a23', 1795377957417297, 'zANisVKT1BCI', 32, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-8a2f-728d-a354-40b4c573c1f9', '01a204dd-89f0-7141-be59-d90867ad2569', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"with versions that are erased and deleted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'cb9aeb64e647ff49675764dcfda997dab0dac42e9ba6cb7bf4e085251e7ed954', 1795377957423739, 'zANisVKT1BCI', 34, 'published', '', 1795377957709584);
INSERT INTO version VALUES ('01a204dd-8a34-72cf-9752-7f8afd972e25', '01a204dd-89f0-7141-be59-d90867ad2569', 1, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"live"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '467f5ee4abc08c62cd15a3b3e1b45e58adc873d7c54df9ba6b00f3a225e8b583', 1795377957428076, 'zANisVKT1BCI', 35, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-8b51-744d-a3ec-0a7dbe669efa', '01a204dd-8b51-744d-a3ec-0a7e1bd6b001', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"deleted, and not erased"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'a3755321a5c12b59fea1cd9e0cec8c0915466fec52d171ed04514985519a26dc', 1795377957712986, 'zANisVKT1BCI', 39, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-8b56-7037-a7cf-8e017c9758e1', '01a204dd-8b56-7037-a7cf-8e024d35f1d5', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795377957717947, 'zANisVKT1BCI', 41, 'published', '', NULL);
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
);
INSERT INTO ledger VALUES (10, '01a204dd-8813-7343-8821-6c525078cdbc', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8812-76f6-9277-d779cfc5a201', 'created', NULL, '01a204dd-8811-7293-bc31-5420b4276864', '', 'zANisVKT1BCI', 'all', '01a204dd-880a-722e-9f0c-e83684d401ef', 1795377956881311, 'e972bdc1277040e9d3c60fee25c6129b77bf6df022823b3ec1424d384a43dad1');
INSERT INTO ledger VALUES (11, '01a204dd-881a-7707-9de3-7d6936a0f15d', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8812-76f6-9277-d779cfc5a201', 'published', '01a204dd-8811-7293-bc31-5420b4276864', '01a204dd-881a-7707-9de3-7d686c846020', '', 'zANisVKT1BCI', 'all', '01a204dd-8818-701c-b0b3-0917066fddd1', 1795377956890053, '794d710158569d3e61a64ac9755d4399240aab5b2439396e19fc6551ccf6069e');
INSERT INTO ledger VALUES (12, '01a204dd-881e-7647-a10c-2b5528e99a74', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8812-76f6-9277-d779cfc5a201', 'published', '01a204dd-881a-7707-9de3-7d686c846020', '01a204dd-881e-7647-a10c-2b5424a70f3d', '', 'zANisVKT1BCI', 'all', '01a204dd-881d-7139-aba6-f45e1b64040a', 1795377956894451, '1af365837bac42d66e22cda70ff21e79b4705ae66affb6531024c2423ad18b84');
INSERT INTO ledger VALUES (13, '01a204dd-8824-7720-81ba-dc55d605397b', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8824-7720-81ba-dc54ce429310', 'created', NULL, '01a204dd-8824-7720-81ba-dc53b3ec0a5e', '', 'zANisVKT1BCI', 'all', '01a204dd-8822-71b2-a9d9-ce934a91efe3', 1795377956900335, '1803d87e16863f3be638895f7b433c39c7cc14409517ad7209eca9fc4449d458');
INSERT INTO ledger VALUES (14, '01a204dd-882c-76e9-9f8c-59b4031382fe', '01a204dd-79a8-750f-b7c1-b94973ed8655', '01a204dd-882c-76e9-9f8c-59b3ef500582', 'created', NULL, '01a204dd-882c-76e9-9f8c-59b2f07a6c40', '', 'GnI53FJ1u1yB', 'shop', '01a204dd-8829-761b-987f-c706f7a86f14', 1795377956908604, 'f5d6630f637966ad17d1cedd60ea4e937be5e99cbf81570ecc81b8217cc60e0c');
INSERT INTO ledger VALUES (15, '01a204dd-8832-7013-ba4e-75d4c2ef8603', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8832-7013-ba4e-75d3f0d7bd5f', 'created', NULL, '01a204dd-8832-7013-ba4e-75d2bca83ea6', '', 'zANisVKT1BCI', 'all', '01a204dd-8831-72b7-811b-061620413a1f', 1795377956914512, '280ae6256b359e1c3c2dc34bfb4c5d974955c2557fb1b664cbf61f24b9b509a9');
INSERT INTO ledger VALUES (19, '01a204dd-89f0-7141-be59-d909c72aa617', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-89f0-7141-be59-d90867ad2569', 'created', NULL, '01a204dd-89f0-7141-be59-d9073faefde0', '', 'zANisVKT1BCI', 'all', '01a204dd-89ed-74b5-8000-a70473c85ca2', 1795377957357976, 'a4b5da065ed6b04b8a1be591485a37577fbebbfe95f3405f07259325df87f3ab');
INSERT INTO ledger VALUES (20, '01a204dd-89f5-74d5-991d-b839d314447e', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-89f0-7141-be59-d90867ad2569', 'changed', '01a204dd-89f0-7141-be59-d9073faefde0', '01a204dd-89f0-7141-be59-d9073faefde0', '', 'zANisVKT1BCI', 'all', '01a204dd-89f4-73c6-b90f-11e452b1ac55', 1795377957365534, '0cb32409f506f2c29614e31b9a4ed1d3581cf0cc5ad664956ee48364bb44251e');
INSERT INTO ledger VALUES (21, '01a204dd-89f8-74c3-b087-15ba240a95de', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-89f0-7141-be59-d90867ad2569', 'deleted', '01a204dd-89f0-7141-be59-d9073faefde0', NULL, '', 'zANisVKT1BCI', 'all', '01a204dd-89f7-74c1-8675-1fcebaef904c', 1795377957368298, 'de77a9c41db6a129c835f63a3c26d5af81c3df83847e2274f3ca9b19d6e41923');
INSERT INTO ledger VALUES (22, '01a204dd-89fe-776b-90f9-60690b905dd7', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-89f0-7141-be59-d90867ad2569', 'restored', NULL, '01a204dd-89f0-7141-be59-d9073faefde0', 'it is used', 'zANisVKT1BCI', 'all', '01a204dd-89fa-73cf-bd0a-278308cd44d2', 1795377957371339, 'a21e6c07b8f11e5865a7ffbe6695ba0ca4e0ce7abe8c1fc4a0d7acfb7a9ace1c');
INSERT INTO ledger VALUES (23, '01a204dd-8a02-7719-b5a8-9360848285dc', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8832-7013-ba4e-75d3f0d7bd5f', 'deleted', '01a204dd-8832-7013-ba4e-75d2bca83ea6', NULL, '', 'zANisVKT1BCI', 'all', '01a204dd-8a01-7773-aa15-9b2f4bd12d23', 1795377957378162, 'f63dbeae0018cebef6d2e85c1e205536a78210b06d3181c706665e100854ecf0');
INSERT INTO ledger VALUES (24, '01a204dd-8a05-7785-b9b7-3b7182f44ef5', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8a05-7785-b9b7-3b70a02de8ba', 'created', NULL, '01a204dd-8a05-7785-b9b7-3b6f28622dc7', '', 'zANisVKT1BCI', 'all', '01a204dd-8a04-7232-b158-ecea1c95af63', 1795377957381518, 'd09f59af8ed6a79f8db65ab94b9b3b4636517744b18034ed72b96e3445e3205f');
INSERT INTO ledger VALUES (26, '01a204dd-8a11-7409-8c5b-fcf72e656ffb', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8812-76f6-9277-d779cfc5a201', 'published', '01a204dd-881e-7647-a10c-2b5424a70f3d', '01a204dd-8a10-74c5-a650-6549dfa60ce5', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'zANisVKT1BCI', 'all', '01a204dd-8a0f-746c-b247-8657b7f36204', 1795377957392654, '56f0b07a2061c9de125634d5e6feff94ce51d2fd88d2d5f03d6107d15805b6f4');
INSERT INTO ledger VALUES (27, '01a204dd-8a15-772a-9e9b-17a67037cc34', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8812-76f6-9277-d779cfc5a201', 'published', '01a204dd-8a10-74c5-a650-6549dfa60ce5', '01a204dd-8811-7293-bc31-5420b4276864', 'the first was better', 'zANisVKT1BCI', 'all', '01a204dd-8a14-76d5-8dbb-c0dd0e8a9509', 1795377957397459, '80c872d428cdc87c42121bfb11b21bbfdb5b4eddfb1cc2be2a016bebe110d37c');
INSERT INTO ledger VALUES (28, '01a204dd-8a1b-75dd-8154-40a8ed4a0a05', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8812-76f6-9277-d779cfc5a201', 'undone', '01a204dd-8811-7293-bc31-5420b4276864', '01a204dd-8a10-74c5-a650-6549dfa60ce5', 'or not', 'p5kraMALUgjR', 'until 2099', '01a204dd-8a1a-715c-904c-723e6667e526', 1795377957403204, '8f8a0c846a549e8e1b06465e1748f2b7efa058fc41ea0c9c99f14041597f9b0f');
INSERT INTO ledger VALUES (29, '01a204dd-8a1f-7196-bfce-b6ac114bcc73', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8a1f-7196-bfce-b6ab735a6a69', 'created', NULL, '01a204dd-8a1f-7196-bfce-b6aa9b2c23f0', '', 'zANisVKT1BCI', 'all', '01a204dd-8a1e-746e-abef-b6c3c848a3a0', 1795377957407499, 'f30115e6d4eb4e27f9fb3c73cfdcb74f144274c5ab09bd2d1ac6a9a3257f12bd');
INSERT INTO ledger VALUES (30, '01a204dd-8a23-74a5-9e0d-097b561895ef', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8a23-74a5-9e0d-097ac79c6441', 'created', NULL, '01a204dd-8a23-74a5-9e0d-09797ee87061', '', 'zANisVKT1BCI', 'all', '01a204dd-8a22-7359-8b4a-6eb0d150825c', 1795377957410978, '9f96346ccdec69699074f2eb229ba5f17f02ff587a998b25ce2b511353cd1488');
INSERT INTO ledger VALUES (31, '01a204dd-8a26-726b-8d90-acc23b1b2232', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8a23-74a5-9e0d-097ac79c6441', 'changed', '01a204dd-8a23-74a5-9e0d-09797ee87061', '01a204dd-8a23-74a5-9e0d-09797ee87061', '', 'zANisVKT1BCI', 'all', '01a204dd-8a25-7418-b226-a888cb4583b3', 1795377957414207, 'ad5e4309a3c763ba8eee864fb802b4afbb0c38f0892e7ca56e8d248e37ecef14');
INSERT INTO ledger VALUES (32, '01a204dd-8a29-75c8-ac98-37281d7b38c5', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8a29-75c8-ac98-372796476f3e', 'created', NULL, '01a204dd-8a29-75c8-ac98-3726ef5e3d2d', '', 'zANisVKT1BCI', 'all', '01a204dd-8a28-74ab-891e-41ef012d4bb0', 1795377957417297, 'c4e103eb4ed32721b7416bf8885f45733b2f04c5d8f90eb6faece488cb67ffc5');
INSERT INTO ledger VALUES (33, '01a204dd-8a2c-75f9-ba89-e87f8dd1363e', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8a29-75c8-ac98-372796476f3e', 'deleted', '01a204dd-8a29-75c8-ac98-3726ef5e3d2d', NULL, '', 'zANisVKT1BCI', 'all', '01a204dd-8a2b-7315-a4f6-3e870a6b1d35', 1795377957420267, '290566470ae3bb4600323a7e31b6534b7dfc71cf428014d612956d01ed208b82');
INSERT INTO ledger VALUES (34, '01a204dd-8a30-74c2-bf57-5682c3127cc8', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-89f0-7141-be59-d90867ad2569', 'published', '01a204dd-89f0-7141-be59-d9073faefde0', '01a204dd-8a2f-728d-a354-40b4c573c1f9', '', 'zANisVKT1BCI', 'all', '01a204dd-8a2e-7437-bf33-c3054676b742', 1795377957423739, '84bb7977149e5ff3d4d528a6f78658162bcf744349b796f600d7bc2d579a594b');
INSERT INTO ledger VALUES (35, '01a204dd-8a34-72cf-9752-7f8bb1a5f027', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-89f0-7141-be59-d90867ad2569', 'published', '01a204dd-8a2f-728d-a354-40b4c573c1f9', '01a204dd-8a34-72cf-9752-7f8afd972e25', '', 'zANisVKT1BCI', 'all', '01a204dd-8a33-75da-98cf-2a6ef22182d5', 1795377957428076, '959f28ae4aa872e1c677e6f4c105802a49cf88a8c2f5a03ca06a6e24209d9195');
INSERT INTO ledger VALUES (36, '01a204dd-8a37-7405-8c76-3cf0eccfe3fe', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-89f0-7141-be59-d90867ad2569', 'deleted', '01a204dd-89f0-7141-be59-d9073faefde0', '01a204dd-89f0-7141-be59-d9073faefde0', '', 'zANisVKT1BCI', 'all', '01a204dd-8a36-7435-8136-6bf16c290b36', 1795377957431367, 'bd20cd231fe87f396c0c28a50320726e7bfd321b92ad26698a299335da520b48');
INSERT INTO ledger VALUES (38, '01a204dd-8b4d-766a-af23-4b1a0c91efd4', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-89f0-7141-be59-d90867ad2569', 'deleted', '01a204dd-8a2f-728d-a354-40b4c573c1f9', '01a204dd-8a2f-728d-a354-40b4c573c1f9', '', 'zANisVKT1BCI', 'all', '01a204dd-8b4c-70c6-b510-4215e05d4e7e', 1795377957709584, '8df63626700261250469ae5f5b8cb1647e6e8eddfc1665ad013d9d371a2d1f5d');
INSERT INTO ledger VALUES (39, '01a204dd-8b51-744d-a3ec-0a7f33e9982d', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8b51-744d-a3ec-0a7e1bd6b001', 'created', NULL, '01a204dd-8b51-744d-a3ec-0a7dbe669efa', '', 'zANisVKT1BCI', 'all', '01a204dd-8b50-705d-a962-6e03991ee494', 1795377957712986, '2eb0b6696124818bdf814a1cbfa96e98c7d8ecd6aed6387f5bfd148af655711e');
INSERT INTO ledger VALUES (40, '01a204dd-8b53-77f2-ab67-cce26b8530d2', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8b51-744d-a3ec-0a7e1bd6b001', 'deleted', '01a204dd-8b51-744d-a3ec-0a7dbe669efa', NULL, '', 'zANisVKT1BCI', 'all', '01a204dd-8b53-77f2-ab67-cce1a651fe05', 1795377957715460, '0aa67fe8a9db65eaf833e60c52341d116a03c77b87875bd4bbd9d6a60d483a5c');
INSERT INTO ledger VALUES (41, '01a204dd-8b56-7037-a7cf-8e031352befd', '01a204dd-7b10-7744-b75e-4f3602a740c3', '01a204dd-8b56-7037-a7cf-8e024d35f1d5', 'created', NULL, '01a204dd-8b56-7037-a7cf-8e017c9758e1', '', 'zANisVKT1BCI', 'all', '01a204dd-8b55-711e-8847-9bcdc8539b13', 1795377957717947, '024da46a771537ed20681d9b2db632d98cbe2abde1bab9c2e75f36fdabee935d');
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
INSERT INTO idempotency VALUES ('01a204dd-7b10-7744-b75e-4f3602a740c3', 'after_the_purge', 'e0c59bbaf9a21a0f2f784f0013c0d55bc047814f37f22087e0ab00bdaf587b32', 201, '{"etag": "\"41-85bef1c9e199610d\"", "cache-control": "private, no-cache", "content-type": "application/json", "x-moorage-result": "created"}', '{"id":"01a204dd-8b56-7037-a7cf-8e024d35f1d5","created":"2026-11-22T20:05:57.717Z","updated":"2026-11-22T20:05:57.717Z","key":"kept_answer","description":"","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"version":"1.0"}', 1795377957717947);
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
