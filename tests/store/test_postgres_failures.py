"""A PostgreSQL server crashes, hangs, recovers, or rejects writes.

Acknowledged writes are stored, every wait ends, and the engine continues to work.
"""

import os
import signal
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from moorage.core.errors.storage import StorageUnavailable
from moorage.store.postgres import engine as engine_module
from moorage.store.postgres.connections import Connection
from moorage.store.postgres.engine import PostgresEngine
from moorage.store.store import Store
from tests.support.postgres import SESSIONS, PostgresServer, sql
from tests.support.proxy import Proxy
from tests.support.registry import create_project
from tests.support.stores import Clock, Database
from tests.support.threads import Background, until


def test_a_crash_under_load_loses_no_acknowledged_write_and_is_recovered(
    postgresql: Database, postgres: PostgresServer
) -> None:
    store = postgresql.store()
    acknowledged = [create_project(store, f"p{number}").name for number in range(5)]
    assert store.newest_revision() == 5

    def write_until_it_fails() -> None:
        while True:
            acknowledged.append(create_project(store, f"p{len(acknowledged)}").name)

    writing = Background(write_until_it_fails)
    until(lambda: len(acknowledged) > 10)
    postgres.stop()
    with pytest.raises(StorageUnavailable):
        writing.result()
    with pytest.raises(StorageUnavailable, match="refused"):
        store.projects()
    with pytest.raises(StorageUnavailable, match="refused"):
        create_project(store, "during the outage")
    assert store.newest_revision() == len(acknowledged)
    postgres.start()

    names = [project.name for project in store.projects()]
    assert names[: len(acknowledged)] == acknowledged
    assert len(names) - len(acknowledged) <= 1, "at most one write was committed but not acknowledged"
    rev = store.current_revision()
    create_project(postgresql.store(Clock()), "again")
    until(lambda: store.newest_revision() == rev + 1)


def test_idle_connections_that_were_terminated_are_replaced(postgresql: Database) -> None:
    store = postgresql.store()
    create_project(store, "p")
    for _ in range(3):
        sql(postgresql.url, f"SELECT pg_terminate_backend(pid) {SESSIONS.format('')}")

        assert len(store.projects()) == store.current_revision()
        create_project(store, f"q{store.current_revision()}")


def test_a_commit_without_a_response_is_reported_as_possibly_stored(
    postgresql: Database, postgres: PostgresServer, folder: Path
) -> None:
    with (
        Proxy(postgres.port) as proxy,
        closing(
            PostgresEngine(postgresql.url.replace(f":{postgres.port}/", f":{proxy.port}/"), folder=folder)
        ) as engine,
    ):
        store = Store(engine, Clock())
        create_project(store, "before")
        proxy.cut_after = b"COMMIT\0"

        with pytest.raises(StorageUnavailable, match="the change may or may not be stored") as raised:
            create_project(store, "unknown")
        assert "Nothing of this request was acknowledged" in str(raised.value)
        assert proxy.cuts == 1

        proxy.cut_after = None
        assert [project.name for project in store.projects()] == ["before", "unknown"]
        create_project(store, "after")
        assert store.newest_revision() == 3


def test_a_connection_that_is_cut_before_the_commit_stores_nothing(
    postgresql: Database, postgres: PostgresServer, folder: Path
) -> None:
    """The positive control of the test above: the same cut, one statement earlier."""
    with (
        Proxy(postgres.port) as proxy,
        closing(
            PostgresEngine(postgresql.url.replace(f":{postgres.port}/", f":{proxy.port}/"), folder=folder)
        ) as engine,
    ):
        store = Store(engine, Clock())
        proxy.cut_after = b"pg_notify"

        with pytest.raises(StorageUnavailable, match="server closed the connection") as raised:
            create_project(store, "rolled back")
        assert "may or may not be stored" not in str(raised.value)

        proxy.cut_after = None
        assert store.projects() == []


def test_a_query_on_a_hanging_server_times_out(postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = postgresql.store()

    def write_and_stop_the_server() -> None:
        with store.write() as tx:
            tx.insert_project("rolled back")
            ((pid,),) = sql(postgresql.url, f"SELECT pid {SESSIONS.format('INSERT INTO environment')}")
            os.kill(pid, signal.SIGSTOP)
            monkeypatch.setattr(Connection, "deadline", 0.5)
            try:
                tx.insert_project("no response")
            finally:
                os.kill(pid, signal.SIGCONT)

    with pytest.raises(StorageUnavailable, match=r"no answer within 0\.5 seconds"):
        write_and_stop_the_server()

    monkeypatch.undo()
    assert create_project(store, "p") in store.projects()
    assert store.current_revision() == 1


def test_a_program_that_hangs_inside_a_write_blocks_others_only_briefly(
    postgresql: Database, other_node: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_WRITE", engine_module._WRITE.replace("'5s'", "'300ms'"))
    store = postgresql.store()

    def write_slowly() -> None:
        with store.write() as tx:
            assert create_project(other_node, "waits").name == "waits"
            tx.insert_project("too late")

    with pytest.raises(StorageUnavailable, match="idle-in-transaction timeout"):
        write_slowly()

    assert [project.name for project in store.projects()] == ["waits"]


def test_a_writer_that_waits_for_another_times_out(
    postgresql: Database, other_node: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_WRITE", engine_module._WRITE.replace("'15s'", "'100ms'"))

    with postgresql.store().write() as tx:
        tx.insert_project("first")
        with pytest.raises(StorageUnavailable, match="lock timeout"):
            create_project(other_node, "second")

    assert [project.name for project in other_node.projects()] == ["first"]


def test_a_read_only_database_can_be_read_and_accepts_writes_after_its_setting_changes(postgresql: Database) -> None:
    name = postgresql.url.rpartition("/")[2]
    sql(postgresql.url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store = postgresql.store()

    with pytest.raises(StorageUnavailable, match="read-only transaction"):
        create_project(store, "p")
    assert store.projects() == []

    with psycopg.connect(postgresql.url, autocommit=True, options="-c default_transaction_read_only=off") as connection:
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
    with pytest.raises(StorageUnavailable):
        create_project(store, "p")  # on an old connection
    assert create_project(store, "p") in store.projects()
