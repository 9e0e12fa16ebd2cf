-- Made by tests/store/golden/make.py; see there.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rev BIGINT NOT NULL,
    last_created_us BIGINT NOT NULL
);
INSERT INTO revision VALUES (1, 17, 1795377609752328);
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    rev BIGINT NOT NULL
);
INSERT INTO project VALUES ('01a204d8-3148-71c1-b389-a1dfa585dd1c', 'shop', 1795377606984269, 1);
INSERT INTO project VALUES ('01a204d8-326e-76a9-b303-366744d50435', 'default', 1795377607278219, 2);
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
INSERT INTO api_key VALUES ('EoMGfsKDlpeo', '01a204d8-326e-76a9-b303-366744d50435', 'all', 'deployments:invoke deployments:publish deployments:read deployments:write', 'add1c43728af209e8583a432a9c46063202e9cdf39095c5da99ddb02892e5f46', 1795377607279749, NULL, NULL, 3);
INSERT INTO api_key VALUES ('LpL2fDSBM1gu', '01a204d8-326e-76a9-b303-366744d50435', 'reader', 'deployments:read', '9f97f3c09edb1612d0eef900e27c032d388bcb45f1c0d4f4efb63e6b8871b7c0', 1795377607484818, NULL, NULL, 4);
INSERT INTO api_key VALUES ('mbwfadpUgfVT', '01a204d8-326e-76a9-b303-366744d50435', 'until 2099', 'deployments:invoke deployments:publish deployments:read deployments:write', 'e0edb9e7e39d15ed0778e544b47ee3d3a6608d45cbf6b5e5d83ec61c4186296f', 1795377607725346, 4070908800000000, NULL, 5);
INSERT INTO api_key VALUES ('FGGDPkdtq0nl', '01a204d8-326e-76a9-b303-366744d50435', 'over', 'deployments:invoke deployments:publish deployments:read deployments:write', '762f0bf069aa8ed20e78a3fa1c57abc08680ef400fd02bdb22a4610c55ea5119', 1795377608020204, 1795377609013635, NULL, 6);
INSERT INTO api_key VALUES ('zak0X3Nt0Ysb', '01a204d8-326e-76a9-b303-366744d50435', 'revoked', 'deployments:invoke deployments:publish deployments:read deployments:write', '02bac1630125c1495578484f0a41d7fd04bd558009b97231cc143bc08265b8d6', 1795377608332508, NULL, 1795377608865321, 9);
INSERT INTO api_key VALUES ('ggnAzlPQJUQB', '01a204d8-3148-71c1-b389-a1dfa585dd1c', 'shop', 'deployments:invoke deployments:publish deployments:read deployments:write', '34ea0251232a9df4fdb487ba4084b834550149ee25846ceb427fc52896d837aa', 1795377608608599, NULL, NULL, 8);
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
INSERT INTO deployment VALUES ('01a204d8-3b87-7068-a31a-2d1e7c80fbce', '01a204d8-326e-76a9-b303-366744d50435', 'greeting', 'Grüßt', 10, 1795377609607044, 1795377609616217, NULL, '01a204d8-3b90-713e-82ed-60a2fc9103f7', 12);
INSERT INTO deployment VALUES ('01a204d8-3b93-7467-bdf1-d0e58bd92c3b', '01a204d8-326e-76a9-b303-366744d50435', 'full', 'Answers refunds', 13, 1795377609619806, 1795377609619806, NULL, '01a204d8-3b93-7467-bdf1-d0e437af90c3', 13);
INSERT INTO deployment VALUES ('01a204d8-3b97-72c4-9710-e2e7c1aa929a', '01a204d8-3148-71c1-b389-a1dfa585dd1c', 'greeting', '', 14, 1795377609623022, 1795377609623022, NULL, '01a204d8-3b97-72c4-9710-e2e6533efafb', 14);
INSERT INTO deployment VALUES ('01a204d8-3b9a-7721-80b7-67f9c2a85d84', '01a204d8-326e-76a9-b303-366744d50435', 'gone', '', 15, 1795377609626408, 1795377609729328, 1795377609729328, '01a204d8-3b9a-7721-80b7-67f8cb3c5596', 16);
INSERT INTO deployment VALUES ('01a204d8-3c18-7646-8dda-ac898683e856', '01a204d8-326e-76a9-b303-366744d50435', 'gone', '', 17, 1795377609752328, 1795377609752328, NULL, '01a204d8-3c18-7646-8dda-ac885f445aca', 17);
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
    rev BIGINT NOT NULL,
    UNIQUE (deployment_id, major, minor)
);
INSERT INTO version VALUES ('01a204d8-3b87-7068-a31a-2d1d432b59d8', '01a204d8-3b87-7068-a31a-2d1e7c80fbce', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"one"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', '73ee64a3573733a101d28a852244129bb3f14ed69a77e8b7f0d7cb9f11655317', 1795377609607044, 'EoMGfsKDlpeo', 10);
INSERT INTO version VALUES ('01a204d8-3b8c-7321-b838-f3d91b30fd2b', '01a204d8-3b87-7068-a31a-2d1e7c80fbce', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"two"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '3ade4ae8179d5fd0152aed84669fbfc0c32123d567a212cd939fce1178638438', 1795377609612334, 'EoMGfsKDlpeo', 11);
INSERT INTO version VALUES ('01a204d8-3b90-713e-82ed-60a2fc9103f7', '01a204d8-3b87-7068-a31a-2d1e7c80fbce', 2, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"three"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '2c266711562281abc9f67ec50ec9dfee6cfc0fc105f95cb470c12bc22f4c77b4', 1795377609616217, 'EoMGfsKDlpeo', 12);
INSERT INTO version VALUES ('01a204d8-3b93-7467-bdf1-d0e437af90c3', '01a204d8-3b93-7467-bdf1-d0e58bd92c3b', 1, 0, '{"tools":[{"type":"function","function":{"name":"find_order","parameters":{"type":"object","properties":{"number":{"type":"string","minLength":1},"window":{"type":"object","properties":{"days":{"type":"integer"}},"additionalProperties":true},"note":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}},"required":["number"],"additionalProperties":false},"description":"Finds an order by its number.","strict":true},"display_name":"Find an order","id":42}],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{"temperature":0.2,"maxTokens":512,"topK":40,"topP":0.95,"frequencyPenalty":-0.5,"presencePenalty":1.5,"numImages":2,"seed":42.5,"format":"b64_json","dimensions":"1024x1024","quality":"hd","style":"vivid","responseFormat":{"type":"json_object"},"cacheControl":{"type":"ephemeral","ttl":"1h"},"photoRealVersion":"v2","encoding_format":"float","reasoningEffort":"high","budgetTokens":2048,"verbosity":"low","thinkingLevel":"low"},"provider":"openai","messages":[{"role":"system","content":"You help {{customer}}. ✓ 👋  "},{"role":"user","content":[{"type":"text","text":"Where is this?"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","id":"img_1","detail":"high"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","uri":"https://example.com/a.pdf","mimeType":"application/pdf","filename":"a.pdf"}}]},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"find_order","arguments":"{\"number\": \"7\"}"},"id":"call_1","index":0}],"tool_call_id":null},{"role":"tool","content":"On its way.","tool_call_id":"call_1"}]}', '[]', '', '7edfb5eb6172776248b8183a420238b5d14efcb53e92cb5b42c9ae79df173eb3', 1795377609619806, 'EoMGfsKDlpeo', 13);
INSERT INTO version VALUES ('01a204d8-3b97-72c4-9710-e2e6533efafb', '01a204d8-3b97-72c4-9710-e2e7c1aa929a', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"of the shop"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '6f698d10a8ab1ec5ff7643b7001ed31acd23a6770570dde95295dee681caac6c', 1795377609623022, 'ggnAzlPQJUQB', 14);
INSERT INTO version VALUES ('01a204d8-3b9a-7721-80b7-67f8cb3c5596', '01a204d8-3b9a-7721-80b7-67f9c2a85d84', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"deleted, and made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'd11a0cbb04906c0e3c484dfb5c37ec5a4a8f35f24d2435d4a861dde0f48e4fd1', 1795377609626408, 'EoMGfsKDlpeo', 15);
INSERT INTO version VALUES ('01a204d8-3c18-7646-8dda-ac885f445aca', '01a204d8-3c18-7646-8dda-ac898683e856', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '550a78ae9e82acb21679e4a1d74f526c25479d6c94a1710edc6fe1a7a9635c2d', 1795377609752328, 'EoMGfsKDlpeo', 17);
