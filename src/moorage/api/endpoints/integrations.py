"""`/v2/integrations`: the connections of a project to providers, for keys with the scope `integrations:admin`."""

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.api.responses import json_response
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.integrations import CredentialsUnreadable, IntegrationNotFound
from moorage.core.errors.requests import InvalidCursor
from moorage.core.integrations import (
    Credentials,
    DeletedIntegration,
    Integration,
    IntegrationItem,
    IntegrationPage,
    PutIntegration,
)
from moorage.core.times import iso
from moorage.gateway.integrations import open_credentials
from moorage.providers.connection import read_connection, url_of
from moorage.registry.integrations import delete_integration, put_integration

_encode = msgspec.json.Encoder().encode


async def list_page(ctx: RequestContext) -> Response:
    """List the integrations of the project, newest first, and then those of the environment; a page at a time.

    Credentials and headers are masked. The cursor is an integration's `id`.
    """
    query = PageQuery.read(ctx.request.query_params.multi_items())
    found, has_more = _page(_in_order(ctx), query)
    return _response(ctx, _encode(IntegrationPage("list", [_item(ctx, each) for each in found], has_more)))


async def get(ctx: RequestContext) -> Response:
    """Get an integration by its name; its credentials and headers are masked."""
    ctx.allow_query_params()
    found = _find(ctx)
    item = _item(ctx, found)
    # With an ETag, the response is cached until the next write, but another secret key is no write.
    return _response(ctx, _encode(item), etag=found.etag if item.status == "ready" else None)


async def put(ctx: RequestContext) -> Response:
    """Create or replace an integration. Omitted credentials and headers are kept, unless the host changes."""
    ctx.allow_query_params()
    body, _ = await ctx.parse(PutIntegration)
    for origin in read_connection(body).origins:
        ctx.services.egress.check_url(origin)
    result = await ctx.write(put_integration, ctx.services.store.key_ring, ctx.path("name"), body)
    item = IntegrationItem.of(result.integration, url_of(result.integration), result.opened, ctx.project_id)
    status = 201 if result.result == "created" else 200
    response = _response(ctx, _encode(item), status, etag=result.integration.etag)
    response.headers["X-Moorage-Result"] = result.result
    return response


async def delete(ctx: RequestContext) -> Response:
    """Delete an integration with its credentials. It is rejected while a live version uses the integration."""
    ctx.allow_query_params()
    deleted = await ctx.write(delete_integration, ctx.path("name"), ctx.services.environment.variables())
    item = DeletedIntegration(id=deleted.id, name=deleted.name, deleted=True, deleted_at=iso(deleted.deleted_us or 0))
    return _response(ctx, _encode(item), etag=deleted.etag)


async def test(ctx: RequestContext) -> Response:
    """Test an integration by a request that costs nothing; its result says whether the provider accepts the credential.

    The status of the response is 200 also if the test fails.
    """
    ctx.allow_query_params()
    integration = _find(ctx)
    result = await ctx.services.runner.probe(ctx.services.providers.of(integration))
    return Response(_encode(result), headers={"Cache-Control": "no-store"}, media_type="application/json")


def _find(ctx: RequestContext) -> Integration:
    """Return the integration of the path.

    Raises:
        IntegrationNotFound, IntegrationUnreadable
    """
    name = ctx.path("name")
    project = ctx.services.catalog.integrations(ctx.project_id)
    if name in project.unreadable:
        raise project.unreadable[name]
    found = project.by_name.get(name) or ctx.services.environment.by_name.get(name)
    if found is None:
        raise IntegrationNotFound(param="name", name=name[:200])
    return found


def _in_order(ctx: RequestContext) -> list[Integration]:
    project = ctx.services.catalog.integrations(ctx.project_id)
    environment = ctx.services.environment.by_name
    return project.in_order() + [environment[name] for name in sorted(environment) if name not in project.by_name]


def _page(found: list[Integration], query: PageQuery) -> tuple[list[Integration], bool]:
    """Return a page, and whether there are more.

    Raises:
        InvalidCursor
    """
    cursor, is_newer = query.ending_before or query.starting_after, query.ending_before is not None
    if cursor is not None:
        places = [place for place, each in enumerate(found) if each.id == cursor]
        if not places:
            raise InvalidCursor(param="ending_before" if is_newer else "starting_after", value=cursor[:200])
        found = found[: places[0]] if is_newer else found[places[0] + 1 :]
    found = [each for each in found if each.deleted_us is None]
    page = found[-query.limit :] if is_newer else found[: query.limit]
    return page, len(found) > query.limit


def _item(ctx: RequestContext, integration: Integration) -> IntegrationItem:
    opened: Credentials | None = None
    try:
        opened = open_credentials(ctx.services.catalog, ctx.services.environment, integration)
    except CredentialsUnreadable:  # the log has the reason
        opened = None
    return IntegrationItem.of(integration, url_of(integration), opened, ctx.project_id)


def _response(ctx: RequestContext, body: bytes, status: int = 200, *, etag: str | None = None) -> Response:
    if etag is not None:
        return json_response(ctx, body, status, etag=etag)
    return Response(body, status, headers={"Cache-Control": "no-store"}, media_type="application/json")
