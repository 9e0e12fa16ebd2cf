"""Limits of requests: for each API key, and for addresses that send requests without a valid API key."""

import itertools
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.api.request_limits import MAX_COUNTED, PERIOD, RequestLimits
from moorage.core.access import new_token
from moorage.core.errors.base import TooManyFailures, TooManyRequests
from tests.support.server import Response, Server
from tests.support.threads import until

_numbers = itertools.count(1)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def accepted(limits: RequestLimits, key: str, count: int) -> int:
    """Send requests of an API key; return how many were accepted."""
    number = 0
    for _ in range(count):
        try:
            limits.check_key(key)
        except TooManyRequests:
            continue
        number += 1
    return number


@pytest.mark.parametrize("limit", [1, 7, 60, 1_000])
def test_a_key_can_send_its_requests_at_once_and_then_evenly(limit: int) -> None:
    clock = Clock()
    limits = RequestLimits(limit, None, clock)

    assert accepted(limits, "a", limit + 5) == limit
    assert accepted(limits, "b", 1) == 1
    for _ in range(5):
        clock.now += PERIOD / limit
        assert accepted(limits, "a", 3) == 1
    clock.now += 10 * PERIOD
    assert accepted(limits, "a", limit + 5) == limit


def test_the_error_says_when_to_retry() -> None:
    clock = Clock()
    limits = RequestLimits(2, None, clock)
    accepted(limits, "a", 2)
    clock.now += 10.5

    with pytest.raises(TooManyRequests) as error:
        limits.check_key("a")

    assert error.value.fields == {"limit": 2, "retry_after": 20}
    clock.now += 19.5
    assert accepted(limits, "a", 1) == 1


def test_a_limit_holds_across_the_periods_of_the_counter() -> None:
    clock = Clock()
    limits = RequestLimits(60, None, clock)

    clock.now += 0.99 * PERIOD
    assert accepted(limits, "a", 60) == 60
    clock.now += 0.02 * PERIOD  # the next period of the counter
    assert accepted(limits, "a", 60) == 1


def test_many_addresses_take_little_memory() -> None:
    limits = RequestLimits(None, 1, Clock())
    tracemalloc.start()
    for number in range(20 * MAX_COUNTED):
        limits.check_failure(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 500 * MAX_COUNTED
    with pytest.raises(TooManyFailures):
        limits.check_failure(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")


def test_the_addresses_of_one_network_count_together_in_ipv6_only() -> None:
    limits = RequestLimits(None, 1, Clock())
    for address in ("2001:db8::1", "2001:db8:0:1::1", "10.0.0.1", "10.0.0.2", "", "fe80::1%eth0"):
        limits.check_failure(address)

    for address in ("2001:db8::2", "2001:db8:0:1:ffff::1", "10.0.0.1", "fe80::2%eth0"):
        with pytest.raises(TooManyFailures):
            limits.check_failure(address)


@pytest.mark.parametrize("limit", [None, 0])
def test_none_and_zero_are_no_limit(limit: int | None) -> None:
    limits = RequestLimits(limit, limit, Clock())
    for _ in range(10_000):
        limits.check_key("a")
        limits.check_failure("10.0.0.1")


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = ("--requests-per-key", "5", "--failures-per-address", "3", "--trusted-proxies", "127.0.0.1")
    with Server(tmp_path_factory.mktemp("limited"), *options) as running:
        yield running


def refused(response: Response, code: str) -> None:
    assert (response.status, response.error["code"]) == (429, code)
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert f"Retry after {response.headers['retry-after']} seconds" in response.error["message"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v2/deployments", None),
        ("GET", "/v2/deployments/a/versions", None),
        ("POST", "/v2/deployments/get_config", b'{"key": "a"}'),
        ("POST", "/v2/deployments/get_config", b'{"key": "nobody"}'),
        ("PUT", "/v2/deployments/b?dry_run=true", b"{}"),
        ("GET", "/v2/api-keys", None),
        ("DELETE", "/v2/deployments/nobody", None),
    ],
)
def test_a_key_gets_429_after_its_requests_on_every_path(
    limited: Server, method: str, path: str, body: bytes | None
) -> None:
    project, other = limited.new_project(), limited.new_project()
    project.put("a")
    until(lambda: other.page().status == 200)

    statuses = [project.request(method, path, body).status for _ in range(4)]
    last = project.request(method, path, body)

    assert 429 not in statuses
    refused(last, "rate_limit_exceeded")
    assert other.page().status == 200


def test_the_log_names_the_key_that_was_refused(limited: Server) -> None:
    project = limited.new_project()
    responses = [project.page() for _ in range(6)]
    refused(responses[-1], "rate_limit_exceeded")
    request_id = responses[-1].headers["x-request-id"]

    until(lambda: any(line.get("request_id") == request_id for line in limited.log_lines()))
    (line,) = [line for line in limited.log_lines() if line.get("request_id") == request_id]
    assert (line["status"], line["error"], line["api_key"]) == (429, "rate_limit_exceeded", project.token.split("_")[1])


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic x", "Bearer x", f"Bearer {new_token()[1]}"],
    ids=["none", "basic", "malformed", "unknown"],
)
@pytest.mark.parametrize("min_revision", [False, True])
def test_an_address_without_a_valid_key_gets_429_and_valid_keys_continue(
    limited: Server, authorization: str, *, min_revision: bool
) -> None:
    project = limited.new_project()
    until(lambda: project.page().status == 200)
    number = next(_numbers)
    address, other = f"203.0.113.{number}", f"198.51.100.{number}"
    headers = {"Authorization": authorization} | ({"X-Moorage-Min-Revision": "1"} if min_revision else {})

    def send(client: str) -> Response:
        return project.request("GET", "/v2/deployments", headers={**headers, "X-Forwarded-For": client})

    assert [send(address).status for _ in range(3)] == [401] * 3
    refused(send(address), "rate_limit_exceeded")
    assert address in send(address).error["message"]
    assert send(other).status == 401
    assert project.request("GET", "/v2/deployments", headers={"X-Forwarded-For": address}).status == 200


def test_refused_requests_are_counted(folder: Path) -> None:
    with Server(folder, "--requests-per-key", "1") as server:
        project = server.new_project()
        assert [project.page().status for _ in range(3)] == [200, 429, 429]
        text = project.request("GET", "/metrics").body.decode()

    assert 'moorage_error_responses_total{code="rate_limit_exceeded"} 2.0' in text
