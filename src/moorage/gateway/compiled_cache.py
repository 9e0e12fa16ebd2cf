"""Cache of compiled deployments, which follows the catalog."""

import asyncio
import sys
from concurrent.futures import Executor

import msgspec

from moorage.catalog.catalog import Catalog
from moorage.catalog.state import CatalogState
from moorage.core.bounded_cache import BoundedCache
from moorage.core.deployments.content import StoredContent
from moorage.core.environments import Environment
from moorage.core.resolution.compiled import CompiledDeployment

#: What a compiled deployment takes at most: so many times its stored content, and so many bytes for each character that
#: begins or separates values or names in it.
_CONTENT_FACTOR, _VALUE_BYTES, _COMPILED_BYTES = 5, 130, 4_000


class CompiledEntry(msgspec.Struct, frozen=True, gc=False):
    """A compiled deployment in an environment, and the state of the catalog in which it was current."""

    compiled: CompiledDeployment
    follows: bool
    size: int
    state: CatalogState
    revision: int


class CompiledCache:
    """The compiled deployments by project, environment and key; `held` is the number of their bytes.

    Environments that follow production share its compiled deployments.
    """

    def __init__(self, catalog: Catalog, compute: Executor | None, maximum: int) -> None:
        """Create a cache of `maximum` bytes; large deployments are compiled in `compute`."""
        self._catalog = catalog
        self._compute = compute
        self._entries: BoundedCache[tuple[str, str | None, str], CompiledEntry] = BoundedCache(maximum)

    @property
    def held(self) -> int:
        """The number of bytes in the cache."""
        return self._entries.held

    async def entry(self, project_id: str, key: str, environment: Environment | None) -> CompiledEntry:
        """Return the entry of a deployment in an environment; None is production.

        Raises:
            DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable, NotInEnvironment
        """
        while (entry := self.entry_now(project_id, key, environment)) is None:
            view = self._catalog.view(project_id, environment)
            cache_key = (project_id, None if environment is None else environment.pointer_id, key)
            live, follows = view.live(key), view.follows(key)
            position, size = (self._catalog.state, self._catalog.revision), compiled_bytes(live.content)
            made = await asyncio.get_running_loop().run_in_executor(self._compute, CompiledDeployment, live)
            # It may be outdated by now; then the loop compares the live versions.
            self._entries.set(cache_key, CompiledEntry(made, follows, size, *position), size)
        return entry

    def entry_now(self, project_id: str, key: str, environment: Environment | None) -> CompiledEntry | None:
        """Return the entry of a deployment in an environment, or None if a thread must compile it.

        Raises:
            DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable, NotInEnvironment
        """
        catalog = self._catalog
        cache_key = (project_id, None if environment is None else environment.pointer_id, key)
        entry = self._entries.get(cache_key)
        if entry is not None and entry.revision == catalog.revision and entry.state is catalog.state:
            return entry
        view = catalog.view(project_id, environment)
        live, follows, size = view.live(key), view.follows(key), None
        for known in (entry, self._entries.get((project_id, None, key)) if follows else None):
            if known is not None and known.compiled.live == live:
                compiled, size = known.compiled, known.size
                break
        else:
            if not live.content.is_small:
                return None
            compiled, size = CompiledDeployment(live), compiled_bytes(live.content)
        entry = CompiledEntry(compiled, follows, size, catalog.state, catalog.revision)
        self._entries.set(cache_key, entry, size)
        return entry


def compiled_bytes(content: StoredContent) -> int:
    """Return how many bytes a deployment with this content takes at most when it is compiled."""
    texts = (content.prompt_config, content.variables, content.runtime_config)
    values = sum(text.count(mark) for text in texts for mark in "{[:,")
    return _COMPILED_BYTES + _CONTENT_FACTOR * sum(map(sys.getsizeof, texts)) + _VALUE_BYTES * values
