"""`GET /v2/deployments/snapshot`: the live versions of a project in one document."""

import gzip
import hashlib
import hmac
import json

import pytest

from moorage.core.access import Scope
from tests.support.server import Project, Response, Server, a_body


def snapshot(project: Project, **headers: str) -> Response:
    return project.request("GET", "/v2/deployments/snapshot", headers=headers)


def test_a_snapshot_has_the_live_version_of_every_deployment_ordered_by_key(project: Project) -> None:
    for key in ("b", "a", "c"):
        project.put(key)
    changed = project.put("b", a_body(model="other"))
    project.request("DELETE", "/v2/deployments/c")

    response = snapshot(project)

    assert response.status == 200
    assert [item["key"] for item in response.json["deployments"]] == ["a", "b"]
    assert response.json["project"] == project.id
    assert response.json["revision"] == int(response.headers["x-moorage-revision"])
    b = response.json["deployments"][1]
    assert (b["version"], b["id"]) == ("1.1", changed.json["id"])
    assert b["prompt_config"] == changed.json["prompt_config"]
    assert set(b) == {"id", "key", "version_id", "version", "prompt_config", "variables", "runtime_config"}


def test_an_empty_project_has_an_empty_snapshot(project: Project) -> None:
    assert snapshot(project).json["deployments"] == []


def test_a_snapshot_is_304_until_the_project_changes(server: Server, project: Project) -> None:
    project.put("a")
    first = snapshot(project)
    server.new_project().put("a")

    repeated = snapshot(project, **{"If-None-Match": first.headers["etag"]})
    project.put("b")
    changed = snapshot(project, **{"If-None-Match": first.headers["etag"]})

    assert (repeated.status, repeated.body) == (304, b"")
    assert repeated.headers["etag"] == first.headers["etag"]
    assert changed.status == 200
    assert changed.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("*", None), ("identity", None), ("gzip;q=0", None), ("br", None)],
)
def test_a_snapshot_is_compressed_if_the_client_accepts_gzip(
    project: Project, accepted: str, encoding: str | None
) -> None:
    project.put("a")
    url = f"{project.server.url}/v2/deployments/snapshot"
    headers = {"Authorization": f"Bearer {project.token}", "Accept-Encoding": accepted}

    response = project._pool.request("GET", url, headers=headers, decode_content=False)

    assert response.headers.get("content-encoding") == encoding
    body = gzip.decompress(response.data) if encoding else response.data
    assert body == snapshot(project).body
    assert response.headers["vary"] == "Accept-Encoding"


def test_a_cached_snapshot_is_not_sent_for_another_encoding(project: Project) -> None:
    project.put("a")
    bodies = [snapshot(project, **{"Accept-Encoding": accepted}).body for accepted in ("gzip", "identity", "gzip")]

    assert len({*bodies}) == 1


def test_the_signature_can_be_verified_with_the_api_key(project: Project) -> None:
    project.put("a")
    _, other = project.key(Scope.INVOKE)

    response = snapshot(project)
    for_other = snapshot(project, Authorization=f"Bearer {other}")

    for token, signed in ((project.token, response), (other, for_other)):
        key = hashlib.sha256(token.encode()).digest()
        expected = hmac.new(key, hashlib.sha256(signed.body).digest(), hashlib.sha256).hexdigest()
        assert signed.headers["x-moorage-signature"] == f"hmac-sha256={expected}"
    assert response.body == for_other.body


def test_a_snapshot_of_many_deployments_is_complete(server: Server, project: Project) -> None:
    project.fill(60)

    assert {item["key"] for item in json.loads(snapshot(project).body)["deployments"]} == {
        f"d{number}" for number in range(1, 61)
    }
