"""`/v2/deployments/{keyOrID}/explain` and `/simulate`: routing decisions, and the effect of another routing table."""

from collections.abc import Callable

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.api.responses import json_response
from moorage.core.resolution.compiled import CompiledDeployment
from moorage.core.resolution.explain import Explained, SimulationResult, explain_context, simulate_routing


async def explain(ctx: RequestContext) -> Response:
    """Explain which variant a context gets, rule by rule."""
    return await _evaluate(ctx, explain_context)


async def simulate(ctx: RequestContext) -> Response:
    """Find which of up to 1,000 contexts would get another variant from another routing table."""
    return await _evaluate(ctx, simulate_routing)


async def _evaluate(
    ctx: RequestContext, evaluate: Callable[[CompiledDeployment, bytes], Explained | SimulationResult]
) -> Response:
    ctx.allow_query_params()
    body = await ctx.body()
    compiled = await ctx.services.resolver.compiled(ctx.project_id, ctx.path("key_or_id"))
    revision = ctx.services.catalog.revision
    result = await ctx.compute(lambda: msgspec.json.encode(evaluate(compiled, body)))
    return json_response(ctx, result, rev=revision)
