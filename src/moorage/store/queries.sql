-- All queries. A line `-- name --` starts one, the comment below it says what it does; `:name` is a parameter.
-- SQLite and PostgreSQL run the same SQL.

-- next_revision --
-- First statement of every write: lock and increment the revision, and return a time later than all earlier times. A
-- stored time that is not in the calendar (after the year 9999) is replaced.
UPDATE revision
SET rev = rev + 1,
    last_created_us = CASE WHEN last_created_us < :now_us OR last_created_us >= 253402300799999999 THEN :now_us
        ELSE CAST(last_created_us AS BIGINT) + 1 END
WHERE id = 1
RETURNING rev, last_created_us, history_hash, history_key

-- current_revision --
-- The revision of the last committed write.
SELECT rev FROM revision WHERE id = 1

-- history_hash_at --
-- The hash of the last entry of the history up to a revision.
SELECT hash FROM history WHERE rev <= :rev ORDER BY rev DESC LIMIT 1

-- newest_time --
-- The time of the newest write.
SELECT last_created_us FROM revision WHERE id = 1

-- set_newest_time --
-- Set the time of the newest write, after which the next one is dated.
UPDATE revision SET last_created_us = :clock_us WHERE id = 1

-- redate_projects --
-- Replace times in the future.
UPDATE project SET created_us = :clock_us, rev = :rev WHERE created_us > :clock_us

-- redate_api_keys --
-- Replace times in the future; an expiry is one by its nature.
UPDATE api_key
SET created_us = CASE WHEN created_us > :clock_us THEN :clock_us ELSE created_us END,
    revoked_us = CASE WHEN revoked_us > :clock_us THEN :clock_us ELSE revoked_us END, rev = :rev
WHERE created_us > :clock_us OR revoked_us > :clock_us

-- redate_integrations --
-- Replace times in the future.
UPDATE integration
SET created_us = CASE WHEN created_us > :clock_us THEN :clock_us ELSE created_us END,
    updated_us = CASE WHEN updated_us > :clock_us THEN :clock_us ELSE updated_us END,
    deleted_us = CASE WHEN deleted_us > :clock_us THEN :clock_us ELSE deleted_us END, rev = :rev
WHERE created_us > :clock_us OR updated_us > :clock_us OR deleted_us > :clock_us

-- redate_deployments --
-- Replace times in the future. A deletion that was dated by the right clock keeps its date. Purged tombstones stay as
-- they are: nothing depends on their times. `moorage.diagnostics.replay` computes the same.
UPDATE deployment
SET created_us = CASE WHEN created_us > :clock_us THEN :clock_us ELSE created_us END,
    updated_us = CASE WHEN updated_us <= :clock_us THEN updated_us WHEN deleted_us <= :clock_us THEN deleted_us
        ELSE :clock_us END,
    deleted_us = CASE WHEN deleted_us > :clock_us THEN :clock_us ELSE deleted_us END, rev = :rev
WHERE (created_us > :clock_us OR updated_us > :clock_us OR deleted_us > :clock_us) AND (
    deleted_us IS NULL OR EXISTS (
        SELECT 1 FROM version v WHERE v.deployment_id = deployment.id AND v.prompt_config <> ''
    )
)

-- redate_versions --
-- Replace times in the future.
UPDATE version
SET created_us = CASE WHEN created_us > :clock_us THEN :clock_us ELSE created_us END,
    deleted_us = CASE WHEN deleted_us > :clock_us THEN :clock_us ELSE deleted_us END
WHERE created_us > :clock_us OR deleted_us > :clock_us

-- redate_results --
-- Replace times in the future.
UPDATE idempotency SET created_us = :clock_us WHERE created_us > :clock_us

-- redate_consumers --
-- Replace times in the future.
UPDATE consumer
SET first_us = CASE WHEN first_us > :clock_us THEN :clock_us ELSE first_us END,
    last_us = CASE WHEN last_us > :clock_us THEN :clock_us ELSE last_us END
WHERE first_us > :clock_us OR last_us > :clock_us

-- live_configurations --
-- The live configurations by project and key; every schema has these columns.
SELECT p.name, d.key, v.prompt_config
FROM deployment d JOIN project p ON p.id = d.project_id JOIN version v ON v.id = d.live_version_id
WHERE d.deleted_us IS NULL ORDER BY d.seq

-- projects --
-- All projects, oldest first.
SELECT id, name, created_us FROM project ORDER BY created_us, id

-- find_project --
-- One project by its name.
SELECT id, name, created_us FROM project WHERE name = :name

-- insert_project --
-- A new project.
INSERT INTO project (id, name, created_us, rev) VALUES (:id, :name, :created_us, :rev)

-- api_keys --
-- All API keys that changed after a revision, oldest first.
SELECT id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us
FROM api_key WHERE rev > :rev ORDER BY created_us, id

