"""`/v2/deployments/{keyOrID}/explain` and `/simulate`: routing decisions, and the effect of another routing table."""

import msgspec
from msgspec import UNSET
from starlette.responses import Response

from moorage.api.environment import ATTRIBUTE, HEADER, WARNING_HEADER, header_value
from moorage.api.request import RequestContext
from moorage.api.responses import json_response
from moorage.core.resolution.explain import (
    Explained,
    environment_warnings,
    explain_context,
    explain_environment,
    read_explain_request,
    simulate_routing,
)

_encode = msgspec.json.Encoder().encode


async def explain(ctx: RequestContext) -> Response:
    """Explain which environment and which variant a context gets, rule by rule."""
    ctx.allow_query_params()
    body = await ctx.body()
    request = await ctx.compute(read_explain_request, body)
    environment = ctx.choose_environment(request.context.get(ATTRIBUTE))
    choice, key, services = ctx.choice, ctx.path("key_or_id"), ctx.services
    assert choice is not None  # noqa: S101 -- chosen above
    compiled = await services.resolver.compiled(ctx.project_id, key, environment=environment)
    revision = services.catalog.revision
    ctx.follows = services.catalog.view(ctx.project_id, environment).follows(key)
    names = services.catalog.environments(ctx.project_id)

    def explained() -> Explained:
        warnings = environment_warnings(compiled, names) if len(names) > 1 else []
        return msgspec.structs.replace(
            explain_context(compiled, request), environment=explain_environment(choice, follows=ctx.follows),
            warnings=warnings or UNSET,
        )  # fmt: skip

    response = json_response(ctx, await ctx.compute(lambda: _encode(explained())), rev=revision)
    response.headers[HEADER] = header_value(environment.name, follows=ctx.follows)
    if choice.warning is not None:
        response.headers[WARNING_HEADER] = choice.warning
    return response


async def simulate(ctx: RequestContext) -> Response:
    """Find which of up to 1,000 contexts would get another variant from another routing table."""
    ctx.allow_query_params()
    body, key = await ctx.body(), ctx.path("key_or_id")
    compiled = await ctx.services.resolver.compiled(ctx.project_id, key, environment=ctx.environment)
    revision = ctx.services.catalog.revision
    result = await ctx.compute(lambda: _encode(simulate_routing(compiled, body)))
    return json_response(ctx, result, rev=revision)
