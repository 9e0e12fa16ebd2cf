"""The `moorage deployments` commands."""
