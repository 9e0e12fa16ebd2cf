"""Memory and descriptors of a server under mixed load: reads, writes, errors, and closed connections."""

import json
import socket
from pathlib import Path

import pytest

from tests.support.server import Project, Server, a_body
from tests.support.threads import until
from tools.common.process import resident_mb

pytestmark = pytest.mark.serial

_BROKEN_REQUESTS = (
    b"",
    b"nonsense\r\n\r\n",
    b"GET /v2/deployments HTTP/1.1\r\nHost: a\r\n",
    b"PUT /v2/deployments/a HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{",
)

_READS = {"?limit=10": 200, "?limit=0": 400, "/a": 200, "/none": 404, "/a/versions": 200, "/a/history": 200}

#: Number of rounds, and the largest allowed growth. A leak of 10 KB per request would be 20 MB.
_ROUNDS, _MOST_MB = 200, 10


def mixed_load(project: Project, rounds: int) -> None:
    """Send ten requests per round, each with its expected status."""
    for number in range(rounds):
        body = a_body(messages=[{"role": "user", "content": str(number)}])
        headers = {"Idempotency-Key": f"{rounds}-{number}"}
        assert project.put("a", body).status in {200, 201}
        assert project.request("POST", "/v2/deployments/a/versions", json.dumps(body).encode(), headers).status == 201
        assert project.request("POST", "/v2/deployments/get_config", b'{"key":"a"}').status == 200
        assert project.put("a", b"{").status == 400
        for target, status in _READS.items():
            assert project.request("GET", f"/v2/deployments{target}").status == status
        with socket.create_connection(("127.0.0.1", project.server.port)) as connection:
            connection.sendall(_BROKEN_REQUESTS[number % len(_BROKEN_REQUESTS)])


def open_files(pid: int) -> int:
    """Return the number of open descriptors of a process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_memory_and_open_descriptors_do_not_grow_under_mixed_load(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        (worker,) = server.workers()
        mixed_load(project, _ROUNDS // 2)  # fills caches and connection pools
        files, memory = open_files(worker), resident_mb(worker)

        mixed_load(project, _ROUNDS)

        until(lambda: open_files(worker) <= files)
        assert resident_mb(worker) - memory < _MOST_MB
