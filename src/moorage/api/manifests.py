"""`/v2/manifests`: deployments as files say them."""

import msgspec
from starlette.responses import Response

from moorage.api.answer import of_revision
from moorage.api.call import Call
from moorage.core.manifest import ManifestPage, manifest_of
from moorage.core.page import PageQuery
from moorage.store.reading import Reading


async def list_page(call: Call) -> Response:
    """A page of the project's deployments as files say them, with who keeps each, newest first."""
    query = PageQuery.read(call.request.query_params.multi_items())

    def page(reading: Reading) -> bytes:
        found, has_more = reading.manifests(call.project_id, query)
        return msgspec.json.encode(
            ManifestPage("list", [manifest_of(each) for each in found if each.fault() is None], has_more)
        )

    body, rev = await call.read(page)
    return of_revision(call, body, rev=rev)
