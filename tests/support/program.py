"""Commands of `moorage`, in this process or in a new one."""

import io
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path

from moorage.cli.main import main
from tests.support.server import PROGRAM, Project, clean_environment
from tests.support.threads import HANG_SECONDS, Background


def moorage(
    *arguments: str,
    folder: Path,
    project: Project | None = None,
    stdin: bytes = b"",
    settings: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `moorage …` in this process, in `folder` and with the key of `project`.

    The start of Python would take longer than most commands. `serve` handles signals, so it runs in its own process.
    """
    if arguments[:1] == ("serve",):
        return moorage_process(*arguments, folder=folder, project=project, stdin=stdin, settings=settings)
    assert threading.current_thread() is threading.main_thread(), "the streams, folder and environment are global"
    output, errors = io.BytesIO(), io.BytesIO()

    def run() -> int | str | None:
        try:
            main(arguments, prog_name="moorage")
        except SystemExit as end:
            return end.code
        except BaseException:  # noqa: BLE001 -- Python exits with 1, too
            traceback.print_exc()
            return 1
        return 0

    with chdir(folder), _environment(_settings(project, settings)), _streams(stdin, output, errors):
        code = Background(run).result()  # in a thread, because a command may change the priority of its thread
    return _result(arguments, code if isinstance(code, int) else int(code is not None), output, errors)


def moorage_process(
    *arguments: str,
    folder: Path,
    project: Project | None = None,
    stdin: bytes = b"",
    settings: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `moorage …` in its own process.

    Servers, signals, resource limits and concurrent commands need one.
    """
    completed = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder, input=stdin, env=clean_environment(**_settings(project, settings)), capture_output=True,
        timeout=HANG_SECONDS, check=False,
    )  # fmt: skip
    return _result(arguments, completed.returncode, io.BytesIO(completed.stdout), io.BytesIO(completed.stderr))


def _settings(project: Project | None, settings: Mapping[str, str] | None) -> dict[str, str]:
    of_project = {"MOORAGE_URL": project.server.url, "MOORAGE_API_KEY": project.token} if project else {}
    return of_project | dict(settings or {})


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Replace the environment. `COLUMNS` has the default width, because the tests may run in a terminal."""
    before = dict(os.environ)
    replaced = clean_environment(**{"COLUMNS": "80", **settings})
    try:
        os.environ.clear()
        os.environ.update(replaced)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _streams(stdin: bytes, output: io.BytesIO, errors: io.BytesIO) -> Iterator[None]:
    """Replace the standard streams by text streams over bytes."""
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    sys.stdout = io.TextIOWrapper(output, "utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(errors, "utf-8", "backslashreplace", write_through=True)
    replaced = sys.stdout, sys.stderr
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        for stream in replaced:
            stream.detach()  # so that its bytes are not closed


def _result(
    arguments: tuple[str, ...], code: int, output: io.BytesIO, errors: io.BytesIO
) -> subprocess.CompletedProcess[str]:
    result = subprocess.CompletedProcess(arguments, code, output.getvalue().decode(), errors.getvalue().decode())
    assert "Traceback" not in result.stderr, result.stderr
    return result
