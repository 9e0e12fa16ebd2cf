"""`/v2/usage`, `/v2/deployments/usage` and `…/callers`: which API keys use which versions."""

from functools import partial

import msgspec
from starlette.responses import Response

from moorage import clock
from moorage.api.request import RequestContext
from moorage.core.compatibility.consumers import PostUsage, UsageReceipt, UsedVersion, callers, oldest_us
from moorage.core.compatibility.usage import UsagePage
from moorage.core.deployments.page import PageQuery
from moorage.registry.consumers import consumers_since
from moorage.registry.lookup import get_deployment
from moorage.store.reader import Reader

_encode = msgspec.json.Encoder().encode


async def report(ctx: RequestContext) -> Response:
    """Report the versions that a client resolved itself in an environment, with the names of their inputs."""
    ctx.allow_query_params()
    body, _ = await ctx.parse(PostUsage)
    known, _ = await ctx.read(partial(_known, ctx.project_id, body.versions))
    for used in known:
        ctx.services.consumers.record(used.version_id, ctx.key.id, used.inputs, ctx.environment.pointer_id)
    return Response(_encode(UsageReceipt(len(known))), media_type="application/json")


async def list_callers(ctx: RequestContext) -> Response:
    """List the API keys that used a deployment in an environment in the last 30 days.

    Each has its versions, the names of its inputs, and the last time.

    Another worker or server stores its records every ten seconds.
    """
    ctx.allow_query_params()
    await ctx.services.consumers.flush()
    since_us = oldest_us(clock.now_us())
    found, _ = await ctx.read(partial(consumers_since, ctx.project_id, ctx.path("key_or_id"), since_us))
    # No ETag: consumers are recorded without a revision.
    found = [each for each in found if each.environment_id == ctx.environment.pointer_id]
    return Response(_encode(callers(found)), headers={"Cache-Control": "no-store"}, media_type="application/json")


async def list_page(ctx: RequestContext) -> Response:
    """List which API keys used which versions in an environment in the last 30 days, the most recent use first.

    With a `deployment`, only its versions. Another worker or server stores its records every ten seconds.
    """
    parameters = ctx.parameters()
    query, name = PageQuery.read(parameters, ("deployment",)), dict(parameters).get("deployment", "")
    await ctx.services.consumers.flush()
    since_us, environment_id = oldest_us(clock.now_us()), ctx.environment.pointer_id or ""

    def page(reader: Reader) -> UsagePage:
        if not name:
            return reader.usage(ctx.project_id, environment_id, since_us, query)
        deployment = get_deployment(reader, ctx.project_id, name)
        return reader.usage_of_deployment(deployment.id, environment_id, since_us, query)

    found, _ = await ctx.read(page)
    # No ETag: consumers are recorded without a revision.
    return Response(_encode(found), headers={"Cache-Control": "no-store"}, media_type="application/json")


def _known(project_id: str, versions: list[UsedVersion], reader: Reader) -> list[UsedVersion]:
    """Return the versions of the project: others would count as in use there."""
    return [used for used in versions if reader.has_version(project_id, used.version_id)]
