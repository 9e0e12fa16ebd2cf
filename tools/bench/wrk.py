"""Load from wrk, with the processor time of the server."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tools.common.servers import Server

SCRIPTS = Path(__file__).parent


class Load(msgspec.Struct):
    """Requests to a server: one target, or a script with arguments.

    With a `file` its requests are sent in turn; each run continues after the last request of the run before it.
    """

    server: Server
    target: str
    token: str = ""
    script: str = "wrk.lua"
    arguments: tuple[str, ...] = ()
    file: Path | None = None
    sent: int = 0
    completed: int = 0
    headers: Mapping[str, str] = {}


class Measured(msgspec.Struct, frozen=True):
    """Measurements of one run. `cpu_us` is the processor time of the server's process tree per request; `lines` is
    the output of the script."""

    requests: int
    seconds: float
    p50_us: float
    p99_us: float
    cpu_us: float
    lines: list[str] = []

    @property
    def rate(self) -> float:
        """Return the requests per second."""
        return self.requests / self.seconds

    @property
    def core_in_use(self) -> float:
        """Return the share of one core that the server used."""
        return self.cpu_us * self.rate / 1e6


class _Output(msgspec.Struct, frozen=True):
    requests: int
    seconds: float
    failed: int
    p50_us: float
    p99_us: float


def run(load: Load, connections: int, seconds: int, warm_up: int = 0) -> Measured:
    """Send requests over some connections for some seconds, after a warm-up that is not measured.

    Raises:
        RuntimeError: a request failed or returned 4xx or 5xx.
    """
    if warm_up:
        _wrk(load, connections, warm_up)
    load.server.tree.check_core()
    before = load.server.tree.cpu_seconds()
    output, lines = _wrk(load, connections, seconds)
    used = load.server.tree.cpu_seconds() - before
    load.server.tree.truncate_log()
    if output.failed or not output.requests:
        raise RuntimeError(f"{load.server.name}: {output.failed} of {output.requests} requests failed")
    cpu_us = used * 1e6 / output.requests
    return Measured(output.requests, output.seconds, output.p50_us, output.p99_us, cpu_us, lines)


def _wrk(load: Load, connections: int, seconds: int) -> tuple[_Output, list[str]]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPTS / load.script)]
    if load.token:
        command += ["-H", f"Authorization: Bearer {load.token}"]
    for name, value in load.headers.items():
        command += ["-H", f"{name}: {value}"]
    arguments = (str(load.file), str(load.sent)) if load.file else load.arguments
    command += [f"http://127.0.0.1:{load.server.port}{load.target}", "--", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        text, _ = process.communicate(timeout=seconds + 30)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise RuntimeError(f"wrk failed: {text}")
    time.sleep(0.05)  # so that the server has finished the last requests
    *lines, last = text.splitlines()
    output = msgspec.json.decode(last, type=_Output)
    load.sent += output.requests + connections
    load.completed += output.requests
    return output, lines
