"""Resolution of get_config requests from the catalog."""

import sys
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from moorage.catalog.catalog import Catalog
from moorage.catalog.state import CatalogState
from moorage.core.bounded_cache import BoundedCache
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.errors.templates import JinjaNotEnabled
from moorage.core.resolution.compiled import CompiledDeployment, CompiledVariant
from moorage.core.resolution.config import GetConfigRequest
from moorage.core.routing.table import Resolution
from moorage.core.templates.template import Rendered
from moorage.rendering.jinja import Jinja

#: The size of the cache of compiled deployments: about 8,000 of usual size.
MAX_BYTES: Final = 128 * 1024 * 1024

#: What a compiled deployment takes at most: so many times its stored content, and so many bytes for each character that
#: begins or separates values or names in it.
_CONTENT_FACTOR, _VALUE_BYTES, _COMPILED_BYTES = 5, 100, 4_000


class Resolved(msgspec.Struct, frozen=True):
    """A resolved configuration as JSON (`ResolvedConfig`), and the version and variant it comes from."""

    live: LiveVersion
    resolution: Resolution
    config: bytes


class _Entry(msgspec.Struct, frozen=True, gc=False):
    """A compiled deployment, and the state of the catalog in which it was current."""

    compiled: CompiledDeployment
    size: int
    state: CatalogState
    revision: int


class Resolver:
    """Resolves requests; it caches compiled deployments by project and key."""

    def __init__(self, catalog: Catalog, jinja: Jinja | None) -> None:
        """Without `jinja`, requests for jinja templates are rejected."""
        self._catalog = catalog
        self._jinja = jinja
        self._cache: BoundedCache[tuple[str, str], _Entry] = BoundedCache(MAX_BYTES)

    @property
    def held(self) -> int:
        """The number of bytes in the cache."""
        return self._cache.held

    def compiled(self, project_id: str, key_or_id: str) -> CompiledDeployment:
        """Return the compiled live version of a deployment.

        Raises:
            DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable
        """
        cache_key, catalog = (project_id, key_or_id), self._catalog
        entry = self._cache.get(cache_key)
        if entry is not None and entry.revision == catalog.revision and entry.state is catalog.state:
            return entry.compiled
        live = catalog.project(project_id).live(key_or_id)
        if entry is not None and entry.compiled.live == live:
            compiled, size = entry.compiled, entry.size
        else:
            compiled, size = CompiledDeployment(live), _compiled_bytes(live.content)
        self._cache.set(cache_key, _Entry(compiled, size, catalog.state, catalog.revision), size)
        return compiled

    def resolve_now(self, project_id: str, request: GetConfigRequest) -> Resolved | None:
        """Resolve a request, or return None if a jinja process must render it.

        Raises:
            DeploymentNotFound, DeploymentDeleted, InvalidBody, VariantNotResolved, TemplateError
        """
        compiled = self.compiled(project_id, request.key)
        resolution, variant = compiled.resolve(request.attributes())
        if variant.engine == "jinja":
            return None
        return Resolved(compiled.live, resolution, variant.render(request))

    async def resolve(self, project_id: str, request: GetConfigRequest) -> Resolved:
        """Resolve a request.

        Raises:
            DeploymentNotFound, DeploymentDeleted, InvalidBody, VariantNotResolved, TemplateError, RendererBusy
        """
        resolved = self.resolve_now(project_id, request)
        if resolved is not None:
            return resolved
        compiled = self.compiled(project_id, request.key)
        resolution, variant = compiled.resolve(request.attributes())
        rendered = await self._render_jinja(variant, request.inputs)
        return Resolved(compiled.live, resolution, variant.encoded(rendered, request))

    def close(self) -> None:
        """End the processes that render jinja templates."""
        if self._jinja is not None:
            self._jinja.close()

    async def _render_jinja(self, variant: CompiledVariant, inputs: Mapping[str, Any]) -> list[Rendered]:
        if self._jinja is None:
            raise JinjaNotEnabled
        return await self._jinja.render(variant.texts, variant.inputs(inputs), variant.missing)


def _compiled_bytes(content: StoredContent) -> int:
    """Return how many bytes a deployment with this content takes at most when it is compiled."""
    texts = (content.prompt_config, content.variables, content.runtime_config)
    values = sum(text.count(mark) for text in texts for mark in "{[:,")
    return _COMPILED_BYTES + _CONTENT_FACTOR * sum(map(sys.getsizeof, texts)) + _VALUE_BYTES * values
