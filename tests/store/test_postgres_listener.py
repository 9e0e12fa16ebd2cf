"""Other nodes get a new revision from a notification or from a poll."""

from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from moorage.store.changes import INITIAL
from moorage.store.postgres import listener
from moorage.store.postgres.engine import PostgresEngine
from moorage.store.store import Store
from tests.support.postgres import SESSIONS, sql
from tests.support.registry import create_project
from tests.support.stores import Database
from tests.support.threads import until

NEVER = 3_600.0


def test_a_notification_reaches_other_nodes(
    postgresql: Database, other_node: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "POLL_SECONDS", NEVER)
    store = postgresql.store()
    assert other_node.newest_revision() == 0
    until(lambda: sql(postgresql.url, f"SELECT 1 {SESSIONS.format('LISTEN')}") != [])

    for rev in range(1, 4):
        create_project(store, f"p{rev}")
        until(partial(_has_revision, other_node, rev))


def test_a_terminated_listener_reconnects(
    postgresql: Database, other_node: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "POLL_SECONDS", NEVER)
    store = postgresql.store()
    assert other_node.newest_revision() == 0
    until(lambda: sql(postgresql.url, f"SELECT pg_terminate_backend(pid) {SESSIONS.format('LISTEN')}") != [])

    create_project(store, "without a listener")
    until(lambda: other_node.newest_revision() == 1)
    create_project(store, "after the reconnect")
    until(lambda: other_node.newest_revision() == 2)


def test_a_poll_finds_a_new_revision_without_notifications(postgresql: Database, folder: Path) -> None:
    store = postgresql.store()
    (folder / "other").mkdir()
    unreachable = "postgresql://user:password@127.0.0.1:1/none"
    with closing(PostgresEngine(postgresql.url, unreachable, folder / "other")) as engine:
        assert engine.newest_revision() == 0

        create_project(store, "p")

        until(lambda: engine.newest_revision() == 1)


def test_a_notification_of_another_program_is_ignored(
    postgresql: Database, other_node: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "POLL_SECONDS", NEVER)
    assert other_node.newest_revision() == 0
    until(lambda: sql(postgresql.url, f"SELECT 1 {SESSIONS.format('LISTEN')}") != [])

    for payload in ("99", "", "a lot", "-1"):
        sql(postgresql.url, f"NOTIFY moorage_revision, '{payload}'")
    create_project(postgresql.store(), "p")

    until(lambda: other_node.newest_revision() == 1)


def test_a_read_finds_the_commit_of_a_killed_process(postgresql: Database, other_node: Store) -> None:
    create_project(postgresql.store(), "p")

    with other_node.changes(since=INITIAL) as changes:
        assert changes.position.rev == 1
    assert other_node.newest_revision() == 1


def test_a_revision_that_goes_back_is_logged_once(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "POLL_SECONDS", 0.01)
    store = postgresql.store()
    for number in range(3):
        create_project(store, f"p{number}")
    assert store.newest_revision() == 3

    sql(postgresql.url, "UPDATE revision SET rev = 1")
    until(lambda: "went back from revision 3 to 1" in caplog.text)
    sql(postgresql.url, "UPDATE revision SET rev = 4")
    until(lambda: store.newest_revision() == 4)

    assert caplog.text.count("went back") == 1


def _has_revision(store: Store, rev: int) -> bool:
    return store.newest_revision() == rev
