"""The database: `Store` reads and writes, an engine runs the queries, `opening` selects the engine."""
