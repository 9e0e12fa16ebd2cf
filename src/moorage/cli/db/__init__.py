"""The `moorage db` commands."""
