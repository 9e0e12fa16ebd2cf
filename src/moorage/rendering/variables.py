"""A cache of the variables of templates, so that no write waits for a rendering process."""

import asyncio
import hashlib
import sys
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

import msgspec

from moorage.core.compatibility.contract import Templates, VariableNames, find_variables_without_jinja
from moorage.core.errors.base import MoorageError
from moorage.core.errors.templates import InvalidTemplate
from moorage.rendering.jinja import Jinja

T = TypeVar("T")

#: The size of the cache. It is cleared when it is full, but never what one write needs, which could not succeed then.
MAX_BYTES: Final = 16 * 1024 * 1024

#: The bytes of a cached variant without its names, and of a name without its characters.
_VARIANT_BYTES, _NAME_BYTES = 500, 100


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
        self.held = 0  # the number of bytes in the cache

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
        if self.held > MAX_BYTES:
            self._cache, self.held = {}, 0
        for variant in templates:
            digest, found = _hash(variant), await self._find(variant)
            if digest not in self._cache:
                self.held += _size(found)
            self._cache[digest] = found

    async def _find(self, variant: Templates) -> VariableNames:
        assert self._jinja is not None  # noqa: S101 -- without it, no variables are missing
        try:
            return {name for used in await self._jinja.names(variant[1]) for name in used}
        except InvalidTemplate as error:
            return error
        except MoorageError:
            return None


def _hash(templates: Templates) -> bytes:
    return hashlib.sha256(msgspec.json.encode(templates)).digest()


def _size(found: VariableNames) -> int:
    names = found if isinstance(found, AbstractSet) else ()
    return _VARIANT_BYTES + sum(sys.getsizeof(name) + _NAME_BYTES for name in names)
