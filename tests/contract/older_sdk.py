"""An older version of the official SDK in a separate process: a process can import only one version."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.server import clean_environment

#: Version -> the fields of a list page that it does not support (3.14.45 drops `tool_call_id` only if it is null).
UNSUPPORTED_FIELDS = {"3.14.45": {"cacheControl", "display_name", "tool_call_id"}, "4.1.0rc44": {"cacheControl"}}


class OlderSdk:
    """A script that runs with this version of the SDK: it prints a line of JSON for each line of input."""

    def __init__(self, version: str, program: Path, url: str, folder: Path) -> None:
        self.version = version
        self._command = [sys.executable, "-W", "error", str(program), url]
        self._stderr = folder / "stderr"

    def __enter__(self) -> Self:
        folder = Path(sys.prefix) / "sdks" / self.version
        assert (folder / "orq_ai_sdk").is_dir(), f"no orq-ai-sdk {self.version} in {folder}: make test installs it"
        with self._stderr.open("wb") as stderr:
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
        assert self._stderr.read_text() == ""

    def run(self, line: str) -> dict[str, Any]:
        """Send a line to the script, and return its result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        output = self._process.stdout.readline()
        assert output, self._stderr.read_text()
        result: dict[str, Any] = json.loads(output)
        assert result.pop("version") == self.version
        return result
