"""Description of the machine, the two cores of a measurement, and the random seed."""

import os
import platform
import random
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import apsw
import msgspec

SEED = 20_261_122

_PACKAGES = ("moorage", "granian", "starlette", "uvloop", "msgspec")


class Cores(msgspec.Struct, frozen=True):
    """Core of the server, and core of the load and this program."""

    server: int
    load: int


def claim_cores() -> Cores:
    """Choose two cores and pin this process to the second."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("The benchmarks need two cores: one for the server, one for the load.")
    os.sched_setaffinity(0, {cores[1]})
    return Cores(cores[0], cores[1])


def check_tools(**packages: str) -> None:
    """Exit with one line if a program is missing; the arguments map programs to Debian packages."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin"
    missing = [package for tool, package in packages.items() if shutil.which(tool) is None]
    if missing:
        sys.exit(f"Missing programs. Run: apt install {' '.join(missing)}")


def machine() -> str:
    """Return a description of the machine without names or addresses."""
    cpu = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.+)", cpu)
    memory = re.search(r"MemTotal:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    kind = "a virtual machine" if " hypervisor" in cpu else "a machine"
    name = model[1].strip() if model else platform.machine()
    gib = round(int(memory[1]) / 1024**2) if memory else 0
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{kind} with {os.cpu_count()} cores ({name}), {gib} GiB of memory, {system}, Linux {kernel}"


def load_average() -> str:
    """Return the load average of the last minute."""
    return f"{os.getloadavg()[0]:.2f}"


def versions() -> list[str]:
    """Return the versions of Python, the packages and SQLite."""
    packages = (f"{package} {version(package)}" for package in _PACKAGES)
    return [f"Python {platform.python_version()}", *packages, f"SQLite {apsw.sqlite_lib_version()}"]


def commit() -> str:
    """Return the abbreviated commit of the working directory."""
    run = subprocess.run(["git", "rev-parse", "--short=9", "HEAD"], capture_output=True, text=True, check=False)
    return run.stdout.strip() or "(unknown)"


def rng(seed: int, name: str) -> random.Random:
    """Return the random numbers of one measurement or fault."""
    return random.Random(f"{seed} {name}")