-- find_api_key --
-- One API key by its id.
SELECT id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us FROM api_key WHERE id = :id

-- insert_api_key --
-- A new API key.
INSERT INTO api_key (id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us, rev)
VALUES (:id, :project_id, :name, :scopes, :token_sha256, :created_us, :expires_us, NULL, :rev)

-- revoke_api_key --
-- Revoke an API key; a revoked key does not change.
UPDATE api_key SET revoked_us = :now_us, rev = :rev WHERE id = :id AND revoked_us IS NULL

-- rename_api_key --
-- Rename an API key.
UPDATE api_key SET name = :name, rev = :rev WHERE id = :id

-- rotate_api_key --
-- Replace the token of an API key.
UPDATE api_key SET token_sha256 = :token_sha256, rev = :rev WHERE id = :id

-- integrations --
-- All integrations that changed after a revision, tombstones included, oldest first.
SELECT id, project_id, name, provider, base_url, options, credentials, headers, key_id, created_us, created_by, updated_us,
    updated_by, deleted_us, rev
FROM integration WHERE rev > :rev ORDER BY created_us, id

-- find_integration --
-- The integration with a name, unless it is deleted.
SELECT id, project_id, name, provider, base_url, options, credentials, headers, key_id, created_us, created_by, updated_us,
    updated_by, deleted_us, rev
FROM integration WHERE project_id = :project_id AND name = :name AND deleted_us IS NULL

-- sealing_keys --
-- The ids of the secret keys that encrypt credentials, each with the number of integrations.
SELECT key_id, count(*) FROM integration WHERE key_id <> '' GROUP BY key_id ORDER BY key_id

-- find_named_integration --
-- The integration with a name or an id, unless it is deleted; a name never has the form of an id.
SELECT id, project_id, name, provider, base_url, options, credentials, headers, key_id, created_us, created_by, updated_us,
    updated_by, deleted_us, rev
FROM integration WHERE project_id = :project_id AND name = :name AND deleted_us IS NULL
UNION ALL
SELECT id, project_id, name, provider, base_url, options, credentials, headers, key_id, created_us, created_by, updated_us,
    updated_by, deleted_us, rev
FROM integration WHERE id = :name AND project_id = :project_id AND deleted_us IS NULL

-- update_integration --
-- Replace the content of an integration.
UPDATE integration
SET provider = :provider, base_url = :base_url, options = :options, credentials = :credentials, headers = :headers,
    key_id = :key_id, updated_us = :updated_us, updated_by = :updated_by, rev = :rev
WHERE id = :id

-- delete_integration --
-- Turn an integration into a tombstone without its credentials.
UPDATE integration
SET credentials = '', headers = '', key_id = '', updated_us = :now_us, updated_by = :updated_by, deleted_us = :now_us,
    rev = :rev
WHERE id = :id

-- reseal_integration --
-- Replace the encrypted columns of an integration.
UPDATE integration SET credentials = :credentials, headers = :headers, key_id = :key_id, rev = :rev WHERE id = :id

-- sealed_integrations --
-- All integrations with encrypted columns.
SELECT id, project_id, name, provider, base_url, options, credentials, headers, key_id, created_us, created_by, updated_us,
    updated_by, deleted_us, rev
FROM integration WHERE key_id <> '' ORDER BY id

-- live_contents_with --
-- The live versions of a project that have a text in their configuration, in the order of the list, after a position.
SELECT d.seq, d.key, v.prompt_config, v.variables, v.runtime_config
FROM deployment d JOIN version v ON v.id = d.live_version_id
WHERE d.project_id = :project_id AND d.seq > :place AND d.deleted_us IS NULL
    AND (v.prompt_config LIKE :pattern OR v.runtime_config LIKE :pattern)
ORDER BY d.seq LIMIT :limit

-- deployments --
-- All deployments, tombstones included, in creation order.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config, v.content_sha256
FROM deployment d LEFT JOIN version v ON v.id = d.live_version_id AND v.deployment_id = d.id
ORDER BY d.seq

-- changed_deployments --
-- The deployments that changed after a revision, tombstones included, in the order of their changes.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config, v.content_sha256
FROM deployment d LEFT JOIN version v ON v.id = d.live_version_id AND v.deployment_id = d.id
WHERE d.rev > :rev ORDER BY d.rev

-- find_deployment --
-- The deployment with a key or an id, unless it is deleted; a key never has the form of an id.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config, v.content_sha256
FROM deployment d LEFT JOIN version v ON v.id = d.live_version_id AND v.deployment_id = d.id
WHERE d.id = (
    SELECT k.id FROM deployment k WHERE k.project_id = :project_id AND k.key = :key AND k.deleted_us IS NULL
    UNION ALL
    SELECT i.id FROM deployment i WHERE i.project_id = :project_id AND i.id = :key AND i.deleted_us IS NULL
)

