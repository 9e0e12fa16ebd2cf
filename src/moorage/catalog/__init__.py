"""The catalog: the deployments and API keys in memory, from which reads are served."""
