"""What one machine commits, the others know: by a notification, and whatever becomes of that."""

from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from moorage.store.changes import INITIAL
from moorage.store.postgres import listener as postgres_following
from moorage.store.postgres.engine import PostgresEngine
from moorage.store.store import Store
from tests.support.postgres import SESSIONS, sql
from tests.support.registry import create_project
from tests.support.stores import Database
from tests.support.threads import until

NEVER = 3_600.0


def test_a_notification_tells_other_machines(
    postgresql: Database, afar: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_following, "POLL_SECONDS", NEVER)
    store = postgresql.store()
    assert afar.newest_revision() == 0
    until(lambda: sql(postgresql.url, f"SELECT 1 {SESSIONS.format('LISTEN')}") != [])

    for rev in range(1, 4):
        create_project(store, f"p{rev}")
        until(partial(_is_at, afar, rev))


def test_a_listener_that_is_cut_off_listens_again(
    postgresql: Database, afar: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_following, "POLL_SECONDS", NEVER)
    store = postgresql.store()
    assert afar.newest_revision() == 0
    until(lambda: sql(postgresql.url, f"SELECT pg_terminate_backend(pid) {SESSIONS.format('LISTEN')}") != [])

    create_project(store, "while nobody listens")
    until(lambda: afar.newest_revision() == 1)
    create_project(store, "when it listens again")
    until(lambda: afar.newest_revision() == 2)


def test_without_anything_to_listen_to_the_poll_tells(postgresql: Database, folder: Path) -> None:
    store = postgresql.store()
    (folder / "afar").mkdir()
    nobody = "postgresql://user:password@127.0.0.1:1/nobody"
    with closing(PostgresEngine(postgresql.url, nobody, folder / "afar")) as engine:
        assert engine.newest_revision() == 0

        create_project(store, "p")

        until(lambda: engine.newest_revision() == 1)


def test_a_notification_by_a_stranger_changes_nothing(
    postgresql: Database, afar: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_following, "POLL_SECONDS", NEVER)
    assert afar.newest_revision() == 0
    until(lambda: sql(postgresql.url, f"SELECT 1 {SESSIONS.format('LISTEN')}") != [])

    for payload in ("99", "", "a lot", "-1"):
        sql(postgresql.url, f"NOTIFY moorage_revision, '{payload}'")
    create_project(postgresql.store(), "p")

    until(lambda: afar.newest_revision() == 1)


def test_a_process_that_died_before_telling_is_found_out(postgresql: Database, afar: Store) -> None:
    create_project(postgresql.store(), "p")

    with afar.changes(since=INITIAL) as changes:
        assert changes.state.rev == 1
    assert afar.newest_revision() == 1


def test_a_database_that_went_back_is_told_in_the_log_once(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgres_following, "POLL_SECONDS", 0.01)
    store = postgresql.store()
    for number in range(3):
        create_project(store, f"p{number}")
    assert store.newest_revision() == 3

    sql(postgresql.url, "UPDATE revision SET rev = 1")
    until(lambda: "went back from revision 3 to 1" in caplog.text)
    sql(postgresql.url, "UPDATE revision SET rev = 4")
    until(lambda: store.newest_revision() == 4)

    assert caplog.text.count("went back") == 1


def _is_at(store: Store, rev: int) -> bool:
    return store.newest_revision() == rev
