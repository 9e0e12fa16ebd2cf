"""The HTTP API: handlers translate requests and responses; the layers below do the work."""
