"""Routing tables: contexts, conditions, splits and rules."""
