"""Deployments and their versions: content, history, ownership, pages and filters."""
