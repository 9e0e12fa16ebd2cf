"""`moorage serve` that kills itself in a write: `python -m tests.support.mortal_server FILE serve …`.

FILE has a number: before the statement with this number, all processes of the server are killed. The statements of the
writing thread count, from the moment at which the number was written: of the transaction, and of what follows it. With
0, nothing is killed, and `FILE.count` gets the number of statements.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw
from starlette.types import ASGIApp

from moorage.cli import main as cli
from moorage.server.app import create_app
from moorage.store.postgres.connections import Connection

#: The command without the file.
MORTAL = ("env", f"PYTHONPATH={Path.cwd()}:{os.environ.get('PYTHONPATH', '')}", sys.executable, "-m", __name__)


class Killer:
    """Counts the statements, and kills the server before one of them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._since = 0
        self._count = 0

    def before_statement(self) -> None:
        """Count a statement."""
        if not threading.current_thread().name.startswith("moorage-writer"):
            return
        since, text = self._file.stat().st_mtime_ns, self._file.read_text()
        self._count = self._count + 1 if since == self._since else 1
        self._since = since
        if text == "0":
            self._file.with_suffix(".count").write_text(str(self._count))
        elif self._count == int(text):
            os.killpg(os.getpgid(0), signal.SIGKILL)


def _on_each_statement(call: Callable[[], None]) -> None:
    """Call a function before each statement, on both engines."""
    execute = Connection.execute

    def hooked(connection: Connection, query: Any, *arguments: Any, **options: Any) -> Any:
        call()
        return execute(connection, query, *arguments, **options)

    def hook(connection: apsw.Connection) -> None:
        def trace(cursor: object, statement: str, bindings: object) -> bool:
            call()
            return True

        connection.exec_trace = trace

    Connection.execute = hooked  # type: ignore[method-assign, assignment]  # psycopg has no hook
    apsw.connection_hooks.append(hook)


class MortalApp:
    """Replacement of `create_app` in the worker."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, *arguments: Any) -> ASGIApp:
        """Return the application."""
        _on_each_statement(Killer(self._file).before_statement)
        return create_app(*arguments)


def main() -> None:
    """Start the server."""
    app = MortalApp(Path(sys.argv.pop(1)))
    with patch.object(import_module("moorage.server.process"), "create_app", app):
        cli.main()


if __name__ == "__main__":
    main()