-- last_version --
-- The highest version number of a deployment.
SELECT major, minor FROM version WHERE deployment_id = :deployment_id ORDER BY major DESC, minor DESC LIMIT 1

-- insert_deployment --
-- A new deployment; its first version follows in the same transaction.
INSERT INTO deployment
    (id, project_id, key, description, seq, created_us, updated_us, deleted_us, live_version_id, rev, owner, file)
VALUES (:id, :project_id, :key, :description, :rev, :now_us, :now_us, NULL, :version_id, :rev, :owner, :file)

-- insert_version --
-- A new version of a deployment.
INSERT INTO version
    (id, deployment_id, major, minor, prompt_config, variables, notes, content_sha256, created_us, api_key_id, rev,
     made_as, description, runtime_config)
VALUES
    (:id, :deployment_id, :major, :minor, :prompt_config, :variables, :notes, :content_sha256, :created_us,
     :api_key_id, :rev, :made_as, :description, :runtime_config)

-- publish_version --
-- Set the live version of a deployment.
UPDATE deployment SET live_version_id = :version_id, updated_us = :now_us, rev = :rev WHERE id = :id

-- set_description --
-- Set the description of a deployment.
UPDATE deployment SET description = :description, updated_us = :now_us, rev = :rev WHERE id = :id

-- delete_deployment --
-- Turn a deployment into a tombstone.
UPDATE deployment SET deleted_us = :clock_us, updated_us = :now_us, rev = :rev WHERE id = :id AND deleted_us IS NULL

-- find_version --
-- A version of a deployment by its id, or by its number.
SELECT v.id, v.deployment_id, v.major, v.minor, v.prompt_config, v.variables, v.notes, v.content_sha256, v.created_us,
    v.api_key_id, v.rev, v.made_as, v.description, v.deleted_us, v.runtime_config,
    CASE WHEN v.id = d.live_version_id THEN 'live'
        WHEN v.made_as = 'published' OR EXISTS (
            SELECT 1 FROM history l WHERE l.to_version_id = v.id AND l.action IN ('published', 'undone')
        ) THEN 'published'
        ELSE 'draft' END
FROM version v JOIN deployment d ON d.id = v.deployment_id
WHERE v.deployment_id = :deployment_id AND v.id = COALESCE((
    SELECT n.id FROM version n WHERE n.deployment_id = :deployment_id AND n.major = :major AND n.minor = :minor
), :id)

-- versions_older --
-- Versions of a deployment made before a revision, newest first.
SELECT v.id, v.deployment_id, v.major, v.minor, v.prompt_config, v.variables, v.notes, v.content_sha256, v.created_us,
    v.api_key_id, v.rev, v.made_as, v.description, v.deleted_us, v.runtime_config,
    CASE WHEN v.id = d.live_version_id THEN 'live'
        WHEN v.made_as = 'published' OR EXISTS (
            SELECT 1 FROM history l WHERE l.to_version_id = v.id AND l.action IN ('published', 'undone')
        ) THEN 'published'
        ELSE 'draft' END
FROM version v JOIN deployment d ON d.id = v.deployment_id
WHERE v.deployment_id = :deployment_id AND v.rev < :place AND v.deleted_us IS NULL ORDER BY v.rev DESC LIMIT :limit

-- versions_newer --
-- Versions of a deployment made after a revision, oldest first.
SELECT v.id, v.deployment_id, v.major, v.minor, v.prompt_config, v.variables, v.notes, v.content_sha256, v.created_us,
    v.api_key_id, v.rev, v.made_as, v.description, v.deleted_us, v.runtime_config,
    CASE WHEN v.id = d.live_version_id THEN 'live'
        WHEN v.made_as = 'published' OR EXISTS (
            SELECT 1 FROM history l WHERE l.to_version_id = v.id AND l.action IN ('published', 'undone')
        ) THEN 'published'
        ELSE 'draft' END
FROM version v JOIN deployment d ON d.id = v.deployment_id
WHERE v.deployment_id = :deployment_id AND v.rev > :place AND v.deleted_us IS NULL ORDER BY v.rev LIMIT :limit

-- insert_entry --
-- Append an entry to the history.
INSERT INTO history
    (rev, id, project_id, deployment_id, subject_key_id, action, from_version_id, to_version_id, content_sha256,
     changes, reason, api_key_id, api_key_name, request_id, at_us, breaking, integration_id, hash, mac)
VALUES
    (:rev, :id, :project_id, :deployment_id, :subject_key_id, :action, :from_version_id, :to_version_id,
     :content_sha256, :changes, :reason, :api_key_id, :api_key_name, :request_id, :at_us, :breaking, :integration_id,
     :hash, :mac)

