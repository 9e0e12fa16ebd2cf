"""Python programs with limits of processor time and memory."""

import resource
import subprocess
import sys

from tests.support.threads import HANG_SECONDS

PRELUDE = "import sys; sys.path[:] = sys.argv[1:]\n"


def run_limited(program: str, *, cpu_seconds: int, memory: int) -> subprocess.CompletedProcess[str]:
    """Run a program in a new process. The kernel kills it at the limit of processor time."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return subprocess.run(
        [sys.executable, "-c", PRELUDE + program, *sys.path],
        capture_output=True, text=True, preexec_fn=limit, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip
