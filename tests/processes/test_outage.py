"""The database goes away, comes back, and is put back to an earlier state: what a server says and does meanwhile."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from moorage.catalog.snapshot import Snapshot
from moorage.core.access import Scope, new_token
from moorage.store.opening import open_store
from tests.support.nodes import Node
from tests.support.postgres import PASSWORD, SESSIONS, PostgresServer, sql
from tests.support.program import moorage
from tests.support.server import Project, a_body, quiet_port
from tests.support.stores import Database
from tests.support.threads import until


@pytest.fixture
def node(postgresql: Database, folder: Path) -> Iterator[Project]:
    with Node(folder / "node", postgresql.url, "--max-age", "3600") as running:
        yield running.new_project()


HEALTH = ("/health/ready", "/health/live")


def snapshot_of(node: Project) -> Path:
    return node.server.folder / "snapshot"


def age(node: Project) -> int | None:
    shown = node.get("a").headers.get("x-moorage-age")
    return None if shown is None else int(shown)


def until_kept(node: Project) -> None:
    """Wait until what the server shows is in its snapshot."""
    revision = int(node.page().headers["x-moorage-revision"])
    snapshot = Snapshot(snapshot_of(node), PASSWORD.encode())
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


@pytest.mark.parametrize("harm", ["no snapshot", "a byte flipped", "cut short", "no bytes", "another file"])
def test_without_a_snapshot_that_can_be_read_it_does_not_start(
    node: Project, postgres: PostgresServer, harm: str
) -> None:
    until_kept(node)
    node.server.stop()
    path = snapshot_of(node)
    data = bytearray(path.read_bytes())
    if harm == "no snapshot":
        path.unlink()
    else:
        data[len(data) // 2] ^= 1
        harmed = {"a byte flipped": bytes(data), "cut short": bytes(data[:30]), "no bytes": b""}
        path.write_bytes(harmed.get(harm, b"something else"))
    postgres.stop()
    try:
        where = ("--port", str(quiet_port()), "--database", node.server.database, "--snapshot", str(path))
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
    with Node(folder / "node", postgresql.url, "--max-age", "1") as running:
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

        headers = {"Authorization": f"Bearer {token}", "X-Min-Revision": str(made)}
        assert node.request("GET", "/v2/deployments", headers=headers).status == 200


def test_a_token_of_nobody_waits_and_is_refused(node: Project) -> None:
    headers = {"Authorization": f"Bearer {new_token()[1]}", "X-Min-Revision": "1"}

    assert node.request("GET", "/v2/deployments", headers=headers).error["code"] == "invalid_api_key"


@pytest.mark.parametrize("value", ["-1", "1.0", "x", "9" * 19, "1, 2"])
def test_a_min_revision_that_is_none_is_refused(node: Project, value: str) -> None:
    answer = node.get("a", **{"X-Min-Revision": value})

    assert (answer.status, answer.error["code"]) == (400, "invalid_min_revision")
    assert answer.error["param"] == "X-Min-Revision"


@pytest.mark.parametrize("how", ["epoch", "back", "other history"])
def test_a_database_that_was_put_back_is_read_anew(node: Project, postgresql: Database, how: str) -> None:
    node.put("stays")
    kept = sql(postgresql.url, "SELECT rev, ledger_hash FROM revision")[0]
    node.put("a")
    assert node.page().keys == ["a", "stays"]

    remove = "; ".join(f"DELETE FROM {table} WHERE rev > {{0}}" for table in ("ledger", "version", "deployment"))
    set_to = {
        "epoch": "UPDATE revision SET epoch = 'another', rev = rev + 1, ledger_hash = '{1}'",
        "back": "UPDATE revision SET rev = {0}, ledger_hash = '{1}'",
        "other history": "UPDATE revision SET rev = rev + 1, ledger_hash = '{1}'",
    }[how]
    sql(postgresql.url, "; ".join(["BEGIN", remove, set_to, "COMMIT"]).format(*kept))

    until(lambda: node.page().keys == ["stays"])
    assert node.put("b").status == 201
    assert node.page().keys == ["b", "stays"]
