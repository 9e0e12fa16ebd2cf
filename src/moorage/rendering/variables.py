"""A cache of the variables of templates, so that no write waits for a rendering process."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from moorage.core.compatibility.contract import Templates, VariableNames, find_variables_without_jinja
from moorage.core.errors.base import MoorageError
from moorage.core.errors.templates import InvalidTemplate
from moorage.rendering.jinja import Jinja

T = TypeVar("T")

#: How many variants' variables are cached; the cache is cleared when it is full.
_MAX_CACHED = 10_000


class VariablesNotCached(Exception):
    """The variables of these jinja templates must be loaded first."""

    def __init__(self, templates: Sequence[Templates]) -> None:
        super().__init__("the variables of jinja templates are not cached")
        self.templates = templates


class TemplateVariables:
    """The variables of templates (a `TemplateInspector`). Without jinja, those of jinja templates are unknown."""

    def __init__(self, jinja: Jinja | None) -> None:
        self._jinja = jinja
        self._cache: dict[bytes, VariableNames] = {}

    @property
    def has_jinja(self) -> bool:
        """Whether jinja templates can be rendered, and so published."""
        return self._jinja is not None

    def find_variables(self, templates: Sequence[Templates]) -> list[VariableNames]:
        """Return the variables of each variant's templates.

        Raises:
            VariablesNotCached: `load` must be called first.
        """
        found = find_variables_without_jinja(templates)
        if self._jinja is None:
            return found
        cache = self._cache  # `load` may replace it in another thread
        hashes = {index: _hash(variant) for index, variant in enumerate(templates) if variant[0] == "jinja"}
        if missing := [templates[index] for index, digest in hashes.items() if digest not in cache]:
            raise VariablesNotCached(missing)
        for index, digest in hashes.items():
            found[index] = cache[digest]
        return found

    def run_with_variables(self, operation: Callable[[], T]) -> T:
        """Run an operation, and again after loading missing variables, in a thread that can block."""
        while True:
            try:
                return operation()
            except VariablesNotCached as missing:
                asyncio.run(self.load(missing.templates))

    async def load(self, templates: Sequence[Templates]) -> None:
        """Cache the variables of jinja templates, or the error of a template."""
        if len(self._cache) + len(templates) > _MAX_CACHED:
            self._cache = {}
        for variant in templates:
            assert self._jinja is not None  # noqa: S101 -- without it, no variables are missing
            try:
                names = await self._jinja.names(variant[1])
                self._cache[_hash(variant)] = {name for used in names for name in used}
            except InvalidTemplate as error:
                self._cache[_hash(variant)] = error
            except MoorageError:
                self._cache[_hash(variant)] = None


def _hash(templates: Templates) -> bytes:
    return hashlib.sha256(msgspec.json.encode(templates)).digest()
