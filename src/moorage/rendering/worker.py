"""The server's side of a rendering process."""

import contextlib
import socket
import subprocess
import sys
import time

from moorage.core.errors.templates import RendererUnavailable, TemplateLimitExceeded
from moorage.rendering.messages import MAX_REPLY, receive, send

# -I ignores environment variables and the current folder, -S the site module. The path is that of this process.
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from moorage.rendering.jinja_worker import main; main()"

#: The time limit for the start of a process, in seconds.
_START_SECONDS = 30.0


class Worker:
    """A started process, which may not be ready yet. Only one thread at a time can use it."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair()
        self._is_ready = False
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- the program is a constant
                [sys.executable, "-I", "-S", "-c", _PROGRAM, *filter(None, sys.path)],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                cwd="/", env={}, start_new_session=True,
            )  # fmt: skip

    def request(self, request: bytes, seconds: float) -> bytes:
        """Send a request and return the reply. After an error, the process must be replaced.

        Raises:
            TemplateLimitExceeded: there was no reply in time, or the process was killed.
            RendererUnavailable: the process does not start.
        """
        self._wait_until_ready()
        deadline = time.monotonic() + seconds
        self._connection.settimeout(seconds)
        try:
            send(self._connection, request)
            return receive(self._connection, MAX_REPLY, deadline)
        except TimeoutError:
            reason = f"it takes longer than {seconds * 1000:.0f} ms"
        except (EOFError, OSError):
            reason = "the process that rendered it was killed"
        raise TemplateLimitExceeded(engine="jinja", reason=reason)

    def _wait_until_ready(self) -> None:
        if not self._is_ready:
            try:
                receive(self._connection, 0, time.monotonic() + _START_SECONDS)
            except (EOFError, OSError):  # a TimeoutError is an OSError
                raise RendererUnavailable from None
            self._is_ready = True

    def is_alive(self) -> bool:
        """Return whether the process is running."""
        return self._process.poll() is None

    def leave_to_parent(self) -> None:
        """Close the copy of the connection in a forked process, which must neither use nor kill the process."""
        self._connection.close()
        self._process.returncode = 0

    def end(self) -> None:
        """Kill the process."""
        with contextlib.closing(self._connection):
            self._process.kill()
            self._process.wait()
