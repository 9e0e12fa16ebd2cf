"""Background work that is repeated until the end of a block."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Self, TypeVar

from tests.support.threads import Background

T = TypeVar("T")


class Load:
    """Functions that are called repeatedly, each in its own thread. Their errors are raised at the end."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._threads: list[Background[None]] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with self._stack:
            for thread in self._threads:
                thread.result(120)

    def enter(self, context: AbstractContextManager[T]) -> T:
        """Enter a context that ends after the threads."""
        return self._stack.enter_context(context)

    def start(self, work: Callable[[], object]) -> None:
        """Call a function repeatedly until the end of the block."""
        self._threads.append(Background(lambda: self._repeat(work)))

    def _repeat(self, work: Callable[[], object]) -> None:
        while not self._stopped.is_set():
            work()
