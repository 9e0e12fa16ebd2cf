"""The database: `Store` reads and writes, an engine runs the queries."""
