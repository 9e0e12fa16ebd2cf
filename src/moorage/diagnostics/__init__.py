"""Diagnostics: the findings of `moorage doctor` and `moorage db check`."""
