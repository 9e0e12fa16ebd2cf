"""`/v2/manifests`: deployments in the form of files."""

from collections.abc import Mapping
from functools import partial

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.api.responses import json_response
from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.manifest import UnreadableDeployment, manifest_of
from moorage.core.deployments.page import PageQuery, page_json
from moorage.core.errors.base import DeploymentUnreadable
from moorage.registry.lookup import get_live_deployment
from moorage.store.reader import Reader
from moorage.store.unreadable import UnreadableRow


async def list_page(ctx: RequestContext) -> Response:
    """List the project's deployments as they are in an environment in the form of files, with their owners.

    The newest one is the first.

    `unreadable` lists the deployments that cannot be decoded: all that are known, and those of this page.
    """
    query = PageQuery.read(ctx.parameters())
    environment = ctx.environment
    unreadable = ctx.services.catalog.view(ctx.project_id, environment).unreadable
    body, rev = await ctx.read(lambda reader: _page(reader, ctx.project_id, environment.pointer_id, query, unreadable))
    return json_response(ctx, body, rev=rev)


async def get(ctx: RequestContext) -> Response:
    """Get a deployment as it is in an environment in the form of a file, with its owner."""
    ctx.allow_query_params()
    deployment, rev = await ctx.read(
        partial(get_live_deployment, project_id=ctx.project_id, key_or_id=ctx.path("key_or_id"),
                environment=ctx.environment)
    )  # fmt: skip
    ctx.follows = deployment.is_following
    body = _encoded(deployment) if deployment.content.is_small else await ctx.compute(_encoded, deployment)
    return json_response(ctx, body, etag=deployment.etag, rev=rev)


def _encoded(deployment: Deployment) -> bytes:
    """Return the JSON of a manifest.

    Raises:
        DeploymentUnreadable
    """
    if (error := deployment.decode_error()) is not None:
        raise error
    return msgspec.json.encode(manifest_of(deployment))


def _page(
    reader: Reader,
    project_id: str,
    environment_id: str | None,
    query: PageQuery,
    known: Mapping[str, DeploymentUnreadable],
) -> bytes:
    """Return a page without the deployments that cannot be decoded, or that are not in the environment.

    A page of nothing but those would have no cursor, so the next one is read.
    """
    excluded, place = dict(known), None
    while True:
        found, has_more = reader.manifests(project_id, query, place, environment_id)
        manifests = []
        for deployment in found:
            if isinstance(deployment, UnreadableRow):
                excluded[deployment.id] = deployment.deployment_error()
            elif deployment.live_version_id is None:
                continue
            elif (error := deployment.decode_error()) is not None:
                excluded[deployment.id] = error
            else:
                manifests.append(msgspec.json.encode(manifest_of(deployment)))
        place = found[0 if query.ending_before is not None else -1].place if found else None
        if manifests or not has_more or place is None:
            page = page_json(manifests, has_more=has_more and bool(manifests))  # without a cursor, the list ends
            return page[:-1] + b',"unreadable":%b}' % msgspec.json.encode(_listed(excluded)) if excluded else page


def _listed(excluded: Mapping[str, DeploymentUnreadable]) -> list[UnreadableDeployment]:
    return [
        UnreadableDeployment(deployment_id, str(error.fields["key"]), error.message)
        for deployment_id, error in sorted(excluded.items())
    ]
