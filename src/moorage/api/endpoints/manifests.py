"""`/v2/manifests`: deployments in the form of files."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.api.responses import json_response
from moorage.core.deployments.manifest import UnreadableDeployment, manifest_of
from moorage.core.deployments.page import PageQuery, page_json
from moorage.core.errors.base import DeploymentUnreadable
from moorage.store.reader import Reader
from moorage.store.unreadable import UnreadableRow


async def list_page(ctx: RequestContext) -> Response:
    """List the project's deployments in the form of files, with their owners, newest first.

    `unreadable` lists the deployments that cannot be decoded: all that are known, and those of this page.
    """
    query = PageQuery.read(ctx.request.query_params.multi_items())
    unreadable = ctx.services.catalog.project(ctx.project_id).unreadable
    body, rev = await ctx.read(lambda reader: _page(reader, ctx.project_id, query, unreadable))
    return json_response(ctx, body, rev=rev)


def _page(reader: Reader, project_id: str, query: PageQuery, known: Mapping[str, DeploymentUnreadable]) -> bytes:
    """Return a page without the deployments that cannot be decoded.

    A page of nothing but those would have no cursor, so the next one is read.
    """
    excluded, place = dict(known), None
    while True:
        found, has_more = reader.manifests(project_id, query, place)
        manifests = []
        for deployment in found:
            if isinstance(deployment, UnreadableRow):
                excluded[deployment.id] = deployment.deployment_error()
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
