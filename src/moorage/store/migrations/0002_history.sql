-- Drafts, and the ledger of everything that was done to a deployment.

-- How a version began: as a draft, or published at once. Whether it is live is the deployment's pointer, and whether a
-- draft was published since is in the ledger, so a version's row still never changes.
ALTER TABLE version ADD COLUMN made_as TEXT NOT NULL DEFAULT 'published';
ALTER TABLE version ADD COLUMN description TEXT NOT NULL DEFAULT '';

-- Append only, one row for a revision at most, chained: hash covers the row and the hash before it.
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
CREATE INDEX ledger_deployment ON ledger (deployment_id, rev);
CREATE INDEX version_deployment ON version (deployment_id, rev);

-- The hash of the newest row of the ledger: a row cut off at the end is missed too.
ALTER TABLE revision ADD COLUMN ledger_hash TEXT NOT NULL DEFAULT '';
