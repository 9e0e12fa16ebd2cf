"""`/`, and the errors of routes that do not exist."""

import pytest

from moorage import __version__
from tests.support.server import Project, Server


def test_the_index_is_json_for_programs(server: Server, project: Project) -> None:
    before = project.request("GET", "/").json["deployments"]
    project.fill(3)

    response = project.request("GET", "/", headers={})

    assert response.status == 200
    assert response.json == {
        "name": "Moorage", "version": __version__, "deployments": before + 3, "docs": "/docs",
        "openapi": "/openapi.json", "health": "/health/ready",
    }  # fmt: skip
    for name in ("docs", "openapi", "health"):
        assert project.request("GET", response.json[name], headers={}).status == 200


def test_the_index_sends_browsers_to_the_console(project: Project) -> None:
    response = project.request("GET", "/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert (response.status, response.headers["location"]) == (303, "/console")
    assert response.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("GET", "/models", "the base URL ends with /v1"),
        ("POST", "/chat/completions", "the base URL ends with /v1"),
        ("POST", "/v1/images/edits", "there are images/generations, audio/speech"),
        ("GET", "/v1/responses/resp_1", "stores neither responses nor conversations"),
        ("POST", "/v3/router/conversations", "stores neither responses nor conversations"),
        ("POST", "/v2/router/ocr", "there are images/generations, audio/speech"),
        ("POST", "/embeddings", "the base URL ends with /v1"),
        ("POST", "/v1/messages", "POST /v1/chat/completions is"),
        ("POST", "/messages", "POST /v1/chat/completions is"),
        ("POST", "/v1/chat/completions/", "Did you mean /v1/chat/completions?"),
        ("POST", "/v1/v1/chat/completions", "has a version twice"),
        ("POST", "/v2/router/v1/chat/completions", "has a version twice"),
        ("GET", "/v1/models/openai%2Fmy-gpt", "the key of a deployment, which has no slash"),
        ("GET", "/deployments", "Did you mean /v2/deployments?"),
        ("GET", "/api/v2/deployments", "Did you mean /v2/deployments?"),
        ("GET", "/v2/deployment/faq", "Did you mean /v2/deployments/{key_or_id}?"),
        ("GET", "/v2/deployments/faq/version", "Did you mean /v2/deployments/{key_or_id}/versions?"),
        ("GET", "/v2/api_keys", "Did you mean /v2/api-keys?"),
        ("GET", "/healthz/live", "Did you mean /health/live?"),
        ("GET", "/openapi", "Did you mean /openapi.json?"),
        ("GET", "/v2/deployments/", "Did you mean /v2/deployments?"),
    ],
)
def test_a_route_that_does_not_exist_names_one_that_does(project: Project, method: str, path: str, named: str) -> None:
    response = project.request(method, path, b"{}" if method == "POST" else None)

    assert (response.status, response.error["code"]) == (404, "not_found")
    assert named in response.error["message"]
    assert "See /docs for all routes." in response.error["message"]


def test_a_path_like_no_route_names_none(project: Project) -> None:
    assert "Did you mean" not in project.request("GET", "/favicon.ico").error["message"]
    assert "Did you mean" not in project.request("GET", "/" + "x" * 5_000).error["message"]
