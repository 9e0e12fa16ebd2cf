"""Load from wrk, with the server's processor time beside it."""

import subprocess
import time
from pathlib import Path

import msgspec

from bench.servers import Server

_SCRIPT = Path(__file__).with_name("wrk.lua")


class Walk(msgspec.Struct):
    """Requests that are asked in turn, round and round (the file: see wrk.lua). `asked` is how many were.

    Every run goes on where the one before ended, so a request comes again only after all the others.
    """

    file: Path
    asked: int = 0


class Load(msgspec.Struct, frozen=True):
    """What is asked of a server: one target with a token, a walk, or what another script than wrk.lua makes of its
    arguments."""

    server: Server
    target: str = "/"
    token: str = ""
    walk: Walk | None = None
    script: Path = _SCRIPT
    arguments: tuple[str, ...] = ()


class Measured(msgspec.Struct, frozen=True):
    """One run. `cpu_us` is the processor time of the server's whole process tree for one request; `lines` is what wrk
    and its script wrote before the summary."""

    requests: int
    seconds: float
    p50_us: float
    p99_us: float
    cpu_us: float
    lines: list[str] = []

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def core_in_use(self) -> float:
        """The part of one core that the server had work for."""
        return self.cpu_us * self.rate / 1e6


class _Printed(msgspec.Struct, frozen=True):
    requests: int
    seconds: float
    failed: int
    p50_us: float
    p99_us: float


def run(load: Load, connections: int, seconds: int, warm_up: int = 0) -> Measured:
    """Ask on so many connections for so many seconds, after a warm-up that is not counted.

    Raises:
        RuntimeError: a request failed, or was answered with 4xx or 5xx.
    """
    if warm_up:
        _wrk(load, connections, warm_up)
    load.server.tree.check_core()
    before = load.server.tree.cpu_seconds()
    printed, lines = _wrk(load, connections, seconds)
    used = load.server.tree.cpu_seconds() - before
    load.server.tree.forget_log()
    if printed.failed or not printed.requests:
        raise RuntimeError(f"{load.server.name}: {printed.failed} of {printed.requests} requests failed")
    cpu_us = used * 1e6 / printed.requests
    return Measured(printed.requests, printed.seconds, printed.p50_us, printed.p99_us, cpu_us, lines)


def _wrk(load: Load, connections: int, seconds: int) -> tuple[_Printed, list[str]]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(load.script)]
    if load.token:
        command += ["-H", f"Authorization: Bearer {load.token}"]
    command.append(f"http://127.0.0.1:{load.server.port}{load.target}")
    command += ["--", *load.arguments]
    command += [str(load.walk.file), str(load.walk.asked)] if load.walk else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=seconds + 30)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise RuntimeError(f"wrk failed: {output}")
    time.sleep(0.05)  # the server's end of the last requests
    *lines, last = output.splitlines()
    printed = msgspec.json.decode(last, type=_Printed)
    if load.walk:
        load.walk.asked += printed.requests + connections
    return printed, lines
