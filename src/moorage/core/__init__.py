"""What things are: pure data and pure functions, with no server, no database and no clock of their own."""
