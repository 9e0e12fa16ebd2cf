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
SELECT hash FROM history WHERE rev <= :rev ORDER BY rev DESC, n DESC LIMIT 1

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

-- live_models --
-- The live versions in production, with an empty environment, and then those in other environments, by key.
SELECT p.name, d.key, '', v.prompt_config, v.runtime_config
FROM deployment d JOIN project p ON p.id = d.project_id JOIN version v ON v.id = d.live_version_id
WHERE d.deleted_us IS NULL
UNION ALL
SELECT p.name, d.key, e.name, v.prompt_config, v.runtime_config
FROM pointer o JOIN environment e ON e.id = o.environment_id JOIN deployment d ON d.id = o.deployment_id
JOIN project p ON p.id = d.project_id JOIN version v ON v.id = o.version_id
WHERE d.deleted_us IS NULL AND e.deleted_us IS NULL
ORDER BY 3, 1, 2

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
SELECT id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us, environment_id, created_by
FROM api_key WHERE rev > :rev ORDER BY created_us, id

-- find_api_key --
-- One API key by its id.
SELECT id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us, environment_id, created_by
FROM api_key WHERE id = :id

-- insert_api_key --
-- A new API key.
INSERT INTO api_key
    (id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us, environment_id, created_by, rev)
VALUES
    (:id, :project_id, :name, :scopes, :token_sha256, :created_us, :expires_us, NULL, :environment_id, :created_by,
     :rev)

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

-- environments --
-- All environments that changed after a revision, tombstones included, oldest first.
SELECT id, project_id, name, display_name, description, is_protected, required_approvals, approve_undo, unknown_names,
    created_us, created_by, updated_us, updated_by, deleted_us, rev
FROM environment WHERE rev > :rev ORDER BY created_us, id

-- environments_of_project --
-- The environments of a project, without tombstones.
SELECT id, project_id, name, display_name, description, is_protected, required_approvals, approve_undo, unknown_names,
    created_us, created_by, updated_us, updated_by, deleted_us, rev
FROM environment WHERE project_id = :project_id AND deleted_us IS NULL

-- find_environment --
-- One environment by its id, deleted ones included.
SELECT id, project_id, name, display_name, description, is_protected, required_approvals, approve_undo, unknown_names,
    created_us, created_by, updated_us, updated_by, deleted_us, rev
FROM environment WHERE id = :id

-- put_environment --
-- A new environment, or a row of another database.
INSERT INTO environment
    (id, project_id, name, display_name, description, is_protected, required_approvals, approve_undo, unknown_names,
     created_us, created_by, updated_us, updated_by, deleted_us, rev)
VALUES
    (:id, :project_id, :name, :display_name, :description, :is_protected, :required_approvals, :approve_undo,
     :unknown_names, :created_us, :created_by, :updated_us, :updated_by, :deleted_us, :rev)

-- update_environment --
-- Replace the settings of an environment.
UPDATE environment
SET display_name = :display_name, description = :description, is_protected = :is_protected,
    required_approvals = :required_approvals, approve_undo = :approve_undo, unknown_names = :unknown_names,
    updated_us = :updated_us, updated_by = :updated_by, rev = :rev
WHERE id = :id

-- delete_environment --
-- Turn an environment into a tombstone.
UPDATE environment SET deleted_us = :now_us, updated_us = :now_us, updated_by = :updated_by, rev = :rev WHERE id = :id

-- every_environment --
-- All rows, with the columns of `put_environment`.
SELECT id, project_id, name, display_name, description, is_protected, required_approvals, approve_undo, unknown_names,
    created_us, created_by, updated_us, updated_by, deleted_us, rev
FROM environment ORDER BY id

-- empty_environment --
-- Delete all rows.
DELETE FROM environment

-- keys_of_environment --
-- The API keys that are bound to an environment and not revoked.
SELECT id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us, environment_id, created_by
FROM api_key WHERE environment_id = :environment_id AND revoked_us IS NULL

-- changed_pointers --
-- The pointers that changed after a revision, with their deployments and versions.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, d.aliases, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config,
    v.content_sha256,
    p.version_id, p.updated_us, p.owner, p.file, p.rev, p.environment_id
FROM pointer p JOIN deployment d ON d.id = p.deployment_id
LEFT JOIN version v ON v.id = p.version_id AND v.deployment_id = d.id
WHERE p.rev > :rev

-- pointers_of_changed_deployments --
-- The other pointers of the deployments that changed after a revision.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, d.aliases, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config,
    v.content_sha256,
    p.version_id, p.updated_us, p.owner, p.file, p.rev, p.environment_id
FROM deployment d JOIN pointer p ON p.deployment_id = d.id
LEFT JOIN version v ON v.id = p.version_id AND v.deployment_id = d.id
WHERE d.rev > :rev AND p.rev <= :rev

-- set_pointer --
-- Set the live version of a deployment in an environment, with its owner and its file.
INSERT INTO pointer (deployment_id, environment_id, version_id, updated_us, owner, file, rev)
VALUES (:deployment_id, :environment_id, :version_id, :now_us, :owner, :file, :rev)
ON CONFLICT (deployment_id, environment_id) DO UPDATE
SET version_id = excluded.version_id, updated_us = excluded.updated_us, owner = excluded.owner, file = excluded.file,
    rev = excluded.rev

-- set_pointer_owner --
-- Set the owner and the file of a deployment in an environment.
UPDATE pointer SET owner = :owner, file = :file, rev = :rev
WHERE deployment_id = :deployment_id AND environment_id = :environment_id

-- touch_pointers --
-- Set the revision of all pointers of a deployment, which is deleted or restored.
UPDATE pointer SET rev = :rev WHERE deployment_id = :deployment_id

-- own_pointers --
-- The environments in which a deployment has a live version of its own, with the names of the environments.
SELECT e.id, e.name, p.version_id
FROM pointer p JOIN environment e ON e.id = p.environment_id
WHERE p.deployment_id = :deployment_id AND p.version_id IS NOT NULL AND e.deleted_us IS NULL

-- pointers_of_environment --
-- The deployments with a live version of their own in an environment, deleted ones included.
SELECT p.deployment_id, p.version_id, v.content_sha256, p.owner, p.file, d.live_version_id, d.deleted_us
FROM pointer p JOIN deployment d ON d.id = p.deployment_id LEFT JOIN version v ON v.id = p.version_id
WHERE p.environment_id = :environment_id AND p.version_id IS NOT NULL ORDER BY p.deployment_id

-- live_elsewhere --
-- The newest version of a deployment with a content that is live in any environment.
SELECT v.id FROM version v JOIN deployment d ON d.id = v.deployment_id
WHERE v.deployment_id = :deployment_id AND v.content_sha256 = :content_sha256 AND v.deleted_us IS NULL AND (
    v.id = d.live_version_id OR EXISTS (
        SELECT 1 FROM pointer p JOIN environment e ON e.id = p.environment_id
        WHERE p.version_id = v.id AND e.deleted_us IS NULL
    )
)
ORDER BY v.rev DESC LIMIT 1

-- was_live --
-- Whether a version was ever live in an environment.
SELECT EXISTS (
    SELECT 1 FROM history h
    WHERE h.to_version_id = :version_id AND h.action IN ('created', 'published', 'undone')
        AND COALESCE(h.environment_id, '') = COALESCE(:environment_id, '')
)

-- every_pointer --
-- All rows, with the columns of `put_pointer`.
SELECT deployment_id, environment_id, version_id, updated_us, owner, file, rev
FROM pointer ORDER BY deployment_id, environment_id

-- put_pointer --
-- Insert a row of another database.
INSERT INTO pointer (deployment_id, environment_id, version_id, updated_us, owner, file, rev)
VALUES (:deployment_id, :environment_id, :version_id, :updated_us, :owner, :file, :rev)

