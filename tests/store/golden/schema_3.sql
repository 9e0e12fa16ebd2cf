-- Made by tests/store/golden/make.py; see there.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rev BIGINT NOT NULL,
    last_created_us BIGINT NOT NULL
, ledger_hash TEXT NOT NULL DEFAULT '');
INSERT INTO revision VALUES (1, 28, 1795377616505468, 'c245d68c19e46dbf3834b2d20676ec295f2f5f77103c070318621506c9674550');
CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    rev BIGINT NOT NULL
);
INSERT INTO project VALUES ('01a204d8-4b68-77b9-9a32-b0ecfbbb98ca', 'shop', 1795377613672381, 1);
INSERT INTO project VALUES ('01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'default', 1795377613906681, 2);
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
INSERT INTO api_key VALUES ('BNhqH5QD1X4u', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'all', 'deployments:invoke deployments:publish deployments:read deployments:write', '6b01d8129f16490250544adc28d5b3fbc5b9c67bf3a110c84f8a333d763e6ce6', 1795377613908156, NULL, NULL, 3);
INSERT INTO api_key VALUES ('WAM3j65ACSTY', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'reader', 'deployments:read', '1dc8dbcfe2883463fed9ad48d3081a80efd7610a6c8867f1d134336ad604defc', 1795377614176491, NULL, NULL, 4);
INSERT INTO api_key VALUES ('pxPSe5jnQqd7', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'until 2099', 'deployments:invoke deployments:publish deployments:read deployments:write', '7ee7f5ef113d7a17e7809e64e4616f3bcb733a615d84ae37e4a1d8c2cda32bfc', 1795377614404852, 4070908800000000, NULL, 5);
INSERT INTO api_key VALUES ('CFDLkp2qI7XF', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'over', 'deployments:invoke deployments:publish deployments:read deployments:write', '85adebf04d105e9d13b17d2c5236f142674709d876f64b206886a7cb13ae57eb', 1795377614645735, 1795377615639674, NULL, 6);
INSERT INTO api_key VALUES ('STwQyxXMNzeh', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'revoked', 'deployments:invoke deployments:publish deployments:read deployments:write', 'fd87e2b79802d313090e6a32fdc8ac3f4e3f1b89187d10809677f36f9a4718b2', 1795377614892810, NULL, 1795377615411506, 9);
INSERT INTO api_key VALUES ('3SHbvBpH20ky', '01a204d8-4b68-77b9-9a32-b0ecfbbb98ca', 'shop', 'deployments:invoke deployments:publish deployments:read deployments:write', 'b62322f27e1bdb87eefaa4831b91b8329522a4e43c70068f08a71404eb4da60c', 1795377615154034, NULL, NULL, 8);
INSERT INTO api_key VALUES ('QxKBQUPBBE3C', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'keeper', 'deployments:read keys:admin', '5fa2f7732808de937928b9031c9bebf861481592651e209b2791b2c88d6b008b', 1795377616424346, NULL, NULL, 16);
INSERT INTO api_key VALUES ('b1cU72ltw4t1', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'von einem Schlüssel', 'deployments:read', '585980cadaa47a50c72209a12aeaa217349ac78c6b9ee3cf1f4d0d7d547017ef', 1795377616465623, NULL, NULL, 18);
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
INSERT INTO deployment VALUES ('01a204d8-5504-715f-8bcb-0d21c9e4a457', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'greeting', 'Grüßt', 10, 1795377616132511, 1795377616505468, NULL, '01a204d8-5674-73e6-8286-7c998ef6faef', 28);
INSERT INTO deployment VALUES ('01a204d8-5515-7403-895a-5caa9085620b', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'full', 'Answers refunds', 13, 1795377616149431, 1795377616149431, NULL, '01a204d8-5515-7403-895a-5ca9b3af016b', 13);
INSERT INTO deployment VALUES ('01a204d8-551b-7008-b63b-4859e77c80e6', '01a204d8-4b68-77b9-9a32-b0ecfbbb98ca', 'greeting', '', 14, 1795377616154985, 1795377616154985, NULL, '01a204d8-551b-7008-b63b-48586186dcff', 14);
INSERT INTO deployment VALUES ('01a204d8-5520-724e-90ee-ef323e97e506', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'gone', '', 15, 1795377616160254, 1795377616488501, 1795377616488501, '01a204d8-5520-724e-90ee-ef31c4a13959', 23);
INSERT INTO deployment VALUES ('01a204d8-565d-7492-820a-078e0683bc6d', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'posted', 'changed', 19, 1795377616475028, 1795377616485848, NULL, '01a204d8-565d-7492-820a-078d06f3da8f', 22);
INSERT INTO deployment VALUES ('01a204d8-566b-700c-b6ad-27275a7fdff2', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'gone', '', 24, 1795377616491328, 1795377616491328, NULL, '01a204d8-566b-700c-b6ad-2726d4ce9ed3', 24);
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
INSERT INTO version VALUES ('01a204d8-5504-715f-8bcb-0d20b3abbc18', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"one"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', '73ee64a3573733a101d28a852244129bb3f14ed69a77e8b7f0d7cb9f11655317', 1795377616132511, 'BNhqH5QD1X4u', 10, 'published', '');
INSERT INTO version VALUES ('01a204d8-550a-70aa-81ff-54f26086ebe1', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 1, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"two"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '3ade4ae8179d5fd0152aed84669fbfc0c32123d567a212cd939fce1178638438', 1795377616138346, 'BNhqH5QD1X4u', 11, 'published', '');
INSERT INTO version VALUES ('01a204d8-5510-721e-81f8-6281d27c3879', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 2, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"three"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', '2c266711562281abc9f67ec50ec9dfee6cfc0fc105f95cb470c12bc22f4c77b4', 1795377616143717, 'BNhqH5QD1X4u', 12, 'published', '');
INSERT INTO version VALUES ('01a204d8-5515-7403-895a-5ca9b3af016b', '01a204d8-5515-7403-895a-5caa9085620b', 1, 0, '{"tools":[{"type":"function","function":{"name":"find_order","parameters":{"type":"object","properties":{"number":{"type":"string","minLength":1},"window":{"type":"object","properties":{"days":{"type":"integer"}},"additionalProperties":true},"note":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}},"required":["number"],"additionalProperties":false},"description":"Finds an order by its number.","strict":true},"display_name":"Find an order","id":42}],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{"temperature":0.2,"maxTokens":512,"topK":40,"topP":0.95,"frequencyPenalty":-0.5,"presencePenalty":1.5,"numImages":2,"seed":42.5,"format":"b64_json","dimensions":"1024x1024","quality":"hd","style":"vivid","responseFormat":{"type":"json_object"},"cacheControl":{"type":"ephemeral","ttl":"1h"},"photoRealVersion":"v2","encoding_format":"float","reasoningEffort":"high","budgetTokens":2048,"verbosity":"low","thinkingLevel":"low"},"provider":"openai","messages":[{"role":"system","content":"You help {{customer}}. ✓ 👋  "},{"role":"user","content":[{"type":"text","text":"Where is this?"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","id":"img_1","detail":"high"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","uri":"https://example.com/a.pdf","mimeType":"application/pdf","filename":"a.pdf"}}]},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"find_order","arguments":"{\"number\": \"7\"}"},"id":"call_1","index":0}],"tool_call_id":null},{"role":"tool","content":"On its way.","tool_call_id":"call_1"}]}', '[]', '', '7edfb5eb6172776248b8183a420238b5d14efcb53e92cb5b42c9ae79df173eb3', 1795377616149431, 'BNhqH5QD1X4u', 13, 'published', '');
INSERT INTO version VALUES ('01a204d8-551b-7008-b63b-48586186dcff', '01a204d8-551b-7008-b63b-4859e77c80e6', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"of the shop"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '6f698d10a8ab1ec5ff7643b7001ed31acd23a6770570dde95295dee681caac6c', 1795377616154985, '3SHbvBpH20ky', 14, 'published', '');
INSERT INTO version VALUES ('01a204d8-5520-724e-90ee-ef31c4a13959', '01a204d8-5520-724e-90ee-ef323e97e506', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"deleted, and made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', 'd11a0cbb04906c0e3c484dfb5c37ec5a4a8f35f24d2435d4a861dde0f48e4fd1', 1795377616160254, 'BNhqH5QD1X4u', 15, 'published', '');
INSERT INTO version VALUES ('01a204d8-565d-7492-820a-078d06f3da8f', '01a204d8-565d-7492-820a-078e0683bc6d', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '9237bbdf6955e7823a618a799b56c1d63887424c0c966f32bb1777083195a365', 1795377616475028, 'BNhqH5QD1X4u', 19, 'published', '');
INSERT INTO version VALUES ('01a204d8-566b-700c-b6ad-2726d4ce9ed3', '01a204d8-566b-700c-b6ad-27275a7fdff2', 1, 0, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"made again"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[]', '', '550a78ae9e82acb21679e4a1d74f526c25479d6c94a1710edc6fe1a7a9635c2d', 1795377616491328, 'BNhqH5QD1X4u', 24, 'published', '');
INSERT INTO version VALUES ('01a204d8-5670-7443-9e31-816456c386a4', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 2, 1, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"a draft"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'f079839c101f2d7cb46127d7f23f63fa1f767425404da1e1f54fe86fe5271617', 1795377616496140, 'BNhqH5QD1X4u', 25, 'draft', 'a draft');
INSERT INTO version VALUES ('01a204d8-5674-73e6-8286-7c998ef6faef', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 2, 2, '{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"at once"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]}', '[{"key":"name","value":"Anna Ø"},{"key":"secret","is_pii":true},{"key":"n","value":1.5}]', '', 'b892186654582d35bcb5e6ddac245950c52c1646356aff2d5b2339e042f69de6', 1795377616499883, 'BNhqH5QD1X4u', 26, 'published', '');
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
INSERT INTO ledger VALUES (10, '01a204d8-5504-715f-8bcb-0d22fc25a8cd', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 'created', NULL, '01a204d8-5504-715f-8bcb-0d20b3abbc18', '', 'BNhqH5QD1X4u', 'all', '01a204d8-5500-7700-9907-5d17fca569e7', 1795377616132511, 'b7bf5420817a093c082ec0d53534f1d41b9b39d941628dfe550daefccd7da622');
INSERT INTO ledger VALUES (11, '01a204d8-550a-70aa-81ff-54f3ab3cfb3f', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 'published', '01a204d8-5504-715f-8bcb-0d20b3abbc18', '01a204d8-550a-70aa-81ff-54f26086ebe1', '', 'BNhqH5QD1X4u', 'all', '01a204d8-5508-7244-ac42-d60562ce9cfd', 1795377616138346, 'a30c627c9cbf67a77f98702c49230210f583d5a9444d33b2825ae47dfb18edd4');
INSERT INTO ledger VALUES (12, '01a204d8-5510-721e-81f8-62826e23af9e', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 'published', '01a204d8-550a-70aa-81ff-54f26086ebe1', '01a204d8-5510-721e-81f8-6281d27c3879', '', 'BNhqH5QD1X4u', 'all', '01a204d8-550e-76fe-bd4e-d8c405f1e801', 1795377616143717, '79baf3a7dc4bfc2a1d36951cd32da3a9df26ac3b046a9741819b70d441d3a16b');
INSERT INTO ledger VALUES (13, '01a204d8-5515-7403-895a-5cab8d22ead7', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-5515-7403-895a-5caa9085620b', 'created', NULL, '01a204d8-5515-7403-895a-5ca9b3af016b', '', 'BNhqH5QD1X4u', 'all', '01a204d8-5513-7585-90b5-84df9a7eed9f', 1795377616149431, '3f0bde88bac48f7e7a5563f64e91b037cf0aa40f2b609209de75ada45d50be43');
INSERT INTO ledger VALUES (14, '01a204d8-551b-7008-b63b-485aea2a93b3', '01a204d8-4b68-77b9-9a32-b0ecfbbb98ca', '01a204d8-551b-7008-b63b-4859e77c80e6', 'created', NULL, '01a204d8-551b-7008-b63b-48586186dcff', '', '3SHbvBpH20ky', 'shop', '01a204d8-5519-7345-8f5c-d0d9ab0a8c0b', 1795377616154985, '257b1509df94381abaae62c0e2ff58b65255764c9d7705c000479028f7f6126a');
INSERT INTO ledger VALUES (15, '01a204d8-5520-724e-90ee-ef332ccd3101', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-5520-724e-90ee-ef323e97e506', 'created', NULL, '01a204d8-5520-724e-90ee-ef31c4a13959', '', 'BNhqH5QD1X4u', 'all', '01a204d8-551e-74e8-844b-00cbc65b7a7b', 1795377616160254, '1568550c8cb03aadd9b856ea071166debb840321f6f27f22d22c2e1ec4ef3b5d');
INSERT INTO ledger VALUES (19, '01a204d8-565d-7492-820a-078f7def5453', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-565d-7492-820a-078e0683bc6d', 'created', NULL, '01a204d8-565d-7492-820a-078d06f3da8f', '', 'BNhqH5QD1X4u', 'all', '01a204d8-5659-7503-b7bf-3b8c46c4b3f4', 1795377616475028, '828c8e0712e9ee121104b3d9edce8f6e10befbbc993fb14a35892897d2970e03');
INSERT INTO ledger VALUES (20, '01a204d8-5660-73cb-a5b4-fe7d9e277d6d', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-565d-7492-820a-078e0683bc6d', 'changed', '01a204d8-565d-7492-820a-078d06f3da8f', '01a204d8-565d-7492-820a-078d06f3da8f', '', 'BNhqH5QD1X4u', 'all', '01a204d8-565f-743e-a977-427ff42854e8', 1795377616480769, '326ee1cd95f8a312c75831835896b6fe83ec48dbbab760674450a11feb963a2a');
INSERT INTO ledger VALUES (21, '01a204d8-5663-73c1-9145-65377cf1ab08', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-565d-7492-820a-078e0683bc6d', 'deleted', '01a204d8-565d-7492-820a-078d06f3da8f', NULL, '', 'BNhqH5QD1X4u', 'all', '01a204d8-5662-7361-9624-be3f21ac5d52', 1795377616483167, '704f15db969ed98df6dee2bb6206489b72bc63b306dfde0ff4f81fc3e318a093');
INSERT INTO ledger VALUES (22, '01a204d8-5666-7629-8127-2889ceeebc58', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-565d-7492-820a-078e0683bc6d', 'restored', NULL, '01a204d8-565d-7492-820a-078d06f3da8f', '', 'BNhqH5QD1X4u', 'all', '01a204d8-5665-70b1-b31c-159d198bd63d', 1795377616485848, 'eaee6d2469a449cdda3f536bc5de272c3946ec6204bd6ef0f6dd9a04f304afdf');
INSERT INTO ledger VALUES (23, '01a204d8-5668-74f1-86ec-97e29ad73df0', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-5520-724e-90ee-ef323e97e506', 'deleted', '01a204d8-5520-724e-90ee-ef31c4a13959', NULL, '', 'BNhqH5QD1X4u', 'all', '01a204d8-5668-74f1-86ec-97e165db62f0', 1795377616488501, '2a217931c37887f315173135b41371ec034691a8902297dcfa4d3126f9823bbc');
INSERT INTO ledger VALUES (24, '01a204d8-566b-700c-b6ad-27281f415571', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-566b-700c-b6ad-27275a7fdff2', 'created', NULL, '01a204d8-566b-700c-b6ad-2726d4ce9ed3', '', 'BNhqH5QD1X4u', 'all', '01a204d8-566a-7286-8683-c26126637198', 1795377616491328, 'eeeda4f3fc6cf6168391c45b4d690c33bf20a8800653b734e3fba9e103d54cfd');
INSERT INTO ledger VALUES (26, '01a204d8-5674-73e6-8286-7c9ad191a061', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 'published', '01a204d8-5510-721e-81f8-6281d27c3879', '01a204d8-5674-73e6-8286-7c998ef6faef', 'Grüße, {{name}}! It''s 100 % 你好 👋 \ "quoted" :name
second	line ✓', 'BNhqH5QD1X4u', 'all', '01a204d8-5673-772e-9f4a-a920cd405d20', 1795377616499883, '513ffcefec6e046c47ca101a2065216c42ab5592f387b943addab240cb553066');
INSERT INTO ledger VALUES (27, '01a204d8-5677-745e-92fb-e5bc3d4f08d8', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 'published', '01a204d8-5674-73e6-8286-7c998ef6faef', '01a204d8-5504-715f-8bcb-0d20b3abbc18', 'the first was better', 'BNhqH5QD1X4u', 'all', '01a204d8-5676-739d-8bec-e47d8d6aed3b', 1795377616502948, '5a7c9331877ff36a5d5fa7cba99a5df3884138a52003945bdb6d312ab4bfeb3e');
INSERT INTO ledger VALUES (28, '01a204d8-5679-7194-ba6b-46dcdd96e2c0', '01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', '01a204d8-5504-715f-8bcb-0d21c9e4a457', 'undone', '01a204d8-5504-715f-8bcb-0d20b3abbc18', '01a204d8-5674-73e6-8286-7c998ef6faef', 'or not', 'pxPSe5jnQqd7', 'until 2099', '01a204d8-5678-725e-a740-23a4a983b584', 1795377616505468, 'c245d68c19e46dbf3834b2d20676ec295f2f5f77103c070318621506c9674550');
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
INSERT INTO idempotency VALUES ('01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'once', '9c66266e10e89a7c9ec7c343c6ed24229959d37efcc01db3d514a2bbd542da0e', 201, '{"etag": "\"19-58ea9f61aa1eaa71\"", "cache-control": "private, no-cache", "content-type": "application/json", "x-moorage-result": "created"}', '{"id":"01a204d8-565d-7492-820a-078e0683bc6d","created":"2026-11-22T20:00:16.475Z","updated":"2026-11-22T20:00:16.475Z","key":"posted","description":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"version":"1.0"}', 1795377616475028);
INSERT INTO idempotency VALUES ('01a204d8-4c52-75c5-99cc-3dc3ec1a2f8d', 'again', '0aba97470613a4c9948d370b1c295cc275f6e786e173fdbf90073c39d7951fc7', 200, '{"etag": "\"22-81653a01678f631d\"", "cache-control": "private, no-cache", "content-type": "application/json"}', '{"id":"01a204d8-565d-7492-820a-078e0683bc6d","created":"2026-11-22T20:00:16.475Z","updated":"2026-11-22T20:00:16.485Z","key":"posted","description":"changed","prompt_config":{"tools":[],"model":"openai/gpt-4o","model_type":"chat","model_parameters":{},"provider":"openai","messages":[{"role":"system","content":"posted"},{"role":"user","content":"Grüße, {{name}}! It''s 100 % 你好 👋 \\ \"quoted\" :name\nsecond\tline ✓"}]},"version":"1.0"}', 1795377616485848);
CREATE INDEX idempotency_created ON idempotency (created_us);
