"""Where things are kept. `Store` has the verbs, an engine knows the database; `opening` picks the engine."""
