"""`/v2/environments`: the environments of a project."""

from functools import partial

import msgspec
from msgspec import UNSET
from starlette.responses import Response

from moorage import clock
from moorage.api.environment import check_bound_environment
from moorage.api.request import RequestContext
from moorage.api.responses import json_response, warnings_header
from moorage.core.compatibility.consumers import IN_USE_DAYS
from moorage.core.deployments.page import PageQuery
from moorage.core.environments import (
    Environment,
    EnvironmentItem,
    EnvironmentPage,
    PutEnvironment,
    find_environment,
)
from moorage.core.errors.base import Problem
from moorage.core.errors.environments import WrongEnvironment
from moorage.core.errors.requests import MissingParameter
from moorage.core.errors.storage import StorageUnavailable
from moorage.core.times import iso
from moorage.registry.environment_diff import EnvironmentDifference, difference_item, differing
from moorage.registry.environments import delete_environment, put_environment
from moorage.registry.results import EnvironmentResult
from moorage.store.reader import Reader

_encode = msgspec.json.Encoder().encode
_DAY_US = 86_400_000_000


class DeletedEnvironment(msgspec.Struct, frozen=True):
    """The response to a deletion, which cannot be undone."""

    id: str
    name: str
    deleted: bool
    deleted_at: str


async def list_all(ctx: RequestContext) -> Response:
    """List the environments of the project, production first, and unknown names that calls sent lately.

    An API key that is bound to an environment sees that one alone.
    """
    ctx.allow_query_params()
    items = [EnvironmentItem.of(each) for each in visible_environments(ctx)]
    unknown = await _unknown_names(ctx)
    page = EnvironmentPage("list", items, has_more=False, unknown_names=unknown or UNSET)
    # No ETag: the names are recorded without a revision.
    return Response(_encode(page), headers={"Cache-Control": "no-store"}, media_type="application/json")


async def get(ctx: RequestContext) -> Response:
    """Get an environment by its name."""
    ctx.allow_query_params()
    found = find_visible(ctx, ctx.path("name"))
    return json_response(ctx, _encode(EnvironmentItem.of(found)), etag=found.etag)


async def put(ctx: RequestContext) -> Response:
    """Create an environment, or change its settings; omitted ones are unchanged."""
    ctx.allow_query_params()
    body, _ = await ctx.parse(PutEnvironment)
    result = await ctx.write(put_environment, ctx.path("name"), body)
    status = 201 if result.result == "created" else 200
    environment = result.environment
    response = json_response(ctx, _encode(EnvironmentItem.of(environment)), status, etag=environment.etag)
    response.headers["X-Moorage-Result"] = result.result
    if warnings := _warnings(result):
        response.headers["X-Moorage-Warnings"] = warnings_header(warnings)
    return response


async def delete(ctx: RequestContext) -> Response:
    """Delete an environment: its deployments have no live versions of their own there any more."""
    ctx.allow_query_params("force")
    await ctx.services.consumers.flush()
    deleted = await ctx.write(delete_environment, ctx.path("name"))
    item = DeletedEnvironment(deleted.id, deleted.name, deleted=True, deleted_at=iso(deleted.deleted_us or 0))
    return json_response(ctx, _encode(item), etag=deleted.etag)


async def diff(ctx: RequestContext) -> Response:
    """List the deployments whose live versions differ between two environments, `from` one `to` another."""
    query = PageQuery.read(ctx.request.query_params.multi_items(), ("from", "to"))
    names = [ctx.request.query_params.get(name) for name in ("from", "to")]
    for name, value in zip(("from", "to"), names, strict=True):
        if not value:
            raise MissingParameter(param=name, name=name, meaning="the name of an environment")
    source, target = (find_visible(ctx, name or "") for name in names)

    def page(reader: Reader) -> bytes:
        pairs, has_more = differing(reader, ctx.project_id, source, target, query)
        return _encode(EnvironmentDifference("list", list(map(difference_item, pairs)), has_more))

    body, rev = await ctx.read(page)
    return json_response(ctx, body, rev=rev)


def visible_environments(ctx: RequestContext) -> list[Environment]:
    """Return the environments that the API key may see.

    Raises:
        EnvironmentGone
    """
    bound = check_bound_environment(ctx.services.catalog, ctx.key)
    if bound is None:
        return list(ctx.services.catalog.environments(ctx.project_id).values())
    return [bound]


def find_visible(ctx: RequestContext, name_or_id: str) -> Environment:
    """Return an environment by its name or id, if the API key may see it.

    Raises:
        EnvironmentNotFound, EnvironmentGone, WrongEnvironment
    """
    environments = ctx.services.catalog.environments(ctx.project_id)
    by_id = {each.id: each for each in environments.values()}
    found = by_id.get(name_or_id) or find_environment(environments, name_or_id)
    visible = visible_environments(ctx)
    if found not in visible:
        raise WrongEnvironment(bound=visible[0].name, requested=repr(found.name))
    return found


async def _unknown_names(ctx: RequestContext) -> list[str]:
    """Return the unknown names of the last 7 days; none while the database is unreachable."""
    if ctx.key.environment_id is not None:
        return []
    since_us = clock.now_us() - IN_USE_DAYS * _DAY_US
    try:
        await ctx.services.unknown_names.flush()
        found, _ = await ctx.read(partial(Reader.unknown_names, project_id=ctx.project_id, since_us=since_us))
    except StorageUnavailable:
        return []
    environments = ctx.services.catalog.environments(ctx.project_id)
    return [name for name in found if name not in environments]


def _warnings(result: EnvironmentResult) -> list[Problem]:
    """Return a warning if the required approvals cannot be given: the one who proposes does not count."""
    required, keys = result.environment.settings.required_approvals, result.approving_keys
    if not required or keys > required:
        return []
    message = (
        f"{required} approvals and a proposer need {required + 1} API keys with deployments:approve; there are {keys}"
    )
    return [Problem("required_approvals", message)]
