"""The database goes away, comes back, and is put back to an earlier state: what a server says and does meanwhile."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from moorage.catalog.disk_cache import DiskCache
from moorage.catalog.state import CatalogState
from moorage.core.access import Scope, new_token
from moorage.store.opening import open_store
from moorage.store.postgres.connections import Address
from tests.support.nodes import Node
from tests.support.ports import reserve_port
from tests.support.postgres import PASSWORD, SESSIONS, PostgresServer, names_of_tables, sql
from tests.support.program import moorage
from tests.support.server import Project, a_body
from tests.support.stores import Database
from tests.support.threads import until


@pytest.fixture
def node(postgresql: Database, folder: Path) -> Iterator[Project]:
    with Node(folder / "node", postgresql.url, "--max-staleness", "3600") as running:
        yield running.new_project()


HEALTH = ("/health/ready", "/health/live")


def snapshot_of(node: Project) -> Path:
    return node.server.folder / "snapshot"


def age(node: Project) -> int | None:
    shown = node.get("a").headers.get("x-moorage-age")
    return None if shown is None else int(shown)


def reader_of(node: Project) -> DiskCache:
    return DiskCache(snapshot_of(node), Address(node.server.database).shown, PASSWORD.encode())


def until_kept(node: Project) -> None:
    """Return when the disk cache has the current revision.

    A server writes the file soon after its start. Later it pauses in proportion to the time that a write took, so on
    a busy machine the next write comes after minutes.
    """
    node.server.stop()
    node.server.start()
    revision = int(node.page().headers["x-moorage-revision"])
    snapshot = reader_of(node)
    until(lambda: (kept := snapshot.load()) is not None and kept[0].state.rev == revision)


def test_a_start_without_the_database_answers_from_the_snapshot(node: Project, postgres: PostgresServer) -> None:
    written = node.put("a")
    node.put("gone")
    node.request("DELETE", "/v2/deployments/gone")
    until_kept(node)
    node.server.stop()
    postgres.stop()
    try:
        node.server.start()
        greeting = node.server.greeting()
        until(lambda: age(node) is not None)  # the file was current at the stop; a fast start is within a second of it
        read, page, gone = node.get("a"), node.page(limit=1), node.get("gone")
        cursor = node.page(starting_after=written.json["id"])
        refused = node.put("b")
        ready = node.request("GET", "/health/ready").json
    finally:
        postgres.start()

    assert "DEGRADED" in greeting
    assert "refused" in greeting
    assert (read.status, read.json) == (200, written.json)
    assert int(read.headers["x-moorage-age"]) >= 1
    assert (page.keys, cursor.keys, gone.error["code"]) == (["a"], [], "deployment_deleted")
    assert (refused.status, refused.error["code"]) == (503, "storage_unavailable")
    assert ready["status"] == "degraded"
    until(lambda: age(node) is None)
    assert node.put("b").status == 201
    assert node.page().keys == ["b", "a"]


def test_a_snapshot_says_nothing_without_the_password(node: Project) -> None:
    node.put("a", a_body(model="secret-model"))
    until_kept(node)

    data = snapshot_of(node).read_bytes()

    assert snapshot_of(node).stat().st_mode & 0o077 == 0
    for word in (b"secret-model", b"deployment", node.name.encode(), node.token[:16].encode()):
        assert word not in data


def test_how_old_a_snapshot_is_does_not_depend_on_when_its_file_was_made(
    node: Project, postgres: PostgresServer
) -> None:
    node.put("a")
    until_kept(node)
    until(lambda: (kept := reader_of(node).load()) is not None and kept[1] < 10)
    node.server.stop()
    snapshot = reader_of(node)
    contents, _ = snapshot.load() or pytest.fail("it was there")
    snapshot.save(contents, age=3_000)
    copied = snapshot_of(node).read_bytes()
    snapshot_of(node).unlink()
    snapshot_of(node).write_bytes(copied)
    postgres.stop()
    try:
        node.server.start()
        shown = age(node)
    finally:
        postgres.start()

    assert shown is not None
    assert shown >= 3_000


def test_an_empty_database_that_appears_in_the_place_of_one_that_was_away_is_not_taken_for_it(
    postgres: PostgresServer, folder: Path
) -> None:
    """Somebody makes it to put a dump back into it; meanwhile it would show, and keep, that there is nothing."""
    url = postgres.new_database()
    name, away = url.rpartition("/")[2], f"{url.rpartition('/')[2]}_away"
    with Node(folder / "node", url) as running:
        node = running.new_project()
        node.put("a")
        until_kept(node)
        running.stop()
        sql(postgres.url("postgres"), f"ALTER DATABASE {name} RENAME TO {away}")
        running.start()
        sql(postgres.url("postgres"), f"CREATE DATABASE {name} TEMPLATE template0")

        until(lambda: (age(node) or 0) >= 3)
        assert node.get("a").status == 200
        refused = node.put("b")
        assert (refused.status, "it is empty" in refused.error["message"]) == (503, True)
        assert names_of_tables(url) == []
        kept = reader_of(node).load()
        assert kept is not None
        assert kept[0].projects

        sql(postgres.url("postgres"), f"DROP DATABASE {name} WITH (FORCE)")
        sql(postgres.url("postgres"), f"ALTER DATABASE {away} RENAME TO {name}")
        until(lambda: age(node) is None)
        assert node.put("b").status == 201


def test_a_snapshot_tells_when_it_was_confirmed_last_and_one_that_was_removed_is_written_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = DiskCache(folder / "snapshot", "postgresql://one", b"password")
    contents = CatalogState()

    for seconds in (100.0, 50.0, 0.0):
        monkeypatch.setattr(snapshot, "_not_before", 0.0)  # not only every few seconds
        snapshot.save(contents, seconds)
        kept = snapshot.load()
        assert kept is not None
        assert seconds <= kept[1] < seconds + 10
        if seconds == 50.0:
            (folder / "snapshot").unlink()


@pytest.mark.parametrize(
    "harm", ["no snapshot", "a byte flipped", "cut short", "no bytes", "another file", "another database"]
)
def test_without_a_snapshot_that_can_be_read_it_does_not_start(
    node: Project, postgres: PostgresServer, harm: str
) -> None:
    until_kept(node)
    node.server.stop()
    path = snapshot_of(node)
    data = bytearray(path.read_bytes())
    database = node.server.database + ("_other" if harm == "another database" else "")
    if harm == "no snapshot":
        path.unlink()
    elif harm == "another database":
        pass
    else:
        data[len(data) // 2] ^= 1
        harmed = {"a byte flipped": bytes(data), "cut short": bytes(data[:30]), "no bytes": b""}
        path.write_bytes(harmed.get(harm, b"something else"))
    postgres.stop()
    try:
        where = ("--port", str(reserve_port()), "--database", database, "--snapshot", str(path))
        done = moorage("serve", *where, folder=path.parent)
    finally:
        postgres.start()

    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "refused" in done.stderr


def test_a_database_that_stands_still_holds_up_no_read(node: Project, postgresql: Database) -> None:
    node.put("a")
    pids = [pid for (pid,) in sql(postgresql.url, f"SELECT pid {SESSIONS.format('')}")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: age(node) is not None)
        assert [node.get("a").status for _ in range(20)] == [200] * 20
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    until(lambda: age(node) is None)


def test_longer_than_max_age_no_key_is_trusted(postgresql: Database, postgres: PostgresServer, folder: Path) -> None:
    with Node(folder / "node", postgresql.url, "--max-staleness", "1") as running:
        node = running.new_project()
        node.put("a")
        assert node.get("a").status == 200
        postgres.stop()
        try:
            until(lambda: node.get("a").status == 503)
            refused, ready, live = (node.request("GET", path) for path in ("/v2/deployments", *HEALTH))
        finally:
            postgres.start()

        assert refused.error["code"] == "stale"
        assert "trusts no API key" in refused.error["message"]
        assert (ready.status, ready.json["status"], live.status) == (503, "stale", 200)
        until(lambda: node.get("a").status == 200)


def test_a_key_that_was_made_on_another_node_is_known_once_its_revision_is_waited_for(node: Project) -> None:
    for _ in range(5):
        _, token = node.key(Scope.READ)
        with closing(open_store(node.server.database)) as store:
            made = store.current_revision()

        headers = {"Authorization": f"Bearer {token}", "X-Moorage-Min-Revision": str(made)}
        assert node.request("GET", "/v2/deployments", headers=headers).status == 200


def test_a_token_of_nobody_waits_and_is_refused(node: Project) -> None:
    headers = {"Authorization": f"Bearer {new_token()[1]}", "X-Moorage-Min-Revision": "1"}

    assert node.request("GET", "/v2/deployments", headers=headers).error["code"] == "invalid_api_key"


@pytest.mark.parametrize("value", ["-1", "1.0", "x", "9" * 19, "1, 2"])
def test_a_min_revision_that_is_none_is_refused(node: Project, value: str) -> None:
    answer = node.get("a", **{"X-Moorage-Min-Revision": value})

    assert (answer.status, answer.error["code"]) == (400, "invalid_min_revision")
    assert answer.error["param"] == "X-Moorage-Min-Revision"


@pytest.mark.parametrize("how", ["epoch", "back", "other history"])
def test_a_database_that_was_put_back_is_read_anew(node: Project, postgresql: Database, how: str) -> None:
    node.put("stays")
    kept = sql(postgresql.url, "SELECT rev, history_hash FROM revision")[0]
    node.put("a")
    assert node.page().keys == ["a", "stays"]

    remove = "; ".join(f"DELETE FROM {table} WHERE rev > {{0}}" for table in ("history", "version", "deployment"))
    set_to = {
        "epoch": "UPDATE revision SET epoch = 'another', rev = rev + 1, history_hash = '{1}'",
        "back": "UPDATE revision SET rev = {0}, history_hash = '{1}'",
        "other history": "UPDATE revision SET rev = rev + 1, history_hash = '{1}'",
    }[how]
    sql(postgresql.url, "; ".join(["BEGIN", remove, set_to, "COMMIT"]).format(*kept))

    until(lambda: node.page().keys == ["stays"])
    assert node.put("b").status == 201
    assert node.page().keys == ["b", "stays"]
