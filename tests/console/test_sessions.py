"""Sessions of the console: when they start, and all the reasons for which they end."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
import pytest

from moorage.catalog.catalog import Catalog
from moorage.console import session as sessions_module
from moorage.console.errors import SessionEnded, SessionKeyInvalid
from moorage.console.session import IDLE_US, MAX_AGE_US, MAX_REMEMBERED, Sessions
from moorage.core.access import ApiKey, Scope, hash_token
from moorage.core.errors.api_keys import AuthenticationRequired, ExpiredApiKey, InvalidApiKey
from moorage.core.errors.storage import StorageUnavailable
from moorage.registry.api_keys import rotate_api_key
from moorage.registry.write_context import WriteContext
from moorage.store.sessions import MAX_PER_KEY
from moorage.store.store import Store
from tests.support.registry import create_api_key, create_project, revoke_api_key
from tests.support.stores import Clock, Database, run_sql
from tests.support.threads import HANG_SECONDS

T = TypeVar("T")

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS
DAY_NS = 24 * HOUR_NS


class Worker:
    """The sessions of a server process, with its own catalog and connection to the database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.catalog = Catalog(store)
        self.catalog.catch_up()
        self.executor = ThreadPoolExecutor(1)
        self.sessions = Sessions(store, self.catalog, self.executor)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine; return when also the work that it started in the thread is done."""
        try:
            return asyncio.run(work)
        finally:
            self.executor.submit(str).result()

    def start(self, token: str) -> str:
        """Start a session; return its cookie."""
        return self.run(self.sessions.start(token))[0]

    def find(self, cookie: str) -> ApiKey:
        """Return the API key of a session."""
        return self.run(self.sessions.find(cookie))

    def has(self, cookie: str) -> bool:
        """Return whether there is a session."""
        try:
            self.find(cookie)
        except SessionEnded:
            return False
        return True

    def end(self, cookie: str) -> None:
        """End a session."""
        self.run(self.sessions.end(cookie))


class Console:
    """A database with a project and an API key, and two processes that serve the console."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        store = database.store(self.clock)
        self.project_id = create_project(store, "shop").id
        self.key, self.token = create_api_key(store, self.project_id, "anna")
        self.worker, self.other = Worker(store), Worker(database.store(self.clock))

    def create_key(self, expires_us: int | None = None) -> str:
        """Create another API key; return its token."""
        _, token = create_api_key(self.worker.store, self.project_id, "more", [Scope.READ], expires_us)
        self.worker.catalog.catch_up()
        return token

    def seen_us(self, cookie: str) -> int:
        """Return the stored time of the last request of a session."""
        found = self.worker.store.sessions.find(hash_token(cookie))
        assert found is not None
        return found.seen_us

    @contextmanager
    def without_database(self) -> Iterator[None]:
        """Make the database fail for lookups and changes of sessions."""
        run_sql(self.database.url, "ALTER TABLE session RENAME TO moved_session")
        try:
            yield
        finally:
            run_sql(self.database.url, "ALTER TABLE moved_session RENAME TO session")


