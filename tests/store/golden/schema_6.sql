-- Made by tests/store/golden/make.py; see there.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rev BIGINT NOT NULL,
    last_created_us BIGINT NOT NULL
, ledger_hash TEXT NOT NULL DEFAULT '', epoch TEXT NOT NULL DEFAULT '');
INSERT INTO revision VALUES (1, 41, 1795383704320758, '9b4d16b42671fbd9d44bf9a01f31771ea43bc06aa4caa4aca415ef6435a1829e', '');
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    rev BIGINT NOT NULL
);
INSERT INTO project VALUES ('01a20534-b9f0-706c-8f38-0e8838fd6003', 'shop', 1795383671280706, 1);
INSERT INTO project VALUES ('01a20534-c3a3-7465-9c50-cd74f24199a0', 'default', 1795383673763521, 2);
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
INSERT INTO api_key VALUES ('u6JqG7mX6KAs', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'all', 'deployments:invoke deployments:publish deployments:read deployments:write', '2ab8b1eb64bbd56498b5d9f4abd445ad62b2e1502541e20a99ac8f553819a362', 1795383673779981, NULL, NULL, 3);
INSERT INTO api_key VALUES ('0Jtz6dyM2qb5', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'reader', 'deployments:read', 'bedae1743e1534dce707fc126bdcdf3860bdb1c3722ec961fedaececa46f5e9e', 1795383676379462, NULL, NULL, 4);
INSERT INTO api_key VALUES ('AFDne6Tollbt', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'until 2099', 'deployments:invoke deployments:publish deployments:read deployments:write', 'bc35f432358fed96ff5add9baaff22e2cce7b072cb93659c58cd131b089510ae', 1795383679384743, 4070908800000000, NULL, 5);
INSERT INTO api_key VALUES ('3fIxAttGSFgv', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'over', 'deployments:invoke deployments:publish deployments:read deployments:write', '762d722c69eae68f69b7b8df5ce3412fca2f06743fb5424b4d694baa66957fb4', 1795383682628768, 1795383683564997, NULL, 6);
INSERT INTO api_key VALUES ('fZQrLZ7tvtaf', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'revoked', 'deployments:invoke deployments:publish deployments:read deployments:write', 'f4843c9f588a65d484dca744ba0c2222a4ef828e27d5abfae93cddeeae377053', 1795383685041474, NULL, 1795383689762033, 9);
INSERT INTO api_key VALUES ('uujXxbdKzFmq', '01a20534-b9f0-706c-8f38-0e8838fd6003', 'shop', 'deployments:invoke deployments:publish deployments:read deployments:write', 'be98782950ced40f564b34af04e3f4001d2d239c3d2cf994d00fc8b59e364997', 1795383687604228, NULL, NULL, 8);
INSERT INTO api_key VALUES ('8zhooZJSTrNS', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'keeper', 'deployments:read keys:admin', '8fac929e264dde91ed23611b0ab567388c68a8c4a9014f40f76ff4bb56f79090', 1795383700058319, NULL, NULL, 16);
INSERT INTO api_key VALUES ('7kMPRbyLwy8h', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'von einem Schlüssel', 'deployments:read', 'fd0b80fd23580b2be5a97426562103edf2f8e6bcab947cc5f4e62bcca39dbc5e', 1795383700510738, NULL, NULL, 18);
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
INSERT INTO deployment VALUES ('01a20535-201e-722b-95c0-6434bf55d742', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'greeting', 'Grüßt', 10, 1795383697421597, 1795383700733794, NULL, '01a20535-2cf4-70ea-8b6e-0a871d40ba8c', 28, 'api', NULL);
INSERT INTO deployment VALUES ('01a20535-2098-727a-b5f6-bb4c5e3189b2', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'full', 'Answers refunds', 13, 1795383697560274, 1795383697560274, NULL, '01a20535-2098-727a-b5f6-bb4bb7f98ac3', 13, 'api', NULL);
INSERT INTO deployment VALUES ('01a20535-209e-7655-8a10-6f770c85e985', '01a20534-b9f0-706c-8f38-0e8838fd6003', 'greeting', '', 14, 1795383697566670, 1795383697566670, NULL, '01a20535-209e-7655-8a10-6f762b893c27', 14, 'api', NULL);
INSERT INTO deployment VALUES ('01a20535-20a2-707c-b50e-b74ff9833a42', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'gone', '', 15, 1795383697570613, 1795383700705025, 1795383700705025, '01a20535-20a2-707c-b50e-b74ebcfcd336', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a20535-2c61-72d8-9280-9861b3e5f5d2', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'posted', 'changed', 19, 1795383700572558, 1795383700797048, NULL, '01a20535-2d3d-70fd-a139-6a91cf2d7e33', 38, 'api', NULL);
INSERT INTO deployment VALUES ('01a20535-2ce8-737c-89bd-d47a8780f7e5', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'gone', '', 24, 1795383700712711, 1795383700712711, NULL, '01a20535-2ce8-737c-89bd-d4792e38d91d', 24, 'api', NULL);
INSERT INTO deployment VALUES ('01a20535-2d08-752e-bf15-25fc63989373', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'from_a_file', '', 29, 1795383700744670, 1795383700744670, NULL, '01a20535-2d08-752e-bf15-25fb6e4b6d75', 29, 'files', 'shop/größen.yaml');
INSERT INTO deployment VALUES ('01a20535-2d16-71ab-b6c3-6f4fded8b0f8', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'taken_over', 'taken over', 30, 1795383700758443, 1795383700764891, NULL, '01a20535-2d16-71ab-b6c3-6f4e8e13a847', 31, 'api', 'shop/taken.yaml');
INSERT INTO deployment VALUES ('01a20535-2d26-7257-a7d1-02f76663f835', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'erased', '', 32, 1795383700774466, 1795383700781070, 1795383700781070, '01a20535-2d26-7257-a7d1-02f6be57c5a5', 37, 'api', NULL);
INSERT INTO deployment VALUES ('01a20535-3ae6-72dc-8e7c-c54b34b2de19', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'recent', '', 39, 1795383704294410, 1795383704308448, 1795383704308448, '01a20535-3ae6-72dc-8e7c-c54a009c95e0', 40, 'api', NULL);
INSERT INTO deployment VALUES ('01a20535-3b01-7576-9a2f-574e41ae8acb', '01a20534-c3a3-7465-9c50-cd74f24199a0', 'kept_answer', '', 41, 1795383704320758, 1795383704320758, NULL, '01a20535-3b01-7576-9a2f-574dcc044666', 41, 'api', NULL);
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
INSERT INTO version VALUES ('01a20535-201e-722b-95c0-643376342127', '01a20535-201e-722b-95c0-6434bf55d742', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"one"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', '73ee64a3573733a101d28a852244129bb3f14ed69a77e8b7f0d7cb9f11655317', 1795383697421597, 'u6JqG7mX6KAs', 10, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-2040-73f7-be06-8a612071a7c8', '01a20535-201e-722b-95c0-6434bf55d742', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"two"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '3ade4ae8179d5fd0152aed84669fbfc0c32123d567a212cd939fce1178638438', 1795383697471877, 'u6JqG7mX6KAs', 11, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-208f-76fa-9767-4ea660ffb3c4', '01a20535-201e-722b-95c0-6434bf55d742', 2, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"three"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '2c266711562281abc9f67ec50ec9dfee6cfc0fc105f95cb470c12bc22f4c77b4', 1795383697551525, 'u6JqG7mX6KAs', 12, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-2098-727a-b5f6-bb4bb7f98ac3', '01a20535-2098-727a-b5f6-bb4c5e3189b2', 1, 0, '{"tools":[{"type":"function","function":{"name":"find_order","parameters":{"type":"object","properties":{"number":{"type":"string","minLength":1},"window":{"type":"object","properties":{"days":{"type":"integer"}},"additionalProperties":true},"note":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}},"required":["number"],"additionalProperties":false},"description":"Finds an order by its number.","strict":true},"display_name":"Find an order","id":42}],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{"temperature":0.2,"maxTokens":512,"topK":40,"topP":0.95,"frequencyPenalty":-0.5,"presencePenalty":1.5,"numImages":2,"seed":42.5,"format":"b64_json","dimensions":"1024x1024","quality":"hd","style":"vivid","responseFormat":{"type":"json_object"},"cacheControl":{"type":"ephemeral","ttl":"1h"},"photoRealVersion":"v2","encoding_format":"float","reasoningEffort":"high","budgetTokens":2048,"verbosity":"low","thinkingLevel":"low"},"provider":"openai","messages":[{"role":"system","content":"You help {{customer}}. ✓ 👋  "},{"role":"user","content":[{"type":"text","text":"Where is this?"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","id":"img_1","detail":"high"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","uri":"https://example.com/a.pdf","mimeType":"application/pdf","filename":"a.pdf"}}]},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"find_order","arguments":"{\"number\": \"7\"}"},"id":"call_1","index":0}],"tool_call_id":null},{"role":"tool","content":"On its way.","tool_call_id":"call_1"}]}', '[]', '', '7edfb5eb6172776248b8183a420238b5d14efcb53e92cb5b42c9ae79df173eb3', 1795383697560274, 'u6JqG7mX6KAs', 13, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-209e-7655-8a10-6f762b893c27', '01a20535-209e-7655-8a10-6f770c85e985', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"of the shop"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '6f698d10a8ab1ec5ff7643b7001ed31acd23a6770570dde95295dee681caac6c', 1795383697566670, 'uujXxbdKzFmq', 14, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-20a2-707c-b50e-b74ebcfcd336', '01a20535-20a2-707c-b50e-b74ff9833a42', 1, 0, '', '', '', 'd11a0cbb04906c0e3c484dfb5c37ec5a4a8f35f24d2435d4a861dde0f48e4fd1', 1795383697570613, 'u6JqG7mX6KAs', 15, 'published', '', NULL, '');
INSERT INTO version VALUES ('01a20535-2c61-72d8-9280-986018f39333', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 1, 0, '', '', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795383700572558, 'u6JqG7mX6KAs', 19, 'published', '', 1795383700808338, '');
INSERT INTO version VALUES ('01a20535-2ce8-737c-89bd-d4792e38d91d', '01a20535-2ce8-737c-89bd-d47a8780f7e5', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '550a78ae9e82acb21679e4a1d74f526c25479d6c94a1710edc6fe1a7a9635c2d', 1795383700712711, 'u6JqG7mX6KAs', 24, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-2cef-76b6-8267-9b7ef4f8565f', '01a20535-201e-722b-95c0-6434bf55d742', 2, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"a draft"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'f079839c101f2d7cb46127d7f23f63fa1f767425404da1e1f54fe86fe5271617', 1795383700719740, 'u6JqG7mX6KAs', 25, 'draft', 'a draft', NULL, '{}');
INSERT INTO version VALUES ('01a20535-2cf4-70ea-8b6e-0a871d40ba8c', '01a20535-201e-722b-95c0-6434bf55d742', 2, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"at once"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', 'b892186654582d35bcb5e6ddac245950c52c1646356aff2d5b2339e042f69de6', 1795383700724525, 'u6JqG7mX6KAs', 26, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-2d08-752e-bf15-25fb6e4b6d75', '01a20535-2d08-752e-bf15-25fc63989373', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795383700744670, 'u6JqG7mX6KAs', 29, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-2d16-71ab-b6c3-6f4e8e13a847', '01a20535-2d16-71ab-b6c3-6f4fded8b0f8', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"from a file"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '1eb8a1e902b7d293fe980418d0f39ddd411db6f4d6787fc8d5eac52c5e524275', 1795383700758443, 'u6JqG7mX6KAs', 30, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-2d26-7257-a7d1-02f6be57c5a5', '01a20535-2d26-7257-a7d1-02f76663f835', 1, 0, '', '', '', 'ec2aa88a75098a816a601a4c16cc31fae4a41e533eff86e8e0ce51c778432a23', 1795383700774466, 'u6JqG7mX6KAs', 32, 'published', '', NULL, '');
INSERT INTO version VALUES ('01a20535-2d33-7081-8567-517258f3bef2', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"with versions that are erased and deleted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'cb9aeb64e647ff49675764dcfda997dab0dac42e9ba6cb7bf4e085251e7ed954', 1795383700787057, 'u6JqG7mX6KAs', 34, 'published', '', 1795383704262320, '{}');
INSERT INTO version VALUES ('01a20535-2d3d-70fd-a139-6a91cf2d7e33', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 1, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"live"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '467f5ee4abc08c62cd15a3b3e1b45e58adc873d7c54df9ba6b00f3a225e8b583', 1795383700797048, 'u6JqG7mX6KAs', 35, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-3ae6-72dc-8e7c-c54a009c95e0', '01a20535-3ae6-72dc-8e7c-c54b34b2de19', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"deleted, and not erased"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'a3755321a5c12b59fea1cd9e0cec8c0915466fec52d171ed04514985519a26dc', 1795383704294410, 'u6JqG7mX6KAs', 39, 'published', '', NULL, '{}');
INSERT INTO version VALUES ('01a20535-3b01-7576-9a2f-574dcc044666', '01a20535-3b01-7576-9a2f-574e41ae8acb', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795383704320758, 'u6JqG7mX6KAs', 41, 'published', '', NULL, '{}');
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
INSERT INTO ledger VALUES (10, '01a20535-201e-722b-95c0-64351cd1ae28', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-201e-722b-95c0-6434bf55d742', 'created', NULL, '01a20535-201e-722b-95c0-643376342127', '', 'u6JqG7mX6KAs', 'all', '01a20535-2008-75c2-9574-809b9f6db951', 1795383697421597, 'b36a60332c26d6091b4d69f97831998d70f261652d21d78502f858f5af67a05d', '');
INSERT INTO ledger VALUES (11, '01a20535-2040-73f7-be06-8a62d5850914', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-201e-722b-95c0-6434bf55d742', 'published', '01a20535-201e-722b-95c0-643376342127', '01a20535-2040-73f7-be06-8a612071a7c8', '', 'u6JqG7mX6KAs', 'all', '01a20535-203e-73af-ae20-5e666ccf567f', 1795383697471877, '2ddabf40e463d035c50f2feafccc3be499f40c5a333403f6b96f3e08670c9c11', '');
INSERT INTO ledger VALUES (12, '01a20535-2090-727f-82c1-cf4d53b772d7', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-201e-722b-95c0-6434bf55d742', 'published', '01a20535-2040-73f7-be06-8a612071a7c8', '01a20535-208f-76fa-9767-4ea660ffb3c4', '', 'u6JqG7mX6KAs', 'all', '01a20535-208e-74ac-a3f6-e72f37b41b23', 1795383697551525, '893db91a7ffd49256c34758f7b6de3a45f505701a944ca5f7f76c0f3fd54d5e6', '');
INSERT INTO ledger VALUES (13, '01a20535-2098-727a-b5f6-bb4dc1a7312d', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2098-727a-b5f6-bb4c5e3189b2', 'created', NULL, '01a20535-2098-727a-b5f6-bb4bb7f98ac3', '', 'u6JqG7mX6KAs', 'all', '01a20535-2096-77b3-906d-847acc61e823', 1795383697560274, 'd683dbed22abefdd6a9e3d93f6dbbf0a90ab0120bc7bb0c9f2af347d939f98fa', '');
INSERT INTO ledger VALUES (14, '01a20535-209e-7655-8a10-6f78881d5984', '01a20534-b9f0-706c-8f38-0e8838fd6003', '01a20535-209e-7655-8a10-6f770c85e985', 'created', NULL, '01a20535-209e-7655-8a10-6f762b893c27', '', 'uujXxbdKzFmq', 'shop', '01a20535-209d-7687-8616-97350f798fac', 1795383697566670, '5eaddf5e9b207078f99bb7c269f53598e7671baf12bbf581c573747756d746cc', '');
INSERT INTO ledger VALUES (15, '01a20535-20a2-707c-b50e-b7500c3d7978', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-20a2-707c-b50e-b74ff9833a42', 'created', NULL, '01a20535-20a2-707c-b50e-b74ebcfcd336', '', 'u6JqG7mX6KAs', 'all', '01a20535-20a1-7705-a99f-369f0c84ad4d', 1795383697570613, '9aa8aa61a19d2012c0dae64b81ed395a3547347fb078d9ab391dbecf8e4785f5', '');
INSERT INTO ledger VALUES (19, '01a20535-2c61-72d8-9280-986222de4792', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 'created', NULL, '01a20535-2c61-72d8-9280-986018f39333', '', 'u6JqG7mX6KAs', 'all', '01a20535-2c5b-77db-81c2-4016947bfe3c', 1795383700572558, '0415bc6ea33def04eb47d075fbff808435242d154444998ba69277282076b3c6', '');
INSERT INTO ledger VALUES (20, '01a20535-2cb7-72bc-93a3-7507184c9b88', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 'changed', '01a20535-2c61-72d8-9280-986018f39333', '01a20535-2c61-72d8-9280-986018f39333', '', 'u6JqG7mX6KAs', 'all', '01a20535-2ca1-77ee-b1d4-afc8882d4474', 1795383700663651, '29328e148923d1ad4d20d870c2492706a42b7fdc777dcb2e4f8e2fe235657688', '');
INSERT INTO ledger VALUES (21, '01a20535-2cc6-76b3-a2d6-7d1b0b9aeb02', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 'deleted', '01a20535-2c61-72d8-9280-986018f39333', NULL, '', 'u6JqG7mX6KAs', 'all', '01a20535-2cc4-7110-8c0e-dca64eb4298f', 1795383700677094, '4dd5795b855c40bef191a4e42da23edacb8a7aeb82b34c4ed1c7c65af8b43e8a', '');
INSERT INTO ledger VALUES (22, '01a20535-2cd5-72c3-8720-037778afbff3', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 'restored', NULL, '01a20535-2c61-72d8-9280-986018f39333', 'it is used', 'u6JqG7mX6KAs', 'all', '01a20535-2cd2-77d7-81ac-608e6febaaf2', 1795383700692080, '5717ab6acd1cafa864f7d87cfcae2c6f75caecee59256d7b30e8f77da035f9c9', '');
INSERT INTO ledger VALUES (23, '01a20535-2ce1-7239-97fc-caf67ef95b56', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-20a2-707c-b50e-b74ff9833a42', 'deleted', '01a20535-20a2-707c-b50e-b74ebcfcd336', NULL, '', 'u6JqG7mX6KAs', 'all', '01a20535-2ce0-762c-a4b2-eefd005887b3', 1795383700705025, 'd2fd9f888d651cc7bf4f80f0af9b2a51f16abae44e3695286d9de65e2a512ed9', '');
INSERT INTO ledger VALUES (24, '01a20535-2ce8-737c-89bd-d47b8aeba8fe', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2ce8-737c-89bd-d47a8780f7e5', 'created', NULL, '01a20535-2ce8-737c-89bd-d4792e38d91d', '', 'u6JqG7mX6KAs', 'all', '01a20535-2ce7-7142-b49d-20151ac8f86c', 1795383700712711, '418acd6cd80768b2bda8c1f44ed0e0104d4a654aa2f7214f0371bd7b7a8b7ee9', '');
INSERT INTO ledger VALUES (26, '01a20535-2cf4-70ea-8b6e-0a88b0b137f3', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-201e-722b-95c0-6434bf55d742', 'published', '01a20535-208f-76fa-9767-4ea660ffb3c4', '01a20535-2cf4-70ea-8b6e-0a871d40ba8c', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'u6JqG7mX6KAs', 'all', '01a20535-2cf3-77af-99f7-45ec16e624f4', 1795383700724525, 'b56e6c5dbc4e00500eb9664c386b5b67a490b8b29c89977c7be79c04354e11f2', '');
INSERT INTO ledger VALUES (27, '01a20535-2cf9-721d-a529-9713613dbaae', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-201e-722b-95c0-6434bf55d742', 'published', '01a20535-2cf4-70ea-8b6e-0a871d40ba8c', '01a20535-201e-722b-95c0-643376342127', 'the first was better', 'u6JqG7mX6KAs', 'all', '01a20535-2cf8-724a-b5f6-9f1006555a75', 1795383700729283, 'ff656cf2cb71bcee11cb125858391b98ce74cbb9181ad98ae53598701ac685b5', '');
INSERT INTO ledger VALUES (28, '01a20535-2cfe-7596-baf4-6743b89977c1', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-201e-722b-95c0-6434bf55d742', 'undone', '01a20535-201e-722b-95c0-643376342127', '01a20535-2cf4-70ea-8b6e-0a871d40ba8c', 'or not', 'AFDne6Tollbt', 'until 2099', '01a20535-2cfc-7551-945d-6af620b2604d', 1795383700733794, '18c0a3d8184b78e073a19a348c8d843256d468bb08864ba6fe5e64dd241bf720', '');
INSERT INTO ledger VALUES (29, '01a20535-2d09-70be-a827-4974d2f15a63', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2d08-752e-bf15-25fc63989373', 'created', NULL, '01a20535-2d08-752e-bf15-25fb6e4b6d75', '', 'u6JqG7mX6KAs', 'all', '01a20535-2d06-7064-b1da-42facc2724bb', 1795383700744670, 'c1400152cd02c1b4e948943c16bd044dedd34d7037c1a16c7738a70f9ee03c40', '');
INSERT INTO ledger VALUES (30, '01a20535-2d16-71ab-b6c3-6f50c7fdec19', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2d16-71ab-b6c3-6f4fded8b0f8', 'created', NULL, '01a20535-2d16-71ab-b6c3-6f4e8e13a847', '', 'u6JqG7mX6KAs', 'all', '01a20535-2d15-72fb-8077-e1e6ccdf7816', 1795383700758443, '7951444cd85548942b95dd4a244757f85bc70fbc1d91b256bca02bb58b0858fa', '');
INSERT INTO ledger VALUES (31, '01a20535-2d1d-7778-b825-e79d47781169', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2d16-71ab-b6c3-6f4fded8b0f8', 'changed', '01a20535-2d16-71ab-b6c3-6f4e8e13a847', '01a20535-2d16-71ab-b6c3-6f4e8e13a847', '', 'u6JqG7mX6KAs', 'all', '01a20535-2d1b-7490-a3a1-3513f3f72010', 1795383700764891, '458d45d1832e524d626f046bbbaee5d16d6f1fa2536fda0a0fb0286068e55518', '');
INSERT INTO ledger VALUES (32, '01a20535-2d26-7257-a7d1-02f8377a12e0', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2d26-7257-a7d1-02f76663f835', 'created', NULL, '01a20535-2d26-7257-a7d1-02f6be57c5a5', '', 'u6JqG7mX6KAs', 'all', '01a20535-2d25-70f7-9163-38f5cff182f6', 1795383700774466, '50728665877e9389e3cc85379cccb53926c5e36245f01d2a2c4bd3715d7650f3', '');
INSERT INTO ledger VALUES (33, '01a20535-2d2d-74bc-b2cc-d74fd9ad3871', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2d26-7257-a7d1-02f76663f835', 'deleted', '01a20535-2d26-7257-a7d1-02f6be57c5a5', NULL, '', 'u6JqG7mX6KAs', 'all', '01a20535-2d2c-7353-872f-410c3d7ab13b', 1795383700781070, 'df0dd57d265c92d5dcccbd085f62ca4f76d344740fc15c370e7ff96b4518101f', '');
INSERT INTO ledger VALUES (34, '01a20535-2d33-7081-8567-5173d69ffc5b', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 'published', '01a20535-2c61-72d8-9280-986018f39333', '01a20535-2d33-7081-8567-517258f3bef2', '', 'u6JqG7mX6KAs', 'all', '01a20535-2d31-705e-9dd7-e5a9822ed9ac', 1795383700787057, 'cda4680f32d86787fe6abb714bbd6eed53d255bc726db836551799b5724d6f5e', '');
INSERT INTO ledger VALUES (35, '01a20535-2d3d-70fd-a139-6a920b93ff74', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 'published', '01a20535-2d33-7081-8567-517258f3bef2', '01a20535-2d3d-70fd-a139-6a91cf2d7e33', '', 'u6JqG7mX6KAs', 'all', '01a20535-2d3b-76aa-a148-5b3056d5c64c', 1795383700797048, '23836a6a8c3a02e9b5a6931ebb187787bf54d3b7686f53f7e11eca33fdec9af5', '');
INSERT INTO ledger VALUES (36, '01a20535-2d49-760d-8050-cf962be1825b', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 'deleted', '01a20535-2c61-72d8-9280-986018f39333', '01a20535-2c61-72d8-9280-986018f39333', '', 'u6JqG7mX6KAs', 'all', '01a20535-2d47-77fc-b6a2-f8e93d94f224', 1795383700808338, '8ea09557a189ad1d71debbcc0e612f935431824911c3b58b4226596a7a92473d', '');
INSERT INTO ledger VALUES (38, '01a20535-3ac6-7523-ad66-6e0f3535758e', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-2c61-72d8-9280-9861b3e5f5d2', 'deleted', '01a20535-2d33-7081-8567-517258f3bef2', '01a20535-2d33-7081-8567-517258f3bef2', '', 'u6JqG7mX6KAs', 'all', '01a20535-3ac4-71ad-9fe0-faa1c2f2d032', 1795383704262320, '59757d422572e94568aef5be7dc60dded321836b19d368ea0581e729b1d1721d', '');
INSERT INTO ledger VALUES (39, '01a20535-3ae6-72dc-8e7c-c54ca0e03ff8', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-3ae6-72dc-8e7c-c54b34b2de19', 'created', NULL, '01a20535-3ae6-72dc-8e7c-c54a009c95e0', '', 'u6JqG7mX6KAs', 'all', '01a20535-3ae5-72d8-9ef9-2955589ab326', 1795383704294410, 'c0f3be184fbd80dd023509374daaaf3cc7a18e80f2eceff50d90abbcd1f6470d', '');
INSERT INTO ledger VALUES (40, '01a20535-3af4-70cb-9a55-58c2f2015fbf', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-3ae6-72dc-8e7c-c54b34b2de19', 'deleted', '01a20535-3ae6-72dc-8e7c-c54a009c95e0', NULL, '', 'u6JqG7mX6KAs', 'all', '01a20535-3af4-70cb-9a55-58c1a86a38a6', 1795383704308448, '597c5293b8fc5132a9c763f6a8ffe90830e5680f797bf83d90f2aa725d431702', '');
INSERT INTO ledger VALUES (41, '01a20535-3b01-7576-9a2f-574fb8f6468e', '01a20534-c3a3-7465-9c50-cd74f24199a0', '01a20535-3b01-7576-9a2f-574e41ae8acb', 'created', NULL, '01a20535-3b01-7576-9a2f-574dcc044666', '', 'u6JqG7mX6KAs', 'all', '01a20535-3aff-7006-b529-84f87c1a0a86', 1795383704320758, '9b4d16b42671fbd9d44bf9a01f31771ea43bc06aa4caa4aca415ef6435a1829e', '');
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
INSERT INTO idempotency VALUES ('01a20534-c3a3-7465-9c50-cd74f24199a0', 'after_the_purge', 'e0c59bbaf9a21a0f2f784f0013c0d55bc047814f37f22087e0ab00bdaf587b32', 201, '{"etag": "\"41-275680ca8da8ef50\"", "cache-control": "private, no-cache", "content-type": "application/json", "x-moorage-result": "created"}', '{"id":"01a20535-3b01-7576-9a2f-574e41ae8acb","created":"2026-11-22T21:41:44.320Z","updated":"2026-11-22T21:41:44.320Z","key":"kept_answer","description":"","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"version":"1.0"}', 1795383704320758);
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
CREATE INDEX usage_last ON usage (last_us);
