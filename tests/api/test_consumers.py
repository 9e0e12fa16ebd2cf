"""Data that was served in the last 7 days is deleted only with `force`; the error lists its consumers."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from moorage.core.access import Scope
from moorage.store.opening import open_store
from tests.support.nodes import Nodes
from tests.support.server import Project, Response, Server, a_body
from tests.support.stores import Database
from tests.support.threads import until

pytestmark = pytest.mark.system


def get_config(project: Project, key: str, token: str = "", **inputs: object) -> Response:
    """Request a configuration as an application does."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = json.dumps({"key": key, "inputs": inputs}).encode()
    return project.request("POST", "/v2/deployments/get_config", body, headers)


def delete(project: Project, path: str) -> Response:
    return project.request("DELETE", f"/v2/deployments/{path}")


@pytest.fixture
def app(project: Project) -> tuple[str, str]:
    """Return the id and the token of the API key of an application."""
    return project.key(Scope.INVOKE)


def test_a_deployment_in_use_is_not_deleted_and_the_error_lists_its_consumers(
    project: Project, app: tuple[str, str]
) -> None:
    project.put("a")
    assert get_config(project, "a", app[1]).status == 200

    rejected = delete(project, "a")

    assert rejected.status == 409
    (consumer,) = rejected.error["used_by"]
    assert rejected.error["code"] == "in_use"
    assert (consumer["api_key"], consumer["version"]) == ({"id": app[0], "name": "more"}, "1.0")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", consumer["last_used"])
    for text in ("'a'", "more", app[0], consumer["last_used"], "force=true"):
        assert text in rejected.error["message"]
    assert project.get("a").status == 200


def test_force_deletes_a_deployment_in_use(project: Project) -> None:
    project.put("a")
    get_config(project, "a")

    assert delete(project, "a?force=true").status == 200
    assert delete(project, "a?force=perhaps").error["code"] == "invalid_flag"


def test_a_deployment_without_consumers_is_deleted(project: Project) -> None:
    for key in ("a", "b"):
        project.put(key)
    get_config(project, "a")
    get_config(project, "unknown")

    assert delete(project, "b").status == 200


def test_a_version_in_use_is_not_deleted_and_an_unused_one_is(project: Project) -> None:
    project.put("a")
    get_config(project, "a")
    for model in ("m1", "m2"):
        project.put("a", a_body(model=model))

    rejected, unused = delete(project, "a/versions/1.0"), delete(project, "a/versions/1.1")

    assert [consumer["version"] for consumer in rejected.error["used_by"]] == ["1.0"]
    assert rejected.error["message"].startswith("Version 1.0 of deployment 'a' was served")
    assert unused.status == 200
    assert delete(project, "a/versions/1.0?force=true").status == 200


def test_a_deployment_with_an_old_version_in_use_is_not_deleted(project: Project) -> None:
    project.put("a")
    get_config(project, "a")
    project.put("a", a_body(model="m1"))

    assert [consumer["version"] for consumer in delete(project, "a").error["used_by"]] == ["1.0"]


def test_a_304_records_a_consumer_and_a_rejected_request_does_not(project: Project) -> None:
    for key in ("a", "b"):
        project.put(key)
    etag = get_config(project, "a").headers["etag"]
    body = json.dumps({"key": "b", "context": {"x": {"y": 1}}}).encode()
    rejected = project.request("POST", "/v2/deployments/get_config", body)
    not_modified = project.request(
        "POST", "/v2/deployments/get_config", json.dumps({"key": "a"}).encode(), {"If-None-Match": etag}
    )

    assert (rejected.status, not_modified.status) == (400, 304)
    assert delete(project, "a").status == 409
    assert delete(project, "b").status == 200


def test_recording_consumers_does_not_change_the_revision(project: Project) -> None:
    project.put("a")
    before = project.get("a").headers
    get_config(project, "a")
    delete(project, "a")

    assert project.get("a").headers["etag"] == before["etag"]
    assert project.get("a").headers["x-moorage-revision"] == before["x-moorage-revision"]


