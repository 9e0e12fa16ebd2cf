"""Errors: one class for each code, with its message and fields."""
