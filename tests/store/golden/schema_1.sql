-- Made by tests/store/golden/make.py; see there.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rev BIGINT NOT NULL,
    last_created_us BIGINT NOT NULL,
    history_hash TEXT NOT NULL DEFAULT '',  -- of the newest row of history: a row cut off at the end is detected
    epoch TEXT NOT NULL DEFAULT ''          -- revisions compare within one epoch; a copy and a restore begin a new one
);
INSERT INTO revision VALUES (1, 43, 1795934819047855, '41603e65a2395f2ab21c690d9da1a7007580cb868942dc1c10fc7cdb56e934b1', '');
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    rev BIGINT NOT NULL
);
INSERT INTO project VALUES ('01a2260e-8238-720e-8ec3-d4c7a706b958', 'shop', 1795934814776803, 1);
INSERT INTO project VALUES ('01a2260e-83da-76e4-a12e-90b7f3c1f095', 'default', 1795934815194437, 2);
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
INSERT INTO api_key VALUES ('vmYMnMzNJop4', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'all', 'deployments:invoke deployments:publish deployments:read deployments:write', '8025bc41e8236f10a4931877cf88697a8c04b9dd95f4c68b402ac4877cb1bc22', 1795934815203348, NULL, NULL, 3);
INSERT INTO api_key VALUES ('6pi2yTTajbB3', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'reader', 'deployments:read', '61a0b0610f18900e3749710093ecd41db494d32aea88ddcfef559a5ab47fee3f', 1795934815590429, NULL, NULL, 4);
INSERT INTO api_key VALUES ('1VIpPUcw4wDY', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'until 2099', 'deployments:invoke deployments:publish deployments:read deployments:write', '0c89f42c9d0bab7c9e9ac21e9f74db495837674a16a4215316066e402e49d0a5', 1795934815983165, 4070908800000000, NULL, 5);
INSERT INTO api_key VALUES ('tbodg4eeyqIg', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'expired', 'deployments:invoke deployments:publish deployments:read deployments:write', '3a20f167b882ccead22fc4cf891bc6e5b05137f05e5ae82e1b6a574e4deff3c5', 1795934816258746, 1795934817256058, NULL, 6);
INSERT INTO api_key VALUES ('Lkhot4s20thc', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'revoked', 'deployments:invoke deployments:publish deployments:read deployments:write', '1112e9b1ee077341156b697c515688e5c0d40ce55fcad64df9277458fcf6388f', 1795934816554556, NULL, 1795934816999808, 9);
INSERT INTO api_key VALUES ('g6I25gKvXNDg', '01a2260e-8238-720e-8ec3-d4c7a706b958', 'shop', 'deployments:invoke deployments:publish deployments:read deployments:write', '6d1d5412e8e23c36935d164989152eb9c939761bc4265b861fcd69aeb7c73a56', 1795934816813066, NULL, NULL, 8);
INSERT INTO api_key VALUES ('IMcZdRSklgsD', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'admin', 'deployments:read keys:admin', '275ab8b7e5ce46a21b47bf6aca7bf9384c438c417efb1214b6cff8cf9b625596', 1795934817882592, NULL, NULL, 16);
INSERT INTO api_key VALUES ('HVtqYuee4y2m', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'von einem Schlüssel', 'deployments:read', 'ce734b42b0dea8265a74a35a98de77bfa445678949706201d432c4b886ef5e14', 1795934817933236, NULL, NULL, 18);
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
INSERT INTO deployment VALUES ('01a2260e-8d51-711a-9c36-cbd2ec551e5f', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'greeting', 'Grüßt', 10, 1795934817616986, 1795934817955931, NULL, '01a2260e-8ea0-7524-856f-8ae4a26685c6', 28, 'api', NULL);
INSERT INTO deployment VALUES ('01a2260e-8d65-736f-8a61-3344204e63b8', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'full', 'Answers refunds', 13, 1795934817637176, 1795934817637176, NULL, '01a2260e-8d65-736f-8a61-3343ec1837a7', 13, 'api', NULL);
INSERT INTO deployment VALUES ('01a2260e-8d68-76cf-812a-221d8aea2df0', '01a2260e-8238-720e-8ec3-d4c7a706b958', 'greeting', '', 14, 1795934817640696, 1795934817640696, NULL, '01a2260e-8d68-76cf-812a-221c770349c3', 14, 'api', NULL);
INSERT INTO deployment VALUES ('01a2260e-8d6e-71ee-97cb-1a27e01c1c46', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'deleted', '', 15, 1795934817646696, 1795934817946115, 1795934817946115, '01a2260e-8d6e-71ee-97cb-1a264d211b20', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a2260e-8e93-74e4-a784-e2b86c4be6ba', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'posted', 'changed', 19, 1795934817939113, 1795934817969900, NULL, '01a2260e-8eb1-74cb-9afb-3f37f173b99d', 38, 'api', NULL);
INSERT INTO deployment VALUES ('01a2260e-8e9b-709c-a917-3b1c54de9c18', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'deleted', '', 24, 1795934817947603, 1795934817947603, NULL, '01a2260e-8e9b-709c-a917-3b1baf72f13e', 24, 'api', NULL);
INSERT INTO deployment VALUES ('01a2260e-8ea6-70c5-b8e1-7c6efec97176', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'from_a_file', '', 29, 1795934817957956, 1795934817957956, NULL, '01a2260e-8ea5-7167-90ad-ea5fbacbe501', 29, 'files', 'shop/größen.yaml');
INSERT INTO deployment VALUES ('01a2260e-8ea7-75a7-b4e5-ee968141f995', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'changed_owner', 'changed owner', 30, 1795934817959740, 1795934817963174, NULL, '01a2260e-8ea7-75a7-b4e5-ee95e6a58dd0', 31, 'api', 'shop/owner.yaml');
INSERT INTO deployment VALUES ('01a2260e-8ead-77f7-a74b-9751655c8f0e', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'purged', '', 32, 1795934817965022, 1795934817966503, 1795934817966503, '01a2260e-8ead-77f7-a74b-97507ecc1b06', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a2260e-8f9c-74b3-bb89-c279bfef5616', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'recent', '', 39, 1795934818204320, 1795934818208017, 1795934818208017, '01a2260e-8f9c-74b3-bb89-c2788ad3a68b', 40, 'api', NULL);
INSERT INTO deployment VALUES ('01a2260e-8fa2-7572-9b42-97820834ae32', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'after_purge', '', 41, 1795934818210604, 1795934818210604, NULL, '01a2260e-8fa2-7572-9b42-9781a6e20ea3', 41, 'api', NULL);
INSERT INTO deployment VALUES ('01a2260e-8fa5-71e7-b9ea-ab3663b9ada5', '01a2260e-83da-76e4-a12e-90b7f3c1f095', 'routed', '', 42, 1795934818213480, 1795934819047855, NULL, '01a2260e-92e8-7604-a6e1-76da407717f9', 43, 'api', NULL);
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
INSERT INTO version VALUES ('01a2260e-8d51-711a-9c36-cbd1ef7f8860', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"one"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', '73ee64a3573733a101d28a852244129bb3f14ed69a77e8b7f0d7cb9f11655317', 1795934817616986, 'vmYMnMzNJop4', 10, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8d5c-7311-84da-21018d78a8dc', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"two"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '3ade4ae8179d5fd0152aed84669fbfc0c32123d567a212cd939fce1178638438', 1795934817628356, 'vmYMnMzNJop4', 11, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8d60-7119-ac37-808a2326ba85', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 2, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"three"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '2c266711562281abc9f67ec50ec9dfee6cfc0fc105f95cb470c12bc22f4c77b4', 1795934817632542, 'vmYMnMzNJop4', 12, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8d65-736f-8a61-3343ec1837a7', '01a2260e-8d65-736f-8a61-3344204e63b8', 1, 0, '{"tools":[{"type":"function","function":{"name":"find_order","parameters":{"type":"object","properties":{"number":{"type":"string","minLength":1},"window":{"type":"object","properties":{"days":{"type":"integer"}},"additionalProperties":true},"note":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}},"required":["number"],"additionalProperties":false},"description":"Finds an order by its number.","strict":true},"display_name":"Find an order","id":42}],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{"temperature":0.2,"maxTokens":512,"topK":40,"topP":0.95,"frequencyPenalty":-0.5,"presencePenalty":1.5,"numImages":2,"seed":42.5,"format":"b64_json","dimensions":"1024x1024","quality":"hd","style":"vivid","responseFormat":{"type":"json_object"},"cacheControl":{"type":"ephemeral","ttl":"1h"},"photoRealVersion":"v2","encoding_format":"float","reasoningEffort":"high","budgetTokens":2048,"verbosity":"low","thinkingLevel":"low"},"provider":"openai","messages":[{"role":"system","content":"You help {{customer}}. ✓ 👋  "},{"role":"user","content":[{"type":"text","text":"Where is this?"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","id":"img_1","detail":"high"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","uri":"https://example.com/a.pdf","mimeType":"application/pdf","filename":"a.pdf"}}]},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"find_order","arguments":"{\"number\": \"7\"}"},"id":"call_1","index":0}],"tool_call_id":null},{"role":"tool","content":"On its way.","tool_call_id":"call_1"}]}', '[]', '', '7edfb5eb6172776248b8183a420238b5d14efcb53e92cb5b42c9ae79df173eb3', 1795934817637176, 'vmYMnMzNJop4', 13, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8d68-76cf-812a-221c770349c3', '01a2260e-8d68-76cf-812a-221d8aea2df0', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"of the shop"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '6f698d10a8ab1ec5ff7643b7001ed31acd23a6770570dde95295dee681caac6c', 1795934817640696, 'g6I25gKvXNDg', 14, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8d6e-71ee-97cb-1a264d211b20', '01a2260e-8d6e-71ee-97cb-1a27e01c1c46', 1, 0, '', '', '', '2f4a8ccb74c04e041cfed5f537c0b226739202348cd620f2e2ee342bc3eb2ad8', 1795934817646696, 'vmYMnMzNJop4', 15, 'published', '', NULL, '');
INSERT INTO version VALUES ('01a2260e-8e93-74e4-a784-e2b73f2dc852', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 1, 0, '', '', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795934817939113, 'vmYMnMzNJop4', 19, 'published', '', 1795934817971319, '');
INSERT INTO version VALUES ('01a2260e-8e9b-709c-a917-3b1baf72f13e', '01a2260e-8e9b-709c-a917-3b1c54de9c18', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"created again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '28334fd24549737af0dc0343c14de3acb13bdb46ac4749cdc5048bd4f1a260ed', 1795934817947603, 'vmYMnMzNJop4', 24, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8e9e-774d-a2d7-81f2c095df5a', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 2, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"a draft"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'f079839c101f2d7cb46127d7f23f63fa1f767425404da1e1f54fe86fe5271617', 1795934817950655, 'vmYMnMzNJop4', 25, 'draft', 'a draft', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8ea0-7524-856f-8ae4a26685c6', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 2, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"live immediately"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', 'b1146e99426dce44cd0030ef24b843c1ba523c6142403d0a75c49b30959a4059', 1795934817952586, 'vmYMnMzNJop4', 26, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8ea5-7167-90ad-ea5fbacbe501', '01a2260e-8ea6-70c5-b8e1-7c6efec97176', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795934817957956, 'vmYMnMzNJop4', 29, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8ea7-75a7-b4e5-ee95e6a58dd0', '01a2260e-8ea7-75a7-b4e5-ee968141f995', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795934817959740, 'vmYMnMzNJop4', 30, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8ead-77f7-a74b-97507ecc1b06', '01a2260e-8ead-77f7-a74b-9751655c8f0e', 1, 0, '', '', '', '307130780ac9e5602297021ee16a88d28d2cf082513edee22ca29d1362b7065b', 1795934817965022, 'vmYMnMzNJop4', 32, 'published', '', NULL, '');
INSERT INTO version VALUES ('01a2260e-8eb0-76d6-af47-d49cc42dbc59', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"with versions that are purged and deleted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '0aa452f3b198fe7d438e820b167cc11065ea90b605b28676b41465f5407911e3', 1795934817968236, 'vmYMnMzNJop4', 34, 'published', '', 1795934818201515, '{}');
INSERT INTO version VALUES ('01a2260e-8eb1-74cb-9afb-3f37f173b99d', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 1, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"live"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '467f5ee4abc08c62cd15a3b3e1b45e58adc873d7c54df9ba6b00f3a225e8b583', 1795934817969900, 'vmYMnMzNJop4', 35, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8f9c-74b3-bb89-c2788ad3a68b', '01a2260e-8f9c-74b3-bb89-c279bfef5616', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"deleted, not purged"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '9d740397a8793e809ff654be136132e68b77c1f4efe1c63a38050738eb812d7e', 1795934818204320, 'vmYMnMzNJop4', 39, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8fa2-7572-9b42-9781a6e20ea3', '01a2260e-8fa2-7572-9b42-97820834ae32', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795934818210604, 'vmYMnMzNJop4', 41, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a2260e-8fa5-71e7-b9ea-ab350d3e9261', '01a2260e-8fa5-71e7-b9ea-ab3663b9ada5', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hello {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'f80abcf191ac2b73ecf2f8f2a05fffd9ba533bbd623f1dd583d0299579c807f4', 1795934818213480, 'vmYMnMzNJop4', 42, 'published', '', NULL, '{"settings":{"missing_inputs":"keep"},"retry_count":1,"variants":[{"name":"other","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hi {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"settings":{"engine":"mustache"},"retry_count":2}],"routing":[{"variant":"other","when":{"größe":{"in":["XL","é"]}}},{"variant":"other","when":{},"split":{"by":"user_id","percent":12.5}}]}');
INSERT INTO version VALUES ('01a2260e-92e8-7604-a6e1-76da407717f9', '01a2260e-8fa5-71e7-b9ea-ab3663b9ada5', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hello {{title}} {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '0beb6137927948792dfc27ae1b2a4ddab12a3c3cd2ce5284a1508c1a7373d893', 1795934819047855, 'vmYMnMzNJop4', 43, 'published', '', NULL, '{"settings":{"missing_inputs":"keep"},"retry_count":1,"variants":[{"name":"other","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"Hi {{name}}"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"settings":{"engine":"mustache"},"retry_count":2}],"routing":[{"variant":"other","when":{"größe":{"in":["XL","é"]}}},{"variant":"other","when":{},"split":{"by":"user_id","percent":12.5}}]}');
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
INSERT INTO history VALUES (10, '01a2260e-8d51-711a-9c36-cbd3f6b38294', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 'created', NULL, '01a2260e-8d51-711a-9c36-cbd1ef7f8860', '', 'vmYMnMzNJop4', 'all', '01a2260e-8d4e-7489-9880-6c30a4b16a89', 1795934817616986, 'd18b36ee906790dcf95674fef459a30cd56ee79cf8bd72b98f247af088e54ca5', '');
INSERT INTO history VALUES (11, '01a2260e-8d5c-7311-84da-210228f98e03', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 'published', '01a2260e-8d51-711a-9c36-cbd1ef7f8860', '01a2260e-8d5c-7311-84da-21018d78a8dc', '', 'vmYMnMzNJop4', 'all', '01a2260e-8d5b-7670-be46-507031764f7c', 1795934817628356, '575d01155cd2396a48cc98f0e36702b759613715e4d9472de44fa24452d5052f', '');
INSERT INTO history VALUES (12, '01a2260e-8d60-7119-ac37-808bb462ca4e', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 'published', '01a2260e-8d5c-7311-84da-21018d78a8dc', '01a2260e-8d60-7119-ac37-808a2326ba85', '', 'vmYMnMzNJop4', 'all', '01a2260e-8d60-7119-ac37-8089a1f13b74', 1795934817632542, '35c1877cbd7b1b49912774b8bdbf2176916cbf9ad328fa84b2d772f6ecb85bbc', '');
INSERT INTO history VALUES (13, '01a2260e-8d65-736f-8a61-3345b5e9cb7b', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8d65-736f-8a61-3344204e63b8', 'created', NULL, '01a2260e-8d65-736f-8a61-3343ec1837a7', '', 'vmYMnMzNJop4', 'all', '01a2260e-8d64-7570-b65e-808a4f296ad2', 1795934817637176, '22e0f263b6baf1a09b3148afa2021bb48e895bd9f2448a6ea97650710964a010', '');
INSERT INTO history VALUES (14, '01a2260e-8d68-76cf-812a-221e9e79c4fb', '01a2260e-8238-720e-8ec3-d4c7a706b958', '01a2260e-8d68-76cf-812a-221d8aea2df0', 'created', NULL, '01a2260e-8d68-76cf-812a-221c770349c3', '', 'g6I25gKvXNDg', 'shop', '01a2260e-8d68-76cf-812a-221bb1d0aa06', 1795934817640696, 'f14b0c149894660fb587c46bef2d47d6ee19066508be487f2d6d56e50e5503ea', '');
INSERT INTO history VALUES (15, '01a2260e-8d6e-71ee-97cb-1a28384aef0f', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8d6e-71ee-97cb-1a27e01c1c46', 'created', NULL, '01a2260e-8d6e-71ee-97cb-1a264d211b20', '', 'vmYMnMzNJop4', 'all', '01a2260e-8d6c-743b-84ab-fa2e9d386107', 1795934817646696, 'f64350a58b2794e3ee3a99f64b37bd19862dd5266459ac34f2dd0934ea1a3df5', '');
INSERT INTO history VALUES (19, '01a2260e-8e93-74e4-a784-e2b9588339a4', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 'created', NULL, '01a2260e-8e93-74e4-a784-e2b73f2dc852', '', 'vmYMnMzNJop4', 'all', '01a2260e-8e91-71b1-890f-01c8d21d7e29', 1795934817939113, 'de46be971de5bfbc70ab83d81323f68ba781ffb98fe6df30d5903c7c1201939d', '');
INSERT INTO history VALUES (20, '01a2260e-8e95-74cb-bc51-54f41850511e', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 'changed', '01a2260e-8e93-74e4-a784-e2b73f2dc852', '01a2260e-8e93-74e4-a784-e2b73f2dc852', '', 'vmYMnMzNJop4', 'all', '01a2260e-8e95-74cb-bc51-54f3d8e36591', 1795934817941366, 'cb2c0e791afcdab46b1ae13434cd86426976250a42a40e4dcd109e63f0f0c197', '');
INSERT INTO history VALUES (21, '01a2260e-8e96-75de-8473-06f654183df6', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 'deleted', '01a2260e-8e93-74e4-a784-e2b73f2dc852', NULL, '', 'vmYMnMzNJop4', 'all', '01a2260e-8e96-75de-8473-06f5c5c19748', 1795934817942710, '6dca5ff462b96e945c96c7b18d3e38245924e8ce057772b42133d61ca7f4a845', '');
INSERT INTO history VALUES (22, '01a2260e-8e98-71af-ab08-181f53cd309d', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 'restored', NULL, '01a2260e-8e93-74e4-a784-e2b73f2dc852', 'still in use', 'vmYMnMzNJop4', 'all', '01a2260e-8e98-71af-ab08-181ecd79ffbd', 1795934817944381, '088f9b3cdc5d234b80d071876b6a75621714c98c5171b848767d382f888cf076', '');
INSERT INTO history VALUES (23, '01a2260e-8e9a-7339-ab04-da634dfcd57b', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8d6e-71ee-97cb-1a27e01c1c46', 'deleted', '01a2260e-8d6e-71ee-97cb-1a264d211b20', NULL, '', 'vmYMnMzNJop4', 'all', '01a2260e-8e99-75c5-8814-d9e6c471ce9f', 1795934817946115, '1374adf52fd393e4f3395ee85730d1f0a10a2e2dac073207e088c793d1ac0a10', '');
INSERT INTO history VALUES (24, '01a2260e-8e9b-709c-a917-3b1d2903c90c', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8e9b-709c-a917-3b1c54de9c18', 'created', NULL, '01a2260e-8e9b-709c-a917-3b1baf72f13e', '', 'vmYMnMzNJop4', 'all', '01a2260e-8e9b-709c-a917-3b1aaf288a91', 1795934817947603, '6ac2e5bbdbf4eb9f3d0d19009373936db9392f8da5dbecc9389dbf0e7916285b', '');
INSERT INTO history VALUES (26, '01a2260e-8ea0-7524-856f-8ae5f24111ec', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 'published', '01a2260e-8d60-7119-ac37-808a2326ba85', '01a2260e-8ea0-7524-856f-8ae4a26685c6', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'vmYMnMzNJop4', 'all', '01a2260e-8ea0-7524-856f-8ae343198e1f', 1795934817952586, '7afaf4612a9cbddb89596557ea23f008389657174eb5ed1a53a997597c08d5ed', '');
INSERT INTO history VALUES (27, '01a2260e-8ea2-70e4-8dfa-5b1c17f59355', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 'published', '01a2260e-8ea0-7524-856f-8ae4a26685c6', '01a2260e-8d51-711a-9c36-cbd1ef7f8860', 'roll back', 'vmYMnMzNJop4', 'all', '01a2260e-8ea2-70e4-8dfa-5b1bb05ad1cf', 1795934817954280, '4d14bf3dfdb1fb918585eb7614b1022d76f2341ab147e2d76b7942d6b59a003e', '');
INSERT INTO history VALUES (28, '01a2260e-8ea4-729f-b643-f4a4c1845d2d', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8d51-711a-9c36-cbd2ec551e5f', 'undone', '01a2260e-8d51-711a-9c36-cbd1ef7f8860', '01a2260e-8ea0-7524-856f-8ae4a26685c6', 'undo the rollback', '1VIpPUcw4wDY', 'until 2099', '01a2260e-8ea3-73e9-ab2c-c3f173bf9add', 1795934817955931, '848f985fe1e57c53743b1b5c9e0e856337e6675588915c8620104f450e00b550', '');
INSERT INTO history VALUES (29, '01a2260e-8ea6-70c5-b8e1-7c6fde310675', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8ea6-70c5-b8e1-7c6efec97176', 'created', NULL, '01a2260e-8ea5-7167-90ad-ea5fbacbe501', '', 'vmYMnMzNJop4', 'all', '01a2260e-8ea5-7167-90ad-ea5e681e2812', 1795934817957956, '068d4e881ad79dc13e736df06f9d45d9301686da525c84b360d742243386d181', '');
INSERT INTO history VALUES (30, '01a2260e-8ea7-75a7-b4e5-ee976666ddbc', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8ea7-75a7-b4e5-ee968141f995', 'created', NULL, '01a2260e-8ea7-75a7-b4e5-ee95e6a58dd0', '', 'vmYMnMzNJop4', 'all', '01a2260e-8ea7-75a7-b4e5-ee94734350ed', 1795934817959740, '19ad9fb498f90306ed3f2be784e320d0095aca5773cd74d77b5c6288208375ba', '');
INSERT INTO history VALUES (31, '01a2260e-8eab-7378-b53c-d612a0e0615e', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8ea7-75a7-b4e5-ee968141f995', 'changed', '01a2260e-8ea7-75a7-b4e5-ee95e6a58dd0', '01a2260e-8ea7-75a7-b4e5-ee95e6a58dd0', '', 'vmYMnMzNJop4', 'all', '01a2260e-8eaa-7178-9523-77e2702fc299', 1795934817963174, '2136fa8faae546c356b3606a584d7e7462f961ed62c2a30fc4c685e5ca555bab', '');
INSERT INTO history VALUES (32, '01a2260e-8ead-77f7-a74b-9752516b5cc7', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8ead-77f7-a74b-9751655c8f0e', 'created', NULL, '01a2260e-8ead-77f7-a74b-97507ecc1b06', '', 'vmYMnMzNJop4', 'all', '01a2260e-8eac-7110-a130-b5fd61a7b02b', 1795934817965022, 'caed2595111e339fa1ff4f50fc0861b790f8632b375bc9ba788ad767331d4377', '');
INSERT INTO history VALUES (33, '01a2260e-8eae-7768-b3e0-41c813046797', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8ead-77f7-a74b-9751655c8f0e', 'deleted', '01a2260e-8ead-77f7-a74b-97507ecc1b06', NULL, '', 'vmYMnMzNJop4', 'all', '01a2260e-8eae-7768-b3e0-41c7b536df45', 1795934817966503, 'e0b792a45bceaafed1ba59fa86766fcd061adc4b62b05e2499876ac4dbcdd66e', '');
INSERT INTO history VALUES (34, '01a2260e-8eb0-76d6-af47-d49d48368dae', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 'published', '01a2260e-8e93-74e4-a784-e2b73f2dc852', '01a2260e-8eb0-76d6-af47-d49cc42dbc59', '', 'vmYMnMzNJop4', 'all', '01a2260e-8eaf-77b7-af03-ee925bce5402', 1795934817968236, 'af19b07be1eda4e68c9d8754aea67785398b36990fa7f0d45cc6793df1e4e269', '');
INSERT INTO history VALUES (35, '01a2260e-8eb2-7729-8b07-aab9c26ac251', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 'published', '01a2260e-8eb0-76d6-af47-d49cc42dbc59', '01a2260e-8eb1-74cb-9afb-3f37f173b99d', '', 'vmYMnMzNJop4', 'all', '01a2260e-8eb1-74cb-9afb-3f3679ec33b4', 1795934817969900, 'd9ef81be2a077306b65d3eacffad31279156f301bd017280c989a8a112865b49', '');
INSERT INTO history VALUES (36, '01a2260e-8eb3-7093-ac8f-8411feb371fd', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 'deleted', '01a2260e-8e93-74e4-a784-e2b73f2dc852', '01a2260e-8e93-74e4-a784-e2b73f2dc852', '', 'vmYMnMzNJop4', 'all', '01a2260e-8eb3-7093-ac8f-841011f0f63d', 1795934817971319, 'a19e8e9c97dbf67bd7869f9f42b9b50e5d44d965abed7bcd674cf3abf8201aaa', '');
INSERT INTO history VALUES (38, '01a2260e-8f99-7342-91d2-e706e96e5d21', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8e93-74e4-a784-e2b86c4be6ba', 'deleted', '01a2260e-8eb0-76d6-af47-d49cc42dbc59', '01a2260e-8eb0-76d6-af47-d49cc42dbc59', '', 'vmYMnMzNJop4', 'all', '01a2260e-8f98-70a8-88d5-abccb9ff4f7c', 1795934818201515, '3458514fcb6aa1c0f9b04b926a5b56dc14bf322b6e104b7f6a8fe3775815562d', '');
INSERT INTO history VALUES (39, '01a2260e-8f9c-74b3-bb89-c27a6e7b2b8c', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8f9c-74b3-bb89-c279bfef5616', 'created', NULL, '01a2260e-8f9c-74b3-bb89-c2788ad3a68b', '', 'vmYMnMzNJop4', 'all', '01a2260e-8f9b-75e8-b1f5-633f501b23f9', 1795934818204320, '07f8e85b1a42309ced56fc2b059d7b09a614b130435addecfdc90cba8cac98f9', '');
INSERT INTO history VALUES (40, '01a2260e-8fa0-763d-80df-02ba22b52319', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8f9c-74b3-bb89-c279bfef5616', 'deleted', '01a2260e-8f9c-74b3-bb89-c2788ad3a68b', NULL, '', 'vmYMnMzNJop4', 'all', '01a2260e-8f9f-735c-9511-d5d99c7d232f', 1795934818208017, 'f5f383b792dc50e6553a61bd82f779c1b80961fd03186504fc26ee70210ed37c', '');
INSERT INTO history VALUES (41, '01a2260e-8fa2-7572-9b42-9783a340906c', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8fa2-7572-9b42-97820834ae32', 'created', NULL, '01a2260e-8fa2-7572-9b42-9781a6e20ea3', '', 'vmYMnMzNJop4', 'all', '01a2260e-8fa1-75e3-bba7-9f0a3227bfaa', 1795934818210604, '07c6ba1c088c04c17b871cdc68e0515688a304b191773fab5897fd52926874ea', '');
INSERT INTO history VALUES (42, '01a2260e-8fa5-71e7-b9ea-ab3746ccd106', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8fa5-71e7-b9ea-ab3663b9ada5', 'created', NULL, '01a2260e-8fa5-71e7-b9ea-ab350d3e9261', '', 'vmYMnMzNJop4', 'all', '01a2260e-8fa4-7592-9ef1-7a90a40ad58c', 1795934818213480, '02cc157428b8700043ae1b50444965b677043516742bf397e9add34398202171', '');
INSERT INTO history VALUES (43, '01a2260e-92e8-7604-a6e1-76db684e0239', '01a2260e-83da-76e4-a12e-90b7f3c1f095', '01a2260e-8fa5-71e7-b9ea-ab3663b9ada5', 'published', '01a2260e-8fa5-71e7-b9ea-ab350d3e9261', '01a2260e-92e8-7604-a6e1-76da407717f9', '', 'vmYMnMzNJop4', 'all', '01a2260e-92e4-7689-ab93-18ef4e800082', 1795934819047855, '41603e65a2395f2ab21c690d9da1a7007580cb868942dc1c10fc7cdb56e934b1', '["variables.title"]');
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
INSERT INTO idempotency VALUES ('01a2260e-83da-76e4-a12e-90b7f3c1f095', 'after_the_purge', '4f33ed3bbdf1145f18b954c4fe58e2bdbb6001db26255f902fe3a66907ef456a', '{"type":"DeploymentResult","deployment":{"id":"01a2260e-8fa2-7572-9b42-97820834ae32","project_id":"01a2260e-83da-76e4-a12e-90b7f3c1f095","key":"after_purge","description":"","seq":41,"created_us":1795934818210604,"updated_us":1795934818210604,"deleted_us":null,"version":{"major":1,"minor":0},"content":{"prompt_config":"{\"tools\":[],\"model\":\"openai/gpt-4o\",\"model_type\":\"chat\",\"model_parameters\":{},\"provider\":\"openai\",\"messages\":[{\"role\":\"system\",\"content\":\"posted\"},{\"role\":\"user\",\"content\":\"Grüße, {{name}}! It''s 100 % 你好 👋 \\\\ \\\"quoted\\\" :name\\nsecond\\tline ✓\"}]}","variables":"[]","runtime_config":"{}"},"content_sha256":"9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365","rev":41,"live_version_id":"01a2260e-8fa2-7572-9b42-9781a6e20ea3","owner":"api","file":null},"result":"created","previous_owner":null,"breaking":[]}', 1795934818210604);
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
INSERT INTO consumer VALUES ('01a2260e-8fa5-71e7-b9ea-ab350d3e9261', 'vmYMnMzNJop4', 1795934818215712, 1795934818216891, '["gr\u00f6\u00dfe", "name"]');
CREATE INDEX consumer_last ON consumer (last_us);
