"""The rendering of jinja templates in separate processes."""