def test_the_values_of_inputs_are_not_stored(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        project.put("a")
        get_config(project, "a", customer="the secret of Ada", address={"street": "the secret street"})
        server.stop()
    with closing(apsw.Connection(str(folder / "moorage.db"))) as connection:
        ((inputs,),) = connection.execute("SELECT inputs FROM consumer")

    assert json.loads(inputs) == ["address", "customer"]
    for value in (b"secret of Ada", b"secret street"):
        assert not [file for file in folder.iterdir() if value in file.read_bytes()]


@pytest.fixture
def stopped(folder: Path) -> Iterator[Project]:
    """Return a project whose deployment `a` was served before its server was stopped."""
    with Server(folder, "--workers", "2") as server:
        project = server.new_project()
        project.put("a")
        for _ in range(20):
            get_config(project, "a")
        server.stop()
        yield project


def test_a_server_stores_its_consumers_when_it_stops(stopped: Project) -> None:
    stopped.server.start()

    assert delete(stopped, "a").error["code"] == "in_use"


@pytest.mark.parametrize(("days", "status"), [(6.9, 409), (7.1, 200)])
def test_a_deployment_is_in_use_for_7_days_after_the_last_request(stopped: Project, days: float, status: int) -> None:
    ago_us = round((time.time() - days * 86_400) * 1_000_000)
    with closing(apsw.Connection(stopped.server.database.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE consumer SET last_us = ?", (ago_us,))
    stopped.server.start()

    assert delete(stopped, "a").status == status


def test_a_consumer_of_another_node_blocks_a_deletion(postgresql: Database, folder: Path) -> None:
    with Nodes(folder, postgresql.url) as nodes:
        project, other_node = nodes.projects
        revision = project.put("a").headers["x-moorage-revision"]
        assert other_node.get_at("/v2/deployments/a", revision).status == 200
        assert get_config(other_node, "a").status == 200

        deployment_id = project.get("a").json["id"]
        with closing(open_store(postgresql.url)) as store:

            def is_stored() -> bool:
                with store.read() as reader:
                    return bool(reader.consumers_of_deployment(deployment_id, 0))

            until(is_stored)

        assert delete(project, "a").error["code"] == "in_use"


def test_the_usage_of_a_key_lists_its_deployments_in_each_environment_the_most_recent_first(
    project: Project, app: tuple[str, str]
) -> None:
    admin = {"Authorization": f"Bearer {project.key(*Scope)[1]}"}
    assert project.request("PUT", "/v2/environments/staging", b"{}", admin).status == 201
    project.put("a")
    project.put("b")
    get_config(project, "a", app[1])
    project.put("a", a_body(model="other"))
    get_config(project, "a", app[1])
    call = json.dumps({"key": "b", "context": {"environments": "staging"}}).encode()
    used = {"Authorization": f"Bearer {app[1]}"}
    assert project.request("POST", "/v2/deployments/get_config", call, used).status == 200

    response = project.request("GET", f"/v2/api-keys/{app[0]}/usage", headers=admin)

    found = [(each["key"], each["environment"], each["versions"]) for each in response.json["data"]]
    assert sorted(found) == [("a", "production", ["1.1", "1.0"]), ("b", "staging", ["1.0"])]
    assert response.json["data"] == sorted(response.json["data"], key=lambda each: each["last_used"], reverse=True)
    unused = project.key(Scope.INVOKE)[0]
    assert project.request("GET", f"/v2/api-keys/{unused}/usage", headers=admin).json["data"] == []


def test_the_usage_of_a_key_needs_the_scope_to_read_deployments(project: Project, app: tuple[str, str]) -> None:
    key_admin = {"Authorization": f"Bearer {project.key(Scope.KEYS_ADMIN)[1]}"}

    refused = project.request("GET", f"/v2/api-keys/{app[0]}/usage", headers=key_admin)

    assert (refused.status, refused.error["code"]) == (403, "insufficient_scope")
