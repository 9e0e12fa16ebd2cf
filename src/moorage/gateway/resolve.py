"""Resolution of get_config requests from the catalog."""

import asyncio
import sys
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Any, Final

import msgspec

from moorage.catalog.catalog import Catalog
from moorage.catalog.state import CatalogState
from moorage.core.bounded_cache import BoundedCache
from moorage.core.deployments.content import DECODE_ERRORS, StoredContent
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.errors.base import VersionNotFound, VersionUnreadable
from moorage.core.errors.templates import JinjaNotEnabled, TemplateLimitExceeded
from moorage.core.resolution.compiled import CompiledDeployment, CompiledVariant
from moorage.core.resolution.config import GetConfigRequest, ResolvedConfig
from moorage.core.routing.table import Resolution
from moorage.core.templates.output import RenderBudget
from moorage.core.templates.template import Rendered
from moorage.rendering.jinja import Jinja
from moorage.store.store import Store

#: Templates that take more steps are rendered in a thread.
_FEW_STEPS: Final = 5_000

#: The size of the cache of compiled deployments: about 7,000 of usual size.
MAX_BYTES: Final = 128 * 1024 * 1024

#: What a compiled deployment takes at most: so many times its stored content, and so many bytes for each character that
#: begins or separates values or names in it.
_CONTENT_FACTOR, _VALUE_BYTES, _COMPILED_BYTES = 5, 130, 4_000


class Resolved(msgspec.Struct, frozen=True):
    """A resolved configuration as JSON (`ResolvedConfig`), and the version and variant it comes from.

    `revision` is a revision of the catalog at which the version was live.
    """

    live: LiveVersion
    resolution: Resolution
    config: bytes
    revision: int


class ResolvedCall(msgspec.Struct, frozen=True):
    """A resolved configuration with the compiled variant it comes from, for a call.

    `reason` is why the variant was chosen, as in `X-Moorage-Reason`.
    """

    live: LiveVersion
    name: str
    reason: str
    variant: CompiledVariant
    config: ResolvedConfig


class Pin(msgspec.Struct, frozen=True):
    """A version or a variant that a request names, instead of the live version and the routing."""

    version: str | None = None
    variant: str | None = None


NO_PIN: Final = Pin()


class _Entry(msgspec.Struct, frozen=True, gc=False):
    """A compiled deployment, and the state of the catalog in which it was current."""

    compiled: CompiledDeployment
    size: int
    state: CatalogState
    revision: int


