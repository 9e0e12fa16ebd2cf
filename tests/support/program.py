"""The command line, run as a person runs it."""

import subprocess
from pathlib import Path

from tests.support.server import PROGRAM, Project, clean_environment


def moorage(
    *arguments: str, folder: Path, project: Project | None = None, stdin: bytes = b"", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run `moorage …` in `folder`, with the address and key of `project` in the environment."""
    if project is not None:
        settings = {"MOORAGE_URL": project.server.url, "MOORAGE_API_KEY": project.token, **settings}
    done = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder, input=stdin, env=clean_environment(**settings), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    result = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in result.stderr, result.stderr
    return result
