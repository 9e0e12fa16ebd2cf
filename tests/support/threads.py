"""Things at the same time, and waiting for what will be."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """Work in a thread; `result` waits for it, and raises what it raised."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._done: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def result(self, seconds: float = 60) -> T:
        """What it returned."""
        self._thread.join(seconds)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error
        return self._done[0]

    def _run(self) -> None:
        try:
            self._done.append(self._work())
        except BaseException as error:  # noqa: BLE001 -- raised in `result`
            self._error = error


def together(*works: Callable[[], object]) -> None:
    """Do all of it at once, and raise what one of them raised."""
    for each in [Background(work) for work in works]:
        each.result()


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Return when something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never held"
        time.sleep(0.005)  # asked again, up to the deadline
