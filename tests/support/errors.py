"""The error classes of the server."""

from moorage.api import errors as problems  # noqa: F401 -- imports all error classes
from moorage.core.errors.base import MoorageError

_CLIENT = "moorage.client."


def all_errors(kind: type[MoorageError] = MoorageError) -> list[type[MoorageError]]:
    """Return `kind` and its subclasses, except those that only the client raises."""
    children = [child for child in kind.__subclasses__() if not child.__module__.startswith(_CLIENT)]
    return [kind, *(each for child in children for each in all_errors(child))]
