"""Providers: configurations as the requests of their APIs. Nothing here sends a request."""
