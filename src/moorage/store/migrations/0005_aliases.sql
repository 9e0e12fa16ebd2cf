-- Other names of a deployment, such as the ids of prompts that OpenAI stored.
ALTER TABLE deployment ADD COLUMN aliases TEXT NOT NULL DEFAULT '';  -- separated by spaces

-- The same names, to find the deployment. A deleted deployment keeps them, because it can be restored.
CREATE TABLE alias (
    project_id TEXT NOT NULL REFERENCES project (id),
    name TEXT NOT NULL,
    deployment_id TEXT NOT NULL REFERENCES deployment (id),
    CONSTRAINT alias_id PRIMARY KEY (project_id, name, deployment_id)
);
CREATE INDEX alias_deployment ON alias (deployment_id);
