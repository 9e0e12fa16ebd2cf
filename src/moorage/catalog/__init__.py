"""The copy in memory that every read is answered from, and how it follows the store."""
