"""The catalog: the deployments, API keys and integrations in memory, from which reads are served."""
