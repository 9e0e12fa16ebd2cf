"""A server on a database with damaged rows in every table: all others are served, and the damaged ones are errors."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from moorage.core.access import Scope
from tests.support.damage import damage
from tests.support.server import Project, Server, a_body
from tests.support.stores import run_sql
from tests.support.threads import until

pytestmark = pytest.mark.system


class Damaged(NamedTuple):
    """A project whose deployment `bad` and whose API key are damaged, after a start."""

    project: Project
    key_id: str
    token: str
    admin: dict[str, str]


@pytest.fixture
def damaged(new_database: Callable[[Path], str], folder: Path) -> Iterator[Damaged]:
    with Server(folder, database=new_database(folder)) as server:
        project = server.new_project()
        for key in ("a", "bad", "old", "z"):
            project.put(key)
            project.put(key, a_body(model="newer"))
        project.request("POST", "/v2/deployments", b'{"key": "once"}', {"Idempotency-Key": "k1"})
        assert get_config(project, "bad").status == 200
        key_id, token = project.key(Scope.READ)
        _, admin = project.key(Scope.KEYS_ADMIN)
        server.stop()
        bad = "deployment_id = (SELECT id FROM deployment WHERE key = 'bad')"
        old = "(SELECT id FROM deployment WHERE key = 'old')"
        for each in (
            ("deployment", "created_us", "-1", "key = 'bad'"),
            ("version", "major", "-1", f"{bad} AND minor = 0"),
            ("version", "created_us", "-1", f"deployment_id = {old} AND minor = 0"),
            ("history", "at_us", "-1", f"deployment_id = {old}"),
            ("project", "created_us", "-1", "name = 'default'"),
            ("api_key", "scopes", "'deployments:fly'", f"id = '{key_id}'"),
            ("consumer", "inputs", "'{broken'", "first_us > 0"),
        ):
            damage(server.database, *each)
        server.start()
        yield Damaged(project, key_id, token, {"Authorization": f"Bearer {admin}"})


def get_config(project: Project, key: str) -> Any:
    return project.request("POST", "/v2/deployments/get_config", b'{"key": "%b"}' % key.encode())


def test_the_other_deployments_are_served_and_written(damaged: Damaged) -> None:
    project = damaged.project

    assert project.page().keys == ["z", "old", "a"]
    assert [get_config(project, key).status for key in ("a", "old", "z")] == [200, 200, 200]
    snapshot = project.request("GET", "/v2/deployments/snapshot")
    assert [each["key"] for each in snapshot.json["deployments"]] == ["a", "old", "z"]
    assert snapshot.headers["x-moorage-unreadable"] == "bad"
    for path in ("versions", "history"):
        assert project.request("GET", f"/v2/deployments/a/{path}").status == 200
    assert project.put("a", a_body(model="newest")).json["version"] == "1.2"
    assert project.put("new").status == 201
    assert "moorage_catalog_decode_errors 1.0" in project.request("GET", "/metrics").body.decode()


def test_a_damaged_deployment_is_an_error_with_what_to_do(damaged: Damaged) -> None:
    project = damaged.project

    for response in (
        project.get("bad"),
        get_config(project, "bad"),
        project.put("bad"),
        project.request("POST", "/v2/deployments/bad/explain", b"{}"),
        project.request("GET", "/v2/deployments/bad/versions"),
        project.request("DELETE", "/v2/deployments/bad"),
    ):
        assert (response.status, response.error["code"]) == (500, "deployment_unreadable")
        assert "created_us is -1; it must be a time" in response.error["message"]
        assert "moorage db check" in response.error["hint"]
    manifests = project.request("GET", "/v2/manifests").json
    assert [each["key"] for each in manifests["data"]] == ["z", "old", "a"]
    ((listed),) = manifests["unreadable"]
    assert (listed["key"], "created_us is -1" in listed["message"]) == ("bad", True)


def test_a_damaged_version_or_entry_is_an_error_of_its_list(damaged: Damaged) -> None:
    versions = damaged.project.request("GET", "/v2/deployments/old/versions")
    history = damaged.project.request("GET", "/v2/deployments/old/history")

    assert (versions.status, versions.error["code"]) == (500, "version_unreadable")
    assert (history.status, history.error["code"]) == (500, "history_unreadable")
    assert damaged.project.put("old", a_body(model="newest")).json["version"] == "1.2"


def test_a_damaged_api_key_is_rejected_as_invalid_and_logged_once(damaged: Damaged) -> None:
    project = damaged.project
    bearer = {"Authorization": f"Bearer {damaged.token}"}

    for _ in range(2):
        response = project.request("GET", "/v2/deployments", headers=bearer)
        assert (response.status, response.error["code"]) == (401, "invalid_api_key")
        project.put("a", a_body(model="again"))
    found = project.request("GET", f"/v2/api-keys/{damaged.key_id}", headers=damaged.admin)
    assert (found.status, found.error["code"]) == (500, "api_key_unreadable")
    listed = project.request("GET", "/v2/api-keys", headers=damaged.admin).json["data"]
    assert damaged.key_id not in [key["id"] for key in listed]
    until(lambda: any(damaged.key_id in str(line.get("event")) for line in project.server.log_lines()))
    errors = [line["event"] for line in project.server.log_lines() if line["level"] == "error"]
    assert len([event for event in errors if damaged.key_id in event]) == 1
    assert len([event for event in errors if "'bad'" in event]) == 1


def test_a_key_that_is_damaged_while_a_server_runs_stops_working(damaged: Damaged) -> None:
    project = damaged.project
    _, token = project.key(Scope.READ)
    bearer = {"Authorization": f"Bearer {token}"}
    assert project.request("GET", "/v2/deployments", headers=bearer).status == 200

    run_sql(project.server.database, "UPDATE revision SET rev = rev + 1")
    run_sql(project.server.database, "UPDATE api_key SET scopes = 'nothing', rev = (SELECT rev FROM revision)"
            f" WHERE id = '{token[4:16]}'")  # fmt: skip
    project.put("a", a_body(model="other"))

    assert project.request("GET", "/v2/deployments", headers=bearer).error["code"] == "invalid_api_key"


@pytest.mark.parametrize("load", [True, False])
def test_a_server_starts_on_its_load_and_the_damaged_deployment_in_it(
    new_database: Callable[[Path], str], folder: Path, load: bool
) -> None:
    (folder / "files").mkdir()
    for key in ("a", "bad"):
        (folder / "files" / f"{key}.json").write_text(json.dumps(a_body() | {"key": key}))
    with Server(folder, "--load", "files", database=new_database(folder)) as server:
        server.stop()
        if load:
            damage(server.database, "deployment", "owner", "'nobody'", "key = 'bad'")
        else:
            damage(server.database, "history", "action", "'eaten'", "rev > 0")
        server.start()

        assert server.wait_for_event("the server is ready")["status"] == "ready"
