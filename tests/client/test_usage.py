"""The client reports which versions it uses, so that the server protects them."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from moorage.client import AsyncMoorage, Moorage, usage
from moorage.client.errors import ServerUnreachable
from moorage.client.http import HttpClient
from moorage.client.usage import MAX_VERSIONS, UsageReports
from moorage.core.compatibility.consumers import MAX_NAME, MAX_NAMES, MAX_REPORTED
from tests.api.test_usage import callers
from tests.client.test_forks import Program
from tests.support.server import Project, a_body
from tests.support.threads import HANG_SECONDS, until


class FakeServer(HttpClient):
    """A server that collects reports and can be unreachable."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", "mrg_x")
        self.reports: list[dict[str, list[str]]] = []
        self.is_down = False

    def report_usage(self, report: bytes) -> None:
        if self.is_down:
            raise ServerUnreachable(reason="it is down")
        versions: list[dict[str, Any]] = json.loads(report)["versions"]
        self.reports.append({used["version_id"]: used["inputs"] for used in versions})


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


@pytest.fixture
def reports(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> UsageReports:
    """Return reports that are sent only by the test."""
    monkeypatch.setattr(UsageReports, "_wake", lambda self: None)
    return UsageReports(fake)


@pytest.fixture(autouse=True)
def a_loaded_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the last report take as long as it needs."""
    monkeypatch.setattr(usage, "CLOSE_SECONDS", HANG_SECONDS)


GREETING = a_body(messages=[{"role": "system", "content": "Greet {{customer}}."}])


def test_what_a_client_uses_is_in_use(project: Project) -> None:
    project.put("greeting", GREETING)
    with Moorage(project.server.url, project.token, cache=None, lockfile=None) as client:
        client.get_config("greeting", {"customer": "secret", "order": 1})
        until(lambda: client.usage_reports == (1, 0))

        (caller,) = callers(project, "greeting")
        assert (caller["api_key"]["name"], caller["versions"], caller["inputs"]) == (
            "test",
            ["1.0"],
            ["customer", "order"],
        )
        rejected = project.request("DELETE", "/v2/deployments/greeting")
        assert (rejected.status, rejected.error["code"]) == (409, "in_use")
        breaking = project.put("greeting", a_body(messages=[{"role": "system", "content": "Greet {{client}}."}]))
        assert breaking.error["callers"][0]["inputs_missing"] == ["client"]


def test_close_sends_what_is_left(project: Project) -> None:
    project.put("greeting", GREETING)

    async def use() -> tuple[int, int]:
        async with AsyncMoorage(project.server.url, project.token, cache=None, lockfile=None) as client:
            await client.get_config("greeting", {"customer": "secret"})
        return client.usage_reports

    assert asyncio.run(use()) == (1, 0)
    assert callers(project, "greeting")[0]["inputs"] == ["customer"]


def test_the_end_of_the_program_sends_what_is_left(project: Project) -> None:
    project.put("greeting", GREETING)
    with Program("exit_without_close", project.server.url, project.token):
        pass

    assert callers(project, "greeting")[0]["inputs"] == ["customer"]


def test_each_forked_process_reports_its_own_use(project: Project) -> None:
    project.put("greeting", GREETING)
    with Program("usage", project.server.url, project.token) as program:
        assert program.says() == ["child", 1, 0]

    assert callers(project, "greeting")[0]["inputs"] == ["child", "parent"]


def test_reports_can_be_switched_off(project: Project) -> None:
    project.put("greeting", GREETING)
    with Moorage(project.server.url, project.token, cache=None, lockfile=None, report_usage=False) as client:
        client.get_config("greeting", {"customer": "Ada"})
        assert "moorage-client-usage" not in {thread.name for thread in threading.enumerate()}

    assert client.usage_reports == (0, 0)
    assert callers(project, "greeting") == []
    assert project.request("DELETE", "/v2/deployments/greeting").status == 200


def test_a_failed_report_is_counted_and_silent(
    project: Project, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    project.put("greeting", GREETING)
    lockfile = tmp_path / "deployments.lock.json"
    lockfile.write_bytes(project.request("GET", "/v2/deployments/snapshot").body)
    with Moorage("http://127.0.0.1:9", project.token, cache=None, lockfile=lockfile) as client:
        assert client.get_config("greeting").source == "lockfile"

    assert client.usage_reports == (0, 1)
    assert "usage" not in capfd.readouterr().err


def test_a_report_has_the_names_since_the_last_one_and_continued_use(reports: UsageReports, fake: FakeServer) -> None:
    reports.record("a", {"customer": "secret"})
    reports.record("b", {})
    reports._send()
    reports.record("a", {"order": 1})
    reports._send()
    reports._send()

    assert fake.reports == [{"a": ["customer"], "b": []}, {"a": ["customer", "order"]}]
    assert (reports.sent, reports.failed) == (2, 0)


def test_a_failed_report_is_sent_with_the_next_one(reports: UsageReports, fake: FakeServer) -> None:
    reports.record("a", {"customer": 1})
    fake.is_down = True
    reports._send()
    reports._send()
    fake.is_down = False
    reports.record("b", {})
    reports._send()

    assert fake.reports == [{"a": ["customer"], "b": []}]
    assert (reports.sent, reports.failed) == (1, 2)


def test_memory_and_reports_are_bounded(reports: UsageReports, fake: FakeServer) -> None:
    for number in range(MAX_VERSIONS + 10):
        reports.record(f"v{number}", {})
    reports.record("v0", {f"n{number:03}": 1 for number in range(MAX_NAMES + 10)})
    reports.record("v1", {"x" * (MAX_NAME + 1): 1, "y": 1})
    reports._send()

    assert {len(report) for report in fake.reports} == {MAX_REPORTED}
    assert sum(map(len, fake.reports)) == MAX_VERSIONS
    assert (len(fake.reports[0]["v0"]), fake.reports[0]["v1"]) == (MAX_NAMES, ["y"])

    reports._send()
    reports.record("new", {})
    reports._send()
    assert fake.reports[-1] == {"new": []}
