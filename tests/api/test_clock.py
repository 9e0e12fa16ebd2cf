"""A server whose clock was ahead by a year for one write: durations are right as soon as its clock is."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from moorage.core.access import Scope
from tests.support.clocked import PROGRAM, ClockFile
from tests.support.program import moorage
from tests.support.server import Response, Server, a_body

YEAR = 365


class ClockedProject:
    """A project on a server with a clock that a test sets."""

    def __init__(self, server: Server, clock: ClockFile) -> None:
        self.clock = clock
        self.project = server.new_project()
        for key in ("a", "b", "used"):
            self.project.put(key)
        assert self.get_config("used").status == 200

    def be_ahead_once(self) -> None:
        """Write once with a clock that is ahead by a year, and put the clock back."""
        self.clock.set_days(YEAR)
        ahead = self.project.put("ahead")
        self.clock.set_days(0)
        assert ahead.json["created"].startswith(str((datetime.now(UTC) + timedelta(days=YEAR)).year))

    def get_config(self, key: str) -> Response:
        return self.send("POST", "/v2/deployments/get_config", {"key": key})

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        data = None if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.project.request(method, path, data, sent)


@pytest.fixture
def clocked(
    new_database: Callable[[Path], str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClockedProject]:
    monkeypatch.setenv("CLOCK_FILE", "")  # restored afterwards
    clock = ClockFile(folder / "clock")
    with Server(folder, database=new_database(folder), program=PROGRAM) as server:
        yield ClockedProject(server, clock)


def in_days(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_deletions_are_restorable_for_30_days_and_not_purged(clocked: ClockedProject, folder: Path) -> None:
    clocked.send("DELETE", "/v2/deployments/b")
    clocked.be_ahead_once()
    deleted = clocked.send("DELETE", "/v2/deployments/a").json

    until = datetime.fromisoformat(deleted["restorable_until"])
    assert abs(until - in_days(30)) < timedelta(days=1)
    purged = moorage("db", "purge", "--database", clocked.project.server.database, folder=folder)
    assert "nothing to purge" in purged.stdout
    for key in ("a", "b"):
        assert clocked.send("POST", f"/v2/deployments/{key}/restore").status == 200

    clocked.send("DELETE", "/v2/deployments/b")
    clocked.clock.set_days(31)
    assert clocked.send("POST", "/v2/deployments/b/restore").error["code"] == "deployment_deleted"


def test_a_deployment_in_use_is_not_deleted_without_force(clocked: ClockedProject) -> None:
    clocked.be_ahead_once()

    assert clocked.send("DELETE", "/v2/deployments/used").error["code"] == "in_use"
    assert clocked.send("DELETE", "/v2/deployments/used?force=true").status == 200


def test_keys_expire_by_the_clock(clocked: ClockedProject) -> None:
    _, token = clocked.project.key(*Scope)
    clocked.be_ahead_once()
    body = {"name": "new", "expires_at": in_days(1).isoformat()}
    created = clocked.send("POST", "/v2/api-keys", body, Authorization=f"Bearer {token}")
    assert (created.status, created.json["status"]) == (201, "active")

    bearer = {"Authorization": f"Bearer {created.json['token']}"}
    statuses = []
    for days in (0, 2, 0):
        clocked.clock.set_days(days)
        statuses += [clocked.send("GET", "/v2/deployments", **bearer).status for _ in range(2)]
    assert statuses == [200, 200, 401, 401, 200, 200], "cached responses expire, too"


def test_an_idempotency_key_is_remembered(clocked: ClockedProject) -> None:
    def post(key: str, idempotency_key: str) -> Response:
        return clocked.send("POST", "/v2/deployments", a_body() | {"key": key}, Idempotency_Key=idempotency_key)

    first = post("new", "k1")
    clocked.clock.set_days(YEAR)
    post("newer", "k2")
    clocked.clock.set_days(0)

    for key, idempotency_key in (("new", "k1"), ("newer", "k2")):
        repeated = post(key, idempotency_key)
        assert (repeated.status, repeated.headers["x-moorage-replayed"]) == (201, "true")
    assert first.status == 201


def test_the_clock_of_writes_can_be_reset(clocked: ClockedProject, folder: Path) -> None:
    clocked.be_ahead_once()
    assert clocked.project.put("after").json["created"] > in_days(300).isoformat()

    result = moorage("db", "reset-clock", "--yes", "--database", clocked.project.server.database, folder=folder)

    assert result.returncode == 0, result.stderr
    created = [item["created"] for item in (clocked.project.put("last").json, *clocked.project.page().json["data"])]
    assert max(created) < in_days(1).isoformat()
    assert clocked.project.page().keys == ["last", "after", "ahead", "used", "b", "a"]
