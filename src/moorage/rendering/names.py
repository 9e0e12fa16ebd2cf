"""Names: those that templates use, of jinja templates too, remembered so that no write waits for a process."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from moorage.core.contract import Names, Templates, names_without_jinja
from moorage.core.errors import MoorageError
from moorage.core.template_errors import InvalidTemplate
from moorage.rendering.jinja import Jinja

T = TypeVar("T")

#: How many variants' names are remembered.
_MAX_KNOWN = 10_000


class NamesUnknown(Exception):
    """The names of these jinja templates must be learned first."""

    def __init__(self, wanted: Sequence[Templates]) -> None:
        super().__init__("names of jinja templates are to be learned")
        self.wanted = wanted


class TemplateNames:
    """The names that templates use (a `NamesOf`). Without jinja, those of its templates cannot be told."""

    def __init__(self, jinja: Jinja | None) -> None:
        self._jinja = jinja
        self._known: dict[bytes, Names] = {}

    def __call__(self, wanted: Sequence[Templates]) -> list[Names]:
        """Those of each variant.

        Raises:
            NamesUnknown: `learn` has to be called first.
        """
        found = names_without_jinja(wanted)
        places = [place for place, (engine, _) in enumerate(wanted) if engine == "jinja" and self._jinja is not None]
        known = self._known  # `learn` may put another in its place meanwhile
        hashes = {place: _hash(wanted[place]) for place in places}
        if unknown := [wanted[place] for place, digest in hashes.items() if digest not in known]:
            raise NamesUnknown(unknown)
        for place, digest in hashes.items():
            found[place] = known[digest]
        return found

    def with_names(self, change: Callable[[], T]) -> T:
        """Make a change, and again with what it had to know, for a thread that can wait."""
        while True:
            try:
                return change()
            except NamesUnknown as unknown:
                asyncio.run(self.learn(unknown.wanted))

    async def learn(self, wanted: Sequence[Templates]) -> None:
        """Ask jinja for the names of its templates, or what is wrong with them."""
        if len(self._known) + len(wanted) > _MAX_KNOWN:
            self._known = {}
        for each in wanted:
            assert self._jinja is not None  # noqa: S101 -- without it there is nothing to learn
            try:
                names = await self._jinja.names(each[1])
                self._known[_hash(each)] = {name for some in names for name in some}
            except InvalidTemplate as error:
                self._known[_hash(each)] = error
            except MoorageError:
                self._known[_hash(each)] = None


def _hash(templates: Templates) -> bytes:
    return hashlib.sha256(msgspec.json.encode(templates)).digest()