-- empty_pointer --
-- Delete all rows.
DELETE FROM pointer

-- find_proposal --
-- One proposal by its id.
SELECT id, project_id, environment_id, kind, source, status, reason, allow_breaking, created_us, created_by, created_name,
    closed_us, closed_by, closed_name, closed_reason, rev
FROM proposal WHERE project_id = :project_id AND id = :id

-- proposals_older --
-- Proposals of a project before a time, newest first. An empty filter matches all.
SELECT id, project_id, environment_id, kind, source, status, reason, allow_breaking, created_us, created_by, created_name,
    closed_us, closed_by, closed_name, closed_reason, rev
FROM proposal
WHERE project_id = :project_id AND created_us < :place
    AND (:environment_id = '' OR environment_id = :environment_id) AND (:created_by = '' OR created_by = :created_by)
    AND (:status = '' OR (
        status = CASE WHEN :status = 'expired' THEN 'open' ELSE :status END
        AND (:status <> 'open' OR created_us > :open_after_us) AND (:status <> 'expired' OR created_us <= :open_after_us)
    ))
ORDER BY created_us DESC, id DESC LIMIT :limit

-- proposals_newer --
-- Proposals of a project after a time, oldest first. An empty filter matches all.
SELECT id, project_id, environment_id, kind, source, status, reason, allow_breaking, created_us, created_by, created_name,
    closed_us, closed_by, closed_name, closed_reason, rev
FROM proposal
WHERE project_id = :project_id AND created_us > :place
    AND (:environment_id = '' OR environment_id = :environment_id) AND (:created_by = '' OR created_by = :created_by)
    AND (:status = '' OR (
        status = CASE WHEN :status = 'expired' THEN 'open' ELSE :status END
        AND (:status <> 'open' OR created_us > :open_after_us) AND (:status <> 'expired' OR created_us <= :open_after_us)
    ))
ORDER BY created_us, id LIMIT :limit

-- open_proposals_of_deployment --
-- The open proposals about a deployment, with what they change of it.
SELECT i.proposal_id, i.base, i.version_id FROM proposal_item i JOIN proposal o ON o.id = i.proposal_id
WHERE i.deployment_id = :deployment_id AND o.status = 'open'

-- open_proposals_of_environment --
-- The open proposals for an environment.
SELECT id FROM proposal WHERE environment_id = :environment_id AND status = 'open'

-- put_proposal --
-- A new proposal, or a row of another database.
INSERT INTO proposal
    (id, project_id, environment_id, kind, source, status, reason, allow_breaking, created_us, created_by,
     created_name, closed_us, closed_by, closed_name, closed_reason, rev)
VALUES
    (:id, :project_id, :environment_id, :kind, :source, :status, :reason, :allow_breaking, :created_us, :created_by,
     :created_name, :closed_us, :closed_by, :closed_name, :closed_reason, :rev)

-- close_proposal --
-- Set the final status of a proposal.
UPDATE proposal
SET status = :status, closed_us = :now_us, closed_by = :closed_by, closed_name = :closed_name,
    closed_reason = :closed_reason, rev = :rev
WHERE id = :id

-- touch_proposal --
-- Set the revision of a proposal.
UPDATE proposal SET rev = :rev WHERE id = :id

-- every_proposal --
-- All rows, with the columns of `put_proposal`.
SELECT id, project_id, environment_id, kind, source, status, reason, allow_breaking, created_us, created_by, created_name,
    closed_us, closed_by, closed_name, closed_reason, rev
FROM proposal ORDER BY id

-- empty_proposal --
-- Delete all rows.
DELETE FROM proposal

-- items_of_proposal --
-- The items of a proposal, in order, with the keys of their deployments and the numbers of their versions.
SELECT i.n, i.deployment_id, d.key, i.base, i.version_id, i.breaking, i.owner, i.file, b.major, b.minor, v.major, v.minor,
    v.api_key_id, v.content_sha256
FROM proposal_item i JOIN deployment d ON d.id = i.deployment_id
LEFT JOIN version b ON b.id = i.base
LEFT JOIN version v ON v.id = i.version_id
WHERE i.proposal_id = :proposal_id ORDER BY i.n

-- put_proposal_item --
-- A new item of a proposal, or a row of another database.
INSERT INTO proposal_item (proposal_id, n, deployment_id, base, version_id, breaking, owner, file)
VALUES (:proposal_id, :n, :deployment_id, :base, :version_id, :breaking, :owner, :file)

-- every_proposal_item --
-- All rows, with the columns of `put_proposal_item`.
SELECT proposal_id, n, deployment_id, base, version_id, breaking, owner, file FROM proposal_item ORDER BY proposal_id, n

-- empty_proposal_item --
-- Delete all rows.
DELETE FROM proposal_item

-- approvals_of_proposal --
-- The approvals of a proposal, oldest first, with their API keys.
SELECT a.api_key_id, k.name, a.at_us, a.reason, k.expires_us, k.revoked_us
FROM approval a JOIN api_key k ON k.id = a.api_key_id
WHERE a.proposal_id = :proposal_id

-- put_approval --
-- A new approval, or a row of another database.
INSERT INTO approval (proposal_id, api_key_id, at_us, reason) VALUES (:proposal_id, :api_key_id, :at_us, :reason)

-- every_approval --
-- All rows, with the columns of `put_approval`.
SELECT proposal_id, api_key_id, at_us, reason FROM approval ORDER BY proposal_id, api_key_id

-- empty_approval --
-- Delete all rows.
DELETE FROM approval

-- approving_keys --
-- The API keys of a project that are not revoked, with their scopes.
SELECT id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us, environment_id, created_by
FROM api_key WHERE project_id = :project_id AND revoked_us IS NULL

-- callers_of_environment --
-- The names of the API keys that used an environment since a time.
SELECT k.name FROM consumer u JOIN api_key k ON k.id = u.api_key_id
WHERE u.environment_id = :environment_id AND u.last_us > :since_us

-- record_unknown_name --
-- Record a name that a call sent and that is no environment, unless the project has too many others.
INSERT INTO unknown_name (project_id, name, last_us)
SELECT p.id, :name, :last_us FROM project p
WHERE p.id = :project_id AND (
    (SELECT count(*) FROM unknown_name n WHERE n.project_id = :project_id) < :maximum
    OR EXISTS (SELECT 1 FROM unknown_name n WHERE n.project_id = :project_id AND n.name = :name)
)
ON CONFLICT (project_id, name) DO UPDATE SET last_us = excluded.last_us

-- unknown_names --
-- The names that calls sent since a time and that are no environments.
SELECT u.name FROM unknown_name u WHERE u.project_id = :project_id AND u.last_us > :since_us ORDER BY u.name

-- delete_unknown_names --
-- Delete the names from before a time.
DELETE FROM unknown_name WHERE last_us <= :before_us

-- empty_unknown_names --
-- Delete all rows.
DELETE FROM unknown_name

-- cases --
-- The cases of a deployment by name.
SELECT name, body FROM try_case WHERE deployment_id = :deployment_id ORDER BY name

-- put_case --
-- Store a case of a deployment, unless the deployment is deleted or has too many others; returns the name.
INSERT INTO try_case (deployment_id, name, body)
SELECT d.id, :name, :body FROM deployment d
WHERE d.id = :deployment_id AND d.deleted_us IS NULL AND (
    (SELECT count(*) FROM try_case c WHERE c.deployment_id = :deployment_id) < :maximum
    OR EXISTS (SELECT 1 FROM try_case c WHERE c.deployment_id = :deployment_id AND c.name = :name)
)
ON CONFLICT (deployment_id, name) DO UPDATE SET body = excluded.body
RETURNING name

-- delete_case --
-- Delete a case; returns its name.
DELETE FROM try_case WHERE deployment_id = :deployment_id AND name = :name RETURNING name

