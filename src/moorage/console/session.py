"""Sessions: a cookie in place of an API key, which the browser then does not store.

The cookie is the id of the API key and a random token. Only its SHA-256 is stored, as of an API key. A session has the
rights that its API key has at the moment, and ends with it.
"""

import asyncio
import re
import secrets
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Final, ParamSpec, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from moorage.api.auth import authenticate
from moorage.catalog.catalog import Catalog
from moorage.console.errors import SessionEnded, SessionKeyInvalid
from moorage.core.access import ApiKey, hash_token
from moorage.core.errors.base import NotAllowed
from moorage.core.errors.storage import StorageError, StorageUnavailable
from moorage.store.sessions import Session
from moorage.store.store import Store

_MINUTE_US: Final = 60_000_000

#: A session ends after this time without a request, and after this time in any case (microseconds).
IDLE_US: Final = 12 * 60 * _MINUTE_US
MAX_AGE_US: Final = 7 * 24 * 60 * _MINUTE_US

#: How many sessions a process remembers for the time without a database.
MAX_REMEMBERED: Final = 10_000

#: How long a page waits for the database before it uses what the process remembers (seconds).
DATABASE_SECONDS: Final = 5.0

_RANDOM_BYTES: Final = 32
_COOKIE: Final = re.compile(r"[0-9A-Za-z]{12}\.[0-9A-Za-z_-]{43}")

#: The cookie of a browser that reached the server by https, which no page of another host can set; and of others.
_SECURE_NAME: Final = "__Host-moorage_session"
_NAME: Final = "moorage_session"

P = ParamSpec("P")
T = TypeVar("T")


