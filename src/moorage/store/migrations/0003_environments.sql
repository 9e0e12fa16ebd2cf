-- Environments of a project. Each project has `production`, whose id follows from the id of the project. A deleted one
-- stays as a tombstone (deleted_us), so that a name that is used again is another environment.
CREATE TABLE environment (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id),
    name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    description TEXT NOT NULL,
    is_protected BIGINT NOT NULL,        -- 0 or 1
    required_approvals BIGINT NOT NULL,
    approve_undo BIGINT NOT NULL,        -- 0 or 1
    unknown_names TEXT NOT NULL,         -- 'production' or 'reject': what a call gets whose context has another name
    created_us BIGINT NOT NULL,
    created_by TEXT,                     -- the API key; NULL for the operator
    updated_us BIGINT NOT NULL,
    updated_by TEXT,
    deleted_us BIGINT,
    rev BIGINT NOT NULL
);
CREATE UNIQUE INDEX environment_name ON environment (project_id, name) WHERE deleted_us IS NULL;
CREATE INDEX environment_rev ON environment (rev);
INSERT INTO environment
SELECT 'env_' || replace(id, '-', ''), id, 'production', 'Production', '', 1, 0, 0, 'production', created_us, NULL,
    created_us, NULL, NULL, rev
FROM project;

-- NULL: not in production.
ALTER TABLE deployment RENAME COLUMN live_version_id TO old_live_version_id;
ALTER TABLE deployment ADD COLUMN live_version_id TEXT;
UPDATE deployment SET live_version_id = old_live_version_id;
ALTER TABLE deployment DROP COLUMN old_live_version_id;

-- The live version of a deployment in another environment than production. A row is never deleted: other nodes would
-- not see that it is gone.
CREATE TABLE pointer (
    deployment_id TEXT NOT NULL REFERENCES deployment (id),
    environment_id TEXT NOT NULL REFERENCES environment (id),
    version_id TEXT,                     -- NULL: it follows production
    updated_us BIGINT NOT NULL,
    owner TEXT NOT NULL DEFAULT 'api',   -- as in deployment
    file TEXT,
    rev BIGINT NOT NULL,
    PRIMARY KEY (deployment_id, environment_id)
);
CREATE INDEX pointer_rev ON pointer (rev);
CREATE INDEX pointer_version ON pointer (version_id) WHERE version_id IS NOT NULL;
CREATE INDEX pointer_environment ON pointer (environment_id, deployment_id);

ALTER TABLE api_key ADD COLUMN environment_id TEXT REFERENCES environment (id);  -- NULL: not bound to one
ALTER TABLE api_key ADD COLUMN created_by TEXT;                                  -- the API key; NULL for the operator
UPDATE api_key SET created_by = (
    SELECT h.api_key_id FROM history h WHERE h.subject_key_id = api_key.id AND h.action = 'key_created'
);
CREATE INDEX api_key_environment ON api_key (environment_id) WHERE environment_id IS NOT NULL;

-- A request to change pointers of one environment. Only the columns of its end change.
CREATE TABLE proposal (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id),
    environment_id TEXT NOT NULL REFERENCES environment (id),
    kind TEXT NOT NULL,                  -- publish, unpublish, undo, promote, delete, restore
    source TEXT,                         -- the name of the environment that is promoted
    status TEXT NOT NULL,                -- open, published, rejected, withdrawn, stale; the time decides about expired
    reason TEXT NOT NULL,
    allow_breaking BIGINT NOT NULL,      -- 0 or 1
    created_us BIGINT NOT NULL,
    created_by TEXT,                     -- the API key; NULL for the operator
    created_name TEXT,
    closed_us BIGINT,
    closed_by TEXT,
    closed_name TEXT,
    closed_reason TEXT NOT NULL DEFAULT '',
    rev BIGINT NOT NULL                  -- of its last change
);
CREATE INDEX proposal_list ON proposal (project_id, created_us, id);
CREATE INDEX proposal_open ON proposal (environment_id) WHERE status = 'open';