-- delete_cases --
-- Delete the cases of deployments that were deleted before a time.
DELETE FROM try_case WHERE deployment_id IN (
    SELECT d.id FROM deployment d
    WHERE d.deleted_us BETWEEN 0 AND :before_us AND (d.updated_us <= :before_us OR d.updated_us > :clock_us)
)

-- every_case --
-- All rows, with the columns of `insert_case`.
SELECT deployment_id, name, body FROM try_case ORDER BY deployment_id, name

-- insert_case --
-- Insert a row of another database.
INSERT INTO try_case (deployment_id, name, body) VALUES (:deployment_id, :name, :body)

-- empty_cases --
-- Delete all rows.
DELETE FROM try_case

-- find_call --
-- The response or the claim under an idempotency key of calls.
SELECT request_sha256, claim, headers, body FROM call_result
WHERE project_id = :project_id AND key = :key AND until_us > :now_us

-- claim_call --
-- Claim an idempotency key, unless a row under it counts; returns the key.
INSERT INTO call_result (project_id, key, request_sha256, api_key_id, claim, until_us, headers, body, total_bytes)
VALUES (:project_id, :key, :request_sha256, :api_key_id, :claim, :until_us, '', '', 1000)
ON CONFLICT (project_id, key) DO UPDATE
SET request_sha256 = excluded.request_sha256, api_key_id = excluded.api_key_id, claim = excluded.claim,
    until_us = excluded.until_us, headers = '', body = '', total_bytes = excluded.total_bytes
WHERE call_result.until_us <= :now_us
RETURNING key

-- renew_call --
-- Extend a claim; returns the key if it holds.
UPDATE call_result SET until_us = :until_us WHERE project_id = :project_id AND key = :key AND claim = :claim
RETURNING key

-- finish_call --
-- Store the response in place of a claim.
UPDATE call_result
SET claim = '', until_us = :until_us, headers = :headers, body = :body, total_bytes = :total_bytes
WHERE project_id = :project_id AND key = :key AND claim = :claim

-- release_call --
-- Delete a claim.
DELETE FROM call_result WHERE project_id = :project_id AND key = :key AND claim = :claim

-- old_calls --
-- The rows that do not count any more, oldest first.
SELECT project_id, key FROM call_result WHERE until_us <= :now_us ORDER BY until_us LIMIT :limit

-- delete_old_call --
-- Delete a row that does not count any more.
DELETE FROM call_result WHERE project_id = :project_id AND key = :key AND until_us <= :now_us

-- bytes_of_calls --
-- The bytes of the rows of an API key.
SELECT COALESCE(sum(total_bytes), 0) FROM call_result WHERE api_key_id = :api_key_id

-- find_cached --
-- A cached response that was stored at or after a time.
SELECT stored_us, response FROM cached_response WHERE key = :key AND stored_us >= :since_us

-- put_cached --
-- Store a response in the cache.
INSERT INTO cached_response (key, stored_us, until_us, response, total_bytes)
VALUES (:key, :stored_us, :until_us, :response, :total_bytes)
ON CONFLICT (key) DO UPDATE
SET stored_us = excluded.stored_us, until_us = excluded.until_us, response = excluded.response,
    total_bytes = excluded.total_bytes

-- old_cached --
-- The responses whose time has passed, the first ones.
SELECT key FROM cached_response WHERE until_us <= :now_us ORDER BY until_us LIMIT :limit

-- delete_cached --
-- Delete a response whose time has passed.
DELETE FROM cached_response WHERE key = :key AND until_us <= :now_us

-- size_of_cached --
-- The bytes and the number of all cached responses.
SELECT COALESCE(sum(total_bytes), 0), count(*) FROM cached_response

-- delete_first_cached --
-- Delete the responses that end first.
DELETE FROM cached_response WHERE key IN (SELECT key FROM cached_response ORDER BY until_us LIMIT :limit)

-- insert_session --
-- Insert a session.
INSERT INTO session (token_sha256, api_key_id, api_key_sha256, created_us, seen_us, expires_us)
VALUES (:token_sha256, :api_key_id, :api_key_sha256, :created_us, :seen_us, :expires_us)

-- find_session --
-- The session with a token.
SELECT token_sha256, api_key_id, api_key_sha256, created_us, seen_us, expires_us FROM session
WHERE token_sha256 = :token_sha256

-- touch_session --
-- Record a request of a session, unless one was recorded after a time.
UPDATE session SET seen_us = :now_us WHERE token_sha256 = :token_sha256 AND seen_us <= :before_us

-- delete_session --
-- Delete a session.
DELETE FROM session WHERE token_sha256 = :token_sha256

-- sessions_of_api_key --
-- The sessions of an API key.
SELECT token_sha256, api_key_id, api_key_sha256, created_us, seen_us, expires_us FROM session
WHERE api_key_id = :api_key_id

-- expired_sessions --
-- The tokens of the sessions that expired first.
SELECT token_sha256 FROM session WHERE expires_us <= :now_us ORDER BY expires_us LIMIT :limit

-- oldest_sessions --
-- The tokens of an API key's sessions, newest first, without the newest ones.
SELECT token_sha256 FROM session WHERE api_key_id = :api_key_id
ORDER BY created_us DESC LIMIT :limit OFFSET :remaining

-- redate_environments --
-- Replace times in the future.
UPDATE environment
SET created_us = CASE WHEN created_us > :clock_us THEN :clock_us ELSE created_us END,
    updated_us = CASE WHEN updated_us > :clock_us THEN :clock_us ELSE updated_us END,
    deleted_us = CASE WHEN deleted_us > :clock_us THEN :clock_us ELSE deleted_us END, rev = :rev
WHERE created_us > :clock_us OR updated_us > :clock_us OR deleted_us > :clock_us

-- redate_pointers --
-- Replace times in the future.
UPDATE pointer SET updated_us = :clock_us, rev = :rev WHERE updated_us > :clock_us

-- redate_proposals --
-- Replace times in the future.
UPDATE proposal
SET created_us = CASE WHEN created_us > :clock_us THEN :clock_us ELSE created_us END,
    closed_us = CASE WHEN closed_us > :clock_us THEN :clock_us ELSE closed_us END, rev = :rev
WHERE created_us > :clock_us OR closed_us > :clock_us

-- redate_approvals --
-- Replace times in the future.
UPDATE approval SET at_us = :clock_us WHERE at_us > :clock_us

-- live_contents_with --
-- The live versions of a project that have a text in their configuration, in the order of the list, after a position.
SELECT d.seq, d.key, v.prompt_config, v.variables, v.runtime_config
FROM deployment d JOIN version v ON v.id = d.live_version_id
WHERE d.project_id = :project_id AND d.seq > :place AND d.deleted_us IS NULL
    AND (v.prompt_config LIKE :pattern OR v.runtime_config LIKE :pattern)
ORDER BY d.seq LIMIT :limit

-- own_contents_with --
-- The live versions of other environments than production that have a text in their configuration, after an id.
SELECT p.version_id, d.key, v.prompt_config, v.variables, v.runtime_config
FROM pointer p CROSS JOIN version v CROSS JOIN deployment d
WHERE v.id = p.version_id AND d.id = v.deployment_id AND p.version_id > :place AND d.project_id = :project_id AND d.deleted_us IS NULL
    AND (v.prompt_config LIKE :pattern OR v.runtime_config LIKE :pattern)
ORDER BY p.version_id LIMIT :limit

-- deployments --
-- All deployments, tombstones included, in creation order.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, d.aliases, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config,
    v.content_sha256
FROM deployment d LEFT JOIN version v ON v.id = COALESCE(d.live_version_id, (
    SELECT x.id FROM version x WHERE x.deployment_id = d.id ORDER BY x.rev DESC LIMIT 1
)) AND v.deployment_id = d.id
ORDER BY d.seq

