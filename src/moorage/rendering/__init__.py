"""Rendering that needs a process of its own: jinja templates."""
