-- Made by tests/store/golden/make.py; see there.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rev BIGINT NOT NULL,
    last_created_us BIGINT NOT NULL
, ledger_hash TEXT NOT NULL DEFAULT '');
INSERT INTO revision VALUES (1, 21, 1795377612974361, '3a7db0074bca347c9912d12503e9f843933029967b8c0aa43c32143214724f01');
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    rev BIGINT NOT NULL
);
INSERT INTO project VALUES ('01a204d8-3e8d-707d-81c4-d26eba435b8a', 'shop', 1795377610381273, 1);
INSERT INTO project VALUES ('01a204d8-3f67-74c0-b1c6-4025840c1f3e', 'default', 1795377610599326, 2);
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
INSERT INTO api_key VALUES ('WVNyh6EjYvBE', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', 'all', 'deployments:invoke deployments:publish deployments:read deployments:write', 'd14e85aec0ae51326da4c6aa5eab2fc00df019dc1d545b2ff6d8589603ae5b3a', 1795377610601571, NULL, NULL, 3);
INSERT INTO api_key VALUES ('JLZ1UvoPNghD', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', 'reader', 'deployments:read', '5b89aa13f9c9ee613fdb214d6e43c9ea031ae79e2b0ee7d9ca9f87a2dc139a9f', 1795377610814667, NULL, NULL, 4);
INSERT INTO api_key VALUES ('a9aHdue4Llkp', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', 'until 2099', 'deployments:invoke deployments:publish deployments:read deployments:write', '9349b841af51d4ca8a8761e6d45bf51a4ff70ffedf9d40c3206f7d11a43cb85c', 1795377611084792, 4070908800000000, NULL, 5);
INSERT INTO api_key VALUES ('u63TrUg5839y', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', 'over', 'deployments:invoke deployments:publish deployments:read deployments:write', 'f7c77bbb1510d3431ba0ba793873e9e47089c23f9c24e7d69e098ce299f7e529', 1795377611339981, 1795377612335373, NULL, 6);
INSERT INTO api_key VALUES ('AKqKF6CnnsUS', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', 'revoked', 'deployments:invoke deployments:publish deployments:read deployments:write', 'ca5b0c97a41fff147df13cad14b3f47c42f4f766c2ad506a589c4ae9856b070e', 1795377611558476, NULL, 1795377612011924, 9);
INSERT INTO api_key VALUES ('J7p4JOicV1mM', '01a204d8-3e8d-707d-81c4-d26eba435b8a', 'shop', 'deployments:invoke deployments:publish deployments:read deployments:write', 'b89e4e5ace36c7c68aeaaabd71b6b9e1073e4797d989f86c8bd8c80dc57f8b80', 1795377611793801, NULL, NULL, 8);
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
);
INSERT INTO deployment VALUES ('01a204d8-47d1-77a2-8514-169853f662b6', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', 'greeting', 'Grüßt', 10, 1795377612753206, 1795377612974361, NULL, '01a204d8-48a6-73da-a447-e7a078cd35f9', 21);
INSERT INTO deployment VALUES ('01a204d8-47e2-75b1-a2ce-266bc3a78807', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', 'full', 'Answers refunds', 13, 1795377612769822, 1795377612769822, NULL, '01a204d8-47e2-75b1-a2ce-266a3bd0a08f', 13);
INSERT INTO deployment VALUES ('01a204d8-47e6-7019-96e7-6d58a4f4d2d7', '01a204d8-3e8d-707d-81c4-d26eba435b8a', 'greeting', '', 14, 1795377612774354, 1795377612774354, NULL, '01a204d8-47e6-7019-96e7-6d57036654c9', 14);
INSERT INTO deployment VALUES ('01a204d8-47ea-7433-bb85-fd203ab3e7f9', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', 'gone', '', 15, 1795377612778426, 1795377612928158, 1795377612928158, '01a204d8-47ea-7433-bb85-fd1fb70032f5', 16);
INSERT INTO deployment VALUES ('01a204d8-489a-75a9-9e5f-96a6dee2aecd', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', 'gone', '', 17, 1795377612954740, 1795377612954740, NULL, '01a204d8-489a-75a9-9e5f-96a5ca240494', 17);
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
    rev BIGINT NOT NULL, made_as TEXT NOT NULL DEFAULT 'published', description TEXT NOT NULL DEFAULT '',
    UNIQUE (deployment_id, major, minor)
);
INSERT INTO version VALUES ('01a204d8-47d1-77a2-8514-1697392d3ad5', '01a204d8-47d1-77a2-8514-169853f662b6', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"one"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', '73ee64a3573733a101d28a852244129bb3f14ed69a77e8b7f0d7cb9f11655317', 1795377612753206, 'WVNyh6EjYvBE', 10, 'published', '');
INSERT INTO version VALUES ('01a204d8-47d7-7396-a013-5010f7be131f', '01a204d8-47d1-77a2-8514-169853f662b6', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"two"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '3ade4ae8179d5fd0152aed84669fbfc0c32123d567a212cd939fce1178638438', 1795377612759493, 'WVNyh6EjYvBE', 11, 'published', '');
INSERT INTO version VALUES ('01a204d8-47dd-755e-821f-5c18518a1472', '01a204d8-47d1-77a2-8514-169853f662b6', 2, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"three"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '2c266711562281abc9f67ec50ec9dfee6cfc0fc105f95cb470c12bc22f4c77b4', 1795377612764816, 'WVNyh6EjYvBE', 12, 'published', '');
INSERT INTO version VALUES ('01a204d8-47e2-75b1-a2ce-266a3bd0a08f', '01a204d8-47e2-75b1-a2ce-266bc3a78807', 1, 0, '{"tools":[{"type":"function","function":{"name":"find_order","parameters":{"type":"object","properties":{"number":{"type":"string","minLength":1},"window":{"type":"object","properties":{"days":{"type":"integer"}},"additionalProperties":true},"note":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}},"required":["number"],"additionalProperties":false},"description":"Finds an order by its number.","strict":true},"display_name":"Find an order","id":42}],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{"temperature":0.2,"maxTokens":512,"topK":40,"topP":0.95,"frequencyPenalty":-0.5,"presencePenalty":1.5,"numImages":2,"seed":42.5,"format":"b64_json","dimensions":"1024x1024","quality":"hd","style":"vivid","responseFormat":{"type":"json_object"},"cacheControl":{"type":"ephemeral","ttl":"1h"},"photoRealVersion":"v2","encoding_format":"float","reasoningEffort":"high","budgetTokens":2048,"verbosity":"low","thinkingLevel":"low"},"provider":"openai","messages":[{"role":"system","content":"You help {{customer}}. ✓ 👋  "},{"role":"user","content":[{"type":"text","text":"Where is this?"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","id":"img_1","detail":"high"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","uri":"https://example.com/a.pdf","mimeType":"application/pdf","filename":"a.pdf"}}]},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"find_order","arguments":"{\"number\": \"7\"}"},"id":"call_1","index":0}],"tool_call_id":null},{"role":"tool","content":"On its way.","tool_call_id":"call_1"}]}', '[]', '', '7edfb5eb6172776248b8183a420238b5d14efcb53e92cb5b42c9ae79df173eb3', 1795377612769822, 'WVNyh6EjYvBE', 13, 'published', '');
INSERT INTO version VALUES ('01a204d8-47e6-7019-96e7-6d57036654c9', '01a204d8-47e6-7019-96e7-6d58a4f4d2d7', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"of the shop"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '6f698d10a8ab1ec5ff7643b7001ed31acd23a6770570dde95295dee681caac6c', 1795377612774354, 'J7p4JOicV1mM', 14, 'published', '');
INSERT INTO version VALUES ('01a204d8-47ea-7433-bb85-fd1fb70032f5', '01a204d8-47ea-7433-bb85-fd203ab3e7f9', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"deleted, and made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'd11a0cbb04906c0e3c484dfb5c37ec5a4a8f35f24d2435d4a861dde0f48e4fd1', 1795377612778426, 'WVNyh6EjYvBE', 15, 'published', '');
INSERT INTO version VALUES ('01a204d8-489a-75a9-9e5f-96a5ca240494', '01a204d8-489a-75a9-9e5f-96a6dee2aecd', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '550a78ae9e82acb21679e4a1d74f526c25479d6c94a1710edc6fe1a7a9635c2d', 1795377612954740, 'WVNyh6EjYvBE', 17, 'published', '');
INSERT INTO version VALUES ('01a204d8-48a2-75e3-a22d-57259cf30956', '01a204d8-47d1-77a2-8514-169853f662b6', 2, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"a draft"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'f079839c101f2d7cb46127d7f23f63fa1f767425404da1e1f54fe86fe5271617', 1795377612961807, 'WVNyh6EjYvBE', 18, 'draft', 'a draft');
INSERT INTO version VALUES ('01a204d8-48a6-73da-a447-e7a078cd35f9', '01a204d8-47d1-77a2-8514-169853f662b6', 2, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"at once"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', 'b892186654582d35bcb5e6ddac245950c52c1646356aff2d5b2339e042f69de6', 1795377612966371, 'WVNyh6EjYvBE', 19, 'published', '');
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
INSERT INTO ledger VALUES (10, '01a204d8-47d1-77a2-8514-1699b709260c', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', '01a204d8-47d1-77a2-8514-169853f662b6', 'created', NULL, '01a204d8-47d1-77a2-8514-1697392d3ad5', '', 'WVNyh6EjYvBE', 'all', '01a204d8-47cb-7701-8acb-2b96bd3b092f', 1795377612753206, 'dfc3ce25714ac204a2be647645716b766ffa9747934756723402674b52355db4');
INSERT INTO ledger VALUES (11, '01a204d8-47d7-7396-a013-5011e441a454', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', '01a204d8-47d1-77a2-8514-169853f662b6', 'published', '01a204d8-47d1-77a2-8514-1697392d3ad5', '01a204d8-47d7-7396-a013-5010f7be131f', '', 'WVNyh6EjYvBE', 'all', '01a204d8-47d6-7118-9e55-b419a2883af4', 1795377612759493, '04b27a2b80aa64cc5dd2e699ceecfbdca6d10b8cb214f609504b74b3e161d108');
INSERT INTO ledger VALUES (12, '01a204d8-47dd-755e-821f-5c19f827e2da', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', '01a204d8-47d1-77a2-8514-169853f662b6', 'published', '01a204d8-47d7-7396-a013-5010f7be131f', '01a204d8-47dd-755e-821f-5c18518a1472', '', 'WVNyh6EjYvBE', 'all', '01a204d8-47db-72fd-bf85-dd1cbd67532e', 1795377612764816, '98bc6c99f70564bad1830e000938601d4bf792eaf48afc453f4a2f1aea6a31d0');
INSERT INTO ledger VALUES (13, '01a204d8-47e2-75b1-a2ce-266c0d12a9b9', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', '01a204d8-47e2-75b1-a2ce-266bc3a78807', 'created', NULL, '01a204d8-47e2-75b1-a2ce-266a3bd0a08f', '', 'WVNyh6EjYvBE', 'all', '01a204d8-47e0-70bd-af6c-e18eda5d1fc0', 1795377612769822, 'f888085377abcd3bf9e569fd41fea9adafff800252dd5e43d6f891acbc20fca6');
INSERT INTO ledger VALUES (14, '01a204d8-47e6-7019-96e7-6d59f43e613c', '01a204d8-3e8d-707d-81c4-d26eba435b8a', '01a204d8-47e6-7019-96e7-6d58a4f4d2d7', 'created', NULL, '01a204d8-47e6-7019-96e7-6d57036654c9', '', 'J7p4JOicV1mM', 'shop', '01a204d8-47e5-77c6-a80b-830ff69044a5', 1795377612774354, 'c4ac5d9a71960780a245640ca3034cbbbe8198c1141bef3500f21a535174b502');
INSERT INTO ledger VALUES (15, '01a204d8-47ea-7433-bb85-fd212f59300a', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', '01a204d8-47ea-7433-bb85-fd203ab3e7f9', 'created', NULL, '01a204d8-47ea-7433-bb85-fd1fb70032f5', '', 'WVNyh6EjYvBE', 'all', '01a204d8-47e9-73a4-bb7b-72f2174b0ad1', 1795377612778426, '0dbc9426779ab7158114168f71205ac80f962b12f0ff59e81da56d5056f5c84b');
INSERT INTO ledger VALUES (17, '01a204d8-489b-70d8-a3f8-c4ab478dccd0', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', '01a204d8-489a-75a9-9e5f-96a6dee2aecd', 'created', NULL, '01a204d8-489a-75a9-9e5f-96a5ca240494', '', 'WVNyh6EjYvBE', 'all', '01a204d8-4899-7495-95d7-e44cb29b6287', 1795377612954740, '2a2149e720211eb754f8b73db01f82414f081adcb52fbea45afe65c5d14e4901');
INSERT INTO ledger VALUES (19, '01a204d8-48a6-73da-a447-e7a1b1a779d7', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', '01a204d8-47d1-77a2-8514-169853f662b6', 'published', '01a204d8-47dd-755e-821f-5c18518a1472', '01a204d8-48a6-73da-a447-e7a078cd35f9', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'WVNyh6EjYvBE', 'all', '01a204d8-48a5-70a7-9ade-e01afb6fcb0f', 1795377612966371, '0c503610b2b60c963ea959fbe20db12108c4b646bbf18d241a9239430e2e1002');
INSERT INTO ledger VALUES (20, '01a204d8-48aa-71cc-be18-afb24ba0f183', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', '01a204d8-47d1-77a2-8514-169853f662b6', 'published', '01a204d8-48a6-73da-a447-e7a078cd35f9', '01a204d8-47d1-77a2-8514-1697392d3ad5', 'the first was better', 'WVNyh6EjYvBE', 'all', '01a204d8-48a9-7422-a9ee-8f87e255b7ff', 1795377612970538, '0ee1a6f9c7917cbe170f802d2c5624f478156e68e05b58d0798e955aef73e661');
INSERT INTO ledger VALUES (21, '01a204d8-48ae-743c-b04c-50dbd953c082', '01a204d8-3f67-74c0-b1c6-4025840c1f3e', '01a204d8-47d1-77a2-8514-169853f662b6', 'undone', '01a204d8-47d1-77a2-8514-1697392d3ad5', '01a204d8-48a6-73da-a447-e7a078cd35f9', 'or not', 'a9aHdue4Llkp', 'until 2099', '01a204d8-48ad-7003-a04c-e08ac6801d6c', 1795377612974361, '3a7db0074bca347c9912d12503e9f843933029967b8c0aa43c32143214724f01');
CREATE INDEX ledger_deployment ON ledger (deployment_id, rev);
CREATE INDEX version_deployment ON version (deployment_id, rev);
