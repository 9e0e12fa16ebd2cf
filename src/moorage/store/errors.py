"""The text of an error of the operating system or of a database library."""

import os

import apsw


def error_text(error: Exception) -> str:
    """Return an error as one line, without the values of a row."""
    if isinstance(error, OSError):
        return os.strerror(error.errno or 0)
    if isinstance(error, apsw.NotADBError):
        return "it is not a SQLite database"
    diagnostics = getattr(error, "diag", None)  # of psycopg, which is not always installed
    text = getattr(diagnostics, "message_primary", None) or str(error).removeprefix(f"{type(error).__name__}: ")
    lines = text.splitlines() or [type(error).__name__]
    return lines[0].strip()
