"""`…/versions/{version_or_id}/render` and `…/try`: try a version, a draft too, before it is served.

A try-out does not count as use of its version: it prevents no deletion, and no change breaks it (decision 0036).
"""

import time
from typing import TypeVar

import msgspec
from msgspec import UNSET
from starlette.responses import Response

from moorage.api.calls.orq import OrqShape
from moorage.api.calls.respond import respond_resolved
from moorage.api.calls.running import CallRequest
from moorage.api.calls.shape import CallIds
from moorage.api.endpoints.invoke import with_checked_params
from moorage.api.environment import ATTRIBUTE, HEADER, check_version_name, header_value
from moorage.api.request import RequestContext
from moorage.api.request_reader import SMALL_BODY
from moorage.api.responses import json_response
from moorage.api.tasks.tryouts import KINDS, check_fields, respond_tryout, with_text
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.errors.base import MoorageError
from moorage.core.errors.integrations import NoIntegration
from moorage.core.resolution.compiled import CompiledDeployment, CompiledVariant
from moorage.core.resolution.config import GetConfigRequest, ResolvedConfig, encode, with_id
from moorage.core.resolution.tries import RenderedVersion, RenderRequest, TryRequest
from moorage.core.validation import strict_json
from moorage.core.validation.body import read_body
from moorage.gateway.resolve import ResolvedCall
from moorage.providers.request import native_model
from moorage.providers.table import PROVIDERS
from moorage.registry.lookup import get_deployment, get_version
from moorage.store.reader import Reader

T = TypeVar("T", bound=RenderRequest)


async def render(ctx: RequestContext) -> Response:
    """Render a version with inputs and a context: what it sends to which model, and why.

    No model is called, and it does not count as use of the version.
    """
    (body, request, is_small), compiled, revision = await _read(ctx, RenderRequest)
    attributes = request.attributes()
    resolution, variant = compiled.resolve(attributes)
    shown = variant.for_preview()
    request = with_text(body, request, variant)
    config = await ctx.services.resolver.configuration(shown, request, is_small=is_small)
    config, variant = _with_model(body, config, variant)
    result = RenderedVersion(
        variant=resolution.variant, reason=resolution.reason, rule=resolution.rule, rules=[],
        version=compiled.live.version, config=config,
        rejected=shown.missing != variant.missing and config.missing_inputs is not UNSET,
        connected=_is_connected(ctx, config, variant),
    )  # fmt: skip

    def rendered() -> bytes:
        hashed = msgspec.structs.replace(config, id=with_id(encode(config))[7:33].decode())
        rules = compiled.table.explain(attributes).rules
        return msgspec.json.encode(msgspec.structs.replace(result, config=hashed, rules=rules))

    response = json_response(ctx, await ctx.compute(rendered), rev=revision)
    response.headers[HEADER] = header_value(ctx.environment.name)
    return response


async def try_version(ctx: RequestContext) -> Response:
    """Call the model of a version, and return its response; with `stream`, as server-sent events.

    It does not count as use of the version. The response always has its usage; an error in a stream is an event.
    A model that is not for chats has `input`, `documents` or `audio`, and its response is that of its own route.
    """
    started = time.perf_counter()
    (body, request, is_small), compiled, _ = await _read(ctx, TryRequest)
    request = with_checked_params(request)
    resolution, variant = compiled.resolve(request.attributes())
    check_fields(body, variant.model_type)
    is_task = variant.model_type in KINDS
    given = request
    request = with_text(body, request, variant, is_called=is_task)
    config = await ctx.services.resolver.configuration(variant, request, is_small=is_small)
    config, variant = _with_model(body, config, variant)
    resolved = ResolvedCall(
        compiled.live, resolution.variant, resolution.reason, variant, config, ctx.environment.name, follows=False
    )
    if is_task:
        return await respond_tryout(ctx, body, given, resolved, started, is_small=is_small)
    mock = None if body.mock_response is UNSET else body.mock_response
    call = CallRequest(request, _shape, body.stream, is_small, mock=mock, is_tryout=True)
    return await respond_resolved(ctx, call, resolved, started)


async def _read(ctx: RequestContext, kind: type[T]) -> tuple[tuple[T, GetConfigRequest, bool], CompiledDeployment, int]:
    """Return the body, as a request of an application, and whether it is small; the version, and its revision.

    Raises:
        VersionNotFound, VersionDeleted, VersionUnreadable, and errors of the environment and the body
    """
    ctx.allow_query_params()
    data = await ctx.call_body()
    is_small = len(data) <= SMALL_BODY
    body = _parse(data, kind) if is_small else await ctx.compute(_parse, data, kind)
    del data
    environment = ctx.choose_environment(body.context.get(ATTRIBUTE))
    key, name = ctx.path("key_or_id"), ctx.path("version_or_id")
    check_version_name(ctx.services.catalog, ctx.key, name)

    def find(reader: Reader) -> LiveVersion:
        deployment = get_deployment(reader, ctx.project_id, key, environment.pointer_id)
        found = get_version(reader, deployment, name)
        return LiveVersion(deployment.key, deployment.id, found.id, str(found.number), found.content)

    version, revision = await ctx.read(find)
    compiled = await ctx.services.resolver.compiled_version(ctx.project_id, version)
    return (body, body.for_key(version.key), is_small), compiled, revision


def _parse(body: bytes, kind: type[T]) -> T:
    return read_body(strict_json.parse(body or b"{}"), kind)[0]


def _with_model(
    body: RenderRequest, config: ResolvedConfig, variant: CompiledVariant
) -> tuple[ResolvedConfig, CompiledVariant]:
    """Return what to send to the model of a request; its provider is the first part of its name, if that is one."""
    if body.model is UNSET:
        return config, variant
    prefix = body.model.partition("/")[0]
    provider = prefix if prefix in PROVIDERS else config.provider
    return (
        msgspec.structs.replace(config, provider=provider, model=body.model),
        variant.for_another_model(has_same_provider=provider == config.provider),
    )


def _is_connected(ctx: RequestContext, config: ResolvedConfig, variant: CompiledVariant) -> bool:
    """Return whether a call would find an integration, also one that turns out not to work."""
    try:
        ctx.services.providers.find(ctx.project_id, variant.integration, config.provider)
    except NoIntegration:
        return False
    except MoorageError:
        return True
    return True


class _TryoutShape(OrqShape):
    """The response of a try-out: that of `invoke`, but an error in a stream is an event with the provider's words."""

    def failure(self, error: MoorageError, body: bytes) -> bytes:
        """Return the event of an error."""
        return b"data: %b\n\n" % body


def _shape(ids: CallIds, config: ResolvedConfig) -> _TryoutShape:
    model = native_model(config.provider, config.model)
    return _TryoutShape(ids, config.type, config.provider, model, with_usage=True, with_retrievals=False)
