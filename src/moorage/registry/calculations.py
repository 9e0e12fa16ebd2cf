"""Long calculations of a write: they run before the write, so that no other write waits for them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from moorage.core.deployments.content import SMALL_CONTENT, StoredContent
from moorage.core.deployments.deployment import Deployment
from moorage.core.errors.base import MoorageError

P = ParamSpec("P")
T = TypeVar("T")


class Calculate(Protocol):
    """Runs a pure function of contents, or returns its result from before."""

    def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of the function."""
        ...


def calculate_now(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run the function: for commands, whose writes hold up no requests of the same process."""
    return function(*args, **kwargs)


class NotCalculated(Exception):
    """Results are missing: call each of `runs` outside of the write, then repeat the write."""

    def __init__(self, runs: Sequence[Callable[[], None]]) -> None:
        super().__init__("a calculation must run before the write")
        self.runs = runs


class Calculations:
    """The results of the calculations of one write.

    A write that needs a result raises `NotCalculated`, and is repeated with it. If the arguments changed meanwhile,
    because of another write to the same deployment, the calculation is repeated, too. So of several concurrent writes,
    at least one always succeeds.
    """

    def __init__(self, body_size: int, *, is_batch: bool = False) -> None:
        """Create the results for a request with a body of so many bytes; those of a batch are about many contents."""
        self._body_size = body_size
        self._is_batch = is_batch
        self._results: list[tuple[Callable[..., Any], tuple[Any, ...], Callable[[], Any]]] = []

    def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of a function of contents.

        Raises:
            NotCalculated: it must be calculated first.
            MoorageError: the function raised it.
        """
        if self._body_size + sum(map(_size, args)) <= SMALL_CONTENT:
            return function(*args, **kwargs)
        compared = self._compared(args)
        for known, known_args, result in self._results:
            if known == function and known_args == compared:
                value: T = result()
                return value
        raise NotCalculated([partial(self._run, function, args)])

    def _run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if not self._is_batch:  # the results for other arguments are outdated
            self._results = [known for known in self._results if known[0] != function]
        compared = self._compared(args)
        try:
            value = function(*args)
        except MoorageError as error:
            self._results.append((function, compared, partial(_raise, _copied(error))))
        else:
            self._results.append((function, compared, lambda: value))

    def _compared(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what identifies arguments: a batch does not keep its contents in memory."""
        return tuple(map(_digest, args)) if self._is_batch else args


def _size(value: object) -> int:
    content = value.content if isinstance(value, Deployment) else value
    return content.size if isinstance(content, StoredContent) else 0


def _digest(value: object) -> object:
    if isinstance(value, Deployment):
        return value.id, value.content.sha256()
    return value.sha256() if isinstance(value, StoredContent) else value


def _raise(error: MoorageError) -> None:
    raise _copied(error)


def _copied(error: MoorageError) -> MoorageError:
    """Return an error without a traceback: one with the frames in which the error is a result would be in a cycle."""
    copied = type(error).__new__(type(error), *error.args)
    vars(copied).update(vars(error))
    return copied
