"""Calls of models: the shapes of requests and responses, and everything between the request and the gateway."""
