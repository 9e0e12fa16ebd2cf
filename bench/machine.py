"""The machine: what the page says of it, and the two cores that are measured on."""

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import apsw
import msgspec

_TOOLS = {"nginx": "nginx-light", "wrk": "wrk", "taskset": "util-linux"}
_PACKAGES = ("moorage", "granian", "starlette", "uvloop", "msgspec")


class Cores(msgspec.Struct, frozen=True):
    """The server's core, and the one for the load and this program."""

    server: int
    load: int


def claim_cores() -> Cores:
    """Pick two cores and move this process, and so what it starts, to the second."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("The benchmarks need two cores: one for the server, one for the load.")
    os.sched_setaffinity(0, {cores[1]})
    return Cores(cores[0], cores[1])


def check_tools() -> None:
    """End with one line if a program is missing."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin"
    missing = [package for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    if missing:
        sys.exit(f"The benchmarks need programs that are not here: apt install {' '.join(missing)}")


def describe() -> list[str]:
    """The machine, one fact a line, with nothing that tells whose it is."""
    cpu = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.+)", cpu)
    memory = re.search(r"MemTotal:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    kind = "a virtual machine" if " hypervisor" in cpu else "a machine"
    name = model[1].strip() if model else platform.machine()
    gib = round(int(memory[1]) / 1024**2) if memory else 0
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    kernel = ".".join(platform.release().split(".")[:2])
    return [
        f"{kind} with {os.cpu_count()} cores ({name}), {gib} GiB of memory, {system}, Linux {kernel}",
        f"load average when the run began: {os.getloadavg()[0]:.2f}",
    ]


def programs() -> list[str]:
    """The versions of what was tried."""
    return [
        f"Python {platform.python_version()}",
        *(f"{package} {version(package)}" for package in _PACKAGES),
        f"SQLite {apsw.sqlite_lib_version()}",
    ]


def versions() -> list[str]:
    """What was measured, and with what."""
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.partition("/")[2].split()
    wrk = re.search(r"wrk (?:debian/)?([0-9.]+)", subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout)  # noqa: PLW1510 -- it exits with 1
    return [*programs(), f"nginx {nginx[0]}", f"wrk {wrk[1] if wrk else '(unknown)'}"]
