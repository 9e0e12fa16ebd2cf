-- Responses to calls with an Idempotency-Key, stored for 24 hours. While a call runs, its row has a claim and no
-- response. No write of a row has a revision, and a backup has no rows.
CREATE TABLE call_result (
    project_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    api_key_id TEXT NOT NULL,
    claim TEXT NOT NULL,                 -- of the process that runs the call; '' when the call has ended
    until_us BIGINT NOT NULL,            -- of the claim or of the response: after that, the row counts as deleted
    headers TEXT NOT NULL,               -- JSON object; '' for a response that is too large to be stored
    body TEXT NOT NULL,
    total_bytes BIGINT NOT NULL,
    CONSTRAINT call_result_id PRIMARY KEY (project_id, key)
);
CREATE INDEX call_result_until ON call_result (until_us);
CREATE INDEX call_result_api_key ON call_result (api_key_id, total_bytes);

-- The response cache that the processes of a database on the network share. A backup has no rows.
CREATE TABLE cached_response (
    key TEXT PRIMARY KEY,                -- the SHA-256 of everything that is sent for the response
    stored_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,            -- after that, the row counts as deleted
    response TEXT NOT NULL,              -- base64
    total_bytes BIGINT NOT NULL
);
CREATE INDEX cached_response_until ON cached_response (until_us, total_bytes);
