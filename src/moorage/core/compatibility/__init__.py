"""Compatibility of a new version with the callers of the live one."""
