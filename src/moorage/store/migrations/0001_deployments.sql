-- The whole schema. SQLite and PostgreSQL run the same script. JSON is stored as the text that is sent.

-- One row: the number of committed writes, and the time of the newest write. Every write locks this row first, so
-- commits are totally ordered, and times do not go back when the clock does.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rev BIGINT NOT NULL,
    last_created_us BIGINT NOT NULL,
    history_hash TEXT NOT NULL DEFAULT '',  -- of the newest row of history: a row cut off at the end is detected
    history_key TEXT NOT NULL DEFAULT '',   -- the id of the key of its MAC: without the key, nothing is written
    epoch TEXT NOT NULL DEFAULT ''          -- revisions compare within one epoch; a copy and a restore begin a new one
);
INSERT INTO revision (id, rev, last_created_us) VALUES (1, 0, 0);

CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    rev BIGINT NOT NULL
);

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
CREATE INDEX api_key_rev ON api_key (rev);

-- A deleted deployment stays as a tombstone (deleted_us), so that its cursor stays valid.
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
CREATE UNIQUE INDEX deployment_key ON deployment (project_id, key) WHERE deleted_us IS NULL;
CREATE INDEX deployment_rev ON deployment (rev);
CREATE INDEX deployment_list ON deployment (project_id, seq);
CREATE INDEX deployment_deleted ON deployment (deleted_us) WHERE deleted_us IS NOT NULL;
CREATE INDEX deployment_gone ON deployment (project_id, key) WHERE deleted_us IS NOT NULL;

-- A version never changes, except that a purge empties its content and a deletion sets deleted_us.
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
CREATE INDEX version_deployment ON version (deployment_id, rev);
CREATE INDEX version_deleted ON version (deleted_us) WHERE deleted_us IS NOT NULL;

-- Append only, at most one row for a revision, chained: hash covers the row and the hash before it. The rows of
-- project, api_key, deployment and version follow from this table, except long texts, of which it has the hashes.
CREATE TABLE history (
    rev BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    project_id TEXT REFERENCES project (id),
    deployment_id TEXT REFERENCES deployment (id),
    subject_key_id TEXT REFERENCES api_key (id),  -- the API key that the entry is about
    action TEXT NOT NULL,          -- of a deployment: created, published, undone, changed, drafted; deleted, restored
                                   -- (with from_version_id = to_version_id: that version alone); project_created;
                                   -- key_created, key_renamed, key_revoked; purged; authenticated;
                                   -- clock_reset
    from_version_id TEXT,
    to_version_id TEXT,
    content_sha256 TEXT NOT NULL,  -- of to_version_id, else of from_version_id
    changes TEXT NOT NULL,         -- JSON object: the other values that the write set; '' for none
    reason TEXT NOT NULL,
    api_key_id TEXT,               -- of the author; NULL for the operator
    api_key_name TEXT,
    request_id TEXT,
    at_us BIGINT NOT NULL,
    breaking TEXT NOT NULL,        -- JSON array: the breaking changes that were allowed; '' for none
    hash TEXT NOT NULL,
    mac TEXT NOT NULL              -- of hash, by the operator's key: 'KEY_ID:HMAC'; '' for none
);
CREATE INDEX history_deployment ON history (deployment_id, rev);
CREATE INDEX history_to_version ON history (to_version_id, rev);
CREATE INDEX history_subject_key ON history (subject_key_id, rev) WHERE subject_key_id IS NOT NULL;

-- Outcomes of POSTs with an Idempotency-Key, stored for 24 hours, in the transaction of the write.
CREATE TABLE idempotency (
    project_id TEXT NOT NULL REFERENCES project (id),
    key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    result TEXT NOT NULL,          -- JSON: the ids of what the write made, and what can change in it; no content
    created_us BIGINT NOT NULL,
    api_key_id TEXT NOT NULL,      -- '' for the operator
    total_bytes BIGINT NOT NULL,   -- of this and all earlier results of the API key: a quota reads two rows
    PRIMARY KEY (project_id, key)
);
CREATE INDEX idempotency_created ON idempotency (created_us);
CREATE INDEX idempotency_api_key ON idempotency (api_key_id, total_bytes);

-- One row while another database is copied into this one; no server starts on it until the row is gone.
CREATE TABLE copy (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    source TEXT NOT NULL,          -- its address, without the password
    epoch TEXT NOT NULL,           -- of the source when the copy began
    rev BIGINT NOT NULL            -- of the source when the copy began
);

-- The API keys that were served a version, with the names (never the values) of the inputs they sent.
CREATE TABLE consumer (
    version_id TEXT NOT NULL REFERENCES version (id),
    api_key_id TEXT NOT NULL REFERENCES api_key (id),
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    inputs TEXT NOT NULL,          -- JSON array of names
    PRIMARY KEY (version_id, api_key_id)
);
CREATE INDEX consumer_last ON consumer (last_us);
