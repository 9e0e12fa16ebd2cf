"""What people do with deployments, projects and API keys, one transaction each."""
