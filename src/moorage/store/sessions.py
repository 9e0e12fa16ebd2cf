"""The sessions of the console. A backup does not have them, and no write of one has a revision."""

from contextlib import suppress
from typing import Final

import msgspec

from moorage.store.engine import Engine

#: How many sessions an API key has at most.
MAX_PER_KEY: Final = 20

#: How many expired sessions a new one deletes at most, so that it never waits long.
_MAX_DELETED: Final = 100


class Session(msgspec.Struct, frozen=True, array_like=True):
    """A session: the SHA-256 of its token, and the API key that started it, with the SHA-256 of its token then."""

    token_sha256: str
    api_key_id: str
    api_key_sha256: str
    created_us: int
    seen_us: int
    expires_us: int


class SessionTable:
    """The stored sessions. The caller decides which of them are still valid."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self, session: Session) -> None:
        """Store a new session.

        Some expired ones are deleted, and the oldest ones of an API key that has `MAX_PER_KEY` already.

        Raises:
            StorageFull, StorageUnavailable: nothing was stored.
        """
        with self._engine.write() as run:
            expired = run("expired_sessions", now_us=session.created_us, limit=_MAX_DELETED)
            # Before the new one is stored: a clock that was set back must not make it the oldest.
            oldest = run(
                "oldest_sessions", api_key_id=session.api_key_id, remaining=MAX_PER_KEY - 1, limit=_MAX_DELETED
            )
            if over := sorted({*expired, *oldest}):  # concurrent writers lock the same rows in the same order
                run("delete_session", for_each=over)
            run("insert_session", **msgspec.structs.asdict(session))

    def find(self, token_sha256: str) -> Session | None:
        """Return the session with a token; None also for a row that another program changed.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            rows = list(stream("find_session", token_sha256=token_sha256))
        for row in rows:
            with suppress(msgspec.ValidationError):
                return msgspec.convert(row, Session)
        return None

    def of_api_key(self, api_key_id: str) -> list[Session]:
        """Return the sessions of an API key, without rows that another program changed.

        Raises:
            StorageUnavailable
        """
        found = list[Session]()
        with self._engine.read() as stream:
            rows = list(stream("sessions_of_api_key", api_key_id=api_key_id))
        for row in rows:
            with suppress(msgspec.ValidationError):
                found.append(msgspec.convert(row, Session))
        return found

    def end_others(self, api_key_id: str, token_sha256: str) -> None:
        """Delete all sessions of an API key but one.

        Raises:
            StorageFull, StorageUnavailable: nothing was deleted.
        """
        with self._engine.write() as run:
            tokens = sorted(row[0] for row in run("sessions_of_api_key", api_key_id=api_key_id))
            others = [(token,) for token in tokens if token != token_sha256]
            if others:
                run("delete_session", for_each=others)

    def touch(self, token_sha256: str, now_us: int, before_us: int) -> None:
        """Record a request of a session, unless one was recorded after `before_us`.

        Raises:
            StorageFull, StorageUnavailable: nothing was stored.
        """
        with self._engine.write() as run:
            run("touch_session", token_sha256=token_sha256, now_us=now_us, before_us=before_us)

    def end(self, token_sha256: str) -> None:
        """Delete a session; write only if there is one.

        Raises:
            StorageFull, StorageUnavailable: nothing was deleted.
        """
        if self.find(token_sha256) is None:
            return
        with self._engine.write() as run:
            run("delete_session", token_sha256=token_sha256)