class Sessions:
    """The sessions of a server.

    Each request reads its session from the database, so that a sign-out applies in every process at once. While the
    database is unreachable, a process continues the sessions that it started or found before.
    """

    def __init__(self, store: Store, catalog: Catalog, executor: Executor) -> None:
        self._store = store
        self._catalog = catalog
        self._executor = executor
        self._remembered: dict[str, Session] = {}  # the one with the latest request is the last one
        self._peeked: dict[str, tuple[Session, int]] = {}  # and when it was read, for `peek`

    async def start(self, api_key_token: str) -> tuple[str, ApiKey]:
        """Start a session with the token of an API key; return the value of its cookie, and the API key.

        Raises:
            AuthenticationRequired, InvalidApiKey, ExpiredApiKey
            StorageFull, StorageUnavailable: no session was started.
        """
        key = authenticate(self._catalog, f"Bearer {api_key_token}")
        cookie, now_us = f"{key.id}.{secrets.token_urlsafe(_RANDOM_BYTES)}", self._store.now_us()
        session = Session(hash_token(cookie), key.id, key.token_sha256, now_us, now_us, now_us + MAX_AGE_US)
        await self._in_thread(self._store.sessions.start, session)
        self._remember(session)
        return cookie, key

    async def find(self, cookie: str) -> ApiKey:
        """Return the API key of a session, as it is now.

        Raises:
            SessionEnded: there is no such session, it ended, or its API key was revoked, rotated, or expired.
            StorageUnavailable: and this process neither started nor found the session before.
        """
        if not self._can_exist(cookie):
            raise SessionEnded
        token_sha256 = hash_token(cookie)
        try:
            session, is_stored = await self._read(token_sha256), True
        except StorageError:
            if token_sha256 not in self._remembered:
                raise
            session, is_stored = self._remembered[token_sha256], False
        self._remembered.pop(token_sha256, None)
        if session is None:
            raise SessionEnded
        now_us = self._store.now_us()
        key = self._check(session, now_us)
        self._remember(msgspec.structs.replace(session, seen_us=now_us))
        if is_stored and session.seen_us <= now_us - _MINUTE_US:
            self._executor.submit(self._touch, token_sha256, now_us)  # the page does not wait for it
        return key

    async def peek(self, cookie: str) -> ApiKey:
        """Return the API key of a session as `find` does, but without the effects of a request.

        The session is read from the database once a minute, so one that ended in another process lasts at most a minute
        longer here. Such requests do not extend it.

        Raises:
            SessionEnded, StorageUnavailable
        """
        if not self._can_exist(cookie):
            raise SessionEnded
        token_sha256, now_us = hash_token(cookie), self._store.now_us()
        session, read_us = self._peeked.pop(token_sha256, (None, 0))
        if session is None or not 0 <= now_us - read_us < _MINUTE_US:
            session, read_us = await self._read(token_sha256), now_us
        if session is None:
            raise SessionEnded
        key = self._check(session, now_us)
        if len(self._peeked) >= MAX_REMEMBERED:
            del self._peeked[next(iter(self._peeked))]
        self._peeked[token_sha256] = session, read_us
        return key

    async def end_others(self, api_key_id: str, cookie: str) -> None:
        """End all sessions of an API key but that of a cookie.

        Raises:
            StorageFull, StorageUnavailable: none ended.
        """
        token_sha256 = hash_token(cookie)
        await self._in_thread(self._store.sessions.end_others, api_key_id, token_sha256)
        self._remembered = {
            each: session for each, session in self._remembered.items()
            if session.api_key_id != api_key_id or each == token_sha256
        }  # fmt: skip
        self._peeked.clear()

    async def end(self, cookie: str) -> None:
        """End a session, if there is one.

        Raises:
            StorageFull, StorageUnavailable: only this process treats it as ended until its database is reachable.
        """
        if not self._can_exist(cookie):
            return
        token_sha256 = hash_token(cookie)
        try:
            await self._in_thread(self._store.sessions.end, token_sha256)
        finally:
            self._remembered.pop(token_sha256, None)
            self._peeked.pop(token_sha256, None)

    def _can_exist(self, cookie: str) -> bool:
        """Return whether the cookie has the id of an API key: otherwise, anybody could keep the database busy."""
        return bool(_COOKIE.fullmatch(cookie)) and self._catalog.find_api_key(cookie.partition(".")[0]) is not None

    async def _read(self, token_sha256: str) -> Session | None:
        """Return the stored session.

        Raises:
            StorageUnavailable: also if the database does not respond in time.
        """
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                return await self._in_thread(self._store.sessions.find, token_sha256)
        except TimeoutError:
            raise StorageUnavailable(reason=f"no response within {DATABASE_SECONDS} seconds") from None

    def _check(self, session: Session, now_us: int) -> ApiKey:
        """Return the API key of a session.

        Raises:
            SessionEnded
        """
        if now_us >= min(session.expires_us, session.seen_us + IDLE_US):
            raise SessionEnded
        if session.created_us > now_us + _MINUTE_US:  # by a clock that was ahead: nobody knows how old it is
            raise SessionEnded
        key = self._catalog.find_api_key(session.api_key_id)
        if key is None or key.token_sha256 != session.api_key_sha256:
            raise SessionKeyInvalid
        try:
            key.check_valid(now_us)
        except NotAllowed:
            raise SessionKeyInvalid from None
        return key

    def _remember(self, session: Session) -> None:
        if len(self._remembered) >= MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[session.token_sha256] = session

    def _touch(self, token_sha256: str, now_us: int) -> None:
        with suppress(StorageError):  # the next request does it
            self._store.sessions.touch(token_sha256, now_us, now_us - _MINUTE_US)

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


def read_cookie(request: Request) -> str | None:
    """Return the value of the cookie with a session.

    A browser sends a cookie with a longer path first, so the first one of a name counts.
    """
    sent = "; ".join(request.headers.getlist("cookie")).split(";")
    pairs = [(name, value) for name, _, value in (each.strip().partition("=") for each in sent)]
    for wanted in (_SECURE_NAME, _NAME):
        for name, value in pairs:
            if name == wanted and _COOKIE.fullmatch(value):
                return value
    return None


def came_by_https(request: Request) -> bool:
    """Return whether the browser reached the server by https: it sends the cookie with this name by https alone."""
    return any(f"{_SECURE_NAME}=" in sent for sent in request.headers.getlist("cookie"))


def set_cookie(response: Response, request: Request, value: str) -> None:
    """Set the cookie with a session, as the response to a form.

    Only the browser knows whether it reached the server by https. It says so in the Origin of the form.
    """
    is_secure = request.headers.get("origin", "").startswith("https://")
    name, path = (_SECURE_NAME, "/") if is_secure else (_NAME, _path(request))
    response.set_cookie(name, value, path=path, secure=is_secure, httponly=True, samesite="lax")


def clear_cookie(response: Response, request: Request) -> None:
    """Remove the cookie with a session, of either name."""
    response.delete_cookie(_SECURE_NAME, path="/", secure=True, httponly=True, samesite="lax")
    response.delete_cookie(_NAME, path=_path(request), httponly=True, samesite="lax")


def _path(request: Request) -> str:
    root_path: str = request.scope["moorage.root_path"]
    return f"{root_path}/console"
