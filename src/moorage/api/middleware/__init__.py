"""ASGI middleware: response cache, conditional requests, timeouts."""