-- set_history_head --
-- Store the hash of the newest history entry, and the id of its secret key.
UPDATE revision SET history_hash = :hash, history_key = :key_id WHERE id = 1

-- last_move --
-- The last move of the live pointer of a deployment: from, to.
SELECT from_version_id, to_version_id FROM history
WHERE deployment_id = :deployment_id AND action IN ('created', 'published', 'undone') ORDER BY rev DESC LIMIT 1

-- find_entry --
-- One entry of a deployment's history, which does not list drafts.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking, l.hash,
    f.major, f.minor, t.major, t.minor
FROM history l LEFT JOIN version f ON f.id = l.from_version_id LEFT JOIN version t ON t.id = l.to_version_id
WHERE l.deployment_id = :deployment_id AND l.id = :id AND l.action <> 'drafted'

-- entries_older --
-- Entries of a deployment's history before a revision, newest first.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking, l.hash,
    f.major, f.minor, t.major, t.minor
FROM history l LEFT JOIN version f ON f.id = l.from_version_id LEFT JOIN version t ON t.id = l.to_version_id
WHERE l.deployment_id = :deployment_id AND l.rev < :place AND l.action <> 'drafted' ORDER BY l.rev DESC LIMIT :limit

-- entries_newer --
-- Entries of a deployment's history after a revision, oldest first.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking, l.hash,
    f.major, f.minor, t.major, t.minor
FROM history l LEFT JOIN version f ON f.id = l.from_version_id LEFT JOIN version t ON t.id = l.to_version_id
WHERE l.deployment_id = :deployment_id AND l.rev > :place AND l.action <> 'drafted' ORDER BY l.rev LIMIT :limit

-- history --
-- All rows in order, with the columns of `insert_entry`.
SELECT rev, id, project_id, deployment_id, subject_key_id, action, from_version_id, to_version_id, content_sha256,
    changes, reason, api_key_id, api_key_name, request_id, at_us, breaking, integration_id, hash, mac
FROM history ORDER BY rev

-- entries_of_projects --
-- The entries about projects, in the order of `every_project`.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking
FROM history l JOIN project p ON p.id = l.project_id WHERE l.action = 'project_created' ORDER BY p.id, l.rev

-- entries_of_api_keys --
-- The entries about API keys, in the order of `every_api_key`.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking
FROM history l JOIN api_key k ON k.id = l.subject_key_id ORDER BY k.id, l.rev

-- entries_of_integrations --
-- The entries about integrations, in the order of `every_integration`.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id
FROM history l JOIN integration i ON i.id = l.integration_id ORDER BY i.id, l.rev

-- rotations --
-- The entries that encrypted the credentials of integrations again.
SELECT rev, changes FROM history WHERE action = 'integrations_rotated' ORDER BY rev

-- entries_of_deployments --
-- The entries about deployments and their versions, in the order of `every_deployment`.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking
FROM history l JOIN deployment d ON d.id = l.deployment_id ORDER BY d.seq, l.rev

-- entries_of_versions --
-- For each version, in the order of `every_version`: the entry that created it, the last one that deleted or restored
-- it, the last one of its deployment, and whether another entry has another content hash.
SELECT v.id, b.rev, b.deployment_id, b.action, b.content_sha256, b.changes, b.api_key_id, b.at_us,
    x.rev, x.action, x.changes, e.action, e.to_version_id,
    EXISTS (SELECT 1 FROM history m WHERE m.to_version_id = v.id AND m.content_sha256 <> b.content_sha256)
FROM version v
LEFT JOIN history b ON b.rev = (SELECT min(i.rev) FROM history i WHERE i.to_version_id = v.id)
LEFT JOIN history x ON x.rev = (
    SELECT max(j.rev) FROM history j
    WHERE j.to_version_id = v.id AND j.from_version_id = v.id AND j.action IN ('deleted', 'restored')
)
LEFT JOIN history e ON e.rev = (SELECT max(k.rev) FROM history k WHERE k.deployment_id = v.deployment_id)
ORDER BY v.deployment_id, v.major, v.minor

-- entries_without_row --
-- The projects, API keys, integrations, deployments and versions of entries that do not exist, with the first revision.
SELECT 'project', l.project_id, min(l.rev) FROM history l
WHERE l.project_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project p WHERE p.id = l.project_id)
GROUP BY l.project_id
UNION ALL
SELECT 'API key', l.subject_key_id, min(l.rev) FROM history l
WHERE l.subject_key_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM api_key k WHERE k.id = l.subject_key_id)
GROUP BY l.subject_key_id
UNION ALL
SELECT 'integration', l.integration_id, min(l.rev) FROM history l
WHERE l.integration_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM integration i WHERE i.id = l.integration_id)
GROUP BY l.integration_id
UNION ALL
SELECT 'deployment', l.deployment_id, min(l.rev) FROM history l
WHERE l.deployment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deployment d WHERE d.id = l.deployment_id)
GROUP BY l.deployment_id
UNION ALL
SELECT 'version', l.to_version_id, min(l.rev) FROM history l
WHERE l.to_version_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM version v WHERE v.id = l.to_version_id)
GROUP BY l.to_version_id

