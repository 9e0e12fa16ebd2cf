"""The writes of deployments, projects and API keys, one transaction each."""
