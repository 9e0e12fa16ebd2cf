"""Clients that send half a request and wait, or a byte a second, and what others notice of them."""

import math
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
from bench.client import Client
from bench.processes import resident_mb
from bench.report import Bound
from tests.support.server import Server

from faults.outcome import Outcome
from faults.slow_clients import KINDS
from faults.spoilt import SPOILT

#: How long the server waits for headers and for a body, in seconds.
_LIMITS = {
    "nothing at all": 10,
    "half of the headers": 10,
    "headers a byte a second": 10,
    "half of a body": 30,
    "a body a byte a second": 30,
}

#: How much longer it is waited until a connection counts as left open, in seconds.
_PATIENCE = 10.0

_PROBES_PER_SECOND = 20

#: The connections of the control; of five kinds, three wait for headers.
_CONTROLS = 40
_CONTROLS_LEFT = _CONTROLS * 3 // 5

#: A page of this many deployments is what others ask for.
_DEPLOYMENTS = 10


class Attack(msgspec.Struct, frozen=True):
    """What came of an attack. `closed` has the seconds until each connection was closed, by kind, and `left_open` how
    many were not; `probes` the seconds that others waited for a page, and `failures` what they got instead.
    `descriptors` is how many more the server had open at the end than before, `memory` how many MB it grew by at most.
    """

    closed: dict[str, list[float]]
    left_open: Counter[str]
    probes: list[float]
    failures: list[str]
    descriptors: int
    memory: float


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Attack with so many connections; see `Part`. Nothing is drawn from the seed."""
    _ = seed
    with Server(folder) as server:
        attacked = attack(server, count, max(_LIMITS.values()) + _PATIENCE)
    (folder / "patient").mkdir()
    with Server(folder / "patient", program=(*SPOILT, "patient")) as patient:
        control = attack(patient, _CONTROLS, _LIMITS[KINDS[0]] + _PATIENCE)
    still = sum(control.left_open[kind] for kind in KINDS[:3])
    slowest = percentile(attacked.probes, 99) * 1000
    violations = [*attacked.failures, *(f"{kind}: {left:,} left open" for kind, left in attacked.left_open.items())]
    if attacked.descriptors > 0:
        violations.append(f"{attacked.descriptors:,} descriptors more than before are open at the end")
    return Outcome(
        fault=f"half-open connections at once, with a key: {', '.join(KINDS)}",
        invariant="each is closed; all others are answered meanwhile; then the server has as many files open as before",
        count=count,
        result=f"{sum(map(len, attacked.closed.values())):,} closed; {len(attacked.probes):,} pages answered meanwhile",
        violations=violations,
        control=f"a server that waits for headers for ever: {still:,} of {_CONTROLS_LEFT:,} left open",
        is_control_found=still == _CONTROLS_LEFT,
        bounds=[
            Bound(f"{count:,} slow connections: p99 of others' pages", slowest, 25, unit="ms"),
            Bound(f"{count:,} slow connections: memory", attacked.memory, 100, unit="MB"),
            *(
                Bound(f"slow connections: {kind}, longest until closed", max(times), _LIMITS[kind] + 1, unit="s")
                for kind, times in attacked.closed.items()
            ),
        ],
    )


def attack(server: Server, count: int, seconds: float) -> Attack:
    """Attack with so many connections, each for so many seconds at most."""
    project = server.new_project()
    project.fill(_DEPLOYMENTS)
    (worker,) = server.workers()
    with Client(server.port, project.token) as client:
        client.get("/v2/deployments")
    files, memory = descriptors(worker), resident_mb(worker)
    log = server.folder / "slow"
    command = [sys.executable, "-m", "faults.slow_clients", str(server.port), project.token, str(count), str(seconds)]
    probes, failures, most = list[float](), list[str](), memory
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as attackers:
        while attackers.poll() is None:
            started = time.perf_counter()
            try:
                with Client(server.port, project.token) as client:
                    client.get("/v2/deployments")
                probes.append(time.perf_counter() - started)
            except (OSError, RuntimeError) as error:
                failures.append(f"a page was not answered: {error}")
            most = max(most, resident_mb(worker))
            time.sleep(max(0.0, 1 / _PROBES_PER_SECOND - (time.perf_counter() - started)))  # the pace is the matter
    if attackers.returncode != 0:
        raise RuntimeError(f"the slow clients failed: {log.read_text()[-2000:]}")
    closed, left_open = defaultdict[str, list[float]](list), Counter[str]()
    for kind, _, end in (line.partition(": ") for line in log.read_text().splitlines()):
        if end == "open":
            left_open[kind] += 1
        else:
            closed[kind].append(float(end))
    deadline = time.monotonic() + _PATIENCE
    while descriptors(worker) > files and time.monotonic() < deadline:
        time.sleep(0.1)  # looked at again, up to the deadline
    return Attack(dict(closed), left_open, probes, failures, descriptors(worker) - files, most - memory)


def descriptors(pid: int) -> int:
    """How many files and connections a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def percentile(values: Sequence[float], which: int) -> float:
    """Of so many percent of the values, the highest; not a number if there are none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * which // 100)]
