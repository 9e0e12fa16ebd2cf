"""The responses of a server while its database is unreachable, and after it recovers or is restored."""

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
from tests.support.server import Project, Response, a_body
from tests.support.stores import Database
from tests.support.threads import until


@pytest.fixture
def node(postgresql: Database, folder: Path) -> Iterator[Project]:
    with Node(folder / "node", postgresql.url, "--max-staleness", "3600") as running:
        yield running.new_project()


HEALTH = ("/health/ready", "/health/live")


def cache_file(node: Project) -> Path:
    return node.server.folder / "disk-cache"


def age(node: Project) -> int | None:
    """Return the age in the response to a read."""
    value = node.get("a").headers.get("x-moorage-age")
    return None if value is None else int(value)


def disk_cache_of(node: Project) -> DiskCache:
    return DiskCache(cache_file(node), Address(node.server.database).redacted, PASSWORD.encode())


def reason_in_log(node: Project, rejected: Response) -> str:
    """Return the reason of a 503, which only the log has."""
    request_id = rejected.error["request_id"]
    lines = [line for line in node.server.log_lines() if line.get("request_id") == request_id]
    return next(str(line["event"]) for line in lines if line["event"] != "request")


def wait_for_disk_cache(node: Project) -> None:
    """Return when the disk cache has the current revision.

    A server writes the file soon after its start. Later it pauses in proportion to the time that a write took, so on
    a busy machine the next write comes after minutes.
    """
    node.server.stop()
    node.server.start()
    revision = int(node.page().headers["x-moorage-revision"])
    disk_cache = disk_cache_of(node)
    until(lambda: (cached := disk_cache.load()) is not None and cached[0].position.rev == revision)


def test_no_response_has_the_address_or_the_user_of_an_unreachable_database(
    node: Project, postgres: PostgresServer
) -> None:
    node.put("a")
    address = (str(postgres.port), "127.0.0.1", "postgres", "refused", "connection", node.server.database)
    postgres.stop()
    try:
        reads = ("/v2/deployments/a/versions", "/v2/deployments/a/history", "/v2/manifests", "/v2/api-keys", *HEALTH)
        rejected = node.put("b")
        bodies = [rejected.body, *(node.request("GET", path).body for path in reads)]
    finally:
        postgres.start()

    assert rejected.error["message"].startswith("The database is not available.")
    for body in bodies:
        assert [word for word in address if word in body.decode()] == []
    assert "refused" in reason_in_log(node, rejected)


def test_a_start_without_the_database_serves_the_disk_cache(node: Project, postgres: PostgresServer) -> None:
    written = node.put("a")
    node.put("gone")
    node.request("DELETE", "/v2/deployments/gone")
    wait_for_disk_cache(node)
    node.server.stop()
    postgres.stop()
    try:
        node.server.start()
        started = node.server.wait_for_event("the server starts from its disk cache")
        until(lambda: age(node) is not None)  # a start within a second of the stop sends no age at first
        read, page, gone = node.get("a"), node.page(limit=1), node.get("gone")
        cursor = node.page(starting_after=written.json["id"])
        rejected = node.put("b")
        ready = node.request("GET", "/health/ready").json
    finally:
        postgres.start()

    assert "refused" in started["event"]
    assert started["level"] == "warning"
    assert (read.status, read.json) == (200, written.json)
    assert int(read.headers["x-moorage-age"]) >= 1
    assert (page.keys, cursor.keys, gone.error["code"]) == (["a"], [], "deployment_deleted")
    assert (rejected.status, rejected.error["code"]) == (503, "storage_unavailable")
    assert ready["status"] == "degraded"
    until(lambda: age(node) is None)
    assert node.put("b").status == 201
    assert node.page().keys == ["b", "a"]


def test_the_disk_cache_is_encrypted_with_the_password(node: Project) -> None:
    node.put("a", a_body(model="secret-model"))
    wait_for_disk_cache(node)

    data = cache_file(node).read_bytes()

    assert cache_file(node).stat().st_mode & 0o077 == 0
    for word in (b"secret-model", b"deployment", node.name.encode(), node.token[:16].encode()):
        assert word not in data


def test_the_age_of_the_disk_cache_does_not_depend_on_the_time_of_its_file(
    node: Project, postgres: PostgresServer
) -> None:
    node.put("a")
    wait_for_disk_cache(node)
    until(lambda: (cached := disk_cache_of(node).load()) is not None and cached[1] < 10)
    node.server.stop()
    disk_cache = disk_cache_of(node)
    state, _ = disk_cache.load() or pytest.fail("no disk cache")
    disk_cache.save(state, age=3_000)
    copied = cache_file(node).read_bytes()
    cache_file(node).unlink()
    cache_file(node).write_bytes(copied)
    postgres.stop()
    try:
        node.server.start()
        found = age(node)
    finally:
        postgres.start()

    assert found is not None
    assert found >= 3_000


