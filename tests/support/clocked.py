"""`python clocked.py …` is `moorage …` with a clock that a test sets while it runs.

The file in the environment variable CLOCK_FILE has eight bytes: the nanoseconds by which the clock is ahead. A worker
imports this module, too.
"""

import mmap
import os
import struct
import sys
import time
from pathlib import Path

PROGRAM = (sys.executable, "-W", "error", __file__)
VARIABLE = "CLOCK_FILE"
_AHEAD = struct.Struct("q")


class ClockFile:
    """The file, as the test sees it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.set_days(0)
        os.environ[VARIABLE] = str(path)

    def set_days(self, days: float) -> None:
        """Set by how much the clock is ahead of the time of this machine."""
        ahead = _AHEAD.pack(round(days * 86_400) * 1_000_000_000)
        if self._path.exists():
            with self._path.open("r+b") as file:
                file.write(ahead)
        else:
            self._path.write_bytes(ahead)


def _replace_clock() -> None:
    file = os.open(os.environ[VARIABLE], os.O_RDONLY)
    shared = mmap.mmap(file, _AHEAD.size, prot=mmap.PROT_READ)
    real = time.time_ns
    time.time_ns = lambda: real() + int(_AHEAD.unpack(shared[:])[0])


if __name__ in ("__main__", "__mp_main__"):
    _replace_clock()

if __name__ == "__main__":
    from moorage.cli.main import main

    main(prog_name="moorage")
