"""`/v2/deployments/{keyOrID}/history` and `/v2/history`: who changed what, and why."""

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.api.responses import json_response
from moorage.core.deployments.history import ACTIONS
from moorage.core.deployments.page import PageQuery, page_json
from moorage.core.environments import Environment
from moorage.core.errors.requests import InvalidFilter
from moorage.core.validation.messages import nearest
from moorage.registry.lookup import get_including_deleted
from moorage.store.reader import Reader

_encode = msgspec.json.Encoder().encode


async def of_deployment(ctx: RequestContext) -> Response:
    """List all changes of a deployment, a deleted one too, newest first: what, by whom, and why.

    With an `environment`, only those that concern it.
    """
    query, environment = PageQuery.read(ctx.parameters()), _filter(ctx)

    def page(reader: Reader) -> bytes:
        deployment = get_including_deleted(reader, ctx.project_id, ctx.path("key_or_id"))
        found, has_more = reader.history(deployment.id, query, environment)
        return page_json(map(_encode, found), has_more=has_more)

    body, rev = await ctx.read(page)
    return json_response(ctx, body, rev=rev)


async def of_project(ctx: RequestContext) -> Response:
    """List all changes of all deployments, deleted ones too, newest first: what, by whom, and why.

    With an `environment`, only those that concern it; with an `action`, only those with it.
    """
    parameters, environment = ctx.parameters(), _filter(ctx)
    query, action = PageQuery.read(parameters, ("action",)), dict(parameters).get("action", "")
    if action and action not in ACTIONS:
        raise InvalidFilter(
            param="action", choices=", ".join(ACTIONS), value=action[:200],
            suggestion=nearest(action, [*ACTIONS]).removeprefix("."),
        )  # fmt: skip

    def page(reader: Reader) -> bytes:
        found, has_more = reader.project_history(ctx.project_id, query, environment, action)
        return page_json(map(_encode, found), has_more=has_more)

    body, rev = await ctx.read(page)
    return json_response(ctx, body, rev=rev)


def _filter(ctx: RequestContext) -> Environment | None:
    """Return the environment that the request or its API key names; None for all."""
    is_filtered = ctx.choice is not None and ctx.choice.source != "default"
    return ctx.environment if is_filtered else None