CREATE TABLE proposal_item (
    proposal_id TEXT NOT NULL REFERENCES proposal (id),
    n BIGINT NOT NULL,
    deployment_id TEXT NOT NULL REFERENCES deployment (id),
    base TEXT,                           -- the id of the version, or 'follows'; NULL for none
    version_id TEXT,                     -- NULL: it follows production then, or is deleted
    breaking TEXT NOT NULL,              -- JSON array of paths; '' for none
    owner TEXT NOT NULL,                 -- after it is published
    file TEXT,
    PRIMARY KEY (proposal_id, n)
);
CREATE INDEX proposal_item_deployment ON proposal_item (deployment_id);
CREATE INDEX proposal_item_version ON proposal_item (version_id) WHERE version_id IS NOT NULL;

CREATE TABLE approval (
    proposal_id TEXT NOT NULL REFERENCES proposal (id),
    api_key_id TEXT NOT NULL REFERENCES api_key (id),
    at_us BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (proposal_id, api_key_id)
);

-- A revision can have several entries, in the order of n. An entry about a pointer has its environment, NULL for
-- production. More actions: unpublished; proposed, approved, rejected, withdrawn, stale; environment_set,
-- environment_deleted.
ALTER TABLE history RENAME TO old_history;
CREATE TABLE history (
    rev BIGINT NOT NULL,
    id TEXT NOT NULL CONSTRAINT history_id UNIQUE,  -- PostgreSQL would number the names after those of the old table
    project_id TEXT REFERENCES project (id),
    deployment_id TEXT REFERENCES deployment (id),
    subject_key_id TEXT REFERENCES api_key (id),
    action TEXT NOT NULL,
    from_version_id TEXT,
    to_version_id TEXT,
    content_sha256 TEXT NOT NULL,
    changes TEXT NOT NULL,
    reason TEXT NOT NULL,
    api_key_id TEXT,
    api_key_name TEXT,
    request_id TEXT,
    at_us BIGINT NOT NULL,
    breaking TEXT NOT NULL,
    integration_id TEXT REFERENCES integration (id),
    environment_id TEXT REFERENCES environment (id),
    proposal_id TEXT REFERENCES proposal (id),
    n BIGINT NOT NULL,
    hash TEXT NOT NULL,
    mac TEXT NOT NULL,
    CONSTRAINT history_order PRIMARY KEY (rev, n)
);
INSERT INTO history
SELECT rev, id, project_id, deployment_id, subject_key_id, action, from_version_id, to_version_id, content_sha256,
    changes, reason, api_key_id, api_key_name, request_id, at_us, breaking, integration_id, NULL, NULL, 0, hash, mac
FROM old_history;
DROP TABLE old_history;
CREATE INDEX history_deployment ON history (deployment_id, rev, n);
CREATE INDEX history_to_version ON history (to_version_id, rev);
CREATE INDEX history_subject_key ON history (subject_key_id, rev) WHERE subject_key_id IS NOT NULL;
CREATE INDEX history_integration ON history (integration_id, rev) WHERE integration_id IS NOT NULL;
CREATE INDEX history_environment ON history (environment_id, rev, n) WHERE environment_id IS NOT NULL;
CREATE INDEX history_proposal ON history (proposal_id, rev, n) WHERE proposal_id IS NOT NULL;

-- The callers of each environment; '' is production.
ALTER TABLE consumer RENAME TO old_consumer;
CREATE TABLE consumer (
    version_id TEXT NOT NULL REFERENCES version (id),
    api_key_id TEXT NOT NULL REFERENCES api_key (id),
    environment_id TEXT NOT NULL,
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    inputs TEXT NOT NULL,
    CONSTRAINT consumer_id PRIMARY KEY (version_id, api_key_id, environment_id)
);
INSERT INTO consumer SELECT version_id, api_key_id, '', first_us, last_us, inputs FROM old_consumer;
DROP TABLE old_consumer;
CREATE INDEX consumer_last ON consumer (last_us);

-- Names that calls sent and that are no environment.
CREATE TABLE unknown_name (
    project_id TEXT NOT NULL REFERENCES project (id),
    name TEXT NOT NULL,
    last_us BIGINT NOT NULL,
    PRIMARY KEY (project_id, name)
);
