"""Commits of SQLite with nothing around it: what the disk and the library leave room for."""

import time
from pathlib import Path

import apsw


def commit_seconds(file: Path, content: bytes, count: int, every: float = 0.0) -> list[float]:
    """Insert a row so many times into a table of its own, each time waiting for the disk as Moorage does.

    The times are in seconds. `every` is the time from the beginning of one to the beginning of the next.
    """
    connection = apsw.Connection(str(file))
    try:
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, content TEXT NOT NULL)")
        times, began, text = [], time.perf_counter(), content.decode()
        for number in range(count):
            time.sleep(max(0.0, began + number * every - time.perf_counter()))
            started = time.perf_counter()
            with connection:
                connection.execute("INSERT INTO row (content) VALUES (?)", (text,))
            times.append(time.perf_counter() - started)
        return times
    finally:
        connection.close()
