"""Clients that send half a request and wait, or one byte per second."""

import asyncio
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.server import Project, Server
from tests.support.threads import HANG_SECONDS, until
from tools.faults.broken_server import BROKEN

pytestmark = pytest.mark.serial

HEAD = "Host: a\r\nAuthorization: Bearer {}\r\nX-Filler: "
GET, PUT = "GET /v2/deployments HTTP/1.1\r\n", "PUT /v2/deployments/slow HTTP/1.1\r\nContent-Length: 9999\r\n"

#: The first bytes of a client. If its name contains "a byte per second", it then sends one byte per second.
REQUESTS = {
    "nothing": "",
    "half of the headers": GET + HEAD,
    "headers, a byte per second": GET + HEAD,
    "half of a body": PUT + HEAD + "\r\n\r\n{{",
    "a body, a byte per second": PUT + HEAD + "\r\n\r\n{{",
}


async def is_closed(project: Project, kind: str, seconds: float) -> bool:
    """Send a slow request; return whether the server closes the connection in time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", project.server.port)
    try:
        writer.write(REQUESTS[kind].format(project.token).encode())
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            try:
                if not await asyncio.wait_for(reader.read(65_536), 1.0):
                    return True
            except TimeoutError:
                if "byte" in kind:
                    writer.write(b"x")
            except ConnectionError:
                return True
        return False
    finally:
        writer.close()


def closed(project: Project, each: int, seconds: float) -> dict[str, int]:
    """Send slow requests of all kinds at the same time; return how many connections were closed."""

    async def run() -> dict[str, int]:
        kinds = [kind for kind in REQUESTS for _ in range(each)]
        results = await asyncio.gather(*(is_closed(project, kind, seconds) for kind in kinds))
        return {
            kind: sum(result for result, sent in zip(results, kinds, strict=True) if sent == kind) for kind in REQUESTS
        }

    return asyncio.run(run())


def open_files(server: Server) -> int:
    """Return the number of open descriptors of the worker."""
    (worker,) = server.workers()
    return len(list(Path(f"/proc/{worker}/fd").iterdir()))


@pytest.fixture
def _many_files() -> Iterator[None]:
    """Raise the limit of open files of this process; the server raises its own limit."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def test_slow_connections_are_closed_while_others_get_responses(folder: Path) -> None:
    with Server(folder, program=(*BROKEN, "impatient")) as server:
        project = server.new_project()
        project.fill(10)
        before = open_files(server)
        with ThreadPoolExecutor(1) as pool:
            attack, pages = pool.submit(closed, project, 10, HANG_SECONDS), 0
            while not attack.done():
                assert project.page().status == 200
                pages += 1

        assert attack.result() == dict.fromkeys(REQUESTS, 10)
        assert pages
        until(lambda: open_files(server) <= before)


def test_a_server_that_does_not_close_slow_connections_is_detected(folder: Path) -> None:
    """The positive control."""
    with Server(folder, program=(*BROKEN, "patient")) as server:
        assert closed(server.new_project(), 1, 3) == dict.fromkeys(REQUESTS, 0)


@pytest.mark.usefixtures("_many_files")
def test_more_than_a_thousand_idle_connections_do_not_block_other_clients(folder: Path) -> None:
    with Server(folder, program=(*BROKEN, "patient")) as server, ExitStack() as connections:
        project = server.new_project()
        for _ in range(1_200):
            connections.enter_context(socket.create_connection(("127.0.0.1", server.port)))

        assert project.page().status == 200