def test_an_empty_database_in_place_of_an_unreachable_one_is_rejected(postgres: PostgresServer, folder: Path) -> None:
    """An operator can create it before the restore of a dump. The server must not serve or cache its empty state."""
    url = postgres.new_database()
    name, renamed = url.rpartition("/")[2], f"{url.rpartition('/')[2]}_renamed"
    with Node(folder / "node", url) as running:
        node = running.new_project()
        node.put("a")
        wait_for_disk_cache(node)
        running.stop()
        sql(postgres.url("postgres"), f"ALTER DATABASE {name} RENAME TO {renamed}")
        running.start()
        sql(postgres.url("postgres"), f"CREATE DATABASE {name} TEMPLATE template0")

        until(lambda: (age(node) or 0) >= 3)
        assert node.get("a").status == 200
        rejected = node.put("b")
        assert (rejected.status, rejected.error["code"]) == (503, "storage_unavailable")
        assert "it is empty" in reason_in_log(node, rejected)
        assert names_of_tables(url) == []
        cached = disk_cache_of(node).load()
        assert cached is not None
        assert cached[0].projects

        sql(postgres.url("postgres"), f"DROP DATABASE {name} WITH (FORCE)")
        sql(postgres.url("postgres"), f"ALTER DATABASE {renamed} RENAME TO {name}")
        until(lambda: age(node) is None)
        assert node.put("b").status == 201


def test_the_disk_cache_has_the_time_of_its_last_confirmation_and_is_written_again_after_a_removal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_cache = DiskCache(folder / "disk-cache", "postgresql://one", b"password")
    state = CatalogState()

    for seconds in (100.0, 50.0, 0.0):
        monkeypatch.setattr(disk_cache, "_not_before", 0.0)  # without the pause of a few seconds
        disk_cache.save(state, seconds)
        cached = disk_cache.load()
        assert cached is not None
        assert seconds <= cached[1] < seconds + 10
        if seconds == 50.0:
            (folder / "disk-cache").unlink()


@pytest.mark.parametrize(
    "damage", ["no file", "a byte flipped", "cut short", "no bytes", "another file", "another database"]
)
def test_a_server_without_a_readable_disk_cache_does_not_start(
    node: Project, postgres: PostgresServer, damage: str
) -> None:
    wait_for_disk_cache(node)
    node.server.stop()
    path = cache_file(node)
    data = bytearray(path.read_bytes())
    database = node.server.database + ("_other" if damage == "another database" else "")
    if damage == "no file":
        path.unlink()
    elif damage == "another database":
        pass
    else:
        data[len(data) // 2] ^= 1
        damaged = {"a byte flipped": bytes(data), "cut short": bytes(data[:30]), "no bytes": b""}
        path.write_bytes(damaged.get(damage, b"something else"))
    postgres.stop()
    try:
        options = ("--port", str(reserve_port()), "--database", database, "--disk-cache", str(path))
        result = moorage("serve", *options, folder=path.parent)
    finally:
        postgres.start()

    assert result.returncode == 1
    assert "cannot be used" in result.stderr
    assert "refused" in result.stderr


def test_a_database_that_hangs_delays_no_read(node: Project, postgresql: Database) -> None:
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


def test_every_key_is_rejected_after_max_staleness(
    postgresql: Database, postgres: PostgresServer, folder: Path
) -> None:
    with Node(folder / "node", postgresql.url, "--max-staleness", "1") as running:
        node = running.new_project()
        # A node that gets no processor for a second is stale, so all requests are repeated.
        until(lambda: node.put("a").status in (200, 201))
        until(lambda: node.get("a").status == 200)
        postgres.stop()
        try:
            until(lambda: node.get("a").status == 503)
            rejected, ready, live = (node.request("GET", path) for path in ("/v2/deployments", *HEALTH))
        finally:
            postgres.start()

        assert rejected.error["code"] == "stale"
        assert "API keys are rejected" in rejected.error["message"]
        assert (ready.status, ready.json["status"], live.status) == (503, "stale", 200)
        until(lambda: node.get("a").status == 200)


def test_a_new_key_of_another_node_is_valid_after_a_wait_for_its_revision(node: Project) -> None:
    for _ in range(5):
        _, token = node.key(Scope.READ)
        with closing(open_store(node.server.database)) as store:
            revision = store.current_revision()

        assert node.get_at("/v2/deployments", revision, {"Authorization": f"Bearer {token}"}).status == 200


def test_an_unknown_token_waits_and_is_rejected(node: Project) -> None:
    headers = {"Authorization": f"Bearer {new_token()[1]}", "X-Moorage-Min-Revision": "1"}

    assert node.request("GET", "/v2/deployments", headers=headers).error["code"] == "invalid_api_key"


@pytest.mark.parametrize("value", ["-1", "1.0", "x", "9" * 19, "1, 2"])
def test_an_invalid_min_revision_is_rejected(node: Project, value: str) -> None:
    response = node.get("a", **{"X-Moorage-Min-Revision": value})

    assert (response.status, response.error["code"]) == (400, "invalid_min_revision")
    assert response.error["param"] == "X-Moorage-Min-Revision"


@pytest.mark.parametrize("how", ["epoch", "back", "other history"])
def test_a_restored_database_is_read_completely(node: Project, postgresql: Database, how: str) -> None:
    node.put("stays")
    before = sql(postgresql.url, "SELECT rev, history_hash FROM revision")[0]
    node.put("a")
    assert node.page().keys == ["a", "stays"]

    remove = "; ".join(f"DELETE FROM {table} WHERE rev > {{0}}" for table in ("history", "version", "deployment"))
    changes = {
        "epoch": "UPDATE revision SET epoch = 'another', rev = rev + 1, history_hash = '{1}'",
        "back": "UPDATE revision SET rev = {0}, history_hash = '{1}'",
        "other history": "UPDATE revision SET rev = rev + 1, history_hash = '{1}'",
    }[how]
    sql(postgresql.url, "; ".join(["BEGIN", remove, changes, "COMMIT"]).format(*before))

    until(lambda: node.page().keys == ["stays"])
    assert node.put("b").status == 201
    assert node.page().keys == ["b", "stays"]
