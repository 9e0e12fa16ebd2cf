-- Who keeps a deployment, and versions that were deleted.

-- `files`: it is changed in `file` and applied from there; `api`: it is changed over HTTP. One that was taken over from
-- its file by the API still names the file: that is how drift is known.
ALTER TABLE deployment ADD COLUMN owner TEXT NOT NULL DEFAULT 'api';
ALTER TABLE deployment ADD COLUMN file TEXT;

-- A deleted version keeps its number. Its content, as that of a deleted deployment's versions, is emptied when it is
-- erased for good, which is the one change a version's row ever sees.
ALTER TABLE version ADD COLUMN deleted_us BIGINT;

CREATE INDEX deployment_deleted ON deployment (deleted_us) WHERE deleted_us IS NOT NULL;
CREATE INDEX deployment_gone ON deployment (project_id, key) WHERE deleted_us IS NOT NULL;
CREATE INDEX version_deleted ON version (deleted_us) WHERE deleted_us IS NOT NULL;
CREATE INDEX ledger_to_version ON ledger (to_version_id);
CREATE INDEX deployment_list ON deployment (project_id, seq);
