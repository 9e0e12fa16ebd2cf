"""Health, metrics, logs, OpenAPI document and docs page."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from moorage.api.openapi.document import describe
from moorage.api.routes import OPERATIONS
from moorage.core.errors.base import MoorageError
from tests.support.errors import all_errors
from tests.support.server import Project, Server, a_body
from tests.support.threads import until

DOCUMENT = json.loads(describe(OPERATIONS).openapi_json)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_needs_no_key_and_returns_only_the_status(project: Project, path: str) -> None:
    response = project.request("GET", path, headers={"Authorization": ""})

    assert response.status == 200
    assert response.json == {"status": path.rpartition("/")[2]}


def test_metrics_count_requests_by_route_and_status(project: Project) -> None:
    def count() -> float:
        text = project.request("GET", "/metrics").body.decode()
        route = re.escape("/v2/deployments/{key_or_id}")
        found = re.search(rf'moorage_http_requests_total{{method="PUT",route="{route}",status="413"}} (\S+)', text)
        return float(found[1]) if found else 0.0

    before = count()
    project.put("a", b"x" * 1_048_577)

    assert count() == before + 1


def test_metrics_show_latency_catalog_and_revision(project: Project) -> None:
    put = project.put("a")
    project.page()

    response = project.request("GET", "/metrics")
    text = response.body.decode()

    assert response.headers["content-type"].startswith("text/plain; version=")
    assert f"moorage_revision {float(put.headers['x-moorage-revision'])}" in text
    assert re.search(r"moorage_catalog_deployments [1-9]", text)
    assert 'moorage_http_request_duration_seconds_bucket{le="0.001",method="GET",route="/v2/deployments"}' in text


def test_unknown_paths_and_methods_create_no_series(project: Project) -> None:
    for number in range(3):
        project.request(f"ODD{number}", f"/odd/{number}")

    text = project.request("GET", "/metrics").body.decode()

    assert "/odd/" not in text
    assert "ODD" not in text
    assert 'method="OTHER",route="none",status="404"' in text


def wait_for_line(server: Server, request_id: str) -> dict[str, object]:
    found: list[dict[str, object]] = []

    def is_logged() -> bool:
        found.extend(line for line in server.log_lines() if line.get("request_id") == request_id)
        return bool(found)

    until(is_logged, details=lambda: f"no line for {request_id}")
    return found[0]


def test_a_request_is_a_line_of_json(project: Project, server: Server) -> None:
    request_id = project.page().headers["x-request-id"]

    line = wait_for_line(server, request_id)

    assert line["event"] == "request"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v2/deployments", 200)
    assert line["level"] == "info"
    assert line["api_key"] == project.token.split("_")[1]
    assert isinstance(line["duration_ms"], float)


def test_a_token_is_never_logged(project: Project, server: Server) -> None:
    project.page()
    project.request("GET", f"/{project.token}")
    project.request("GET", f"/v2/deployments/{project.token}", headers={"Authorization": f"Basic {project.token}"})
    project.page(token=project.token)
    last = project.put("a", a_body(model=project.token)).headers["x-request-id"]
    wait_for_line(server, last)

    log = server.log.read_text()

    assert project.token not in log
    assert project.token[-20:] not in log


def test_a_path_cannot_forge_a_log_line(project: Project, server: Server) -> None:
    request_id = project.request("GET", "/x%0A%7B%22event%22:%22forged%22%7D").headers["x-request-id"]

    assert wait_for_line(server, request_id)["path"] == '/x\n{"event":"forged"}'
    assert all(line["event"] != "forged" for line in server.log_lines())


def test_the_console_format_is_plain_lines(folder: Path) -> None:
    with Server(folder, "--log-format", "console") as server:
        request_id = server.new_project().page().headers["x-request-id"]
        until(lambda: request_id in server.log.read_text())

        line = next(line for line in server.log.read_text().splitlines() if request_id in line)
        assert re.fullmatch(r"\S+Z info    200 GET /v2/deployments \d+\.\d ms 127\.0\.0\.1 \S+", line)


def test_openapi_has_every_route_and_every_error(project: Project) -> None:
    response = project.request("GET", "/openapi.json", headers={"Authorization": ""})

    assert response.json == DOCUMENT
    assert DOCUMENT["openapi"] == "3.1.0"
    listed = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert listed == {(operation.method, operation.path) for operation in OPERATIONS}


def test_a_page_matches_its_openapi_schema(project: Project) -> None:
    project.put("a")
    schema = {"$ref": "#/components/schemas/DeploymentPage", "components": DOCUMENT["components"]}

    jsonschema_rs.validate(schema, project.page().json)


def test_the_docs_page_loads_nothing(project: Project) -> None:
    response = project.request("GET", "/docs", headers={"Authorization": ""})
    html = response.body.decode()

    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not re.search(r"<(script|link|img|iframe)|src=|@import|url\(", html)
    assert not re.search(r"https?://(?!127\.0\.0\.1)", html)


def test_the_docs_page_has_an_anchor_for_every_error_and_every_link(project: Project) -> None:
    html = project.request("GET", "/docs").body.decode()
    anchors = set(re.findall(r'id="([^"]+)"', html))
    kinds = [
        kind for kind in all_errors() if kind is not MoorageError and not kind.__module__.startswith("moorage.cli")
    ]

    assert {kind.code for kind in kinds} <= anchors
    assert set(re.findall(r"""href=["']#([^"']+)""", html)) <= anchors
