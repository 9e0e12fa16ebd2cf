"""Domain types and pure functions, without a server, a database or a clock."""