-- purges --
-- The entries of purges.
SELECT rev, changes FROM history WHERE action = 'purged' ORDER BY rev

-- clock_resets --
-- The entries that replaced times in the future.
SELECT rev, changes FROM history WHERE action = 'clock_reset' ORDER BY rev

-- find_tombstone --
-- The deleted deployment with a key or an id; of several, the one deleted last.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config, v.content_sha256
FROM deployment d LEFT JOIN version v ON v.id = d.live_version_id AND v.deployment_id = d.id
WHERE d.id IN (
    SELECT k.id FROM deployment k WHERE k.project_id = :project_id AND k.key = :key AND k.deleted_us IS NOT NULL
    UNION ALL
    SELECT i.id FROM deployment i WHERE i.project_id = :project_id AND i.id = :key AND i.deleted_us IS NOT NULL
)
ORDER BY CASE WHEN v.prompt_config = '' THEN 1 ELSE 0 END, d.rev DESC, d.deleted_us DESC LIMIT 1

-- restore_deployment --
-- Restore a tombstone.
UPDATE deployment SET deleted_us = NULL, updated_us = :now_us, rev = :rev WHERE id = :id

-- touch_deployment --
-- Set the revision of a deployment, which changes its ETag.
UPDATE deployment SET rev = :rev WHERE id = :id

-- set_owner --
-- Set the owner of a deployment and its file.
UPDATE deployment SET owner = :owner, file = :file, rev = :rev WHERE id = :id

-- delete_version --
-- Remove a version from the list; its number stays in use.
UPDATE version SET deleted_us = :clock_us WHERE id = :id

-- restore_version --
-- Restore a deleted version.
UPDATE version SET deleted_us = NULL WHERE id = :id

-- can_purge --
-- Whether anything deleted before a time still has its content. A deletion has two times: that of the clock, and that of
-- the order of writes, `updated_us` or `at_us` (decision 0024). If the clock was behind, the second one is right. A
-- negative time is damage, and must not delete anything.
SELECT EXISTS (
    SELECT 1 FROM deployment d
    WHERE d.deleted_us BETWEEN 0 AND :before_us AND (d.updated_us <= :before_us OR d.updated_us > :clock_us) AND EXISTS (
        SELECT 1 FROM version v WHERE v.deployment_id = d.id AND v.prompt_config <> ''
    )
) OR EXISTS (
    SELECT 1 FROM version v WHERE v.deleted_us BETWEEN 0 AND :before_us AND v.prompt_config <> '' AND NOT EXISTS (
        SELECT 1 FROM history h
        WHERE h.to_version_id = v.id AND h.action = 'deleted' AND h.at_us > :before_us AND h.at_us <= :clock_us
    )
)

-- purge_deployments --
-- Delete the content of tombstones from before a time, with a new revision; their versions follow.
UPDATE deployment SET description = '', rev = :rev
WHERE deleted_us BETWEEN 0 AND :before_us AND (updated_us <= :before_us OR updated_us > :clock_us) AND EXISTS (
    SELECT 1 FROM version v WHERE v.deployment_id = deployment.id AND v.prompt_config <> ''
)
RETURNING id

-- purge_versions --
-- Delete the content of versions that were deleted before a time, alone or with their deployment.
UPDATE version SET prompt_config = '', variables = '', runtime_config = '', description = '', notes = ''
WHERE prompt_config <> '' AND id IN (
    SELECT v.id FROM version v WHERE v.deleted_us BETWEEN 0 AND :before_us AND NOT EXISTS (
        SELECT 1 FROM history h
        WHERE h.to_version_id = v.id AND h.action = 'deleted' AND h.at_us > :before_us AND h.at_us <= :clock_us
    )
    UNION ALL
    SELECT w.id FROM deployment d JOIN version w ON w.deployment_id = d.id
    WHERE d.deleted_us BETWEEN 0 AND :before_us AND (d.updated_us <= :before_us OR d.updated_us > :clock_us)
)
RETURNING id, deployment_id

