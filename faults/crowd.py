"""Crowd: things that are done over and over in the background."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self, TypeVar

from tests.support.threads import Background

T = TypeVar("T")


class Crowd:
    """What is started in it is done again and again, each in a thread of its own, until the block ends. What one of
    them raised is raised then."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._members: list[Background[None]] = []
        self._kept = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        with self._kept:
            for member in self._members:
                member.result(120)

    def keep(self, what: AbstractContextManager[T]) -> T:
        """Enter what they need, and leave it after their end."""
        return self._kept.enter_context(what)

    def start(self, work: Callable[[], object]) -> None:
        """Do it from now on."""
        self._members.append(Background(lambda: self._repeat(work)))

    def _repeat(self, work: Callable[[], object]) -> None:
        while not self._stopped.is_set():
            work()
