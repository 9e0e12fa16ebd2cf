"""Shell commands of the docs."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.server import clean_environment


def run_shell(script: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a script in `folder` with `moorage` on the path; the first failure ends it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = script.replace(".venv/bin/moorage", "moorage")
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=clean_environment(PATH=path, **settings), capture_output=True, text=True, check=False,
    )  # fmt: skip
