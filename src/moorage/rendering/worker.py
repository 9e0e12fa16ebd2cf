"""One process that renders, as it is seen from outside."""

import contextlib
import socket
import subprocess
import sys
import time

from moorage.core.errors.templates import RendererUnavailable, TemplateLimitExceeded
from moorage.rendering.messages import MAX_REPLY, receive, send

# -I: no folder of anybody's and no variable; -S: nothing of the site's. It finds its modules where this process does.
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from moorage.rendering.jinja_worker import main; main()"

#: How long a process may take to start, on a machine that is busy.
_START_SECONDS = 30.0


class Worker:
    """A process that was started, and may not be ready yet. Used by one thread at a time."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair()
        self._is_ready = False
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- our own program
                [sys.executable, "-I", "-S", "-c", _PROGRAM, *filter(None, sys.path)],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                cwd="/", env={}, start_new_session=True,
            )  # fmt: skip

    def ask(self, question: bytes, seconds: float) -> bytes:
        """Send a message and wait for the answer. After an error the process is of no more use.

        Raises:
            TemplateTooHeavy: there was no answer in time, or the process died of the question.
            RenderingBroken: the process does not start.
        """
        self._wait_until_ready()
        deadline = time.monotonic() + seconds
        self._connection.settimeout(seconds)
        try:
            send(self._connection, question)
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
        """Whether it can still render."""
        return self._process.poll() is None

    def end(self) -> None:
        """Kill the process, whatever it does."""
        with contextlib.closing(self._connection):
            self._process.kill()
            self._process.wait()
