"""The server process: application, lifespan and background work."""
