"""The command line: `moorage serve`, and the commands that call a running server."""
