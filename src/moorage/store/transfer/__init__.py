"""Dumps, copies and backup files of a whole database."""
