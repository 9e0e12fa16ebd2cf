"""Paths: a slash that is encoded is a character of a segment, and leads to no other route."""

import http.client
import json
from typing import Any

import pytest

from tests.support.server import Project, a_body


def send(project: Project, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Send a request whose target is not normalized; return the status and the JSON of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", project.server.port)
    try:
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, target, data, {"Authorization": f"Bearer {project.token}", **headers})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.fixture
def deployment(project: Project) -> Project:
    """Return a project with the deployment `d`, of which 1.0 is published and 1.1 live."""
    for model in ("one", "two"):
        assert project.put("d", a_body(model=model)).status in (200, 201)
    return project


def state(project: Project) -> Any:
    """Return what a project has."""
    return [
        send(project, "GET", path)[1] for path in ("/v2/manifests", "/v2/deployments/d/versions?limit=50")
    ]  # fmt: skip


#: Requests that an encoded slash could lead to: the path below the deployment, and a body.
REQUESTS = [
    ("DELETE", "/versions/1.0", None),
    ("POST", "/versions/1.0/publish", {}),
    ("POST", "/versions", {"prompt_config": a_body()["prompt_config"]}),
    ("POST", "/undo", {}),
    ("GET", "/versions", None),
    ("GET", "/history", None),
    ("GET", "/diff?from=1.0&to=1.1", None),
    ("POST", "/explain", {}),
    ("PUT", "/x", a_body()),
    ("PATCH", "/", {"description": "changed"}),
]


@pytest.mark.parametrize("slash", ["%2F", "%2f"])
def test_a_key_with_an_encoded_slash_leads_to_no_route(deployment: Project, slash: str) -> None:
    before = state(deployment)

    for method, rest, body in REQUESTS:
        status, found = send(deployment, method, f"/v2/deployments/d{rest.replace('/', slash)}", body)
        assert (status, found["error"]["code"]) == (404, "not_found")

    assert state(deployment) == before


def test_a_slash_that_is_encoded_twice_is_part_of_a_key(deployment: Project) -> None:
    before = state(deployment)

    for method, rest, body in REQUESTS:
        status, found = send(deployment, method, f"/v2/deployments/d{rest.replace('/', '%252F')}", body)
        assert (status, found["error"]["code"]) in (
            (404, "deployment_not_found"), (405, "method_not_allowed"), (400, "invalid_key"),
            (400, "unknown_parameter"),
        )  # fmt: skip

    assert state(deployment) == before


@pytest.mark.parametrize("slash", ["%2F", "%2f"])
@pytest.mark.parametrize(
    "path",
    ["/v2{}deployments", "/v2/deployments{}d", "/v2{}deployments/d", "/{}v2/deployments", "/v2/deployments/d{}"],
)
def test_an_encoded_slash_leads_to_no_cached_page(deployment: Project, path: str, slash: str) -> None:
    for plain in ("/v2/deployments", "/v2/deployments/d"):
        assert send(deployment, "GET", plain)[0] == 200, "it is in the response cache"

    status, found = send(deployment, "GET", path.format(slash))

    assert (status, found["error"]["code"]) == (404, "not_found")
    assert found["error"]["message"].startswith(f"There is no route {path.format('%2F')}.")


@pytest.mark.parametrize("slash", ["%2F", "%2f"])
def test_a_version_or_an_api_key_with_an_encoded_slash_leads_to_no_route(deployment: Project, slash: str) -> None:
    for method, path in (
        ("DELETE", f"/v2/deployments/d/versions/1.0{slash}publish"),
        ("POST", f"/v2/deployments/d/versions/1.0{slash}publish"),
        ("POST", f"/v2/deployments/d/versions{slash}1.0/publish"),
        ("DELETE", f"/v2/api-keys{slash}x"),
        ("GET", f"/health{slash}live"),
        ("GET", f"/openapi.json{slash}"),
    ):
        assert send(deployment, method, path)[1]["error"]["code"] == "not_found"

    assert send(deployment, "GET", "/v2/deployments/d")[1]["version"] == "1.1"


def test_other_encoded_characters_are_decoded(deployment: Project) -> None:
    """They are the same resource (RFC 3986, section 6.2.2.2)."""
    assert send(deployment, "GET", "/v2/%64eployments/%64")[1]["key"] == "d"


@pytest.mark.parametrize(
    "path", ["/v2/deployments/d/../d", "/v2/./deployments", "//v2/deployments", "/v2//deployments"]
)
def test_dots_and_empty_segments_are_not_resolved(deployment: Project, path: str) -> None:
    assert send(deployment, "GET", path)[0] == 404


def test_an_encoded_question_mark_begins_no_query(deployment: Project) -> None:
    status, found = send(deployment, "GET", "/v2/deployments/d%3Flimit=1")

    assert (status, found["error"]["code"]) == (404, "deployment_not_found")


@pytest.mark.parametrize("path", ["/v2/deployments/%00", "/v2/deployments/%ff", "/v2/deployments/%E2%80%AE", "/%2F%ff"])
def test_bytes_that_no_key_has_are_not_found(deployment: Project, path: str) -> None:
    assert send(deployment, "GET", path)[0] == 404


def test_the_body_of_get_config_does_not_depend_on_an_encoded_path(deployment: Project) -> None:
    plain = send(deployment, "POST", "/v2/deployments/get_config", {"key": "d"})
    encoded = send(deployment, "POST", "/v2/deployments%2Fget_config", {"key": "d"})

    assert (plain[0], encoded[0]) == (200, 404)
