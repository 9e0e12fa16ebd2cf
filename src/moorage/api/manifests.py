"""`/v2/manifests`: deployments as files say them."""

from contextlib import suppress

import msgspec
from starlette.responses import Response

from moorage.api.answer import of_revision
from moorage.api.call import Call
from moorage.core.deployment import UNREADABLE
from moorage.core.manifest import ManifestPage, manifest_of
from moorage.core.page import PageQuery
from moorage.store.reading import Reading


async def list_page(call: Call) -> Response:
    """A page of the project's deployments as files say them, with who keeps each, newest first."""
    query = PageQuery.read(call.request.query_params.multi_items())

    body, rev = await call.read(lambda reading: _page(reading, call.project_id, query))
    return of_revision(call, body, rev=rev)


def _page(reading: Reading, project_id: str, query: PageQuery) -> bytes:
    """Those that cannot be read are left out; a page of them alone would have no item to go on from."""
    while True:
        found, has_more = reading.manifests(project_id, query)
        shown = []
        for each in found:
            with suppress(*UNREADABLE):
                shown.append(manifest_of(each))
        if shown or not has_more:
            return msgspec.json.encode(ManifestPage("list", shown, has_more))
        is_newer = query.ending_before is not None
        query = PageQuery(query.limit, None if is_newer else found[-1].id, found[0].id if is_newer else None)
