"""The command line, run as a person runs it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.server import PROGRAM, Project, clean_environment


def moorage(
    *arguments: str,
    folder: Path,
    project: Project | None = None,
    stdin: bytes = b"",
    settings: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `moorage …` in `folder`, with the address and key of `project` in the environment."""
    environment = {"MOORAGE_URL": project.server.url, "MOORAGE_API_KEY": project.token} if project else {}
    environment |= settings or {}
    done = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder, input=stdin, env=clean_environment(**environment), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    result = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in result.stderr, result.stderr
    return result
