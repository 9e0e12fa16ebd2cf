"""`/v2/deployments`: list, get, create, change, delete, restore."""

import msgspec
from starlette.responses import Response

from moorage import clock
from moorage.api.request import RequestContext
from moorage.api.responses import deployment_response, json_response
from moorage.core.deployments.deployment import (
    DeletedDeployment,
    PatchDeployment,
    PostDeployment,
    PutDeployment,
    restore_deadline_us,
)
from moorage.core.deployments.drafts import DraftPage
from moorage.core.deployments.filter import FILTERS, Filter
from moorage.core.deployments.page import PageQuery
from moorage.core.times import iso
from moorage.registry.deleted import deleted_page
from moorage.registry.deployments import (
    create_deployment,
    delete_deployment,
    patch_deployment,
    put_deployment,
    restore_deployment,
)

#: A filtered page of a project with more deployments is found in a thread, because it may scan all of them.
_SMALL_SCAN = 10_000


async def list_page(ctx: RequestContext) -> Response:
    """List the project's deployments as they are in an environment, newest first, a page at a time.

    With filters, those that match all of them.
    """
    parameters, catalog = ctx.parameters(), ctx.services.catalog
    query, filters = PageQuery.read(parameters, FILTERS), Filter.read(parameters, clock.today())
    project, revision = catalog.view(ctx.project_id, ctx.environment), catalog.revision
    if filters is None or len(project) <= _SMALL_SCAN:
        response = json_response(ctx, project.page(query, filters))
    else:
        found = await ctx.compute(project.for_scan().page, query, filters)
        response = json_response(ctx, found, rev=revision)
    return _uncached(response) if filters is not None and filters.model_status is not None else response


async def get(ctx: RequestContext) -> Response:
    """Get a deployment by its key or id."""
    ctx.allow_query_params()
    view, name = ctx.services.catalog.view(ctx.project_id, ctx.environment), ctx.path("key_or_id")
    item, etag = view.get(name)
    ctx.follows = view.follows(name)
    return json_response(ctx, item, etag=etag)


async def put(ctx: RequestContext) -> Response:
    """Create a deployment, or publish a new version of it if the content differs.

    With `draft`, the version is stored, and not published.
    """
    ctx.allow_query_params("dry_run", "draft", "file", "take_ownership", "allow_breaking")
    is_dry_run, is_draft = ctx.flag("dry_run"), ctx.flag("draft")
    body, normalized = await ctx.parse(PutDeployment)
    result = await ctx.write(put_deployment, ctx.path("key_or_id"), body, is_dry_run=is_dry_run, is_draft=is_draft)
    status = 201 if result.result == "created" and not is_dry_run else 200
    return deployment_response(ctx, result, status, normalized, is_dry_run=is_dry_run)


async def post(ctx: RequestContext) -> Response:
    """Create a deployment; its key must be free."""
    ctx.allow_query_params()
    body, normalized = await ctx.parse(PostDeployment)
    return deployment_response(ctx, await ctx.write(create_deployment, body), 201, normalized)


async def patch(ctx: RequestContext) -> Response:
    """Change what is not versioned: the description and the aliases."""
    ctx.allow_query_params("take_ownership")
    body, normalized = await ctx.parse(PatchDeployment)
    return deployment_response(ctx, await ctx.write(patch_deployment, ctx.path("key_or_id"), body), 200, normalized)


async def delete(ctx: RequestContext) -> Response:
    """Delete a deployment. It can be restored for 30 days; its key is free at once."""
    ctx.allow_query_params("dry_run", "take_ownership", "force", "emergency")
    await ctx.services.consumers.flush()
    deleted = await ctx.write(delete_deployment, ctx.path("key_or_id"))
    deleted_us = deleted.deleted_us or 0
    item = DeletedDeployment(
        id=deleted.id,
        key=deleted.key,
        deleted=True,
        deleted_at=iso(deleted_us),
        restorable_until=iso(restore_deadline_us(deleted_us)),
    )
    return json_response(ctx, msgspec.json.encode(item), etag=deleted.etag)


async def list_deleted(ctx: RequestContext) -> Response:
    """List the deleted deployments that can be restored, the last deletion first, a page at a time."""
    query = PageQuery.read(ctx.request.query_params.multi_items())
    found, rev = await ctx.read(lambda reader: deleted_page(reader, ctx.project_id, query))
    return _uncached(json_response(ctx, msgspec.json.encode(found), rev=rev))


async def list_drafts(ctx: RequestContext) -> Response:
    """List the deployments that are live in no environment, newest first, a page at a time."""
    query = PageQuery.read(ctx.request.query_params.multi_items())
    (found, has_more), rev = await ctx.read(lambda reader: reader.draft_deployments(ctx.project_id, query))
    return json_response(ctx, msgspec.json.encode(DraftPage("list", found, has_more)), rev=rev)


def _uncached(response: Response) -> Response:
    """Return a response without its ETag, because it depends on the time, too."""
    response.headers["Cache-Control"] = "no-store"
    del response.headers["ETag"]
    return response


async def restore(ctx: RequestContext) -> Response:
    """Restore a deleted deployment with its versions, its live versions and its place in the list."""
    ctx.allow_query_params("dry_run", "emergency")
    await ctx.parse_reason()
    return deployment_response(ctx, await ctx.write(restore_deployment, ctx.path("key_or_id")))