-- changed_deployments --
-- The deployments that changed after a revision, tombstones included, in the order of their changes.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, d.aliases, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config,
    v.content_sha256
FROM deployment d LEFT JOIN version v ON v.id = COALESCE(d.live_version_id, (
    SELECT x.id FROM version x WHERE x.deployment_id = d.id ORDER BY x.rev DESC LIMIT 1
)) AND v.deployment_id = d.id
WHERE d.rev > :rev ORDER BY d.rev

-- find_deployment --
-- The deployment with a key, an id or an alias, unless it is deleted; a key never has the form of an id.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, d.aliases, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config,
    v.content_sha256,
    p.version_id, p.updated_us, p.owner, p.file, p.rev
FROM deployment d
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
LEFT JOIN version v ON v.deployment_id = d.id AND v.id = COALESCE(p.version_id, d.live_version_id, (
    SELECT x.id FROM version x WHERE x.deployment_id = d.id ORDER BY x.rev DESC LIMIT 1
))
WHERE d.id = (
    SELECT k.id FROM deployment k WHERE k.project_id = :project_id AND k.key = :key AND k.deleted_us IS NULL
    UNION ALL
    SELECT i.id FROM deployment i WHERE i.project_id = :project_id AND i.id = :key AND i.deleted_us IS NULL
    UNION ALL
    SELECT n.id FROM alias a JOIN deployment n ON n.id = a.deployment_id
    WHERE a.project_id = :project_id AND a.name = :key AND n.deleted_us IS NULL
    LIMIT 1
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

-- set_aliases --
-- Set the aliases of a deployment, separated by spaces; the rows of `alias` follow.
UPDATE deployment SET aliases = :aliases, updated_us = :now_us, rev = :rev WHERE id = :id

-- delete_aliases --
-- Delete the rows of a deployment.
DELETE FROM alias WHERE deployment_id = :deployment_id

-- insert_alias --
-- Insert a row, also one of another database.
INSERT INTO alias (project_id, name, deployment_id) VALUES (:project_id, :name, :deployment_id)

-- purge_aliases --
-- Delete the aliases of deployments that were deleted before a time.
DELETE FROM alias WHERE deployment_id IN (
    SELECT d.id FROM deployment d
    WHERE d.deleted_us BETWEEN 0 AND :before_us AND (d.updated_us <= :before_us OR d.updated_us > :clock_us)
)

-- every_alias --
-- All rows, with the columns of `insert_alias`.
SELECT project_id, name, deployment_id FROM alias ORDER BY project_id, name, deployment_id

-- empty_aliases --
-- Delete all rows.
DELETE FROM alias

-- stray_aliases --
-- The deployments and aliases that are in one of both places only, the column or the rows.
SELECT d.id, d.key, d.aliases, a.name FROM alias a JOIN deployment d ON d.id = a.deployment_id
WHERE d.project_id <> a.project_id
    OR replace(' ' || d.aliases || ' ', ' ' || a.name || ' ', '') = ' ' || d.aliases || ' '
UNION ALL
SELECT d.id, d.key, d.aliases, '' FROM deployment d
WHERE d.aliases <> '' AND length(d.aliases) - length(replace(d.aliases, ' ', '')) + 1 <> (
    SELECT count(*) FROM alias a WHERE a.deployment_id = d.id
)

-- delete_deployment --
-- Turn a deployment into a tombstone.
UPDATE deployment SET deleted_us = :clock_us, updated_us = :now_us, rev = :rev WHERE id = :id AND deleted_us IS NULL

-- find_version --
-- A version of a deployment by its id, or by its number.
SELECT v.id, v.deployment_id, v.major, v.minor, v.prompt_config, v.variables, v.notes, v.content_sha256, v.created_us,
    v.api_key_id, v.rev, v.made_as, v.description, v.deleted_us, v.runtime_config,
    CASE WHEN v.id = COALESCE(p.version_id, d.live_version_id) THEN 'live'
        WHEN EXISTS (
            SELECT 1 FROM proposal_item i JOIN proposal o ON o.id = i.proposal_id
            WHERE i.version_id = v.id AND o.environment_id = :proposals_in AND o.status = 'open'
                AND o.created_us > :proposed_after_us
        ) THEN 'pending'
        WHEN v.made_as = 'published' OR EXISTS (
            SELECT 1 FROM history l WHERE l.to_version_id = v.id AND l.action IN ('published', 'undone')
        ) THEN 'published'
        ELSE 'draft' END
FROM version v
JOIN deployment d ON d.id = v.deployment_id
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
WHERE v.deployment_id = :deployment_id AND v.id = COALESCE((
    SELECT n.id FROM version n WHERE n.deployment_id = :deployment_id AND n.major = :major AND n.minor = :minor
), :id)

-- versions_older --
-- Versions of a deployment made before a revision, newest first.
SELECT v.id, v.deployment_id, v.major, v.minor, v.prompt_config, v.variables, v.notes, v.content_sha256, v.created_us,
    v.api_key_id, v.rev, v.made_as, v.description, v.deleted_us, v.runtime_config,
    CASE WHEN v.id = COALESCE(p.version_id, d.live_version_id) THEN 'live'
        WHEN EXISTS (
            SELECT 1 FROM proposal_item i JOIN proposal o ON o.id = i.proposal_id
            WHERE i.version_id = v.id AND o.environment_id = :proposals_in AND o.status = 'open'
                AND o.created_us > :proposed_after_us
        ) THEN 'pending'
        WHEN v.made_as = 'published' OR EXISTS (
            SELECT 1 FROM history l WHERE l.to_version_id = v.id AND l.action IN ('published', 'undone')
        ) THEN 'published'
        ELSE 'draft' END
FROM version v
JOIN deployment d ON d.id = v.deployment_id
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
WHERE v.deployment_id = :deployment_id AND v.rev < :place AND v.deleted_us IS NULL ORDER BY v.rev DESC LIMIT :limit

-- versions_newer --
-- Versions of a deployment made after a revision, oldest first.
SELECT v.id, v.deployment_id, v.major, v.minor, v.prompt_config, v.variables, v.notes, v.content_sha256, v.created_us,
    v.api_key_id, v.rev, v.made_as, v.description, v.deleted_us, v.runtime_config,
    CASE WHEN v.id = COALESCE(p.version_id, d.live_version_id) THEN 'live'
        WHEN EXISTS (
            SELECT 1 FROM proposal_item i JOIN proposal o ON o.id = i.proposal_id
            WHERE i.version_id = v.id AND o.environment_id = :proposals_in AND o.status = 'open'
                AND o.created_us > :proposed_after_us
        ) THEN 'pending'
        WHEN v.made_as = 'published' OR EXISTS (
            SELECT 1 FROM history l WHERE l.to_version_id = v.id AND l.action IN ('published', 'undone')
        ) THEN 'published'
        ELSE 'draft' END
FROM version v
JOIN deployment d ON d.id = v.deployment_id
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
WHERE v.deployment_id = :deployment_id AND v.rev > :place AND v.deleted_us IS NULL ORDER BY v.rev LIMIT :limit

-- insert_entry --
-- Append an entry to the history.
INSERT INTO history
    (rev, id, project_id, deployment_id, subject_key_id, action, from_version_id, to_version_id, content_sha256,
     changes, reason, api_key_id, api_key_name, request_id, at_us, breaking, integration_id, environment_id,
     proposal_id, n, hash, mac)
VALUES
    (:rev, :id, :project_id, :deployment_id, :subject_key_id, :action, :from_version_id, :to_version_id,
     :content_sha256, :changes, :reason, :api_key_id, :api_key_name, :request_id, :at_us, :breaking, :integration_id,
     :environment_id, :proposal_id, :n, :hash, :mac)

-- set_history_head --
-- Store the hash of the newest history entry, and the id of its secret key.
UPDATE revision SET history_hash = :hash, history_key = :key_id WHERE id = 1

-- last_move --
-- The last move of the live version of a deployment in an environment: from, to, and its changes; with `before_rev`,
-- the last one to a version before that revision. No version means that it follows production.
SELECT from_version_id, to_version_id, changes, rev FROM history
WHERE deployment_id = :deployment_id AND action IN ('created', 'published', 'undone', 'unpublished')
    AND COALESCE(environment_id, '') = COALESCE(:environment_id, '')
ORDER BY rev DESC, n DESC LIMIT 1

-- last_move_to --
-- The last move to a version before a revision: its changes.
SELECT changes FROM history
WHERE deployment_id = :deployment_id AND action IN ('created', 'published', 'undone', 'unpublished')
    AND COALESCE(environment_id, '') = COALESCE(:environment_id, '') AND rev < :rev
    AND COALESCE(to_version_id, '') = COALESCE(:version_id, '')
ORDER BY rev DESC, n DESC LIMIT 1

-- find_entry --
-- One entry of a deployment's history, which does not list drafts.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id, l.environment_id, l.proposal_id, l.n, l.hash, f.major, f.minor, t.major, t.minor, e.name
FROM history l
LEFT JOIN version f ON f.id = l.from_version_id
LEFT JOIN version t ON t.id = l.to_version_id
LEFT JOIN environment e ON e.id = l.environment_id
WHERE l.deployment_id = :deployment_id AND l.id = :id AND l.action <> 'drafted'

-- entries_older --
-- Entries of a deployment's history before a revision, newest first.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id, l.environment_id, l.proposal_id, l.n, l.hash, f.major, f.minor, t.major, t.minor, e.name
FROM history l
LEFT JOIN version f ON f.id = l.from_version_id
LEFT JOIN version t ON t.id = l.to_version_id
LEFT JOIN environment e ON e.id = l.environment_id
WHERE l.deployment_id = :deployment_id AND (l.rev, l.n) < (:place / 1048576, :place & 1048575)
    AND l.action <> 'drafted'
    AND (:only_in = '' OR l.environment_id = :only_in OR (
        l.environment_id IS NULL AND (:is_production = 1 OR l.action IN ('changed', 'deleted', 'restored'))
    ))
ORDER BY l.rev DESC, l.n DESC LIMIT :limit

-- entries_newer --
-- Entries of a deployment's history after a revision, oldest first.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id, l.environment_id, l.proposal_id, l.n, l.hash, f.major, f.minor, t.major, t.minor, e.name
FROM history l
LEFT JOIN version f ON f.id = l.from_version_id
LEFT JOIN version t ON t.id = l.to_version_id
LEFT JOIN environment e ON e.id = l.environment_id
WHERE l.deployment_id = :deployment_id AND (l.rev, l.n) > (:place / 1048576, :place & 1048575)
    AND l.action <> 'drafted'
    AND (:only_in = '' OR l.environment_id = :only_in OR (
        l.environment_id IS NULL AND (:is_production = 1 OR l.action IN ('changed', 'deleted', 'restored'))
    ))
ORDER BY l.rev, l.n LIMIT :limit

-- find_project_entry --
-- One entry about a deployment of a project, with its key; drafts are not listed.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id, l.environment_id, l.proposal_id, l.n, l.hash, f.major, f.minor, t.major, t.minor, e.name, d.key
FROM history l
JOIN deployment d ON d.id = l.deployment_id
LEFT JOIN version f ON f.id = l.from_version_id
LEFT JOIN version t ON t.id = l.to_version_id
LEFT JOIN environment e ON e.id = l.environment_id
WHERE l.project_id = :project_id AND l.id = :id AND l.action <> 'drafted'

-- project_entries_older --
-- Entries about the deployments of a project before a revision, newest first, with the keys.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id, l.environment_id, l.proposal_id, l.n, l.hash, f.major, f.minor, t.major, t.minor, e.name, d.key
FROM history l
JOIN deployment d ON d.id = l.deployment_id
LEFT JOIN version f ON f.id = l.from_version_id
LEFT JOIN version t ON t.id = l.to_version_id
LEFT JOIN environment e ON e.id = l.environment_id
WHERE l.project_id = :project_id AND (l.rev, l.n) < (:place / 1048576, :place & 1048575)
    AND l.action <> 'drafted' AND (:action = '' OR l.action = :action)
    AND (:only_in = '' OR l.environment_id = :only_in OR (
        l.environment_id IS NULL AND (:is_production = 1 OR l.action IN ('changed', 'deleted', 'restored'))
    ))
ORDER BY l.rev DESC, l.n DESC LIMIT :limit

-- project_entries_newer --
-- Entries about the deployments of a project after a revision, oldest first, with the keys.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id, l.environment_id, l.proposal_id, l.n, l.hash, f.major, f.minor, t.major, t.minor, e.name, d.key
FROM history l
JOIN deployment d ON d.id = l.deployment_id
LEFT JOIN version f ON f.id = l.from_version_id
LEFT JOIN version t ON t.id = l.to_version_id
LEFT JOIN environment e ON e.id = l.environment_id
WHERE l.project_id = :project_id AND (l.rev, l.n) > (:place / 1048576, :place & 1048575)
    AND l.action <> 'drafted' AND (:action = '' OR l.action = :action)
    AND (:only_in = '' OR l.environment_id = :only_in OR (
        l.environment_id IS NULL AND (:is_production = 1 OR l.action IN ('changed', 'deleted', 'restored'))
    ))
ORDER BY l.rev, l.n LIMIT :limit

-- history --
-- All rows in order, with the columns of `insert_entry`.
SELECT rev, id, project_id, deployment_id, subject_key_id, action, from_version_id, to_version_id, content_sha256,
    changes, reason, api_key_id, api_key_name, request_id, at_us, breaking, integration_id, environment_id, proposal_id,
    n, hash, mac
FROM history ORDER BY rev, n

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
-- The entries about deployments and their versions, in the order of `every_deployment`. Those about another environment,
-- or about a proposal, change no deployment, except the first one.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id, l.environment_id, l.proposal_id, l.n
FROM history l JOIN deployment d ON d.id = l.deployment_id
WHERE l.environment_id IS NULL OR l.action = 'created' ORDER BY d.seq, l.rev, l.n

-- entries_of_environments --
-- The entries about environments, in the order of `every_environment`. Production follows from its project.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id, e.id, l.proposal_id, l.n
FROM history l JOIN environment e ON e.id = COALESCE(l.environment_id, 'env_' || replace(l.project_id, '-', ''))
WHERE l.action IN ('project_created', 'environment_set', 'environment_deleted') ORDER BY e.id, l.rev, l.n

-- entries_of_pointers --
-- The moves of live versions in other environments than production, and the entries of their deployments that set the
-- revision of the rows, in the order of `every_pointer`. Each has the environment of its row.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id, p.environment_id, l.proposal_id, l.n
FROM pointer p JOIN history l ON l.deployment_id = p.deployment_id
WHERE (
    l.environment_id = p.environment_id AND (
        l.action IN ('published', 'undone', 'unpublished', 'changed')
        OR (l.action = 'created' AND l.to_version_id IS NOT NULL)
    )
) OR (
    l.environment_id IS NULL AND l.action IN ('deleted', 'restored')
    AND (l.from_version_id IS NULL OR l.to_version_id IS NULL)
)
ORDER BY p.deployment_id, p.environment_id, l.rev, l.n

-- entries_of_proposals --
-- The entries about proposals and the moves that published them, in the order of `every_proposal`.
SELECT l.rev, l.id, l.project_id, l.deployment_id, l.subject_key_id, l.action, l.from_version_id, l.to_version_id,
    l.content_sha256, l.changes, l.reason, l.api_key_id, l.api_key_name, l.request_id, l.at_us, l.breaking,
    l.integration_id, l.environment_id, l.proposal_id, l.n
FROM history l JOIN proposal o ON o.id = l.proposal_id ORDER BY l.proposal_id, l.rev, l.n

-- items_of_proposals --
-- The items of all proposals, in the order of `every_proposal`.
SELECT i.proposal_id, i.n, i.deployment_id, i.base, i.version_id, i.breaking, i.owner, i.file
FROM proposal o JOIN proposal_item i ON i.proposal_id = o.id ORDER BY i.proposal_id, i.n

-- approvals_of_proposals --
-- The approvals of all proposals, in the order of `every_proposal`.
SELECT a.proposal_id, a.api_key_id, a.at_us, a.reason
FROM proposal o JOIN approval a ON a.proposal_id = o.id ORDER BY a.proposal_id, a.api_key_id

-- entries_of_versions --
-- For each version, in the order of `every_version`: the entry that created it, the last one that deleted or restored
-- it, the last one of its deployment, and whether another entry has another content hash.
SELECT v.id, b.rev, b.deployment_id, b.action, b.content_sha256, b.changes, b.api_key_id, b.at_us,
    x.rev, x.action, x.changes, e.action, e.to_version_id,
    EXISTS (SELECT 1 FROM history m WHERE m.to_version_id = v.id AND m.content_sha256 <> b.content_sha256)
FROM version v
LEFT JOIN history b ON b.id = (
    SELECT i.id FROM history i WHERE i.to_version_id = v.id ORDER BY i.rev, i.n LIMIT 1
)
LEFT JOIN history x ON x.id = (
    SELECT j.id FROM history j
    WHERE j.to_version_id = v.id AND j.from_version_id = v.id AND j.action IN ('deleted', 'restored')
    ORDER BY j.rev DESC, j.n DESC LIMIT 1
)
LEFT JOIN history e ON e.id = (
    SELECT k.id FROM history k
    WHERE k.deployment_id = v.deployment_id AND k.action IN ('created', 'deleted', 'restored')
        AND (k.from_version_id IS NULL OR k.to_version_id IS NULL)
    ORDER BY k.rev DESC, k.n DESC LIMIT 1
)
ORDER BY v.deployment_id, v.major, v.minor

-- entries_without_row --
-- The subjects of entries that do not exist, with the first revision: projects and their environments, API keys,
-- integrations, deployments with their versions and pointers, and proposals.
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
UNION ALL
SELECT 'environment', l.environment_id, min(l.rev) FROM history l
WHERE l.environment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM environment e WHERE e.id = l.environment_id)
GROUP BY l.environment_id
UNION ALL
SELECT 'environment', 'env_' || replace(l.project_id, '-', ''), min(l.rev) FROM history l
WHERE l.action = 'project_created' AND NOT EXISTS (
    SELECT 1 FROM environment e WHERE e.id = 'env_' || replace(l.project_id, '-', '')
)
GROUP BY l.project_id
UNION ALL
SELECT 'pointer', l.deployment_id || ' ' || l.environment_id, min(l.rev) FROM history l
WHERE l.environment_id IS NOT NULL AND (
    l.action IN ('published', 'undone', 'unpublished') OR (l.action = 'created' AND l.to_version_id IS NOT NULL)
) AND NOT EXISTS (
    SELECT 1 FROM pointer p WHERE p.deployment_id = l.deployment_id AND p.environment_id = l.environment_id
)
GROUP BY l.deployment_id, l.environment_id
UNION ALL
SELECT 'proposal', l.proposal_id, min(l.rev) FROM history l
WHERE l.proposal_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM proposal o WHERE o.id = l.proposal_id)
GROUP BY l.proposal_id

