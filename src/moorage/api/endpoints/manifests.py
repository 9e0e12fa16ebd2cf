"""`/v2/manifests`: deployments in the form of files."""

from contextlib import suppress

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.api.responses import json_response
from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.deployments.manifest import manifest_of
from moorage.core.deployments.page import PageQuery, page_json
from moorage.store.reader import Reader


async def list_page(ctx: RequestContext) -> Response:
    """List the project's deployments in the form of files, with their owners, newest first."""
    query = PageQuery.read(ctx.request.query_params.multi_items())
    body, rev = await ctx.read(lambda reader: _page(reader, ctx.project_id, query))
    return json_response(ctx, body, rev=rev)


def _page(reader: Reader, project_id: str, query: PageQuery) -> bytes:
    """Return a page without the deployments that cannot be decoded.

    A page of nothing but those would have no cursor, so the next one is read.
    """
    while True:
        found, has_more = reader.manifests(project_id, query)
        manifests = []
        for deployment in found:
            with suppress(*DECODE_ERRORS):
                manifests.append(msgspec.json.encode(manifest_of(deployment)))
        if manifests or not has_more:
            return page_json(manifests, has_more=has_more)
        is_newer = query.ending_before is not None
        query = PageQuery(query.limit, None if is_newer else found[-1].id, found[0].id if is_newer else None)
