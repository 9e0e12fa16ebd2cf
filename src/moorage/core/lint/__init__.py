"""Warnings about content that is valid, but probably not what its author meant."""
