-- Made by tests/store/golden/make.py; see there.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rev BIGINT NOT NULL,
    last_created_us BIGINT NOT NULL
, ledger_hash TEXT NOT NULL DEFAULT '');
INSERT INTO revision VALUES (1, 41, 1795377952284674, '55e8481dd3277b4d8b125228546274432de9335de4bf21286f50ab64cf7e26be');
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    rev BIGINT NOT NULL
);
INSERT INTO project VALUES ('01a204dd-6486-7178-9e02-7534f941c698', 'shop', 1795377947782141, 1);
INSERT INTO project VALUES ('01a204dd-6646-7462-9aa8-6f1d5127b81f', 'default', 1795377948230125, 2);
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
INSERT INTO api_key VALUES ('EyuSaKe2YtuO', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'all', 'deployments:invoke deployments:publish deployments:read deployments:write', '6cc80ba69a3391ec01221cf785627bf3438125385a8d913c478233a4a3509e25', 1795377948232571, NULL, NULL, 3);
INSERT INTO api_key VALUES ('yrxvDkvko07n', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'reader', 'deployments:read', '82dba36d9752eaada878ec0cce0a800fb3d1ca3e445ed59bacba530d47b18d49', 1795377948613790, NULL, NULL, 4);
INSERT INTO api_key VALUES ('8C6eVMQQ5fCj', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'until 2099', 'deployments:invoke deployments:publish deployments:read deployments:write', 'd106b3889e9c0c477efad19a52b80d1506afed972340835cecbe334e2d534c18', 1795377949054172, 4070908800000000, NULL, 5);
INSERT INTO api_key VALUES ('adJNFh88qVSh', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'over', 'deployments:invoke deployments:publish deployments:read deployments:write', '3500a897eed3be4b2f82f7c56009e8ae01a561a57e15dddfbcf187cb6b96febb', 1795377949468454, 1795377950463626, NULL, 6);
INSERT INTO api_key VALUES ('8ErJVcKhFWcj', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'revoked', 'deployments:invoke deployments:publish deployments:read deployments:write', 'f591a8364124696ddd912ec8ed96a32b11885369d4657fac63bdea1626d68d97', 1795377949830544, NULL, 1795377950489157, 9);
INSERT INTO api_key VALUES ('b65EVy756at2', '01a204dd-6486-7178-9e02-7534f941c698', 'shop', 'deployments:invoke deployments:publish deployments:read deployments:write', 'd40ecb41da5d4d0c3a6df6d00678cd9134b8e1c16370c83f6329cb2dfca1e77c', 1795377950146469, NULL, NULL, 8);
INSERT INTO api_key VALUES ('bDRXgqqzSsmO', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'keeper', 'deployments:read keys:admin', '1fc722442a7ce56a4af7d17fdfa0dbfec1517c1d13096a8bf8123704ed22a2d4', 1795377951797220, NULL, NULL, 16);
INSERT INTO api_key VALUES ('fMLcQJS2Ciu2', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'von einem Schlüssel', 'deployments:read', 'efbdbad6b9fdc300d6d5940e0ba265ede242c3a34809730652bcaea416e208b6', 1795377951872218, NULL, NULL, 18);
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
INSERT INTO deployment VALUES ('01a204dd-72b3-75d6-94f0-45015c4b1c5e', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'greeting', 'Grüßt', 10, 1795377951411694, 1795377951930155, NULL, '01a204dd-74af-76cd-988f-e7d1f7f113cd', 28, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-72c9-7107-8821-6aacec20e673', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'full', 'Answers refunds', 13, 1795377951433176, 1795377951433176, NULL, '01a204dd-72c9-7107-8821-6aabfcd133f4', 13, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-72ce-7671-8234-98a91179fc2f', '01a204dd-6486-7178-9e02-7534f941c698', 'greeting', '', 14, 1795377951438391, 1795377951438391, NULL, '01a204dd-72ce-7671-8234-98a83e2ebac8', 14, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-72d3-7581-9faf-b50bfb65708b', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'gone', '', 15, 1795377951443178, 1795377951903444, 1795377951903444, '01a204dd-72d3-7581-9faf-b50a5acb96f2', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-7490-7212-baa2-677f429cbbe2', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'posted', 'changed', 19, 1795377951885559, 1795377951961172, NULL, '01a204dd-74d9-7184-9376-305fa27801eb', 38, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-74a2-7080-849d-fa5f12cdb393', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'gone', '', 24, 1795377951906210, 1795377951906210, NULL, '01a204dd-74a2-7080-849d-fa5e47c65f53', 24, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-74c0-75eb-a264-235773811fc2', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'from_a_file', '', 29, 1795377951936074, 1795377951936074, NULL, '01a204dd-74c0-75eb-a264-2356012bf776', 29, 'files', 'shop/größen.yaml');
INSERT INTO deployment VALUES ('01a204dd-74c5-733c-8602-623ee4dacc45', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'taken_over', 'taken over', 30, 1795377951941038, 1795377951945234, NULL, '01a204dd-74c5-733c-8602-623dfd96928b', 31, 'api', 'shop/taken.yaml');
INSERT INTO deployment VALUES ('01a204dd-74cd-7222-9cb5-e3965996ee33', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'erased', '', 32, 1795377951949001, 1795377951952839, 1795377951952839, '01a204dd-74cd-7222-9cb5-e3953766a6a3', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-7613-71e4-afca-5d714d73499e', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'recent', '', 39, 1795377952274961, 1795377952278544, 1795377952278544, '01a204dd-7613-71e4-afca-5d7010498594', 40, 'api', NULL);
INSERT INTO deployment VALUES ('01a204dd-761d-728f-a26e-9fdb9cb2b847', '01a204dd-6646-7462-9aa8-6f1d5127b81f', 'kept_answer', '', 41, 1795377952284674, 1795377952284674, NULL, '01a204dd-761d-728f-a26e-9fda2ae2d20f', 41, 'api', NULL);
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
INSERT INTO version VALUES ('01a204dd-72b3-75d6-94f0-45000db51335', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"one"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', '73ee64a3573733a101d28a852244129bb3f14ed69a77e8b7f0d7cb9f11655317', 1795377951411694, 'EyuSaKe2YtuO', 10, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-72ba-72f7-8caa-6159433ce881', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"two"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '3ade4ae8179d5fd0152aed84669fbfc0c32123d567a212cd939fce1178638438', 1795377951418025, 'EyuSaKe2YtuO', 11, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-72c3-721e-9d37-60d76f593b5d', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 2, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"three"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '2c266711562281abc9f67ec50ec9dfee6cfc0fc105f95cb470c12bc22f4c77b4', 1795377951426948, 'EyuSaKe2YtuO', 12, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-72c9-7107-8821-6aabfcd133f4', '01a204dd-72c9-7107-8821-6aacec20e673', 1, 0, '{"tools":[{"type":"function","function":{"name":"find_order","parameters":{"type":"object","properties":{"number":{"type":"string","minLength":1},"window":{"type":"object","properties":{"days":{"type":"integer"}},"additionalProperties":true},"note":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}},"required":["number"],"additionalProperties":false},"description":"Finds an order by its number.","strict":true},"display_name":"Find an order","id":42}],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{"temperature":0.2,"maxTokens":512,"topK":40,"topP":0.95,"frequencyPenalty":-0.5,"presencePenalty":1.5,"numImages":2,"seed":42.5,"format":"b64_json","dimensions":"1024x1024","quality":"hd","style":"vivid","responseFormat":{"type":"json_object"},"cacheControl":{"type":"ephemeral","ttl":"1h"},"photoRealVersion":"v2","encoding_format":"float","reasoningEffort":"high","budgetTokens":2048,"verbosity":"low","thinkingLevel":"low"},"provider":"openai","messages":[{"role":"system","content":"You help {{customer}}. ✓ 👋  "},{"role":"user","content":[{"type":"text","text":"Where is this?"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","id":"img_1","detail":"high"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","uri":"https://example.com/a.pdf","mimeType":"application/pdf","filename":"a.pdf"}}]},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"find_order","arguments":"{\"number\": \"7\"}"},"id":"call_1","index":0}],"tool_call_id":null},{"role":"tool","content":"On its way.","tool_call_id":"call_1"}]}', '[]', '', '7edfb5eb6172776248b8183a420238b5d14efcb53e92cb5b42c9ae79df173eb3', 1795377951433176, 'EyuSaKe2YtuO', 13, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-72ce-7671-8234-98a83e2ebac8', '01a204dd-72ce-7671-8234-98a91179fc2f', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"of the shop"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '6f698d10a8ab1ec5ff7643b7001ed31acd23a6770570dde95295dee681caac6c', 1795377951438391, 'b65EVy756at2', 14, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-72d3-7581-9faf-b50a5acb96f2', '01a204dd-72d3-7581-9faf-b50bfb65708b', 1, 0, '', '', '', 'd11a0cbb04906c0e3c484dfb5c37ec5a4a8f35f24d2435d4a861dde0f48e4fd1', 1795377951443178, 'EyuSaKe2YtuO', 15, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-7490-7212-baa2-677e16b1a81f', '01a204dd-7490-7212-baa2-677f429cbbe2', 1, 0, '', '', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795377951885559, 'EyuSaKe2YtuO', 19, 'published', '', 1795377951964962);
INSERT INTO version VALUES ('01a204dd-74a2-7080-849d-fa5e47c65f53', '01a204dd-74a2-7080-849d-fa5f12cdb393', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '550a78ae9e82acb21679e4a1d74f526c25479d6c94a1710edc6fe1a7a9635c2d', 1795377951906210, 'EyuSaKe2YtuO', 24, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-74a7-738f-af41-1314e3900687', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 2, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"a draft"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'f079839c101f2d7cb46127d7f23f63fa1f767425404da1e1f54fe86fe5271617', 1795377951911516, 'EyuSaKe2YtuO', 25, 'draft', 'a draft', NULL);
INSERT INTO version VALUES ('01a204dd-74af-76cd-988f-e7d1f7f113cd', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 2, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"at once"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', 'b892186654582d35bcb5e6ddac245950c52c1646356aff2d5b2339e042f69de6', 1795377951918933, 'EyuSaKe2YtuO', 26, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-74c0-75eb-a264-2356012bf776', '01a204dd-74c0-75eb-a264-235773811fc2', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795377951936074, 'EyuSaKe2YtuO', 29, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-74c5-733c-8602-623dfd96928b', '01a204dd-74c5-733c-8602-623ee4dacc45', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795377951941038, 'EyuSaKe2YtuO', 30, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-74cd-7222-9cb5-e3953766a6a3', '01a204dd-74cd-7222-9cb5-e3965996ee33', 1, 0, '', '', '', 'ec2aa88a75098a816a601a4c16cc31fae4a41e533eff86e8e0ce51c778432a23', 1795377951949001, 'EyuSaKe2YtuO', 32, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-74d5-72be-85e5-6a9866302468', '01a204dd-7490-7212-baa2-677f429cbbe2', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"with versions that are erased and deleted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'cb9aeb64e647ff49675764dcfda997dab0dac42e9ba6cb7bf4e085251e7ed954', 1795377951957255, 'EyuSaKe2YtuO', 34, 'published', '', 1795377952270772);
INSERT INTO version VALUES ('01a204dd-74d9-7184-9376-305fa27801eb', '01a204dd-7490-7212-baa2-677f429cbbe2', 1, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"live"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '467f5ee4abc08c62cd15a3b3e1b45e58adc873d7c54df9ba6b00f3a225e8b583', 1795377951961172, 'EyuSaKe2YtuO', 35, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-7613-71e4-afca-5d7010498594', '01a204dd-7613-71e4-afca-5d714d73499e', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"deleted, and not erased"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'a3755321a5c12b59fea1cd9e0cec8c0915466fec52d171ed04514985519a26dc', 1795377952274961, 'EyuSaKe2YtuO', 39, 'published', '', NULL);
INSERT INTO version VALUES ('01a204dd-761d-728f-a26e-9fda2ae2d20f', '01a204dd-761d-728f-a26e-9fdb9cb2b847', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795377952284674, 'EyuSaKe2YtuO', 41, 'published', '', NULL);
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
INSERT INTO ledger VALUES (10, '01a204dd-72b4-72f7-b63a-6960be96a38a', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 'created', NULL, '01a204dd-72b3-75d6-94f0-45000db51335', '', 'EyuSaKe2YtuO', 'all', '01a204dd-72af-7001-b8ad-aad2c67ae450', 1795377951411694, 'dd45291c1bad43030b9258f776dc0a75cc66dc5f70624352db6de73581ea1715');
INSERT INTO ledger VALUES (11, '01a204dd-72ba-72f7-8caa-615a8c1d0610', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 'published', '01a204dd-72b3-75d6-94f0-45000db51335', '01a204dd-72ba-72f7-8caa-6159433ce881', '', 'EyuSaKe2YtuO', 'all', '01a204dd-72b8-73d6-a498-531dd9d522f0', 1795377951418025, '0b0d9148f97090540890b86892869bb40b2c7c13cd3f3f8c391680ec96f5d315');
INSERT INTO ledger VALUES (12, '01a204dd-72c3-721e-9d37-60d888cd8ec6', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 'published', '01a204dd-72ba-72f7-8caa-6159433ce881', '01a204dd-72c3-721e-9d37-60d76f593b5d', '', 'EyuSaKe2YtuO', 'all', '01a204dd-72c1-764b-b7e5-ce5e7d622eb5', 1795377951426948, '2eb86a9b9cf48c53255c891b17db056a6b855a408d8f775876c13667464e956f');
INSERT INTO ledger VALUES (13, '01a204dd-72c9-7107-8821-6aadbcb0e9f4', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-72c9-7107-8821-6aacec20e673', 'created', NULL, '01a204dd-72c9-7107-8821-6aabfcd133f4', '', 'EyuSaKe2YtuO', 'all', '01a204dd-72c7-73fd-b7d0-91fe40bb40fa', 1795377951433176, '8dfe827b79864b7e57f30c29d70761f1cc412558883b41b85847548400d3514d');
INSERT INTO ledger VALUES (14, '01a204dd-72ce-7671-8234-98aab38b74d6', '01a204dd-6486-7178-9e02-7534f941c698', '01a204dd-72ce-7671-8234-98a91179fc2f', 'created', NULL, '01a204dd-72ce-7671-8234-98a83e2ebac8', '', 'b65EVy756at2', 'shop', '01a204dd-72cd-73a9-9182-664b02873a57', 1795377951438391, 'a426bbd202ed7429b9e3f29e49d774c34f67d166048ca7483787ed353dafd074');
INSERT INTO ledger VALUES (15, '01a204dd-72d3-7581-9faf-b50c2bed6935', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-72d3-7581-9faf-b50bfb65708b', 'created', NULL, '01a204dd-72d3-7581-9faf-b50a5acb96f2', '', 'EyuSaKe2YtuO', 'all', '01a204dd-72d1-721e-9da8-3d0b956a13a1', 1795377951443178, '999270e095593aa967bc99d87bebc0a95b281667e0c6d4385f57b9497274e610');
INSERT INTO ledger VALUES (19, '01a204dd-7490-7212-baa2-67807c897938', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-7490-7212-baa2-677f429cbbe2', 'created', NULL, '01a204dd-7490-7212-baa2-677e16b1a81f', '', 'EyuSaKe2YtuO', 'all', '01a204dd-748c-71ad-8c20-b6de5990383d', 1795377951885559, 'cb5246178a3b53072804ce13c127e65179e812f016290c7dec1b0d339e0e5da0');
INSERT INTO ledger VALUES (20, '01a204dd-7495-7519-863f-94166112b14f', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-7490-7212-baa2-677f429cbbe2', 'changed', '01a204dd-7490-7212-baa2-677e16b1a81f', '01a204dd-7490-7212-baa2-677e16b1a81f', '', 'EyuSaKe2YtuO', 'all', '01a204dd-7494-7545-9bed-0484c08e8f70', 1795377951893382, '3e76ab0964b8142d1a3ae353ac9980c4526be192548ed10fc04c5e3534943f57');
INSERT INTO ledger VALUES (21, '01a204dd-7498-76e4-bf66-f20f4e932058', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-7490-7212-baa2-677f429cbbe2', 'deleted', '01a204dd-7490-7212-baa2-677e16b1a81f', NULL, '', 'EyuSaKe2YtuO', 'all', '01a204dd-7497-7437-bcef-d6a1e08f422b', 1795377951896443, 'ff36650f775b55a173067ef0df7b7cf83869ae726eb2196efe21f169678d3d13');
INSERT INTO ledger VALUES (22, '01a204dd-749c-73f5-b510-07dd30f6b690', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-7490-7212-baa2-677f429cbbe2', 'restored', NULL, '01a204dd-7490-7212-baa2-677e16b1a81f', 'it is used', 'EyuSaKe2YtuO', 'all', '01a204dd-749a-7218-8979-2cac6ec2a5ca', 1795377951899778, '311fe63555cd89db17d9d954380bc6ab68bfabc78c8e32ab6cba93503bce7dd3');
INSERT INTO ledger VALUES (23, '01a204dd-749f-772a-9116-fd4b593522b0', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-72d3-7581-9faf-b50bfb65708b', 'deleted', '01a204dd-72d3-7581-9faf-b50a5acb96f2', NULL, '', 'EyuSaKe2YtuO', 'all', '01a204dd-749f-772a-9116-fd4a12058404', 1795377951903444, '2bf9ba0ac8144452fc7b0e74b9b260c50676bf665f3c347d8b18f7071bd72b2c');
INSERT INTO ledger VALUES (24, '01a204dd-74a2-7080-849d-fa6024e2bb4b', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-74a2-7080-849d-fa5f12cdb393', 'created', NULL, '01a204dd-74a2-7080-849d-fa5e47c65f53', '', 'EyuSaKe2YtuO', 'all', '01a204dd-74a1-749e-ae08-dad1944b11d8', 1795377951906210, '4b918229132950acfab23841759a0453416443775e6ba173c592109ffe0b9da6');
INSERT INTO ledger VALUES (26, '01a204dd-74af-76cd-988f-e7d2e667cbaf', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 'published', '01a204dd-72c3-721e-9d37-60d76f593b5d', '01a204dd-74af-76cd-988f-e7d1f7f113cd', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'EyuSaKe2YtuO', 'all', '01a204dd-74ab-75aa-b44a-5113ed4e7701', 1795377951918933, 'eb802dbbeba61d79e5b98c5815baa2050eae06e01ca300821912985dc756ae1c');
INSERT INTO ledger VALUES (27, '01a204dd-74b5-72c2-9487-62bd48bff251', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 'published', '01a204dd-74af-76cd-988f-e7d1f7f113cd', '01a204dd-72b3-75d6-94f0-45000db51335', 'the first was better', 'EyuSaKe2YtuO', 'all', '01a204dd-74b3-7623-8909-f9ada5cfebeb', 1795377951924603, '833f926816215a7996c10f10a8a296cfa29d56503b83180a9888e9e2100f97fc');
INSERT INTO ledger VALUES (28, '01a204dd-74ba-755c-a2fa-a4e7655cf505', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-72b3-75d6-94f0-45015c4b1c5e', 'undone', '01a204dd-72b3-75d6-94f0-45000db51335', '01a204dd-74af-76cd-988f-e7d1f7f113cd', 'or not', '8C6eVMQQ5fCj', 'until 2099', '01a204dd-74b8-71c9-8e43-5d03aed5db61', 1795377951930155, 'bc08e94bf9698768fdf4133000d1fb2bceee0f5cf6127a16184943dfaa5f0c77');
INSERT INTO ledger VALUES (29, '01a204dd-74c0-75eb-a264-2358e856ed85', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-74c0-75eb-a264-235773811fc2', 'created', NULL, '01a204dd-74c0-75eb-a264-2356012bf776', '', 'EyuSaKe2YtuO', 'all', '01a204dd-74be-7524-830c-9d0080729776', 1795377951936074, '570d65d328818893a09b9c724c3331351d1fa9a39ca07fe197eaec865d4ba46d');
INSERT INTO ledger VALUES (30, '01a204dd-74c5-733c-8602-623faf97290f', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-74c5-733c-8602-623ee4dacc45', 'created', NULL, '01a204dd-74c5-733c-8602-623dfd96928b', '', 'EyuSaKe2YtuO', 'all', '01a204dd-74c4-77b7-b734-cdca555c2aca', 1795377951941038, 'c98866edba461eb0c15efed994fb0f3cb79a6b84794d014514470fb75e41fec6');
INSERT INTO ledger VALUES (31, '01a204dd-74c9-70ad-9c3b-2e94ffd9cbc7', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-74c5-733c-8602-623ee4dacc45', 'changed', '01a204dd-74c5-733c-8602-623dfd96928b', '01a204dd-74c5-733c-8602-623dfd96928b', '', 'EyuSaKe2YtuO', 'all', '01a204dd-74c8-7472-a70d-af257fbc40f1', 1795377951945234, '89274d758703b0ef36c1324ea790c3706ef05d34000163b360129824cc2f5661');
INSERT INTO ledger VALUES (32, '01a204dd-74cd-7222-9cb5-e397830e4779', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-74cd-7222-9cb5-e3965996ee33', 'created', NULL, '01a204dd-74cd-7222-9cb5-e3953766a6a3', '', 'EyuSaKe2YtuO', 'all', '01a204dd-74cc-74bb-b2ff-e9ac3dfd81f2', 1795377951949001, '9cdf32a05330bc06880d47be4d766d6d5267473702b5a2f75e92c6af43f34704');
INSERT INTO ledger VALUES (33, '01a204dd-74d1-7070-be15-0dbb2cb8153a', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-74cd-7222-9cb5-e3965996ee33', 'deleted', '01a204dd-74cd-7222-9cb5-e3953766a6a3', NULL, '', 'EyuSaKe2YtuO', 'all', '01a204dd-74d0-724a-a64a-1f37ac4c0345', 1795377951952839, '2d70f32455b4512b41eeb49d663c3c25c6a762c117239d3facd293024caa503e');
INSERT INTO ledger VALUES (34, '01a204dd-74d5-72be-85e5-6a996a796cd4', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-7490-7212-baa2-677f429cbbe2', 'published', '01a204dd-7490-7212-baa2-677e16b1a81f', '01a204dd-74d5-72be-85e5-6a9866302468', '', 'EyuSaKe2YtuO', 'all', '01a204dd-74d4-71e1-8e60-47ba3acb8a01', 1795377951957255, 'f0dc2a867d33136a995924b3a16f540c0590358047a6d2df6773408ad08d8822');
INSERT INTO ledger VALUES (35, '01a204dd-74d9-7184-9376-30605af04c52', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-7490-7212-baa2-677f429cbbe2', 'published', '01a204dd-74d5-72be-85e5-6a9866302468', '01a204dd-74d9-7184-9376-305fa27801eb', '', 'EyuSaKe2YtuO', 'all', '01a204dd-74d8-7503-b124-c7f1cc4afef6', 1795377951961172, 'b6d0fbdde319241ae5cfbd8c4a09f5e4e6897613f5aabd491b68368ee4f41fe4');
INSERT INTO ledger VALUES (36, '01a204dd-74dd-77a5-9d9d-68efc6dd6d54', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-7490-7212-baa2-677f429cbbe2', 'deleted', '01a204dd-7490-7212-baa2-677e16b1a81f', '01a204dd-7490-7212-baa2-677e16b1a81f', '', 'EyuSaKe2YtuO', 'all', '01a204dd-74dc-7568-a84c-ac24fcfc063b', 1795377951964962, '238d3d02d7bff9be8ac1f48549457b9d6b5433576c0c6c177ef81616fce496e4');
INSERT INTO ledger VALUES (38, '01a204dd-760f-777d-a34c-37920b0b30b8', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-7490-7212-baa2-677f429cbbe2', 'deleted', '01a204dd-74d5-72be-85e5-6a9866302468', '01a204dd-74d5-72be-85e5-6a9866302468', '', 'EyuSaKe2YtuO', 'all', '01a204dd-760e-7004-a168-e18e92b1d15c', 1795377952270772, 'a7b60c7387b6149de674bc90807c590c7c99e9b4a987c5cbf0c61d596718cbf2');
INSERT INTO ledger VALUES (39, '01a204dd-7613-71e4-afca-5d72b0293cf2', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-7613-71e4-afca-5d714d73499e', 'created', NULL, '01a204dd-7613-71e4-afca-5d7010498594', '', 'EyuSaKe2YtuO', 'all', '01a204dd-7611-7658-b71b-cb6c416bc307', 1795377952274961, '3c8ad86b45b36191d897cf6fe1a24f86ee96c23e9759743e4d19250908bd8494');
INSERT INTO ledger VALUES (40, '01a204dd-7616-710f-b787-f49234feec85', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-7613-71e4-afca-5d714d73499e', 'deleted', '01a204dd-7613-71e4-afca-5d7010498594', NULL, '', 'EyuSaKe2YtuO', 'all', '01a204dd-7615-7358-90b0-b9d1b4b6e9bc', 1795377952278544, 'e014510cc5c8e0637c9dd910e373cf20231e924f9e00a70191143e14c209a494');
INSERT INTO ledger VALUES (41, '01a204dd-761d-728f-a26e-9fdc7cb2d63e', '01a204dd-6646-7462-9aa8-6f1d5127b81f', '01a204dd-761d-728f-a26e-9fdb9cb2b847', 'created', NULL, '01a204dd-761d-728f-a26e-9fda2ae2d20f', '', 'EyuSaKe2YtuO', 'all', '01a204dd-761b-73d3-8100-a50d81a0b931', 1795377952284674, '55e8481dd3277b4d8b125228546274432de9335de4bf21286f50ab64cf7e26be');
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
INSERT INTO idempotency VALUES ('01a204dd-6646-7462-9aa8-6f1d5127b81f', 'after_the_purge', 'e0c59bbaf9a21a0f2f784f0013c0d55bc047814f37f22087e0ab00bdaf587b32', 201, '{"etag": "\"41-6d8f811ae3256c2e\"", "cache-control": "private, no-cache", "content-type": "application/json", "x-moorage-result": "created"}', '{"id":"01a204dd-761d-728f-a26e-9fdb9cb2b847","created":"2026-11-22T20:05:52.284Z","updated":"2026-11-22T20:05:52.284Z","key":"kept_answer","description":"","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"version":"1.0"}', 1795377952284674);
CREATE INDEX idempotency_created ON idempotency (created_us);
CREATE INDEX deployment_deleted ON deployment (deleted_us) WHERE deleted_us IS NOT NULL;
CREATE INDEX deployment_gone ON deployment (project_id, key) WHERE deleted_us IS NOT NULL;
CREATE INDEX version_deleted ON version (deleted_us) WHERE deleted_us IS NOT NULL;
CREATE INDEX ledger_to_version ON ledger (to_version_id);
CREATE INDEX deployment_list ON deployment (project_id, seq);
