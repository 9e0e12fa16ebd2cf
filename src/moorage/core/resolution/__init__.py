"""Resolution of a request: compiled deployments, messages and snapshots."""
