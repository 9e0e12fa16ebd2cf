"""Metrics: errors by their codes, failures of the database, streams, and the processes of several workers."""

import os
import re
import signal
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
import urllib3

from moorage.core.access import Scope, new_token
from tests.support.server import Project, Server
from tests.support.threads import HANG_SECONDS, until


def value(project: Project, series: str) -> float:
    """Return the value of a series; 0 if it does not exist."""
    text = project.request("GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def errors(code: str) -> str:
    return f'moorage_error_responses_total{{code="{code}"}}'


@pytest.mark.parametrize("code", ["authentication_required", "invalid_api_key", "insufficient_scope", "invalid_host"])
def test_error_responses_are_counted_and_logged_by_their_code(project: Project, code: str) -> None:
    _, read_only = project.key(Scope.READ)
    authorization = {
        "authentication_required": "",
        "invalid_api_key": f"Bearer {new_token()[1]}",
        "insufficient_scope": f"Bearer {read_only}",
        "invalid_host": f"Bearer {project.token}",
    }[code]
    headers = {"Authorization": authorization} | ({"Host": "a b"} if code == "invalid_host" else {})
    project.get_at("/v2/deployments", 0, {"Authorization": f"Bearer {read_only}"})
    before = value(project, errors(code))

    response = project.request("PUT", "/v2/deployments/a", b"{}", headers)

    assert response.error["code"] == code
    assert value(project, errors(code)) == before + 1
    until(lambda: any(line.get("error") == code for line in project.server.log_lines()))


def test_a_success_has_no_error_in_the_log(project: Project) -> None:
    request_id = project.page().headers["x-request-id"]
    until(lambda: any(line.get("request_id") == request_id for line in project.server.log_lines()))

    assert [line.get("error") for line in project.server.log_lines() if line.get("request_id") == request_id] == [None]


def test_the_counters_exist_before_the_first_error(folder: Path) -> None:
    with Server(folder) as server:
        text = server.new_project().request("GET", "/metrics").body.decode()

    for code in ("invalid_api_key", "insufficient_scope", "api_key_queue_full", "write_queue_full"):
        assert f"{errors(code)} 0.0" in text
    for kind in ("storage_unavailable", "storage_full", "commit_unknown"):
        assert f'moorage_database_errors_total{{kind="{kind}"}} 0.0' in text


def test_failures_of_the_database_are_counted_by_their_kind(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        assert project.put("a").status == 201
        (folder / "moorage.db").rename(folder / "moved")

        assert project.put("a").status == 503

        assert value(project, 'moorage_database_errors_total{kind="storage_unavailable"}') == 1
        assert value(project, errors("storage_unavailable")) == 1


def test_a_revision_that_does_not_exist_yet_is_no_failure_of_the_database(project: Project) -> None:
    text = project.request("GET", "/metrics").body.decode()

    assert project.request("GET", "/v2/deployments", headers={"X-Moorage-Min-Revision": "9" * 15}).status == 503

    before = re.findall("^moorage_database_errors_total.*", text, re.MULTILINE)
    after = project.request("GET", "/metrics").body.decode()
    assert re.findall("^moorage_database_errors_total.*", after, re.MULTILINE) == before


def test_a_stream_is_counted_and_has_no_latency(folder: Path) -> None:
    stream = 'method="GET",route="/v2/deployments/changes"'
    with Server(folder) as server:
        project = server.new_project()
        request = urllib.request.Request(f"{server.url}/v2/deployments/changes")
        request.add_header("Authorization", f"Bearer {project.token}")
        with urllib.request.urlopen(request, timeout=HANG_SECONDS) as response:
            assert response.readline() == b"retry: 1000\n"
        until(lambda: value(project, f'moorage_http_requests_total{{{stream},status="200"}}') == 1)

        assert value(project, f"moorage_http_request_duration_seconds_count{{{stream}}}") == 0
        project.request("GET", "/v2/deployments/changes?since=x")
        assert value(project, f"moorage_http_request_duration_seconds_count{{{stream}}}") == 1


def test_no_series_has_the_time_of_its_creation(project: Project) -> None:
    assert "_created" not in project.request("GET", "/metrics").body.decode()


def processes(project: Project) -> dict[str, list[str]]:
    """Return the labels of each metric of processes."""
    found: dict[str, list[str]] = {}
    for name, labels in re.findall(
        r"^(process_\w+)(\{.*\})? \S+$", project.request("GET", "/metrics").body.decode(), re.MULTILINE
    ):
        found.setdefault(name, []).append(labels)
    return found


NAMES = {
    "process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
    "process_start_time_seconds", "process_open_fds", "process_max_fds",
}  # fmt: skip


def test_one_worker_has_the_standard_metrics_of_a_process(project: Project) -> None:
    assert processes(project) == {name: [""] for name in NAMES}


def test_several_workers_have_the_metrics_of_each_process(folder: Path) -> None:
    expected = {name: ['{worker="1"}', '{worker="2"}'] for name in NAMES}
    with Server(folder, "--workers", "2") as server:
        project = server.new_project()

        def are_complete() -> bool:
            with suppress(urllib3.exceptions.HTTPError):  # a worker was killed, and the other one does not listen yet
                return processes(project) == expected
            return False

        until(are_complete)
        os.kill(server.workers()[0], signal.SIGKILL)
        server.wait_for_event("a worker was replaced")
        until(are_complete)
