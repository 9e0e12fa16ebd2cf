"""`/v2/deployments/{keyOrID}/versions`, publish, undo and diff."""

import msgspec
from starlette.responses import Response

from moorage.api.environment import check_version_name
from moorage.api.request import RequestContext
from moorage.api.responses import json_response, version_response
from moorage.core.deployments.deployment import Deployment, restore_deadline_us
from moorage.core.deployments.diff import Difference, unified
from moorage.core.deployments.page import PageQuery, page_json
from moorage.core.deployments.version import DeletedVersion, PostVersion
from moorage.core.errors.api_keys import PublishScopeMissing
from moorage.core.errors.requests import MissingParameter
from moorage.core.times import iso
from moorage.registry import versions
from moorage.registry.lookup import get_deployment, get_version
from moorage.store.reader import Reader

_encode = msgspec.json.Encoder().encode


async def list_page(ctx: RequestContext) -> Response:
    """List the versions of a deployment, drafts included, newest first. The cursor is the `_id` of a version.

    `variant_id` filters the versions of one variant.
    """
    parameters, environment_id = ctx.parameters(), ctx.environment.pointer_id
    query = PageQuery.read(parameters, ("variant_id",))
    variant_id = dict(parameters).get("variant_id")

    def page(reader: Reader) -> bytes:
        deployment = get_deployment(reader, ctx.project_id, ctx.path("key_or_id"), environment_id)
        if variant_id not in (None, "", deployment.id):
            return page_json([], has_more=False)
        found, has_more = reader.versions(deployment, query)
        live_in = _environments(ctx, reader, deployment)
        return page_json([_encode(version.item(live_in.get(version.id))) for version in found], has_more=has_more)

    body, rev = await ctx.read(page)
    return json_response(ctx, body, rev=rev)


async def get(ctx: RequestContext) -> Response:
    """Get a version by its number or id."""
    ctx.allow_query_params()
    name = _version_name(ctx)

    def version(reader: Reader) -> bytes:
        deployment = get_deployment(reader, ctx.project_id, ctx.path("key_or_id"), ctx.environment.pointer_id)
        found = get_version(reader, deployment, name)
        return _encode(found.item(_environments(ctx, reader, deployment).get(found.id)))

    body, rev = await ctx.read(version)
    return json_response(ctx, body, rev=rev)


async def post(ctx: RequestContext) -> Response:
    """Save a new version as a draft, or publish it at once."""
    ctx.allow_query_params("take_ownership", "allow_breaking")
    body, normalized = await ctx.parse(PostVersion)
    if body.status != "draft" and not ctx.require_publish():
        raise PublishScopeMissing
    result = await ctx.write(versions.save_version, ctx.path("key_or_id"), body)
    return await version_response(ctx, result, 201, normalized)


async def publish(ctx: RequestContext) -> Response:
    """Make a version the live one, newer or older (a roll-back)."""
    ctx.allow_query_params("dry_run", "take_ownership", "allow_breaking")
    await ctx.parse_reason()
    names = ctx.path("key_or_id"), _version_name(ctx)
    return await version_response(ctx, await ctx.write(versions.publish_version, *names))


async def delete(ctx: RequestContext) -> Response:
    """Delete a version that is not live. It can be restored for 30 days; its number is never used again."""
    ctx.allow_query_params("dry_run", "force")
    await ctx.services.consumers.flush()
    result = await ctx.write(versions.delete_version, ctx.path("key_or_id"), ctx.path("version_or_id"))
    version, deleted_us = result.version, result.version.deleted_us or 0
    item = DeletedVersion(
        id=version.id,
        deployment_id=version.deployment_id,
        version=str(version.number),
        deleted=True,
        deleted_at=iso(deleted_us),
        restorable_until=iso(restore_deadline_us(deleted_us)),
    )
    return json_response(ctx, _encode(item), etag=result.etag)


async def restore(ctx: RequestContext) -> Response:
    """Restore a deleted version with its number and status."""
    ctx.allow_query_params("dry_run")
    await ctx.parse_reason()
    names = ctx.path("key_or_id"), ctx.path("version_or_id")
    return await version_response(ctx, await ctx.write(versions.restore_version, *names))


async def undo(ctx: RequestContext) -> Response:
    """Undo the last change of the live version in the environment; returns the version that is live now.

    If the first change is undone, the deployment follows production again. Without a live version there, the version
    before is returned.
    """
    ctx.allow_query_params("dry_run", "take_ownership")
    await ctx.parse_reason()
    return await version_response(ctx, await ctx.write(versions.undo, ctx.path("key_or_id")))


async def unpublish(ctx: RequestContext) -> Response:
    """Let a deployment follow production again; returns the version that is live now, see undo."""
    ctx.allow_query_params("dry_run", "take_ownership", "allow_breaking")
    await ctx.parse_reason()
    return await version_response(ctx, await ctx.write(versions.unpublish, ctx.path("key_or_id")))


async def diff(ctx: RequestContext) -> Response:
    """Compare two versions, `from` one (by default the live one) `to` another, by number, id or environment.

    With `Accept: text/plain` the response is a unified diff.
    """
    ctx.allow_query_params("from", "to")
    parameters = ctx.request.query_params
    to_name = parameters.get("to")
    if not to_name:
        raise MissingParameter(param="to", name="to", meaning="the number or id of a version, or `live`")
    from_name = parameters.get("from") or "live"
    is_text = "text/plain" in ctx.request.headers.get("accept", "")

    def difference() -> str | bytes:
        numbers, contents = (str(before.number), str(after.number)), (before.comparable(), after.comparable())
        return unified(*contents, *numbers) if is_text else _encode(Difference.of(*numbers, *contents))

    names = from_name, to_name
    for name in names:
        check_version_name(ctx.services.catalog, ctx.key, name)
    (before, after), rev = await ctx.read(
        lambda reader: versions.compare(
            reader, ctx.project_id, ctx.environment.pointer_id, ctx.path("key_or_id"), names
        )
    )
    # No ETag: responses are cached by path and query, and this one has two forms.
    body = await ctx.compute(difference)
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept", "X-Moorage-Revision": str(rev)}
    return Response(body, headers=headers, media_type="text/plain" if is_text else "application/json")


def _version_name(ctx: RequestContext) -> str:
    """Return the path parameter: the number or id of a version, or an environment that the API key may see.

    Raises:
        WrongEnvironment
    """
    name = ctx.path("version_or_id")
    check_version_name(ctx.services.catalog, ctx.key, name)
    return name


def _environments(ctx: RequestContext, reader: Reader, deployment: Deployment) -> dict[str, list[str]]:
    """Return the other environments than production in which each version is live, by the id of the version.

    An API key that is bound to an environment sees that one alone.
    """
    found: dict[str, list[str]] = {}
    for pointer in reader.own_pointers(deployment.id):
        if ctx.key.environment_id in (None, pointer.environment_id):
            found.setdefault(pointer.version_id, []).append(pointer.name)
    return found
