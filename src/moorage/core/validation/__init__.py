"""Parsing and validation of JSON bodies."""
