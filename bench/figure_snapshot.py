"""The snapshot of many deployments, made anew, and that there is nothing new in it."""

import gzip
import re
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from bench import changes
from bench.client import Client
from bench.data import rich
from bench.machine import Cores
from bench.plan import Plan
from bench.report import Bound, Figure, counted, spread, table
from bench.seeding import Seeded
from bench.servers import Moorage
from bench.wire import Wire

_PATH = "/v2/deployments/snapshot"
_ASKED = 2_000
_ALLOWED_MS = 200.0
_ALLOWED_304_MS = 1.0


def measure(plan: Plan, cores: Cores, folder: Path, seeded: Seeded) -> list[Figure]:
    """A change, the whole snapshot, and many 304s to it, round by round."""
    whole: list[float] = []
    middles: list[float] = []
    slowest: list[float] = []
    with ExitStack() as stack:
        server = stack.enter_context(Moorage(folder / "snapshot", cores.server, seeded.database))
        token = seeded.tokens[0]
        client = stack.enter_context(Client(server.port, token))
        wire = stack.enter_context(Wire(server.port))
        tags, answer = set[str](), b""
        for number in range(2 * plan.rounds):
            change = changes.put(rich(number), f"snapshot-{number}")
            client.request(change.method, change.target, change.body)
            began = time.perf_counter()
            answer = wire.ask(_request(token, "Accept-Encoding: gzip"))
            whole.append((time.perf_counter() - began) * 1e3)
            tag = _tag(answer)
            tags.add(tag)
            times = []
            for _ in range(_ASKED // (2 * plan.rounds)):
                began = time.perf_counter()
                unchanged = wire.ask(_request(token, f"If-None-Match: {tag}"))
                times.append((time.perf_counter() - began) * 1e3)
                if not unchanged.startswith(b"HTTP/1.1 304"):
                    raise RuntimeError(f"a snapshot that is known was answered with {unchanged[:300]!r}")
            hundredths = quantiles(times, n=100, method="inclusive")
            middles.append(hundredths[49])
            slowest.append(hundredths[98])
    if len(tags) != len(whole):
        raise RuntimeError("a snapshot was asked for after each change, and some were the same")
    zipped = answer.partition(b"\r\n\r\n")[2]
    size = len(gzip.decompress(zipped))
    rows = [
        ["snapshot after a change", spread(whole, ",.0f"), ""],
        ["304", spread(middles, ".2f"), spread(slowest, ".2f")],
    ]
    text = f"""
{counted(len(whole), "time")}, a deployment is changed, and then the snapshot of all {len(seeded.ids):,} asked for: it
is put together, compressed and sent, {size / 1e6:.1f} MB as {len(zipped) / 1e6:.1f} MB, and read to its last byte.
After each, {_ASKED // len(whole)} requests on the same connection name its ETag. In milliseconds:

{table(["", "p50", "p99"], rows)}
"""
    bounds = [
        Bound(f"snapshot of {len(seeded.ids):,} deployments after a change", median(whole), _ALLOWED_MS, unit="ms"),
        Bound("304 to a snapshot, p50", median(middles), _ALLOWED_304_MS, unit="ms"),
        Bound("304 to a snapshot, p99", median(slowest), _ALLOWED_304_MS, unit="ms"),
    ]
    return [Figure("The snapshot", text, bounds)]


def _request(token: str, header: str) -> bytes:
    return f"GET {_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{header}\r\n\r\n".encode()


def _tag(answer: bytes) -> str:
    found = re.search(rb"\r\netag: *(\S+)", answer, re.IGNORECASE)
    if found is None:
        raise RuntimeError(f"a snapshot has no ETag: {answer[:1000]!r}")
    return found[1].decode()
