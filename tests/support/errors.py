"""The errors that a server can answer, found as the classes that they are."""

from moorage.api import errors as problems  # noqa: F401 -- it knows them all, so they are all there to be found
from moorage.core.errors.base import MoorageError


def all_errors(kind: type[MoorageError] = MoorageError) -> list[type[MoorageError]]:
    """`kind` and all its kinds, each before its own. Not the client's: they are for the application that it is in."""
    children = [child for child in kind.__subclasses__() if not child.__module__.startswith("moorage.client.")]
    return [kind, *(each for child in children for each in all_errors(child))]
