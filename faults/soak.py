"""Mixed load for a long time, with small faults in it, and what grows meanwhile."""

import resource
import time
from pathlib import Path
from statistics import linear_regression

import msgspec
from bench.client import Client
from bench.data import rich
from bench.processes import resident_mb
from bench.report import Bound
from tests.support.server import Project, Server

from faults.mixed_load import CLIENTS, MixedLoad
from faults.outcome import Outcome
from faults.slow import descriptors, percentile
from faults.spoilt import SPOILT

#: Until a connection for reading is there for each thread that reads, in seconds.
_FIRST = 1.0

#: Of the time, this share is for warming up: what is remembered and kept for reuse has its size then.
_WARM_UP = 0.25

#: How often the disk refuses to be written, how long, and how often is looked, in seconds.
_FAULT_EVERY = 15.0
_FAULT_SECONDS = 0.2
_LOOK_EVERY = 0.5

#: What may be open at the end that was not before: the files of two more connections to the database.
_MORE_FILES = 6

#: The longest time, in seconds, until nothing is opened or closed any more; so many looks, a tenth of a second apart.
_PATIENCE = 15.0
_RESTING = 10

#: What counts as flat, in MB an hour: one in a quarter of an hour.
_FLAT = 4.0

#: How many deployments are made at the end, to know what one more costs: so many for each second, up to a most.
_MORE_A_SECOND = 20
_MOST_MORE = 3_000


class Look(msgspec.Struct, frozen=True):
    """What a worker had at a time: memory in MB."""

    at: float
    memory: float
    files: int


class Soaked(msgspec.Struct, frozen=True):
    """What came of it. `slope` is the memory in MB an hour after the warm-up, `files` how many more were open at the
    end than before, `most_files` how many during it; `early` and `late` are p99 of a page in the first and the last
    third after the warm-up, in seconds."""

    requests: int
    refused: int
    wrong: list[str]
    slope: float
    files: int
    most_files: int
    early: float
    late: float

    @property
    def leaks(self) -> bool:
        """Whether it keeps files open, and memory."""
        return self.files > _MORE_FILES and self.slope > _FLAT


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Soak for so many seconds; see `Part`."""
    with Server(folder) as server:
        project = server.new_project()
        soaked = soak(project, count, f"{seed}-soak")
        cost = _cost_of_a_deployment(project, min(_MOST_MORE, count * _MORE_A_SECOND))
    (folder / "leaking").mkdir()
    with Server(folder / "leaking", program=(*SPOILT, "leaking")) as leaking:
        control = soak(leaking.new_project(), max(4, count // 20), f"{seed}-leak")
    violations = list(soaked.wrong)
    if soaked.files > _MORE_FILES:
        violations.append(f"{soaked.files:,} more files are open at the end than before")
    return Outcome(
        fault=f"{CLIENTS} clients read, write, fail, send nonsense, come and go; for 0.2 s of every 15 the disk "
        "refuses to be written",
        invariant="every request is answered as it must be; memory, open files and p99 stay as they are",
        count=count,
        result=f"{soaked.requests:,} requests, {soaked.refused:,} writes refused; {soaked.most_files:,} files open at "
        f"most and {soaked.files:+,} at the end; a new deployment takes {cost:.1f} KB",
        violations=violations,
        control=f"a server that leaks: {control.slope:,.0f} MB an hour, {control.files:,} files more",
        is_control_found=control.leaks,
        bounds=[
            Bound(f"{count:,} s of mixed load: memory, an hour", soaked.slope, _FLAT, unit="MB"),
            Bound(f"{count:,} s of mixed load: p99 of a page, last third to first", soaked.late / soaked.early, 1.5),
        ],
        not_shown=["Mixed load of minutes shows no leak that takes days to be seen."],
    )


def soak(project: Project, seconds: float, seed: str) -> Soaked:
    """Mixed load for so many seconds."""
    (worker,) = project.server.workers()
    with MixedLoad(project, f"{seed}-first"):
        time.sleep(_FIRST)  # any load will do
    files = _files_at_rest(worker)
    looks: list[Look] = []
    with MixedLoad(project, seed) as load:
        started = time.perf_counter()
        next_fault = started + min(_FAULT_EVERY, seconds / 2)
        while (now := time.perf_counter()) < started + seconds:
            if now >= next_fault:
                _refuse_writes(worker, load)
                next_fault += _FAULT_EVERY
            looks.append(Look(now, resident_mb(worker), descriptors(worker)))
            time.sleep(_LOOK_EVERY)  # the pace of looking
    warm = started + seconds * _WARM_UP
    third = (started + seconds - warm) / 3
    kept = [look for look in looks if look.at >= warm]
    slope, _ = linear_regression([look.at / 3600 for look in kept], [look.memory for look in kept])
    early = [page.seconds for page in load.pages if warm <= page.at < warm + third]
    late = [page.seconds for page in load.pages if page.at >= warm + 2 * third]
    return Soaked(
        load.requests, load.refused, load.wrong, slope, _files_at_rest(worker) - files,
        max(look.files for look in looks), percentile(early, 99), percentile(late, 99),
    )  # fmt: skip


def _refuse_writes(worker: int, load: MixedLoad) -> None:
    """For a moment the system refuses to write any file for the worker."""
    _, hard = limit = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    load.is_faulty = True
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (0, hard))
    time.sleep(_FAULT_SECONDS)  # how long the fault is
    resource.prlimit(worker, resource.RLIMIT_FSIZE, limit)
    time.sleep(_FAULT_SECONDS)  # those who were refused are told
    load.is_faulty = False


def _files_at_rest(worker: int) -> int:
    """How many files are open when the connections of those who left are closed: when it stays the same for a while."""
    deadline, counts = time.monotonic() + _PATIENCE, list[int]()
    while time.monotonic() < deadline and (len(counts) < _RESTING or len(set(counts[-_RESTING:])) > 1):
        counts.append(descriptors(worker))
        time.sleep(0.1)  # looked at again, up to the deadline
    return counts[-1]


def _cost_of_a_deployment(project: Project, count: int) -> float:
    """What one more takes of memory, in KB, of so many."""
    (worker,) = project.server.workers()
    before = resident_mb(worker)
    with Client(project.server.port, project.token) as client:
        for number in range(count):
            client.request("PUT", f"/v2/deployments/more-{number}", msgspec.json.encode(rich(number).body))
    return (resident_mb(worker) - before) * 1e3 / count
