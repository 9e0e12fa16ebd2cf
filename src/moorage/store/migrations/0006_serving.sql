-- What a version is beside its prompt_config and variables, who was served by it, and what was broken knowingly.

-- JSON object: settings, fallbacks and retry_count of the default variant, the other variants, and the routing table.
ALTER TABLE version ADD COLUMN serving TEXT NOT NULL DEFAULT '{}';

-- Who was given a version, and which inputs were sent: names, never values. One row for a version and an API key.
CREATE TABLE usage (
    version_id TEXT NOT NULL REFERENCES version (id),
    api_key_id TEXT NOT NULL REFERENCES api_key (id),
    first_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    inputs TEXT NOT NULL,          -- JSON array of names
    PRIMARY KEY (version_id, api_key_id)
);
CREATE INDEX usage_last ON usage (last_us);

-- JSON array: what a move of the live pointer broke for programs, as whoever asked for it knew. Empty if it broke nothing;
-- the hash covers it where it is not.
ALTER TABLE ledger ADD COLUMN breaking TEXT NOT NULL DEFAULT '';
