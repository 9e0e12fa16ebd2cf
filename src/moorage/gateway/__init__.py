"""The gateway: resolves requests to configurations, and records their consumers."""
