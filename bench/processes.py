"""Process trees: started on one core, watched through /proc, and ended as a whole."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Tree:
    """A process, and all that it starts. `core` is where every thread of it runs; None leaves that open."""

    def __init__(
        self, command: Sequence[str], folder: Path, core: int | None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.log = folder / "log"
        self.core = core
        pinned = command if core is None else ["taskset", "-c", str(core), *command]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches this program alone, which then ends what it started.
            self._process = subprocess.Popen(
                pinned, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )

    def is_alive(self) -> bool:
        """Whether the first process runs."""
        return self._process.poll() is None

    def pids(self) -> list[int]:
        """The ids of all processes of the tree, the first process's first."""
        found = [self._process.pid]
        for pid in found:
            found += _children(pid)
        return found

    def workers(self) -> list[int]:
        """The processes that answer requests, of a server that has them started by Python's multiprocessing."""
        return [pid for pid in self.pids() if b"multiprocessing.spawn" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def cpu_seconds(self) -> float:
        """The processor time the tree has used."""
        return sum(map(cpu_seconds, self.pids()))

    def check_core(self) -> None:
        """Raise unless every thread is on the core it belongs on."""
        for pid in self.pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                allowed = re.search(r"Cpus_allowed_list:\s*(\S+)", (task / "status").read_text())
                if allowed is None or allowed[1] != str(self.core):
                    raise RuntimeError(f"thread {task.name} of {pid} is not on core {self.core} alone")

    def forget_log(self) -> None:
        """Empty the log, which is opened for appending: an access log of millions of lines is of no use."""
        os.truncate(self.log, 0)

    def stop(self) -> None:
        """End the tree: it may tidy up for ten seconds."""
        self._signal(signal.SIGTERM)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        finally:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def cpu_seconds(pid: int) -> float:
    """The processor time one process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """The resident memory of one process in MB (10**6 bytes)."""
    found = re.search(r"VmRSS:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
            found += map(int, (task / "children").read_text().split())
    return found