-- delete_consumers --
-- Delete the consumers of versions that were deleted before a time.
DELETE FROM consumer WHERE version_id IN (
    SELECT v.id FROM version v WHERE v.deleted_us BETWEEN 0 AND :before_us AND NOT EXISTS (
        SELECT 1 FROM history h
        WHERE h.to_version_id = v.id AND h.action = 'deleted' AND h.at_us > :before_us AND h.at_us <= :clock_us
    )
    UNION ALL
    SELECT w.id FROM deployment d JOIN version w ON w.deployment_id = d.id
    WHERE d.deleted_us BETWEEN 0 AND :before_us AND (d.updated_us <= :before_us OR d.updated_us > :clock_us)
)

-- find_manifest --
-- A deployment by its id, deleted ones included.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config, v.content_sha256
FROM deployment d LEFT JOIN version v ON v.id = d.live_version_id AND v.deployment_id = d.id
WHERE d.project_id = :project_id AND d.id = :id

-- manifests_older --
-- Deployments before a position in the list, newest first.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config, v.content_sha256
FROM deployment d LEFT JOIN version v ON v.id = d.live_version_id AND v.deployment_id = d.id
WHERE d.project_id = :project_id AND d.seq < :place AND d.deleted_us IS NULL ORDER BY d.seq DESC LIMIT :limit

-- manifests_newer --
-- Deployments after a position in the list, oldest first.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config, v.content_sha256
FROM deployment d LEFT JOIN version v ON v.id = d.live_version_id AND v.deployment_id = d.id
WHERE d.project_id = :project_id AND d.seq > :place AND d.deleted_us IS NULL ORDER BY d.seq LIMIT :limit

-- savepoint --
-- Begin one write of a group commit.
SAVEPOINT group_write

-- rollback_to_savepoint --
-- Roll back that write alone.
ROLLBACK TO SAVEPOINT group_write

-- release_savepoint --
-- End that write; it is durable after the commit of the group.
RELEASE SAVEPOINT group_write

-- find_result --
-- The result that was stored under an idempotency key after a time.
SELECT request_sha256, result FROM idempotency
WHERE project_id = :project_id AND key = :key AND created_us > :since_us

-- insert_result --
-- Store a result under an idempotency key.
INSERT INTO idempotency (project_id, key, request_sha256, result, created_us, api_key_id, total_bytes)
VALUES (
    :project_id, :key, :request_sha256, :result, :clock_us, :api_key_id,
    (SELECT COALESCE(MAX(i.total_bytes), 0) + :bytes FROM idempotency i WHERE i.api_key_id = :api_key_id)
)
ON CONFLICT (project_id, key) DO UPDATE
SET request_sha256 = excluded.request_sha256, result = excluded.result, created_us = excluded.created_us,
    api_key_id = excluded.api_key_id, total_bytes = excluded.total_bytes

-- bytes_of_results --
-- The bytes of all results of an API key since the oldest one of a period, which itself does not count; from an index.
-- Results before the period can still be stored, and those after it are from a clock that was ahead.
SELECT COALESCE(
    (SELECT MAX(n.total_bytes) FROM idempotency n WHERE n.api_key_id = :api_key_id)
    - (
        SELECT o.total_bytes FROM idempotency o
        WHERE o.api_key_id = :api_key_id AND o.created_us > :since_us AND o.created_us <= :clock_us
        ORDER BY o.total_bytes LIMIT 1
    ),
    0
)

-- delete_results --
-- Delete the results that were stored before a time.
DELETE FROM idempotency WHERE created_us <= :since_us

-- delete_old_results --
-- Delete the results that are older by `stored_us` than the newest one, which itself is not in the future.
DELETE FROM idempotency WHERE created_us <= (
    SELECT max(r.created_us) FROM idempotency r WHERE r.created_us <= :clock_us
) - :stored_us

-- state --
-- The revision row.
SELECT epoch, rev, last_created_us, history_hash, history_key FROM revision WHERE id = 1

-- set_state --
-- Set the revision row.
UPDATE revision
SET epoch = :epoch, rev = :rev, last_created_us = :last_created_us, history_hash = :history_hash,
    history_key = :history_key
WHERE id = 1

-- counts --
-- The number of rows of each table, in the order in which they are copied.
SELECT (SELECT count(*) FROM project), (SELECT count(*) FROM api_key), (SELECT count(*) FROM deployment),
    (SELECT count(*) FROM version), (SELECT count(*) FROM integration), (SELECT count(*) FROM history),
    (SELECT count(*) FROM idempotency), (SELECT count(*) FROM consumer)

-- count_deployments --
-- The number of deployments that are not deleted.
SELECT count(*) FROM deployment WHERE deleted_us IS NULL

-- every_project --
-- All rows, with the columns of `insert_project`.
SELECT id, name, created_us, rev FROM project ORDER BY id

-- every_api_key --
-- All rows, with the columns of `put_api_key`.
SELECT id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us, rev FROM api_key ORDER BY id

