"""Process trees, pinned to one core and measured through /proc."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class ProcessTree:
    """Process with all its descendants; `core` is the only core of all threads, or None."""

    def __init__(self, command: Sequence[str], folder: Path, core: int | None, environment: Mapping[str, str]) -> None:
        self.log = folder / "log"
        self.core = core
        pinned = command if core is None else ["taskset", "-c", str(core), *command]
        with self.log.open("ab") as log:
            # It has its own session, because Ctrl-C must reach only this program, which then stops the tree.
            self._process = subprocess.Popen(
                pinned, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                start_new_session=True,
            )  # fmt: skip

    def is_alive(self) -> bool:
        """Return whether the root process runs."""
        return self._process.poll() is None

    def pids(self) -> list[int]:
        """Return the ids of all processes, the root first."""
        pids = [self._process.pid]
        for pid in pids:
            pids += _children(pid)
        return pids

    def workers(self) -> list[int]:
        """Return the processes that Python's multiprocessing started."""
        return [pid for pid in self.pids() if b"multiprocessing.spawn" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def cpu_seconds(self) -> float:
        """Return the processor time that the tree has used."""
        return sum(map(cpu_seconds, self.pids()))

    def check_core(self) -> None:
        """Raise unless every thread is pinned to the core."""
        for pid in self.pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                allowed = re.search(r"Cpus_allowed_list:\s*(\S+)", (task / "status").read_text())
                if allowed is None or allowed[1] != str(self.core):
                    raise RuntimeError(f"thread {task.name} of process {pid} is not pinned to core {self.core}")

    def truncate_log(self) -> None:
        """Empty the log, which grows by millions of lines during a benchmark."""
        os.truncate(self.log, 0)

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL after ten seconds."""
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
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB (10**6 bytes)."""
    size = re.search(r"VmRSS:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(size[1]) * 1024 / 1e6 if size else 0.0


def _children(pid: int) -> list[int]:
    pids: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the process or a thread has ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            pids += map(int, (task / "children").read_text().split())
    return pids
