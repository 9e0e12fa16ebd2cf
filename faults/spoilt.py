"""Moorage as it must not be, for positive controls: `python -m faults.spoilt HOW serve …` starts the server.

- `patient`: waits for ever for the headers of a request.
- `hurried`: waits for headers and bodies one second at most, which shortens the tests.
- `leaking`: keeps a file open and some memory for every request.
- `unsynced`: has PostgreSQL say that it has committed before it has.
"""

import os
import sys
from functools import partial
from importlib import import_module
from typing import Any
from unittest.mock import patch

from starlette.types import ASGIApp, Receive, Scope, Send

from moorage import cli
from moorage.api import call
from moorage.app import create_app
from moorage.store import postgres

#: The command, but for HOW.
SPOILT = (sys.executable, "-m", "faults.spoilt")

#: What is set in `moorage.cli.serve`, in milliseconds.
_HEADERS = {"patient": 3_600_000, "hurried": 1_000, "leaking": 10_000, "unsynced": 10_000}

_LEAKED = 20_000


class Leaking:
    """An application that forgets to let go."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        os.open(os.devnull, os.O_RDONLY)
        self._kept.append(os.urandom(_LEAKED))
        await self._app(scope, receive, send)


def spoilt_app(how: str, *given: Any) -> ASGIApp:
    """The application of a worker, of what `create_app` is given."""
    if how == "hurried":
        call.BODY_SECONDS = 1
    if how == "unsynced":
        postgres._WRITE += "; SET LOCAL synchronous_commit = off"
    app = create_app(*given)
    return Leaking(app) if how == "leaking" else app


def main() -> None:
    """Start the server."""
    how = sys.argv.pop(1)
    with patch.multiple(
        import_module("moorage.cli.serve"), _HEADER_MS=_HEADERS[how], create_app=partial(spoilt_app, how)
    ):
        cli.main()


if __name__ == "__main__":
    main()
