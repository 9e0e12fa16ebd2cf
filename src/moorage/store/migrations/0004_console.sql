-- Sessions of the console. A session refers to no row: it ends with its API key, and a restore replaces the API keys
-- but not the sessions.
CREATE TABLE session (
    token_sha256 TEXT PRIMARY KEY,       -- of the cookie
    api_key_id TEXT NOT NULL,
    api_key_sha256 TEXT NOT NULL,        -- the token_sha256 of the API key at the sign-in
    created_us BIGINT NOT NULL,
    seen_us BIGINT NOT NULL,             -- at most a minute older than the last request
    expires_us BIGINT NOT NULL
);
CREATE INDEX session_api_key ON session (api_key_id, created_us);
CREATE INDEX session_expires ON session (expires_us);

-- Cases with which versions of a deployment are tried.
CREATE TABLE try_case (
    deployment_id TEXT NOT NULL REFERENCES deployment (id),
    name TEXT NOT NULL,
    body TEXT NOT NULL,                  -- inputs, context and messages, as JSON
    CONSTRAINT try_case_id PRIMARY KEY (deployment_id, name)
);

-- The history of a project, newest first: without the index, the entries of all other projects would be read, too.
CREATE INDEX history_project ON history (project_id, rev, n);

-- The deployments that are live nowhere, newest first: without the index, all others would be read, too.
CREATE INDEX deployment_draft ON deployment (project_id, seq) WHERE live_version_id IS NULL AND deleted_us IS NULL;
