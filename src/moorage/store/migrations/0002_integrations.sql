-- Connections to providers. A deleted one stays as a tombstone (deleted_us) without its credentials, so that other
-- nodes see the deletion and its cursor stays valid.
CREATE TABLE integration (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id),
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    base_url TEXT,                 -- NULL: that of the provider
    options TEXT NOT NULL,         -- JSON object
    credentials TEXT NOT NULL,     -- encrypted; '' for none
    headers TEXT NOT NULL,         -- encrypted; '' for none
    key_id TEXT NOT NULL,          -- of the secret key that encrypts both; '' for none
    created_us BIGINT NOT NULL,
    created_by TEXT,               -- the API key; NULL for the operator
    updated_us BIGINT NOT NULL,
    updated_by TEXT,
    deleted_us BIGINT,
    rev BIGINT NOT NULL
);
CREATE UNIQUE INDEX integration_name ON integration (project_id, name) WHERE deleted_us IS NULL;
CREATE INDEX integration_rev ON integration (rev);

-- The integration that an entry is about: integration_set, integration_deleted. One entry `integrations_rotated` is
-- about all of them.
ALTER TABLE history ADD COLUMN integration_id TEXT REFERENCES integration (id);
CREATE INDEX history_integration ON history (integration_id, rev) WHERE integration_id IS NOT NULL;
