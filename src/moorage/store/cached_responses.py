"""The response cache that the processes of a database on the network share. A backup does not have it."""

from contextlib import suppress
from typing import Final

import msgspec

from moorage.store.engine import Engine

#: How many old rows a new one deletes at most, so that it never waits long.
_MAX_DELETED: Final = 100

#: The bytes of a row in the database without its response, indexes included.
_ROW_BYTES: Final = 400


class CachedResponseTable:
    """Stored responses by keys of 64 hexadecimal digits. Times are in microseconds since 1970."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, key: str, since_us: int) -> tuple[int, bytes] | None:
        """Return when a response was stored, and the response, if that was at or after a time.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            rows = list(stream("find_cached", key=key, since_us=since_us))
        for stored_us, response in rows:
            with suppress(msgspec.ValidationError):  # another program changed the row
                return int(stored_us), msgspec.convert(response, bytes)
        return None

    def store(self, key: str, response: bytes, now_us: int, until_us: int) -> None:
        """Store a response, also in place of one with its key; delete some rows whose time has passed.

        Raises:
            StorageFull, StorageUnavailable: nothing was stored.
        """
        with self._engine.write() as run:
            # Concurrent writers lock the same rows in the same order.
            if old := sorted(row[0] for row in run("old_cached", now_us=now_us, limit=_MAX_DELETED)):
                run("delete_cached", for_each=[(each, now_us) for each in old])
            text = msgspec.to_builtins(response)
            run(
                "put_cached", key=key, stored_us=now_us, until_us=until_us, response=text,
                total_bytes=_ROW_BYTES + len(text),
            )  # fmt: skip

    def limit(self, maximum: int) -> None:
        """Delete the rows that end first, if all rows take more than `maximum` bytes: a tenth of them.

        Raises:
            StorageFull, StorageUnavailable: nothing was deleted.
        """
        with self._engine.write() as run:
            ((held, count),) = run("size_of_cached")
            if held > maximum:
                run("delete_first_cached", limit=max(1, count // 10))