-- purges --
-- The entries of purges.
SELECT rev, changes FROM history WHERE action = 'purged' ORDER BY rev

-- clock_resets --
-- The entries that replaced times in the future.
SELECT rev, changes FROM history WHERE action = 'clock_reset' ORDER BY rev

-- find_tombstone --
-- The deleted deployment with a key, an id or an alias; of several, the one deleted last.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, d.aliases, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config,
    v.content_sha256,
    p.version_id, p.updated_us, p.owner, p.file, p.rev
FROM deployment d
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
LEFT JOIN version v ON v.deployment_id = d.id AND v.id = COALESCE(p.version_id, d.live_version_id, (
    SELECT x.id FROM version x WHERE x.deployment_id = d.id ORDER BY x.rev DESC LIMIT 1
))
WHERE d.id IN (
    SELECT k.id FROM deployment k WHERE k.project_id = :project_id AND k.key = :key AND k.deleted_us IS NOT NULL
    UNION ALL
    SELECT i.id FROM deployment i WHERE i.project_id = :project_id AND i.id = :key AND i.deleted_us IS NOT NULL
    UNION ALL
    SELECT n.id FROM alias a JOIN deployment n ON n.id = a.deployment_id
    WHERE a.project_id = :project_id AND a.name = :key AND n.deleted_us IS NOT NULL
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
UPDATE deployment SET description = '', aliases = '', rev = :rev
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

-- find_deleted --
-- One deleted deployment of a project, as the cursor of their list.
SELECT d.id, d.key, d.description, d.deleted_us
FROM deployment d
WHERE d.project_id = :project_id AND d.id = :id AND d.deleted_us IS NOT NULL AND d.deleted_us > :since_us

-- deleted_older --
-- The deployments of a project that were deleted after one time and before another, and not purged; the last one first.
-- `|| ''` keeps the index of the time of deletion.
SELECT d.id, d.key, d.description, d.deleted_us
FROM deployment d
WHERE d.project_id || '' = :project_id AND d.deleted_us IS NOT NULL AND d.deleted_us > :since_us
    AND d.deleted_us < :place AND EXISTS (SELECT 1 FROM version v WHERE v.deployment_id = d.id AND v.prompt_config <> '')
ORDER BY d.deleted_us DESC LIMIT :limit

-- deleted_newer --
-- The deployments of a project that were deleted after two times, and not purged; the first one first.
SELECT d.id, d.key, d.description, d.deleted_us
FROM deployment d
WHERE d.project_id || '' = :project_id AND d.deleted_us IS NOT NULL AND d.deleted_us > :since_us
    AND d.deleted_us > :place AND EXISTS (SELECT 1 FROM version v WHERE v.deployment_id = d.id AND v.prompt_config <> '')
ORDER BY d.deleted_us LIMIT :limit

-- find_draft_deployment --
-- One deployment of a project, as the cursor of the list of drafts: it stays one when it becomes live.
SELECT d.id, d.key, d.description, d.owner, v.major, v.minor, d.created_us, d.updated_us, d.seq
FROM deployment d LEFT JOIN version v ON v.id = (
    SELECT n.id FROM version n WHERE n.deployment_id = d.id AND n.deleted_us IS NULL ORDER BY n.rev DESC LIMIT 1
)
WHERE d.project_id = :project_id AND d.id = :id

-- draft_deployments_older --
-- The deployments of a project before another one that are live in no environment, the newest one first.
SELECT d.id, d.key, d.description, d.owner, v.major, v.minor, d.created_us, d.updated_us, d.seq
FROM deployment d LEFT JOIN version v ON v.id = (
    SELECT n.id FROM version n WHERE n.deployment_id = d.id AND n.deleted_us IS NULL ORDER BY n.rev DESC LIMIT 1
)
WHERE d.project_id = :project_id AND d.live_version_id IS NULL AND d.deleted_us IS NULL AND d.seq < :place
    AND NOT EXISTS (SELECT 1 FROM pointer p WHERE p.deployment_id = d.id AND p.version_id IS NOT NULL)
ORDER BY d.seq DESC LIMIT :limit

-- draft_deployments_newer --
-- The deployments of a project after another one that are live in no environment, the oldest one first.
SELECT d.id, d.key, d.description, d.owner, v.major, v.minor, d.created_us, d.updated_us, d.seq
FROM deployment d LEFT JOIN version v ON v.id = (
    SELECT n.id FROM version n WHERE n.deployment_id = d.id AND n.deleted_us IS NULL ORDER BY n.rev DESC LIMIT 1
)
WHERE d.project_id = :project_id AND d.live_version_id IS NULL AND d.deleted_us IS NULL AND d.seq > :place
    AND NOT EXISTS (SELECT 1 FROM pointer p WHERE p.deployment_id = d.id AND p.version_id IS NOT NULL)
ORDER BY d.seq LIMIT :limit

-- find_manifest --
-- A deployment by its id, deleted ones included.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, d.aliases, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config,
    v.content_sha256,
    p.version_id, p.updated_us, p.owner, p.file, p.rev
FROM deployment d
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
LEFT JOIN version v ON v.deployment_id = d.id AND v.id = COALESCE(p.version_id, d.live_version_id, (
    SELECT x.id FROM version x WHERE x.deployment_id = d.id ORDER BY x.rev DESC LIMIT 1
))
WHERE d.project_id = :project_id AND d.id = :id

-- manifests_older --
-- Deployments before a position in the list, newest first.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, d.aliases, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config,
    v.content_sha256,
    p.version_id, p.updated_us, p.owner, p.file, p.rev
FROM deployment d
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
LEFT JOIN version v ON v.deployment_id = d.id AND v.id = COALESCE(p.version_id, d.live_version_id, (
    SELECT x.id FROM version x WHERE x.deployment_id = d.id ORDER BY x.rev DESC LIMIT 1
))
WHERE d.project_id = :project_id AND d.seq < :place AND d.deleted_us IS NULL ORDER BY d.seq DESC LIMIT :limit

-- manifests_newer --
-- Deployments after a position in the list, oldest first.
SELECT d.id, d.project_id, d.key, d.description, d.seq, d.created_us, d.updated_us, d.deleted_us, d.live_version_id,
    d.rev, d.owner, d.file, d.aliases, v.major, v.minor, v.prompt_config, v.variables, v.runtime_config,
    v.content_sha256,
    p.version_id, p.updated_us, p.owner, p.file, p.rev
FROM deployment d
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
LEFT JOIN version v ON v.deployment_id = d.id AND v.id = COALESCE(p.version_id, d.live_version_id, (
    SELECT x.id FROM version x WHERE x.deployment_id = d.id ORDER BY x.rev DESC LIMIT 1
))
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
SELECT (SELECT count(*) FROM project), (SELECT count(*) FROM environment), (SELECT count(*) FROM api_key),
    (SELECT count(*) FROM deployment), (SELECT count(*) FROM version), (SELECT count(*) FROM pointer),
    (SELECT count(*) FROM integration), (SELECT count(*) FROM proposal), (SELECT count(*) FROM proposal_item),
    (SELECT count(*) FROM approval), (SELECT count(*) FROM history), (SELECT count(*) FROM idempotency),
    (SELECT count(*) FROM consumer), (SELECT count(*) FROM try_case), (SELECT count(*) FROM alias)

-- count_deployments --
-- The number of deployments that are not deleted.
SELECT count(*) FROM deployment WHERE deleted_us IS NULL

-- every_project --
-- All rows, with the columns of `insert_project`.
SELECT id, name, created_us, rev FROM project ORDER BY id

-- every_api_key --
-- All rows, with the columns of `put_api_key`.
SELECT id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us, environment_id, created_by, rev
FROM api_key ORDER BY id

-- every_integration --
-- All rows, with the columns of `put_integration`.
SELECT id, project_id, name, provider, base_url, options, credentials, headers, key_id, created_us, created_by, updated_us,
    updated_by, deleted_us, rev
FROM integration ORDER BY id

-- every_deployment --
-- All rows, with the columns of `put_deployment`.
SELECT id, project_id, key, description, seq, created_us, updated_us, deleted_us, live_version_id, rev, owner, file,
    aliases
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
SELECT version_id, api_key_id, environment_id, first_us, last_us, inputs
FROM consumer ORDER BY version_id, api_key_id, environment_id

-- put_consumer --
-- Insert a row of another database.
INSERT INTO consumer (version_id, api_key_id, environment_id, first_us, last_us, inputs)
VALUES (:version_id, :api_key_id, :environment_id, :first_us, :last_us, :inputs)

-- empty_consumer --
-- Delete all rows.
DELETE FROM consumer

-- put_api_key --
-- Insert a row of another database.
INSERT INTO api_key
    (id, project_id, name, scopes, token_sha256, created_us, expires_us, revoked_us, environment_id, created_by, rev)
VALUES
    (:id, :project_id, :name, :scopes, :token_sha256, :created_us, :expires_us, :revoked_us, :environment_id,
     :created_by, :rev)

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
    (id, project_id, key, description, seq, created_us, updated_us, deleted_us, live_version_id, rev, owner, file,
     aliases)
VALUES
    (:id, :project_id, :key, :description, :seq, :created_us, :updated_us, :deleted_us, :live_version_id, :rev, :owner,
     :file, :aliases)

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
-- The deployments whose live version, in production or in another environment, does not exist or belongs to another
-- deployment.
SELECT d.id, d.key, d.live_version_id
FROM deployment d LEFT JOIN version v ON v.id = d.live_version_id AND v.deployment_id = d.id
WHERE v.id IS NULL AND d.live_version_id IS NOT NULL
UNION ALL
SELECT e.id, e.key, p.version_id
FROM pointer p JOIN deployment e ON e.id = p.deployment_id
LEFT JOIN version w ON w.id = p.version_id AND w.deployment_id = e.id
WHERE w.id IS NULL AND p.version_id IS NOT NULL

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
SELECT 'history', h.id, 'environment'
FROM history h LEFT JOIN environment e ON e.id = h.environment_id WHERE e.id IS NULL AND h.environment_id IS NOT NULL
UNION ALL
SELECT 'history', h.id, 'proposal'
FROM history h LEFT JOIN proposal o ON o.id = h.proposal_id WHERE o.id IS NULL AND h.proposal_id IS NOT NULL
UNION ALL
SELECT 'environment', x.id, 'project'
FROM environment x LEFT JOIN project p ON p.id = x.project_id WHERE p.id IS NULL
UNION ALL
SELECT 'api_key', x.id, 'environment'
FROM api_key x LEFT JOIN environment e ON e.id = x.environment_id WHERE e.id IS NULL AND x.environment_id IS NOT NULL
UNION ALL
SELECT 'pointer', x.deployment_id || ' ' || x.environment_id, 'deployment'
FROM pointer x LEFT JOIN deployment d ON d.id = x.deployment_id WHERE d.id IS NULL
UNION ALL
SELECT 'pointer', x.deployment_id || ' ' || x.environment_id, 'environment'
FROM pointer x LEFT JOIN environment e ON e.id = x.environment_id WHERE e.id IS NULL
UNION ALL
SELECT 'proposal', x.id, 'project'
FROM proposal x LEFT JOIN project p ON p.id = x.project_id WHERE p.id IS NULL
UNION ALL
SELECT 'proposal', x.id, 'environment'
FROM proposal x LEFT JOIN environment e ON e.id = x.environment_id WHERE e.id IS NULL
UNION ALL
SELECT 'proposal_item', x.proposal_id || ' ' || x.n, 'proposal'
FROM proposal_item x LEFT JOIN proposal o ON o.id = x.proposal_id WHERE o.id IS NULL
UNION ALL
SELECT 'proposal_item', x.proposal_id || ' ' || x.n, 'deployment'
FROM proposal_item x LEFT JOIN deployment d ON d.id = x.deployment_id WHERE d.id IS NULL
UNION ALL
SELECT 'approval', x.proposal_id || ' ' || x.api_key_id, 'proposal'
FROM approval x LEFT JOIN proposal o ON o.id = x.proposal_id WHERE o.id IS NULL
UNION ALL
SELECT 'approval', x.proposal_id || ' ' || x.api_key_id, 'api_key'
FROM approval x LEFT JOIN api_key k ON k.id = x.api_key_id WHERE k.id IS NULL
UNION ALL
SELECT 'idempotency', i.project_id || ' ' || i.key, 'project'
FROM idempotency i LEFT JOIN project p ON p.id = i.project_id WHERE p.id IS NULL
UNION ALL
SELECT 'consumer', u.version_id || ' ' || u.api_key_id || ' ' || u.environment_id, 'version'
FROM consumer u LEFT JOIN version v ON v.id = u.version_id WHERE v.id IS NULL
UNION ALL
SELECT 'consumer', u.version_id || ' ' || u.api_key_id || ' ' || u.environment_id, 'api_key'
FROM consumer u LEFT JOIN api_key k ON k.id = u.api_key_id WHERE k.id IS NULL
UNION ALL
SELECT 'try_case', c.deployment_id || ' ' || c.name, 'deployment'
FROM try_case c LEFT JOIN deployment d ON d.id = c.deployment_id WHERE d.id IS NULL
UNION ALL
SELECT 'alias', a.project_id || ' ' || a.name || ' ' || a.deployment_id, 'deployment'
FROM alias a LEFT JOIN deployment d ON d.id = a.deployment_id WHERE d.id IS NULL
UNION ALL
SELECT 'alias', a.project_id || ' ' || a.name || ' ' || a.deployment_id, 'project'
FROM alias a LEFT JOIN project p ON p.id = a.project_id WHERE p.id IS NULL

-- emptied_versions --
-- The versions without content that were not deleted, and neither were their deployments.
SELECT v.id, d.key, v.major, v.minor FROM version v JOIN deployment d ON d.id = v.deployment_id
WHERE v.prompt_config = '' AND v.deleted_us IS NULL AND d.deleted_us IS NULL

-- record_consumer --
-- Record that a version served an API key, unless the version is deleted; returns the stored names of inputs. A stored
-- time after `latest_us` was written by a clock that was ahead, and is replaced.
INSERT INTO consumer (version_id, api_key_id, environment_id, first_us, last_us, inputs)
SELECT v.id, k.id, :environment_id, :first_us, :last_us, :inputs
FROM version v JOIN deployment d ON d.id = v.deployment_id JOIN api_key k ON k.id = :api_key_id
WHERE v.id = :version_id AND v.deleted_us IS NULL AND d.deleted_us IS NULL
ON CONFLICT (version_id, api_key_id, environment_id) DO UPDATE
SET last_us = CASE WHEN consumer.last_us BETWEEN excluded.last_us AND :latest_us THEN consumer.last_us
    ELSE excluded.last_us END
RETURNING inputs

-- set_consumer_inputs --
-- Set the names of the inputs that an API key sends to a version.
UPDATE consumer SET inputs = :inputs
WHERE version_id = :version_id AND api_key_id = :api_key_id AND environment_id = :environment_id

-- consumers_of_deployment --
-- The consumers of all versions of a deployment since a time.
SELECT k.id, k.name, v.major, v.minor, u.last_us, u.inputs, u.environment_id
FROM version v JOIN consumer u ON u.version_id = v.id JOIN api_key k ON k.id = u.api_key_id
WHERE v.deployment_id = :deployment_id AND u.last_us > :since_us

-- consumers_of_version --
-- The consumers of a version since a time.
SELECT k.id, k.name, v.major, v.minor, u.last_us, u.inputs, u.environment_id
FROM version v JOIN consumer u ON u.version_id = v.id JOIN api_key k ON k.id = u.api_key_id
WHERE v.id = :version_id AND u.last_us > :since_us

-- usage_older --
-- The uses of the deployments of a project in an environment, the most recent one first.
SELECT u.version_id, k.id, k.name, d.id, d.key, v.major, v.minor, u.first_us, u.last_us, u.inputs,
    CASE WHEN v.id = COALESCE(p.version_id, d.live_version_id) THEN 1 ELSE 0 END
FROM consumer u
JOIN api_key k ON k.id = u.api_key_id
JOIN version v ON v.id = u.version_id
JOIN deployment d ON d.id = v.deployment_id
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
WHERE k.project_id = :project_id AND u.environment_id = :environment_id AND d.deleted_us IS NULL
    AND u.last_us > :since_us AND u.last_us <= :last_us
ORDER BY u.last_us DESC LIMIT :limit

-- usage_newer --
-- The same from a time on, the oldest one first.
SELECT u.version_id, k.id, k.name, d.id, d.key, v.major, v.minor, u.first_us, u.last_us, u.inputs,
    CASE WHEN v.id = COALESCE(p.version_id, d.live_version_id) THEN 1 ELSE 0 END
FROM consumer u
JOIN api_key k ON k.id = u.api_key_id
JOIN version v ON v.id = u.version_id
JOIN deployment d ON d.id = v.deployment_id
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
WHERE k.project_id = :project_id AND u.environment_id = :environment_id AND d.deleted_us IS NULL
    AND u.last_us > :since_us AND u.last_us >= :last_us
ORDER BY u.last_us LIMIT :limit

-- usage_of_deployment --
-- The uses of a deployment in an environment.
SELECT u.version_id, k.id, k.name, d.id, d.key, v.major, v.minor, u.first_us, u.last_us, u.inputs,
    CASE WHEN v.id = COALESCE(p.version_id, d.live_version_id) THEN 1 ELSE 0 END
FROM version v
JOIN consumer u ON u.version_id = v.id
JOIN api_key k ON k.id = u.api_key_id
JOIN deployment d ON d.id = v.deployment_id
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
WHERE v.deployment_id = :deployment_id AND u.environment_id = :environment_id AND u.last_us > :since_us

-- summaries --
-- Of some deployments: the owner in an environment, the newest version and whether it is a draft, and the last use there.
SELECT d.project_id, d.id, d.key,
    CASE WHEN p.version_id IS NULL THEN d.owner ELSE p.owner END,
    CASE WHEN p.version_id IS NULL THEN d.file ELSE p.file END,
    CASE WHEN v.made_as = 'draft' AND NOT EXISTS (
        SELECT 1 FROM history l WHERE l.to_version_id = v.id AND l.action IN ('published', 'undone')
    ) THEN v.major END, v.minor,
    (
        SELECT max(u.last_us) FROM version w JOIN consumer u ON u.version_id = w.id
        WHERE w.deployment_id = d.id AND u.environment_id = :environment_id
    )
FROM deployment d
LEFT JOIN pointer p ON p.deployment_id = d.id AND p.environment_id = :environment_id
LEFT JOIN version v ON v.id = (
    SELECT n.id FROM version n WHERE n.deployment_id = d.id AND n.deleted_us IS NULL ORDER BY n.rev DESC LIMIT 1
)
WHERE d.deleted_us IS NULL AND d.id IN (
    :id0, :id1, :id2, :id3, :id4, :id5, :id6, :id7, :id8, :id9, :id10, :id11, :id12,
    :id13, :id14, :id15, :id16, :id17, :id18, :id19, :id20, :id21, :id22, :id23, :id24
)

-- uses_of_key --
-- The versions that an API key was served since a time.
SELECT d.key, v.major, v.minor, c.last_us, c.environment_id
FROM consumer c JOIN version v ON v.id = c.version_id JOIN deployment d ON d.id = v.deployment_id
WHERE c.last_us > :since_us AND c.api_key_id = :api_key_id

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
