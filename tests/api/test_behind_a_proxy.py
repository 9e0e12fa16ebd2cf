"""A server behind a proxy: its path prefix, and the addresses of its clients."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.api.middleware.proxies import Proxies
from moorage.client import Moorage
from moorage.core.trusted_proxies import TrustedProxies
from tests.support.program import moorage
from tests.support.server import Project, Server
from tests.support.threads import until


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Return a project of a server under /moorage that trusts this machine as a proxy."""
    folder = tmp_path_factory.mktemp("behind")
    with Server(folder, "--root-path", "/moorage/", "--trusted-proxies", "127.0.0.1,10.0.0.0/8") as running:
        project = running.new_project()
        project.put("a")
        yield project


def logged(project: Project, path: str, **headers: str) -> dict[str, object]:
    """Send a request; return its line in the log."""
    request_id = project.request("GET", path, headers=headers).headers["x-request-id"]

    def lines() -> list[dict[str, object]]:
        return [line for line in project.server.log_lines() if line.get("request_id") == request_id]

    until(lambda: bool(lines()))
    return lines()[0]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v2/deployments", None),
        ("GET", "/v2/deployments/a", None),
        ("GET", "/v2/deployments/a/versions?limit=1", None),
        ("POST", "/v2/deployments/get_config", b'{"key": "a"}'),
        ("POST", "/v2/deployments/get_config", b'{"key": "nobody"}'),
        ("GET", "/health/ready", None),
        ("GET", "/nowhere/at/all", None),
        ("GET", "/v2/deployments/a%2Fb", None),
    ],
)
def test_a_proxy_can_remove_the_prefix_or_not(behind: Project, method: str, path: str, body: bytes | None) -> None:
    headers = {"X-Request-Id": "same"}
    short = behind.request(method, path, body, headers)
    long = behind.request(method, f"/moorage{path}", body, headers)

    assert (short.status, short.body) == (long.status, long.body)


def test_links_have_the_prefix(behind: Project) -> None:
    error = behind.request("GET", "/v2/nowhere").error
    docs = behind.request("GET", "/docs").body.decode()

    assert error["doc_url"] == "/moorage/docs#not_found"
    assert behind.request("GET", "/openapi.json").json["servers"] == [{"url": "/moorage"}]
    assert set(re.findall(r"href='(/[^']*)'", docs)) == {"/moorage/openapi.json"}
    assert "http://127.0.0.1:8700/moorage/v2/deployments" in docs


@pytest.mark.parametrize("path", ["/", "/moorage", "/moorage/"])
def test_the_first_page_links_to_pages_below_the_prefix(behind: Project, path: str) -> None:
    index = behind.request("GET", path).json
    page = behind.request("GET", path, headers={"Accept": "text/html"})

    links = {index["docs"], index["openapi"], index["health"]}
    assert links == {"/moorage/docs", "/moorage/openapi.json", "/moorage/health/ready"}
    assert page.headers["location"] == "/moorage/console"


def test_the_ready_line_has_the_prefix_and_the_metrics_do_not(behind: Project) -> None:
    behind.request("GET", "/moorage/v2/deployments")
    metrics = behind.request("GET", "/moorage/metrics").body.decode()

    assert behind.server.wait_for_event("the server is ready")["url"] == f"{behind.server.url}/moorage"
    assert 'route="/v2/deployments"' in metrics
    assert "moorage/v2" not in metrics


def test_the_command_line_and_the_prefix(behind: Project, folder: Path) -> None:
    settings = {"MOORAGE_URL": f"{behind.server.url}/moorage", "MOORAGE_API_KEY": behind.token}

    result = moorage("deployments", "list", "-o", "json", folder=folder, settings=settings)

    assert [item["key"] for item in json.loads(result.stdout)["data"]] == ["a"]


def test_the_client_library_and_the_prefix(behind: Project) -> None:
    with Moorage(f"{behind.server.url}/moorage", behind.token, cache=None, lockfile=None) as client:
        assert client.get_config("a").version == "1.0"


def test_the_log_has_the_client_that_a_trusted_proxy_names(behind: Project) -> None:
    path = "/v2/deployments"

    assert logged(behind, path)["client"] == "127.0.0.1"
    assert logged(behind, path, **{"X-Forwarded-For": "1.1.1.1, 203.0.113.9, 10.0.0.2"})["client"] == "203.0.113.9"
    assert logged(behind, path, Forwarded='for="[2001:db8::1]:80"')["client"] == "2001:db8::1"
    assert logged(behind, "/nowhere", **{"X-Forwarded-For": "evil"})["client"] == "127.0.0.1"


@pytest.mark.parametrize("trusted", [None, "10.0.0.0/8"])
@pytest.mark.parametrize(
    ("peer", "client"), [("::ffff:203.0.113.9", "203.0.113.9"), ("203.0.113.9", "203.0.113.9"), ("fd00::1", "fd00::1")]
)
def test_an_ipv4_client_of_an_ipv6_socket_has_its_ipv4_address(trusted: str | None, peer: str, client: str) -> None:
    scope = {"client": (peer, 1), "headers": []}

    assert Proxies("", TrustedProxies.parse(trusted)).client(scope) == client


def test_without_trusted_proxies_a_client_cannot_choose_its_address(project: Project) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}

    assert logged(project, "/v2/deployments", **headers)["client"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--trusted-proxies", "10.0.0.1,nowhere", "'nowhere' is neither an address nor a network such as 10.0.0.0/8"),
        ("--root-path", "moorage", "'moorage' is not a path such as /moorage"),
        ("--root-path", "/v2", "'/v2' begins like a route of the server itself"),
        ("--root-path", "/docs/moorage", "'/docs/moorage' begins like a route"),
    ],
)
def test_a_wrong_setting_is_named(folder: Path, option: str, value: str, message: str) -> None:
    result = moorage("serve", option, value, folder=folder)

    assert result.returncode == 1
    assert f"Invalid value for '{option}'" in result.stderr
    assert message in " ".join(result.stderr.split())
