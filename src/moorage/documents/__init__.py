"""Deployment files: reading, YAML, and the plan of an apply."""
