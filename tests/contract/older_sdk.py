"""Another version of the official SDK, in a process of its own: a process can import one."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.server import clean_environment

#: Version -> the fields of a list page that it does not know (of `tool_call_id`, 3.14.45 loses a null alone).
UNKNOWN = {"3.14.45": {"cacheControl", "display_name", "tool_call_id"}, "4.1.0rc44": {"cacheControl"}}


class OlderSdk:
    """A program of a user of that version: it is told a line, and answers with one of JSON, many times."""

    def __init__(self, version: str, program: Path, url: str, folder: Path) -> None:
        self.version = version
        self._command = [sys.executable, "-W", "error", str(program), url]
        self._complaints = folder / "stderr"

    def __enter__(self) -> Self:
        folder = Path(sys.prefix) / "sdks" / self.version
        assert (folder / "orq_ai_sdk").is_dir(), f"no orq-ai-sdk {self.version} in {folder}: make test installs it"
        with self._complaints.open("wb") as stderr:
            self._process = subprocess.Popen(
                self._command,
                env=clean_environment(PYTHONPATH=str(folder)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        assert self._complaints.read_text() == ""

    def ask(self, line: str) -> dict[str, Any]:
        """What it makes of a line."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._complaints.read_text()
        found: dict[str, Any] = json.loads(answer)
        assert found.pop("version") == self.version
        return found
