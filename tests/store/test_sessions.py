"""The stored sessions of the console, on each engine."""

from pathlib import Path

import msgspec
import pytest

from moorage.core.errors.storage import StorageUnavailable
from moorage.store.sessions import MAX_PER_KEY, Session
from moorage.store.store import Store
from tests.support.stores import Database, a_store, run_sql
from tests.support.threads import run_concurrently

SECOND = 1_000_000


@pytest.fixture
def store(database: Database) -> Store:
    return database.store()


def a_session(name: str, *, key: str = "key", at: int = 100 * SECOND, seconds: int = 1_000) -> Session:
    """Return a session that starts at a time, and expires some seconds later."""
    return Session(name, key, "0" * 64, at, at, at + seconds * SECOND)


def stored(store: Store, *names: str) -> list[str]:
    """Return which sessions of some names are stored."""
    return [name for name in names if store.sessions.find(name) is not None]


def test_a_session_is_found_by_its_token_until_it_ends(store: Store) -> None:
    session = a_session("a")

    store.sessions.start(session)
    found = store.sessions.find("a")
    store.sessions.end("a")
    store.sessions.end("a")

    assert found == session
    assert stored(store, "a", "b", "\0") == []


def test_another_process_sees_the_start_and_the_end_of_a_session_at_once(database: Database) -> None:
    store, other = database.store(), database.store()

    store.sessions.start(a_session("a"))
    before = stored(other, "a")
    other.sessions.end("a")

    assert (before, stored(store, "a")) == (["a"], [])


def test_sessions_have_no_revision(store: Store) -> None:
    before = store.current_revision()

    store.sessions.start(a_session("a"))
    store.sessions.touch("a", 200 * SECOND, 150 * SECOND)
    store.sessions.end("a")

    assert store.current_revision() == before


def test_a_request_is_recorded_unless_one_was_recorded_shortly_before(store: Store) -> None:
    session = a_session("a")
    store.sessions.start(session)

    store.sessions.touch("a", 159 * SECOND, 99 * SECOND)
    early = store.sessions.find("a")
    store.sessions.touch("a", 160 * SECOND, 100 * SECOND)
    late = store.sessions.find("a")

    assert early == session
    assert late == msgspec.structs.replace(session, seen_us=160 * SECOND)


def test_a_request_of_an_ended_session_does_not_start_it_again(store: Store) -> None:
    store.sessions.start(a_session("a"))
    store.sessions.end("a")

    store.sessions.touch("a", 200 * SECOND, 150 * SECOND)

    assert stored(store, "a") == []


def test_a_new_session_deletes_expired_ones_of_all_keys(store: Store) -> None:
    for name, seconds in {"first": 10, "second": 20, "third": 21}.items():
        store.sessions.start(a_session(name, key=name, seconds=seconds))

    store.sessions.start(a_session("new", at=120 * SECOND))

    assert stored(store, "first", "second", "third", "new") == ["third", "new"]


def test_an_api_key_has_a_limited_number_of_sessions_and_its_oldest_one_ends(store: Store) -> None:
    names = [f"s{number:02}" for number in range(MAX_PER_KEY + 3)]
    store.sessions.start(a_session("of another key", key="other"))

    for number, name in enumerate(names):
        store.sessions.start(a_session(name, at=(100 + number) * SECOND))

    assert stored(store, *names, "of another key") == [*names[3:], "of another key"]


def test_a_new_session_remains_if_the_clock_was_set_back(store: Store) -> None:
    for number in range(MAX_PER_KEY):
        store.sessions.start(a_session(f"s{number}", at=(100 + number) * SECOND))

    store.sessions.start(a_session("new", at=50 * SECOND))

    assert stored(store, "new", "s0", "s1") == ["new", "s1"]


def test_concurrent_starts_of_many_processes_all_succeed(database: Database) -> None:
    stores = [database.store() for _ in range(4)]
    for number in range(50):
        stores[0].sessions.start(a_session(f"old{number}", key=f"k{number}", seconds=1))

    def start(number: int) -> None:
        for turn in range(10):
            at = (200 + 10 * turn + number) * SECOND
            stores[number].sessions.start(a_session(f"{number}-{turn}", at=at))

    run_concurrently(*[lambda number=number: start(number) for number in range(4)])

    stores[0].sessions.start(a_session("last", at=1_000 * SECOND))
    ((count,),) = run_sql(database.url, "SELECT count(*) FROM session")
    assert count == MAX_PER_KEY


def test_a_row_that_another_program_changed_is_no_session(folder: Path) -> None:
    """PostgreSQL has types of columns, so it rejects such a row itself."""
    store = a_store(folder)
    store.sessions.start(a_session("a"))

    run_sql(f"sqlite:///{folder}/moorage.db", "UPDATE session SET api_key_id = CAST(x'ff' AS TEXT)")

    assert stored(store, "a") == []


def test_nothing_is_stored_if_the_new_session_cannot_be(store: Store) -> None:
    store.sessions.start(a_session("old", seconds=1))
    store.sessions.start(a_session("a"))

    with pytest.raises(StorageUnavailable):
        store.sessions.start(a_session("a", at=200 * SECOND))

    assert stored(store, "old", "a") == ["old", "a"]
