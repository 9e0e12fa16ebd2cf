"""Resolution of get_config requests from the catalog."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Any, Final

import msgspec

from moorage.catalog.catalog import Catalog
from moorage.core.bounded_cache import BoundedCache
from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.environments import PRODUCTION, Environment
from moorage.core.errors.base import VersionNotFound, VersionUnreadable
from moorage.core.errors.environments import VersionNotPublished
from moorage.core.errors.templates import JinjaNotEnabled, TemplateLimitExceeded
from moorage.core.resolution.compiled import CompiledDeployment, CompiledVariant
from moorage.core.resolution.config import GetConfigRequest, ResolvedConfig
from moorage.core.routing.table import Resolution
from moorage.core.templates.output import RenderBudget
from moorage.core.templates.template import Rendered
from moorage.gateway.compiled_cache import CompiledCache, CompiledEntry, compiled_bytes
from moorage.rendering.jinja import Jinja
from moorage.store.store import Store

#: Templates that take more steps are rendered in a thread.
_FEW_STEPS: Final = 5_000

#: The size of each cache of compiled deployments: about 7,000 of usual size.
MAX_BYTES: Final = 128 * 1024 * 1024


class Resolved(msgspec.Struct, frozen=True):
    """A resolved configuration as JSON (`ResolvedConfig`), and the version and variant it comes from.

    `revision` is a revision of the catalog at which the version was live in the `environment`. `follows` is set if the
    version is that of production because the environment has no other one.
    """

    live: LiveVersion
    resolution: Resolution
    config: bytes
    revision: int
    environment: str
    follows: bool


class ResolvedCall(msgspec.Struct, frozen=True):
    """A resolved configuration with the compiled variant it comes from, for a call.

    `reason` is why the variant was chosen, as in `X-Moorage-Reason`. `environment` and `follows` are as in `Resolved`.
    """

    live: LiveVersion
    name: str
    reason: str
    variant: CompiledVariant
    config: ResolvedConfig
    environment: str
    follows: bool


class Pin(msgspec.Struct, frozen=True):
    """A version or a variant that a request names, instead of the live version and the routing."""

    version: str | None = None
    variant: str | None = None


NO_PIN: Final = Pin()


def _accept(provider: str, kind: str) -> None:
    """Accept every model."""


class Resolver:
    """Resolves requests; it caches compiled deployments by project, environment and key."""

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
        self._cache = CompiledCache(catalog, compute, MAX_BYTES)
        self._pinned: BoundedCache[tuple[str, str], CompiledDeployment] = BoundedCache(MAX_BYTES)

    @property
    def held(self) -> int:
        """The number of bytes in the caches."""
        return self._cache.held + self._pinned.held

    async def compiled(
        self, project_id: str, key_or_id: str, *, environment: Environment | None = None
    ) -> CompiledDeployment:
        """Return the compiled live version of a deployment in an environment; None is production.

        Raises:
            DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable, NotInEnvironment
        """
        return (await self._cache.entry(project_id, key_or_id, environment)).compiled

    def compiled_now(
        self, project_id: str, key_or_id: str, *, environment: Environment | None = None
    ) -> CompiledDeployment | None:
        """Return the compiled live version of a deployment, or None if a thread must compile it.

        Raises:
            DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable, NotInEnvironment
        """
        entry = self._cache.entry_now(project_id, key_or_id, environment)
        return None if entry is None else entry.compiled

    def resolve_now(
        self, project_id: str, request: GetConfigRequest, *, environment: Environment | None = None
    ) -> Resolved | None:
        """Resolve a request, or return None if a thread or a jinja process must do a part of it.

        Raises:
            DeploymentNotFound, DeploymentDeleted, NotInEnvironment, InvalidBody, VariantNotResolved, TemplateError
        """
        entry = self._cache.entry_now(project_id, request.key, environment)
        return None if entry is None else _resolved_now(entry, request, self._catalog.revision, _name_of(environment))

    async def resolve(
        self,
        project_id: str,
        request: GetConfigRequest,
        *,
        is_small: bool = True,
        environment: Environment | None = None,
    ) -> Resolved:
        """Resolve a request; one that is not small is resolved in a thread.

        Raises:
            DeploymentNotFound, DeploymentDeleted, NotInEnvironment, InvalidBody, VariantNotResolved, TemplateError,
            RendererBusy
        """
        entry = await self._cache.entry(project_id, request.key, environment)
        revision, name = self._catalog.revision, _name_of(environment)
        if is_small and (resolved := _resolved_now(entry, request, revision, name)) is not None:
            return resolved
        compute = partial(asyncio.get_running_loop().run_in_executor, self._compute)
        resolution, variant, config = await compute(_resolved, entry.compiled, request)
        if config is None:
            rendered = await self._render_jinja(variant, request.inputs)
            config = await compute(variant.encoded, rendered, request)
        return Resolved(entry.compiled.live, resolution, config, revision, name, entry.follows)

    async def resolve_call(
        self,
        project_id: str,
        request: GetConfigRequest,
        pin: Pin = NO_PIN,
        *,
        is_small: bool = True,
        environment: Environment | None = None,
        check: Callable[[str, str], object] = _accept,
    ) -> ResolvedCall:
        """Resolve a request for a call of the model; see `resolve`.

        `check` gets the provider and the type of the model before the messages are rendered, and may raise: a request
        to the wrong route has other inputs, too.

        Raises:
            As `resolve`, and VersionNotFound, VersionUnreadable, VersionNotPublished, VariantNotFound
        """
        compiled, follows = await self._compiled_version(project_id, request.key, pin.version, environment)
        if pin.variant is not None:
            name, reason, variant = pin.variant, "pinned", compiled.variant(pin.variant)
        else:
            resolution, variant = compiled.resolve(request.attributes())
            name, reason = resolution.variant, resolution.reason
        check(variant.provider, variant.model_type)
        config = await self.configuration(variant, request, is_small=is_small)
        return ResolvedCall(compiled.live, name, reason, variant, config, _name_of(environment), follows)

    async def configuration(
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

    async def _compiled_version(
        self, project_id: str, key: str, version: str | None, environment: Environment | None
    ) -> tuple[CompiledDeployment, bool]:
        """Return the compiled live version of a deployment, or the version that a request names.

        The second value is whether it is the live version and follows production.
        """
        live = None if version is None else self._catalog.view(project_id, environment).live(key)
        if version is None or live is None or version in (live.version, live.version_id, "live"):
            entry = await self._cache.entry(project_id, key, environment)
            return entry.compiled, entry.follows
        in_thread = asyncio.get_running_loop().run_in_executor
        found = await in_thread(self._reader, self._find_version, project_id, live, version, environment)
        return await self.compiled_version(project_id, found), False

    async def compiled_version(self, project_id: str, version: LiveVersion) -> CompiledDeployment:
        """Return a version, in the form of a live one, compiled.

        Raises:
            VersionUnreadable
        """
        # A version never changes, so a compiled one is current.
        compiled = self._pinned.get((project_id, version.version_id))
        if compiled is None:
            in_thread = asyncio.get_running_loop().run_in_executor
            try:
                compiled = await in_thread(self._compute, CompiledDeployment, version)
            except DECODE_ERRORS as error:
                raise VersionUnreadable(version=version.version, reason=str(error)[:500]) from None
            self._pinned.set((project_id, version.version_id), compiled, compiled_bytes(version.content))
        return compiled

    def _find_version(
        self, project_id: str, live: LiveVersion, version: str, environment: Environment | None
    ) -> LiveVersion:
        """Return a version of a deployment by its number or id, in the form of a live version.

        Raises:
            VersionNotFound, VersionUnreadable, VersionNotPublished
        """
        assert self._store is not None  # noqa: S101 -- a server has one
        shown_in = environment or self._catalog.environments(project_id)[PRODUCTION]
        places = {shown_in.pointer_id}
        if self._catalog.view(project_id, environment).follows(live.key):
            places.add(None)  # what it follows has the earlier versions, too
        with self._store.read() as reader:
            found = reader.find_version(live.id, version)
            if found is None or found.deleted_us is not None:
                raise VersionNotFound(param="model", version=version[:200], key=live.key)
            if shown_in.settings.protected and not any(reader.was_live(found.id, place) for place in places):
                raise VersionNotPublished(param="model", version=found.number, key=live.key, environment=shown_in.name)
        return LiveVersion(live.key, live.id, found.id, str(found.number), found.content)

    def close(self) -> None:
        """End the processes that render jinja templates."""
        if self._jinja is not None:
            self._jinja.close()

    async def _render_jinja(self, variant: CompiledVariant, inputs: Mapping[str, Any]) -> list[Rendered]:
        if self._jinja is None:
            raise JinjaNotEnabled
        return await self._jinja.render(variant.texts, variant.inputs(inputs), variant.missing)


def _name_of(environment: Environment | None) -> str:
    return PRODUCTION if environment is None else environment.name


def _resolved_now(entry: CompiledEntry, request: GetConfigRequest, revision: int, environment: str) -> Resolved | None:
    """Resolve a request on the event loop; None if it takes more than a few milliseconds, or needs a jinja process."""
    try:
        resolution, _, config = _resolved(entry.compiled, request, RenderBudget(steps=_FEW_STEPS))
    except TemplateLimitExceeded:
        return None
    if config is None:
        return None
    return Resolved(entry.compiled.live, resolution, config, revision, environment, entry.follows)


def _resolved(
    compiled: CompiledDeployment, request: GetConfigRequest, budget: RenderBudget | None = None
) -> tuple[Resolution, CompiledVariant, bytes | None]:
    """Resolve a request; without a configuration if a jinja process must render it."""
    resolution, variant = compiled.resolve(request.attributes())
    return resolution, variant, None if variant.engine == "jinja" else variant.render(request, budget)