class Resolver:
    """Resolves requests; it caches compiled deployments by project and key."""

    def __init__(
        self,
        catalog: Catalog,
        jinja: Jinja | None,
        compute: Executor | None = None,
        store: Store | None = None,
        reader: Executor | None = None,
    ) -> None:
        """Long calculations run in `compute`, and lookups of pinned versions in `store` in `reader`.

        Without `jinja`, requests for jinja templates are rejected.
        """
        self._catalog = catalog
        self._compute = compute
        self._jinja = jinja
        self._store = store
        self._reader = reader
        self._cache: BoundedCache[tuple[str, str], _Entry] = BoundedCache(MAX_BYTES)
        self._pinned: BoundedCache[tuple[str, str], CompiledDeployment] = BoundedCache(MAX_BYTES)

    @property
    def held(self) -> int:
        """The number of bytes in the caches."""
        return self._cache.held + self._pinned.held

    async def compiled(self, project_id: str, key_or_id: str) -> CompiledDeployment:
        """Return the compiled live version of a deployment.

        Raises:
            DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable
        """
        while (compiled := self.compiled_now(project_id, key_or_id)) is None:
            live = self._catalog.project(project_id).live(key_or_id)
            position, size = (self._catalog.state, self._catalog.revision), _compiled_bytes(live.content)
            made = await asyncio.get_running_loop().run_in_executor(self._compute, CompiledDeployment, live)
            # It may be outdated by now; then the loop compares the live versions.
            self._cache.set((project_id, key_or_id), _Entry(made, size, *position), size)
        return compiled

    def compiled_now(self, project_id: str, key_or_id: str) -> CompiledDeployment | None:
        """Return the compiled live version of a deployment, or None if a thread must compile it.

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
        elif not live.content.is_small:
            return None
        else:
            compiled, size = CompiledDeployment(live), _compiled_bytes(live.content)
        self._cache.set(cache_key, _Entry(compiled, size, catalog.state, catalog.revision), size)
        return compiled

    def resolve_now(self, project_id: str, request: GetConfigRequest) -> Resolved | None:
        """Resolve a request, or return None if a thread or a jinja process must do a part of it.

        Raises:
            DeploymentNotFound, DeploymentDeleted, InvalidBody, VariantNotResolved, TemplateError
        """
        compiled = self.compiled_now(project_id, request.key)
        return None if compiled is None else _resolved_now(compiled, request, self._catalog.revision)

    async def resolve(self, project_id: str, request: GetConfigRequest, *, is_small: bool = True) -> Resolved:
        """Resolve a request; one that is not small is resolved in a thread.

        Raises:
            DeploymentNotFound, DeploymentDeleted, InvalidBody, VariantNotResolved, TemplateError, RendererBusy
        """
        compiled = await self.compiled(project_id, request.key)
        revision = self._catalog.revision
        if is_small and (resolved := _resolved_now(compiled, request, revision)) is not None:
            return resolved
        compute = partial(asyncio.get_running_loop().run_in_executor, self._compute)
        resolution, variant, config = await compute(_resolved, compiled, request)
        if config is None:
            rendered = await self._render_jinja(variant, request.inputs)
            config = await compute(variant.encoded, rendered, request)
        return Resolved(compiled.live, resolution, config, revision)

    async def resolve_call(
        self, project_id: str, request: GetConfigRequest, pin: Pin = NO_PIN, *, is_small: bool = True
    ) -> ResolvedCall:
        """Resolve a request for a call of the model; see `resolve`.

        Raises:
            As `resolve`, and VersionNotFound, VersionUnreadable, VariantNotFound
        """
        compiled = await self._compiled_version(project_id, request.key, pin.version)
        context = request.attributes()
        if pin.variant is not None:
            variant = compiled.variant(pin.variant)
            config = await self._configuration(variant, request, is_small=is_small)
            return ResolvedCall(compiled.live, pin.variant, "pinned", variant, config)
        resolution, variant = compiled.resolve(context)
        config = await self._configuration(variant, request, is_small=is_small)
        return ResolvedCall(compiled.live, resolution.variant, resolution.reason, variant, config)

    async def _configuration(
        self, variant: CompiledVariant, request: GetConfigRequest, *, is_small: bool
    ) -> ResolvedConfig:
        """Return the configuration of a variant for a request."""
        compute = partial(asyncio.get_running_loop().run_in_executor, self._compute)
        if variant.engine == "jinja":
            return variant.configuration(await self._render_jinja(variant, request.inputs), request)
        if is_small:
            with suppress(TemplateLimitExceeded):
                return variant.rendered(request, RenderBudget(steps=_FEW_STEPS))
        return await compute(variant.rendered, request)

    async def _compiled_version(self, project_id: str, key: str, version: str | None) -> CompiledDeployment:
        """Return the compiled live version of a deployment, or the version that a request names."""
        if version is None:
            return await self.compiled(project_id, key)
        live = self._catalog.project(project_id).live(key)
        if version in (live.version, live.version_id, "live"):
            return await self.compiled(project_id, key)
        in_thread = asyncio.get_running_loop().run_in_executor
        found = await in_thread(self._reader, self._find_version, live, version)
        # A version never changes, so a compiled one is current.
        compiled = self._pinned.get((project_id, found.version_id))
        if compiled is None:
            try:
                compiled = await in_thread(self._compute, CompiledDeployment, found)
            except DECODE_ERRORS as error:
                raise VersionUnreadable(version=found.version, reason=str(error)[:500]) from None
            self._pinned.set((project_id, found.version_id), compiled, _compiled_bytes(found.content))
        return compiled

    def _find_version(self, live: LiveVersion, version: str) -> LiveVersion:
        """Return a version of a deployment by its number or id, in the form of a live version.

        Raises:
            VersionNotFound, VersionUnreadable
        """
        assert self._store is not None  # noqa: S101 -- a server has one
        with self._store.read() as reader:
            found = reader.find_version(live.id, version)
        if found is None or found.deleted_us is not None:
            raise VersionNotFound(param="model", version=version[:200], key=live.key)
        return LiveVersion(live.key, live.id, found.id, str(found.number), found.content)

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


def _resolved_now(compiled: CompiledDeployment, request: GetConfigRequest, revision: int) -> Resolved | None:
    """Resolve a request on the event loop; None if it takes more than a few milliseconds, or needs a jinja process."""
    try:
        resolution, _, config = _resolved(compiled, request, RenderBudget(steps=_FEW_STEPS))
    except TemplateLimitExceeded:
        return None
    return None if config is None else Resolved(compiled.live, resolution, config, revision)


def _resolved(
    compiled: CompiledDeployment, request: GetConfigRequest, budget: RenderBudget | None = None
) -> tuple[Resolution, CompiledVariant, bytes | None]:
    """Resolve a request; without a configuration if a jinja process must render it."""
    resolution, variant = compiled.resolve(request.attributes())
    return resolution, variant, None if variant.engine == "jinja" else variant.render(request, budget)
