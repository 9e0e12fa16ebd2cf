"""Start and memory with 100,000 deployments."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import msgspec

from bench.client import Client
from bench.machine import Cores
from bench.plan import Plan
from bench.processes import cpu_seconds, resident_mb
from bench.report import Bound, Figure, counted, spread, table
from bench.seeding import Seeded
from bench.servers import Moorage

_BASE_MB, _KB_EACH = 120, 3
_LIMIT = 50
_MOST_WALKS = 16
_ENOUGH_SECONDS = 0.2


class Started(msgspec.Struct, frozen=True):
    """One start: seconds to /health/ready and to a correct list; MB of each worker at once, and after the walk."""

    ready: float
    listed: float
    fresh: list[float]
    walked: list[float]


def measure(plan: Plan, cores: Cores, folder: Path, seeded: Seeded) -> list[Figure]:
    """With one worker as often as the plan says, with two once."""
    starts = [_start(cores, folder / f"start-{number}", seeded, workers=1) for number in range(plan.starts)]
    pair = _start(cores, folder / "start-pair", seeded, workers=2)
    size = len(seeded.ids)
    allowed = _BASE_MB + _KB_EACH * size / 1000
    rows = [
        ["1 worker", *_cells(starts)],
        ["2 workers, each", *_cells([pair])],
    ]
    header = ["", "s to ready", "s to a correct list", "MB after the start", "MB after all pages"]
    text = f"""
A database of {size:,} deployments, 1.5 KB each on average on the wire. From the start of the process to the first 200
of /health/ready, and to the first list whose ten deployments are the right ones; the server is on one core, and the
database file was read before (it is in the system's cache). Memory is the resident memory of a worker (VmRSS, in MB of
10⁶ bytes): when it is ready, and after all {size // _LIMIT:,} pages of {_LIMIT} were read from it.
{counted(plan.starts, "start")} with one worker, one with two.

{table(header, rows)}
"""
    bounds = [
        Bound(
            f"memory of a worker with {size:,} deployments, after all pages ({name})",
            value, required=allowed, unit="MB",
        )
        for name, value in (
            ("1 worker", median(start.walked[0] for start in starts)), ("2 workers, the larger", max(pair.walked))
        )
    ]  # fmt: skip
    return [Figure(f"Start and memory with {size:,} deployments", text, bounds)]


def _cells(starts: list[Started]) -> list[str]:
    return [
        spread([start.ready for start in starts], ".2f"),
        spread([start.listed for start in starts], ".2f"),
        spread([each for start in starts for each in start.fresh], ".0f"),
        spread([each for start in starts for each in start.walked], ".0f"),
    ]


def _start(cores: Cores, folder: Path, seeded: Seeded, workers: int) -> Started:
    with Moorage(folder, cores.server, seeded.database, workers) as server:
        with Client(server.port, seeded.tokens[0], timeout=60) as client:
            answer = client.get("/v2/deployments")
            if [item["id"] for item in answer.json["data"]] != seeded.ids[:10] or not answer.json["has_more"]:
                raise RuntimeError("the first list after the start is not the right one")
        listed = time.perf_counter() - server.started
        fresh = _settled(server.tree.workers, workers)
        before = {pid: cpu_seconds(pid) for pid in server.tree.workers()}
        memory = [resident_mb(pid) for pid in fresh]
        for _ in range(_MOST_WALKS):
            _walk(server, seeded)
            if all(cpu_seconds(pid) - used > _ENOUGH_SECONDS for pid, used in before.items()):
                break
        else:
            raise RuntimeError("a worker got no requests")
        return Started(server.seconds_to_ready, listed, memory, [resident_mb(pid) for pid in fresh])


def _settled(workers: Callable[[], list[int]], count: int) -> list[int]:
    """The workers' processes, once they are all there and have done their starting."""
    deadline = time.monotonic() + 60
    used = 0.0
    while time.monotonic() < deadline:
        found = workers()
        now = sum(map(cpu_seconds, found))
        if len(found) == count and now - used < 0.02:
            return found
        used = now
        time.sleep(0.5)
    raise RuntimeError(f"there are not {count} workers at rest")


def _walk(server: Moorage, seeded: Seeded) -> None:
    """All pages from one connection, which stays with one worker."""
    with Client(server.port, seeded.tokens[0]) as client:
        client.get(f"/v2/deployments?limit={_LIMIT}")
        for cursor in seeded.ids[_LIMIT - 1 : -1 : _LIMIT]:
            client.get(f"/v2/deployments?limit={_LIMIT}&starting_after={cursor}")