@pytest.fixture
def console(database: Database, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setattr(sessions_module, "DATABASE_SECONDS", HANG_SECONDS)  # the machine can be slow
    return Console(database)


# Start


def test_a_session_starts_with_the_token_of_an_api_key_and_has_that_key(console: Console) -> None:
    cookie, key = console.worker.run(console.worker.sessions.start(console.token))

    assert key == console.key
    assert console.worker.find(cookie) == console.other.find(cookie) == console.key


def test_every_session_has_another_cookie_of_256_random_bits(console: Console) -> None:
    cookies = {console.worker.start(console.token) for _ in range(5)}

    assert {len(cookie.partition(".")[2]) for cookie in cookies} == {43}, "43 characters of base 64"
    assert len(cookies) == 5


def test_the_database_has_the_hash_of_the_cookie_and_neither_the_cookie_nor_the_token(console: Console) -> None:
    cookie = console.worker.start(console.token)

    (row,) = run_sql(console.database.url, "SELECT * FROM session")

    assert hash_token(cookie) in row
    assert not {cookie, console.token} & set(map(str, row))


@pytest.mark.parametrize("token", ["x", "mrg_", "Bearer", "\0", "ü", f"mrg_{'a' * 12}_{'b' * 49}", "mrg a b"])
def test_a_text_that_is_no_token_starts_no_session(console: Console, token: str) -> None:
    with pytest.raises(InvalidApiKey):
        console.worker.start(token)

    assert run_sql(console.database.url, "SELECT * FROM session") == []


def test_without_a_token_the_error_asks_for_one(console: Console) -> None:
    with pytest.raises(AuthenticationRequired):
        console.worker.start("")


def test_a_revoked_api_key_starts_no_session(console: Console) -> None:
    revoke_api_key(console.worker.store, "anna")
    console.worker.catalog.catch_up()

    with pytest.raises(InvalidApiKey):
        console.worker.start(console.token)


def test_an_expired_api_key_starts_no_session(console: Console) -> None:
    token = console.create_key(expires_us=console.clock.now // 1_000 + 1)  # a time of the past for the API

    with pytest.raises(ExpiredApiKey):
        console.worker.start(token)


def test_an_api_key_has_a_limited_number_of_sessions_and_its_oldest_one_ends(console: Console) -> None:
    other_key = console.worker.start(console.create_key())
    cookies = []
    for _ in range(MAX_PER_KEY + 1):
        console.clock.now += SECOND_NS
        cookies.append(console.worker.start(console.token))

    assert [console.worker.has(cookie) for cookie in cookies] == [False] + [True] * MAX_PER_KEY
    assert console.worker.has(other_key)


# The end


def test_a_session_that_somebody_ended_is_over_in_every_process_at_once(console: Console) -> None:
    cookie, kept = console.worker.start(console.token), console.worker.start(console.token)
    before = console.worker.has(cookie), console.other.has(cookie)

    console.other.end(cookie)

    assert before == (True, True)
    assert (console.worker.has(cookie), console.other.has(cookie)) == (False, False)
    assert console.worker.has(kept)


def test_to_end_a_session_that_does_not_exist_does_nothing(console: Console) -> None:
    cookie = console.worker.start(console.token)

    for other in ("", "x", "\0", cookie[:-1], cookie.swapcase()):
        console.worker.end(other)

    assert console.worker.has(cookie)


@pytest.mark.parametrize(
    "cookie",
    [
        "", "x" * 43, "KEY.", "KEY." + "x" * 43, "KEY." + "x" * 42, "KEY." + "x" * 44, "KEY." + "ü" * 43, "' OR 1=1 --",
        "KEY." + "\0" * 43, "KEY." + "x" * 43 + "\n", "KEY" + "x" * 44,
    ],
)  # fmt: skip
def test_another_value_of_the_cookie_is_no_session(console: Console, cookie: str) -> None:
    console.worker.start(console.token)

    assert not console.worker.has(cookie.replace("KEY", console.key.id))


def test_a_cookie_without_the_id_of_an_api_key_uses_no_database(console: Console) -> None:
    cookie = f"{'k' * 12}.{'x' * 43}"

    with console.without_database():
        assert not console.worker.has(cookie)
        console.worker.end(cookie)


def test_the_stored_hash_is_not_accepted_as_a_cookie(console: Console) -> None:
    cookie = console.worker.start(console.token)

    assert not console.worker.has(hash_token(cookie))


def test_a_session_ends_after_12_hours_without_a_request(console: Console) -> None:
    assert IDLE_US * 1_000 == 12 * HOUR_NS
    cookie = console.worker.start(console.token)

    console.clock.now += 12 * HOUR_NS - SECOND_NS
    early = console.worker.has(cookie)
    console.clock.now += 12 * HOUR_NS

    assert (early, console.worker.has(cookie)) == (True, False)


def test_a_session_ends_after_7_days_with_requests_every_hour(console: Console) -> None:
    assert MAX_AGE_US * 1_000 == 7 * DAY_NS
    cookie, hours = console.worker.start(console.token), 0

    while console.worker.has(cookie):
        console.clock.now += HOUR_NS
        hours += 1

    assert hours == 7 * 24


def test_an_idle_session_does_not_continue_after_a_late_request(console: Console) -> None:
    cookie = console.worker.start(console.token)
    console.clock.now += 13 * HOUR_NS
    late = console.worker.has(cookie)

    console.clock.now += 60 * SECOND_NS

    assert (late, console.worker.has(cookie), console.other.has(cookie)) == (False, False, False)


def test_a_request_is_stored_at_most_once_a_minute(console: Console) -> None:
    cookie = console.worker.start(console.token)
    start_us = console.seen_us(cookie)
    times = []

    for _ in range(4):
        console.clock.now += 25 * SECOND_NS
        console.worker.find(cookie)
        times.append((console.seen_us(cookie) - start_us) // 1_000_000)

    assert times == [0, 0, 75, 75]


def test_a_session_of_a_clock_that_was_ahead_is_over_when_the_clock_is_right_again(console: Console) -> None:
    console.clock.now += 365 * DAY_NS
    cookie = console.worker.start(console.token)

    console.clock.now -= 365 * DAY_NS

    assert not console.worker.has(cookie)


def test_nodes_whose_clocks_are_a_few_seconds_apart_share_sessions(console: Console) -> None:
    cookie = console.worker.start(console.token)

    console.clock.now -= 30 * SECOND_NS

    assert console.other.has(cookie)


# The API key


def test_a_revoked_api_key_ends_its_sessions_as_soon_as_the_catalog_has_it(console: Console) -> None:
    cookie = console.worker.start(console.token)
    revoke_api_key(console.other.store, "anna")

    console.worker.catalog.catch_up()

    with pytest.raises(SessionKeyInvalid):
        console.worker.find(cookie)


def test_a_rotated_api_key_ends_its_sessions_and_its_new_token_starts_others(console: Console) -> None:
    cookie = console.worker.start(console.token)
    rotated = console.other.store.run(rotate_api_key, WriteContext(console.project_id), console.key.id)

    console.worker.catalog.catch_up()

    with pytest.raises(SessionKeyInvalid):
        console.worker.find(cookie)
    assert console.worker.find(console.worker.start(rotated.token)).id == console.key.id


def test_an_api_key_that_expires_ends_its_sessions(console: Console) -> None:
    far_us = 4_000_000_000_000_000
    token = console.create_key(expires_us=far_us)
    console.clock.now = (far_us - 1_000_000) * 1_000
    cookie = console.worker.start(token)
    before = console.worker.has(cookie)

    console.clock.now += SECOND_NS

    assert before
    with pytest.raises(SessionKeyInvalid):
        console.worker.find(cookie)


def test_an_api_key_that_is_missing_after_a_restore_ends_its_sessions(console: Console) -> None:
    cookie = console.worker.start(console.token)

    console.worker.catalog.replace(type(console.worker.catalog.state)())

    assert not console.worker.has(cookie)


# Without the database


def test_a_process_continues_the_sessions_that_it_started_or_found_before(console: Console) -> None:
    cookie, other = console.worker.start(console.token), console.other.start(console.token)
    found = console.worker.start(console.token)
    console.other.find(found)

    with console.without_database():
        assert console.worker.find(cookie) == console.other.find(other) == console.other.find(found) == console.key
        with pytest.raises(StorageUnavailable):
            console.worker.find(other)
        with pytest.raises(StorageUnavailable):
            console.worker.start(console.token)

    assert console.worker.has(other)


def test_without_the_database_a_session_ends_when_it_would_end_with_it(console: Console) -> None:
    idle, used = console.worker.start(console.token), console.worker.start(console.token)

    with console.without_database():
        console.clock.now += 11 * HOUR_NS
        console.worker.find(used)
        console.clock.now += 2 * HOUR_NS
        idle_ended, used_ended = not console.worker.has(idle), not console.worker.has(used)
        console.clock.now += 13 * HOUR_NS
        later_ended = not console.worker.has(used)

    assert (idle_ended, used_ended, later_ended) == (True, False, True)


def test_without_the_database_a_session_ends_with_its_api_key(console: Console) -> None:
    cookie = console.worker.start(console.token)
    revoke_api_key(console.other.store, "anna")
    console.worker.catalog.catch_up()

    with console.without_database(), pytest.raises(SessionKeyInvalid):
        console.worker.find(cookie)


def test_a_session_that_was_ended_without_the_database_is_over_in_that_process(console: Console) -> None:
    cookie = console.worker.start(console.token)

    with console.without_database():
        with pytest.raises(StorageUnavailable):
            console.worker.end(cookie)
        with pytest.raises(StorageUnavailable):
            console.worker.find(cookie)


def test_a_session_that_ended_is_not_remembered(console: Console) -> None:
    cookie = console.worker.start(console.token)
    console.other.end(cookie)
    assert not console.worker.has(cookie)

    with console.without_database(), pytest.raises(StorageUnavailable):
        console.worker.find(cookie)


def test_a_page_does_not_wait_for_a_database_that_does_not_respond(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread is busy, as with a lookup that hangs."""
    cookie, other = console.worker.start(console.token), console.other.start(console.token)
    monkeypatch.setattr(sessions_module, "DATABASE_SECONDS", 0.01)

    async def find_with_a_busy_thread() -> ApiKey:
        release = asyncio.Event()
        loop = asyncio.get_running_loop()
        hangs = loop.run_in_executor(console.worker.executor, lambda: _wait_in_thread(loop, release))
        try:
            with pytest.raises(StorageUnavailable):
                await console.worker.sessions.find(other)
            return await console.worker.sessions.find(cookie)
        finally:
            release.set()
            await hangs

    assert console.worker.run(find_with_a_busy_thread()) == console.key


def _wait_in_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    asyncio.run_coroutine_threadsafe(event.wait(), loop).result()


def test_the_number_of_remembered_sessions_is_limited_and_those_in_use_remain(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_REMEMBERED == 10_000
    monkeypatch.setattr(sessions_module, "MAX_REMEMBERED", 3)
    cookies = [console.worker.start(console.token) for _ in range(3)]
    console.worker.find(cookies[0])
    cookies.append(console.worker.start(console.token))

    with console.without_database():
        remembered = [cookie for cookie in cookies if _is_remembered(console.worker, cookie)]

    assert remembered == [cookies[0], cookies[2], cookies[3]]


def _is_remembered(worker: Worker, cookie: str) -> bool:
    try:
        worker.find(cookie)
    except StorageUnavailable:
        return False
    return True


def test_a_session_has_the_scopes_that_its_api_key_has_now(console: Console) -> None:
    cookie = console.worker.start(console.token)
    state = console.worker.catalog.state
    changed = msgspec.structs.replace(console.key, name="renamed", scopes=frozenset({Scope.READ}))

    state.api_keys[console.key.id] = changed

    assert console.worker.find(cookie) == changed


# Requests of open pages, which nobody makes


def test_a_peek_does_not_extend_a_session(console: Console) -> None:
    cookie = console.worker.start(console.token)
    seen_us = console.seen_us(cookie)
    for _ in range(11):
        console.clock.now += HOUR_NS
        assert console.worker.run(console.worker.sessions.peek(cookie)) == console.key

    assert console.seen_us(cookie) == seen_us
    console.clock.now += HOUR_NS
    with pytest.raises(SessionEnded):
        console.worker.run(console.worker.sessions.peek(cookie))


def test_a_peek_reads_the_session_once_a_minute(console: Console) -> None:
    cookie = console.worker.start(console.token)
    console.worker.run(console.worker.sessions.peek(cookie))
    with console.without_database():
        assert console.worker.run(console.worker.sessions.peek(cookie)) == console.key
    console.other.end(cookie)

    assert console.worker.run(console.worker.sessions.peek(cookie)) == console.key
    console.clock.now += 60 * SECOND_NS
    with pytest.raises(SessionEnded):
        console.worker.run(console.worker.sessions.peek(cookie))


def test_after_a_sign_out_or_the_end_of_its_api_key_there_is_no_peek(console: Console) -> None:
    first, second = console.worker.start(console.token), console.worker.start(console.token)
    for cookie in (first, second):
        console.worker.run(console.worker.sessions.peek(cookie))
    console.worker.end(first)
    with pytest.raises(SessionEnded):
        console.worker.run(console.worker.sessions.peek(first))

    revoke_api_key(console.worker.store, console.key.id)
    console.worker.catalog.catch_up()
    with pytest.raises(SessionEnded):
        console.worker.run(console.worker.sessions.peek(second))


def test_all_other_sessions_of_an_api_key_end_in_every_process(console: Console) -> None:
    kept, first, second = (console.worker.start(console.token) for _ in range(3))
    of_another = console.worker.start(console.create_key())
    console.other.catalog.catch_up()
    assert console.other.has(first)

    console.worker.run(console.worker.sessions.end_others(console.key.id, kept))

    for worker in (console.worker, console.other):
        assert [worker.has(cookie) for cookie in (kept, first, second, of_another)] == [True, False, False, True]
