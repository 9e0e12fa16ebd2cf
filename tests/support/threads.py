"""Concurrent work, and waiting for a condition."""

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

#: Ends a run that hangs. No test depends on it: waits end when their condition is true, however busy the machine is.
HANG_SECONDS: Final = 600.0

T = TypeVar("T")


class Background(Generic[T]):
    """Work in a thread; `result` waits for it, and raises its error."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def is_running(self) -> bool:
        """Return whether the work has not ended."""
        return self._thread.is_alive()

    def result(self, seconds: float = HANG_SECONDS) -> T:
        """Wait for the end of the work, and return its result."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the work hangs"
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 -- raised in `result`
            self._error = error


def run_concurrently(*works: Callable[[], object]) -> None:
    """Run functions concurrently, and raise the first error."""
    for background in [Background(work) for work in works]:
        background.result()


def until(condition: Callable[[], bool], seconds: float = HANG_SECONDS, *, details: Callable[[], object] = str) -> None:
    """Return when a condition is true. `details` is for the error message of a run that hangs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition was never true: {details()}"
        time.sleep(0.005)  # polls: the condition is in another process
