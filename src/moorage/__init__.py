"""Moorage: the home a team runs for its LLM deployments."""

__version__ = "0.1.0"