-- every_integration --
-- All rows, with the columns of `put_integration`.
SELECT id, project_id, name, provider, base_url, options, credentials, headers, key_id, created_us, created_by, updated_us,
    updated_by, deleted_us, rev
FROM integration ORDER BY id

-- every_deployment --
-- All rows, with the columns of `put_deployment`.
SELECT id, project_id, key, description, seq, created_us, updated_us, deleted_us, live_version_id, rev, owner, file
FROM deployment ORDER BY seq

-- every_version --
-- All rows, with the columns of `put_version`, for each deployment in the order of the version numbers.
SELECT id, deployment_id, major, minor, prompt_config, variables, notes, content_sha256, created_us, api_key_id, rev,
    made_as, description, deleted_us, runtime_config
FROM version ORDER BY deployment_id, major, minor

-- every_result --
-- All rows, with the columns of `put_result`.
SELECT project_id, key, request_sha256, result, created_us, api_key_id, total_bytes
FROM idempotency ORDER BY project_id, key

-- every_consumer --
-- All rows, with the columns of `put_consumer`.
SELECT version_id, api_key_id, first_us, last_us, inputs FROM consumer ORDER BY version_id, api_key_id

-- put_consumer --
-- Insert a row of another database.
INSERT INTO consumer (version_id, api_key_id, first_us, last_us, inputs)
VALUES (:version_id, :api_key_id, :first_us, :last_us, :inputs)

-- empty_consumer --
-- Delete all rows.
DELETE FROM consumer

-- put_api_key --
-- Insert a row of another database.
INSERT INTO api_key (id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us, rev)
VALUES (:id, :project_id, :name, :scopes, :token_sha256, :created_us, :expires_us, :revoked_us, :rev)

-- put_integration --
-- A new integration, or a row of another database.
INSERT INTO integration
    (id, project_id, name, provider, base_url, options, credentials, headers, key_id, created_us, created_by, updated_us,
     updated_by, deleted_us, rev)
VALUES
    (:id, :project_id, :name, :provider, :base_url, :options, :credentials, :headers, :key_id, :created_us, :created_by,
     :updated_us, :updated_by, :deleted_us, :rev)

-- put_deployment --
-- Insert a row of another database.
INSERT INTO deployment
    (id, project_id, key, description, seq, created_us, updated_us, deleted_us, live_version_id, rev, owner, file)
VALUES
    (:id, :project_id, :key, :description, :seq, :created_us, :updated_us, :deleted_us, :live_version_id, :rev, :owner,
     :file)

-- put_version --
-- Insert a row of another database.
INSERT INTO version
    (id, deployment_id, major, minor, prompt_config, variables, notes, content_sha256, created_us, api_key_id, rev,
     made_as, description, deleted_us, runtime_config)
VALUES
    (:id, :deployment_id, :major, :minor, :prompt_config, :variables, :notes, :content_sha256, :created_us,
     :api_key_id, :rev, :made_as, :description, :deleted_us, :runtime_config)

-- put_result --
-- Insert a row of another database.
INSERT INTO idempotency (project_id, key, request_sha256, result, created_us, api_key_id, total_bytes)
VALUES (:project_id, :key, :request_sha256, :result, :created_us, :api_key_id, :total_bytes)

-- empty_project --
-- Delete all rows.
DELETE FROM project

-- empty_api_key --
-- Delete all rows.
DELETE FROM api_key

-- empty_integration --
-- Delete all rows.
DELETE FROM integration

-- empty_deployment --
-- Delete all rows.
DELETE FROM deployment

-- empty_version --
-- Delete all rows.
DELETE FROM version

-- empty_history --
-- Delete all rows.
DELETE FROM history

-- empty_idempotency --
-- Delete all rows.
DELETE FROM idempotency

-- find_copy --
-- The unfinished copy into this database.
SELECT source, epoch, rev FROM copy WHERE id = 1

-- begin_copy --
-- Mark this database as an unfinished copy.
INSERT INTO copy (id, source, epoch, rev) VALUES (1, :source, :epoch, :rev)

-- end_copy --
-- Delete that mark.
DELETE FROM copy WHERE id = 1

-- stray_pointers --
-- The deployments whose live version does not exist or belongs to another deployment.
SELECT d.id, d.key, d.live_version_id
FROM deployment d LEFT JOIN version v ON v.id = d.live_version_id AND v.deployment_id = d.id
WHERE v.id IS NULL ORDER BY d.seq

