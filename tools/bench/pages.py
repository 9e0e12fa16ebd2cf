"""Pages of the console: their time on the server, and what a browser loads."""

import re
import time
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from tools.bench.environments import staged
from tools.bench.plan import Plan
from tools.bench.report import Figure
from tools.common.client import Client, Request
from tools.common.data import deployment
from tools.common.machine import Cores
from tools.common.report import Bound, table
from tools.common.servers import Moorage, seed

#: Milliseconds at the 95th percentile.
_ALLOWED, _ALLOWED_LARGE = 20.0, 50.0

_KILOBYTES, _REQUESTS = 60.0, 4

_WARM_UP, _VISITS = 20, 200

_KEY = deployment(0).key

_LIST = "/console/deployments"

#: The pages by their names. Each number of a visit is another search.
_PAGES = {
    "list": _LIST,
    "list, searched": f"{_LIST}?search=support+{{number}}",
    "live version": f"{_LIST}/{_KEY}",
    "versions": f"{_LIST}/{_KEY}/versions",
    "compare": f"{_LIST}/{_KEY}/compare?from=1.0&to=1.1",
    "history": f"{_LIST}/{_KEY}/history",
    "environments": "/console/environments",
}

_LOADED = re.compile(rb'(?:href|src)="(/console/static/[^"]+)"')


class _Page(msgspec.Struct, frozen=True):
    median: float
    p95: float
    requests: int
    kilobytes: float


def measure(plan: Plan, cores: Cores, folder: Path) -> list[Figure]:
    """Visit pages one after the other, with many deployments and with the most."""
    found = dict[tuple[str, int], _Page]()
    with Moorage(folder, cores.server, folder / "moorage.db") as server:
        token = server.first_token()
        for size in (plan.deployments, plan.largest):
            start = 0 if size == plan.deployments else plan.deployments
            seed(server, token, map(deployment, range(start, size)))
            if not start:
                seed(server, token, [staged(deployment(0), "another version")], "production")
            cookie = _sign_in(server, token)
            pages = _PAGES if not start else {name: _PAGES[name] for name in ("list", "list, searched")}
            found |= {(name, size): _visit(server, cookie, address) for name, address in pages.items()}
    rows = [
        [name, f"{size:,}", f"{page.median:.1f}", f"{page.p95:.1f}", str(page.requests), f"{page.kilobytes:.1f}"]
        for (name, size), page in found.items()
    ]
    text = f"""
{_VISITS} visits of each page after {_WARM_UP} others, one after the other on one connection, each with a session.
"Requests" and the kilobytes are those of a first visit with all style sheets and scripts, compressed where the server
compresses them: pages are not, static files are.

{table(["page", "deployments", "ms", "ms at p95", "requests", "KB"], rows, 1)}
"""
    few = [page for (_, size), page in found.items() if size == plan.deployments]
    many = [page for (_, size), page in found.items() if size == plan.largest]
    bounds = [
        Bound(f"slowest page with {plan.deployments:,} deployments, p95", max(page.p95 for page in few), _ALLOWED,
              unit="ms"),
        Bound(f"list page with {plan.largest:,} deployments, p95", max(page.p95 for page in many), _ALLOWED_LARGE,
              unit="ms"),
        Bound("requests of the page with most", max(page.requests for page in found.values()), _REQUESTS),
        Bound("largest page with its files", max(page.kilobytes for page in found.values()), _KILOBYTES, unit="KB"),
    ]  # fmt: skip
    return [Figure("Pages of the console", text, bounds)]


def _sign_in(server: Moorage, token: str) -> str:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    with Client(server.port) as client:
        body = urlencode({"token": token}).encode()
        response = client.request("POST", "/console/sign-in", body, headers)
    if response.status != 303:
        raise RuntimeError(f"the sign-in returned {response}")
    return response.headers["set-cookie"].partition(";")[0]


def _visit(server: Moorage, cookie: str, address: str) -> _Page:
    times, body = list[float](), b""
    with Client(server.port) as client:
        for number in range(_WARM_UP + _VISITS):
            request = Request("GET", address.format(number=number)).encode(headers={"Cookie": cookie})
            started = time.perf_counter()
            response = client.send(request)
            times.append((time.perf_counter() - started) * 1_000)
            if response.status != 200:
                raise RuntimeError(f"GET {address} returned {response}")
            body = response.body
        static = set(_LOADED.findall(body))
        sizes = [len(_get(client, path.decode())) for path in static]
    times = sorted(times[_WARM_UP:])
    return _Page(
        times[len(times) // 2], times[len(times) * 95 // 100], 1 + len(static), (len(body) + sum(sizes)) / 1_000
    )


def _get(client: Client, path: str) -> bytes:
    return client.send(Request("GET", path).encode(headers={"Accept-Encoding": "gzip"})).body
