"""The wire: HTTP in, HTTP out. A handler translates; what happens is decided below."""