-- orphans --
-- The rows that belong to no row of another table.
SELECT 'api_key', k.id, 'project' FROM api_key k LEFT JOIN project p ON p.id = k.project_id WHERE p.id IS NULL
UNION ALL
SELECT 'integration', i.id, 'project' FROM integration i LEFT JOIN project p ON p.id = i.project_id WHERE p.id IS NULL
UNION ALL
SELECT 'deployment', d.id, 'project' FROM deployment d LEFT JOIN project p ON p.id = d.project_id WHERE p.id IS NULL
UNION ALL
SELECT 'version', v.id, 'deployment'
FROM version v LEFT JOIN deployment d ON d.id = v.deployment_id WHERE d.id IS NULL
UNION ALL
SELECT 'history', h.id, 'project'
FROM history h LEFT JOIN project p ON p.id = h.project_id WHERE p.id IS NULL AND h.project_id IS NOT NULL
UNION ALL
SELECT 'history', h.id, 'deployment'
FROM history h LEFT JOIN deployment d ON d.id = h.deployment_id WHERE d.id IS NULL AND h.deployment_id IS NOT NULL
UNION ALL
SELECT 'history', h.id, 'api_key'
FROM history h LEFT JOIN api_key k ON k.id = h.subject_key_id WHERE k.id IS NULL AND h.subject_key_id IS NOT NULL
UNION ALL
SELECT 'history', h.id, 'integration'
FROM history h LEFT JOIN integration i ON i.id = h.integration_id WHERE i.id IS NULL AND h.integration_id IS NOT NULL
UNION ALL
SELECT 'idempotency', i.project_id || ' ' || i.key, 'project'
FROM idempotency i LEFT JOIN project p ON p.id = i.project_id WHERE p.id IS NULL
UNION ALL
SELECT 'consumer', u.version_id || ' ' || u.api_key_id, 'version'
FROM consumer u LEFT JOIN version v ON v.id = u.version_id WHERE v.id IS NULL
UNION ALL
SELECT 'consumer', u.version_id || ' ' || u.api_key_id, 'api_key'
FROM consumer u LEFT JOIN api_key k ON k.id = u.api_key_id WHERE k.id IS NULL

-- emptied_versions --
-- The versions without content that were not deleted, and neither were their deployments.
SELECT v.id, d.key, v.major, v.minor FROM version v JOIN deployment d ON d.id = v.deployment_id
WHERE v.prompt_config = '' AND v.deleted_us IS NULL AND d.deleted_us IS NULL

-- record_consumer --
-- Record that a version served an API key, unless the version is deleted; returns the stored names of inputs. A stored
-- time after `latest_us` was written by a clock that was ahead, and is replaced.
INSERT INTO consumer (version_id, api_key_id, first_us, last_us, inputs)
SELECT v.id, k.id, :first_us, :last_us, :inputs
FROM version v JOIN deployment d ON d.id = v.deployment_id JOIN api_key k ON k.id = :api_key_id
WHERE v.id = :version_id AND v.deleted_us IS NULL AND d.deleted_us IS NULL
ON CONFLICT (version_id, api_key_id) DO UPDATE
SET last_us = CASE WHEN consumer.last_us BETWEEN excluded.last_us AND :latest_us THEN consumer.last_us
    ELSE excluded.last_us END
RETURNING inputs

-- set_consumer_inputs --
-- Set the names of the inputs that an API key sends to a version.
UPDATE consumer SET inputs = :inputs WHERE version_id = :version_id AND api_key_id = :api_key_id

-- consumers_of_deployment --
-- The consumers of all versions of a deployment since a time.
SELECT k.id, k.name, v.major, v.minor, u.last_us, u.inputs
FROM version v JOIN consumer u ON u.version_id = v.id JOIN api_key k ON k.id = u.api_key_id
WHERE v.deployment_id = :deployment_id AND u.last_us > :since_us

-- consumers_of_version --
-- The consumers of a version since a time.
SELECT k.id, k.name, v.major, v.minor, u.last_us, u.inputs
FROM version v JOIN consumer u ON u.version_id = v.id JOIN api_key k ON k.id = u.api_key_id
WHERE v.id = :version_id AND u.last_us > :since_us

-- uses_of_keys --
-- The times at which API keys were served a version, since a time, and at which they made a write, after a revision.
SELECT c.api_key_id, c.last_us FROM consumer c WHERE c.last_us > :since_us
UNION ALL
SELECT h.api_key_id, h.at_us FROM history h WHERE h.rev > :rev AND h.api_key_id IS NOT NULL

-- has_version --
-- Whether a project has a version that is not deleted.
SELECT EXISTS (
    SELECT 1 FROM version v JOIN deployment d ON d.id = v.deployment_id
    WHERE v.id = :version_id AND d.project_id = :project_id AND v.deleted_us IS NULL AND d.deleted_us IS NULL
)

-- has_old_consumers --
-- Whether there are consumers from before a time.
SELECT EXISTS (SELECT 1 FROM consumer u WHERE u.last_us <= :before_us)

-- delete_old_consumers --
-- Delete consumers from before a time.
DELETE FROM consumer WHERE last_us <= :before_us
