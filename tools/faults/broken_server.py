"""Servers with a defect, for positive controls: `python -m tools.faults.broken_server DEFECT serve …`.

- `unsynced`: PostgreSQL acknowledges commits before they are on disk.
- `patient`: waits an hour for the headers of a request.
- `impatient`: waits one second for headers and bodies, which shortens tests.
"""

import sys
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

from moorage.cli import main as cli
from moorage.server.app import create_app
from moorage.store.postgres import engine as postgres

#: The command without the defect.
BROKEN = ("env", f"PYTHONPATH={Path.cwd()}", sys.executable, "-m", "tools.faults.broken_server")

_HEADER_MS = {"unsynced": 10_000, "patient": 3_600_000, "impatient": 1_000}


class BrokenApp:
    """Replacement of `create_app` in the workers."""

    def __init__(self, defect: str) -> None:
        self._defect = defect

    def __call__(self, *arguments: object) -> object:
        """Return the application of a worker."""
        if self._defect == "impatient":
            for module in ("moorage.api.body", "moorage.api.middleware.pipeline"):
                import_module(module).__dict__["BODY_SECONDS"] = 1
        if self._defect == "unsynced":
            postgres._WRITE += "; SET LOCAL synchronous_commit = off"
        return create_app(*arguments)  # type: ignore[arg-type]


def main() -> None:
    """Start the server."""
    defect = sys.argv.pop(1)
    process = import_module("moorage.server.process")
    with patch.multiple(process, _HEADER_MS=_HEADER_MS[defect], create_app=BrokenApp(defect)):
        cli.main()


if __name__ == "__main__":
    main()
