"""Many streams of changes that are open and have nothing to tell."""

import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import msgspec

from bench.machine import Cores
from bench.pacing import Latencies, Pacer
from bench.plan import Plan
from bench.processes import resident_mb
from bench.report import Bound, Figure, counted, spread, table
from bench.seeding import Seeded
from bench.servers import Moorage
from bench.wire import Request

_RATE = 100
_ALLOWED_KB = 30.0
_ALLOWED = 2.0
_FREED_SECONDS = 30.0
_SETTLED_SECONDS = 0.5
_AT_ONCE = 100
_LIST = "/v2/deployments?limit=10"


class Round(msgspec.Struct, frozen=True):
    """The list's latencies without streams and with them, and what the worker had before, with them, and after."""

    quiet: Latencies
    during: Latencies
    memory_kb: float
    descriptors: tuple[int, int, int]


def measure(plan: Plan, cores: Cores, folder: Path, seeded: Seeded) -> list[Figure]:
    """Reads of the list at an even pace, without streams and with all of them, in turn."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Moorage(folder / "streams", cores.server, seeded.database) as server:
        rounds = [_round(plan, server, seeded.tokens[0]) for _ in range(plan.storm_rounds)]
    memory = rounds[0].memory_kb  # later rounds find memory that the first one left
    ratios = [each.during.p99 / each.quiet.p99 for each in rounds]
    before, during, _ = rounds[0].descriptors
    kept = max(each.descriptors[2] for each in rounds) - before
    rows = [
        [name, spread([each.p50 for each in found], ".2f"), spread([each.p99 for each in found], ".2f")]
        for name, found in (
            ("quiet", [each.quiet for each in rounds]),
            ("with streams", [each.during for each in rounds]),
        )
    ]
    text = f"""
{plan.streams:,} streams of changes, each on a connection of its own, opened {_AT_ONCE} at a time. Nothing changes while
they are there; each gets its heartbeats. The list's first page of 10 is asked for {_RATE} times a second (an open
loop), without streams and with them, {counted(len(rounds), "round")}; all streams are closed after each. The worker's
resident memory grew by {memory:.1f} KB a stream (10^3 bytes) in the first round; it had {before} open descriptors
before, {during:,} with the streams, and in the end {kept + before} at most.

{table(["list", "p50 ms", "p99 ms"], rows)}

With streams the p99 is {spread(ratios, ".2f")} times that of the quiet before it.
"""
    bounds = [
        Bound(f"memory of an idle stream of changes, of {plan.streams:,}", memory, _ALLOWED_KB, unit="KB"),
        Bound(f"p99 of the list with {plan.streams:,} streams, as a multiple of quiet", median(ratios), _ALLOWED),
        Bound("descriptors left after all streams were closed", max(0, kept), 0),
    ]
    return [Figure("Idle streams of changes", text, bounds)]


def _round(plan: Plan, server: Moorage, token: str) -> Round:
    worker = server.tree.workers()[0]
    quiet = _read(plan, server, token)
    time.sleep(_SETTLED_SECONDS)
    descriptors = [_descriptors(worker)]
    before = resident_mb(worker)
    with ExitStack() as stack:
        opened = 0
        while opened < plan.streams:
            some = min(_AT_ONCE, plan.streams - opened)
            for stream in [stack.enter_context(_open(server.port, token)) for _ in range(some)]:
                _await_beat(stream)
            opened += some
        memory_kb = (resident_mb(worker) - before) * 1e3 / plan.streams
        descriptors.append(_descriptors(worker))
        during = _read(plan, server, token)
    deadline = time.monotonic() + _FREED_SECONDS
    while _descriptors(worker) > descriptors[0] and time.monotonic() < deadline:
        time.sleep(0.1)
    return Round(quiet, during, memory_kb, (descriptors[0], descriptors[1], _descriptors(worker)))


def _read(plan: Plan, server: Moorage, token: str) -> Latencies:
    requests = [Request("GET", _LIST)] * (plan.storm_seconds * _RATE)
    return Latencies.of(Pacer(server.port, token, requests, _RATE).run())


def _open(port: int, token: str) -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", port), 10.0)
    head = "GET /v2/deployments/changes HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    stream.sendall(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
    return stream


def _await_beat(stream: socket.socket) -> None:
    """Read up to the first heartbeat."""
    said = b""
    while b": age" not in said:
        piece = stream.recv(4_096)
        if not piece or not (said + piece).startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a stream was answered with {said + piece!r}")
        said += piece


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
