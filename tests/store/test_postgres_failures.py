"""PostgreSQL that goes, stands still, comes back, or is another one: what was acknowledged is there, nothing waits for
ever, and everything goes on without a new engine."""

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


def test_a_server_that_crashes_under_use_is_told_and_used_again(postgresql: Database, postgres: PostgresServer) -> None:
    store = postgresql.store()
    kept = [create_project(store, f"p{number}").name for number in range(5)]
    assert store.newest_revision() == 5

    def write_until_it_fails() -> None:
        while True:
            kept.append(create_project(store, f"p{len(kept)}").name)

    writing = Background(write_until_it_fails)
    until(lambda: len(kept) > 10)
    postgres.stop()
    with pytest.raises(StorageUnavailable):
        writing.result()
    with pytest.raises(StorageUnavailable, match="refused"):
        store.projects()
    with pytest.raises(StorageUnavailable, match="refused"):
        create_project(store, "while it is away")
    assert store.newest_revision() == len(kept)
    postgres.start()

    names = [project.name for project in store.projects()]
    assert names[: len(kept)] == kept
    assert len(names) - len(kept) <= 1, "at most the one whose acknowledgement was under way"
    rev = store.current_revision()
    create_project(postgresql.store(Clock()), "again")
    until(lambda: store.newest_revision() == rev + 1)


def test_connections_that_were_cut_while_nobody_used_them_are_not_noticed(postgresql: Database) -> None:
    store = postgresql.store()
    create_project(store, "p")
    for _ in range(3):
        sql(postgresql.url, f"SELECT pg_terminate_backend(pid) {SESSIONS.format('')}")

        assert len(store.projects()) == store.current_revision()
        create_project(store, f"q{store.current_revision()}")


def test_a_commit_without_an_answer_may_be_there_and_is_not_called_undone(
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

        with pytest.raises(StorageUnavailable, match="the change may be there or not") as raised:
            create_project(store, "unknown")
        assert "Nothing of this request was acknowledged" in str(raised.value)
        assert proxy.cuts == 1

        proxy.cut_after = None
        assert [project.name for project in store.projects()] == ["before", "unknown"]
        create_project(store, "after")
        assert store.newest_revision() == 3


def test_a_connection_that_is_cut_before_the_commit_leaves_nothing(
    postgresql: Database, postgres: PostgresServer, folder: Path
) -> None:
    """The positive control of the one above: the same cut, a statement earlier."""
    with (
        Proxy(postgres.port) as proxy,
        closing(
            PostgresEngine(postgresql.url.replace(f":{postgres.port}/", f":{proxy.port}/"), folder=folder)
        ) as engine,
    ):
        store = Store(engine, Clock())
        proxy.cut_after = b"pg_notify"

        with pytest.raises(StorageUnavailable, match="server closed the connection") as raised:
            create_project(store, "undone")
        assert "may be there" not in str(raised.value)

        proxy.cut_after = None
        assert store.projects() == []


def test_a_server_that_stands_still_is_given_up(postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "deadline", 0.5)
    store = postgresql.store()

    def write_and_stop_the_server() -> None:
        with store.write() as write:
            write.insert_project("undone")
            ((pid,),) = sql(postgresql.url, f"SELECT pid {SESSIONS.format('INSERT INTO project')}")
            os.kill(pid, signal.SIGSTOP)
            try:
                write.insert_project("no answer")
            finally:
                os.kill(pid, signal.SIGCONT)

    with pytest.raises(StorageUnavailable, match=r"no answer within 0\.5 seconds"):
        write_and_stop_the_server()

    assert create_project(store, "p") in store.projects()
    assert store.current_revision() == 1


def test_a_program_that_stands_still_in_a_write_holds_up_the_others_only_for_a_while(
    postgresql: Database, afar: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_WRITE", engine_module._WRITE.replace("'5s'", "'300ms'"))
    store = postgresql.store()

    def write_slowly() -> None:
        with store.write() as write:
            assert create_project(afar, "waits").name == "waits"
            write.insert_project("too late")

    with pytest.raises(StorageUnavailable, match="idle-in-transaction timeout"):
        write_slowly()

    assert [project.name for project in store.projects()] == ["waits"]


def test_a_writer_does_not_wait_for_ever_for_another(
    postgresql: Database, afar: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_WRITE", engine_module._WRITE.replace("'15s'", "'100ms'"))

    with postgresql.store().write() as write:
        write.insert_project("first")
        with pytest.raises(StorageUnavailable, match="lock timeout"):
            create_project(afar, "second")

    assert [project.name for project in afar.projects()] == ["first"]


def test_a_server_that_may_only_be_read_is_read_and_written_again_when_it_may(postgresql: Database) -> None:
    name = postgresql.url.rpartition("/")[2]
    sql(postgresql.url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store = postgresql.store()

    with pytest.raises(StorageUnavailable, match="read-only transaction"):
        create_project(store, "p")
    assert store.projects() == []

    with psycopg.connect(postgresql.url, autocommit=True, options="-c default_transaction_read_only=off") as connection:
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
    with pytest.raises(StorageUnavailable):
        create_project(store, "p")  # on a connection that is from before
    assert create_project(store, "p") in store.projects()
