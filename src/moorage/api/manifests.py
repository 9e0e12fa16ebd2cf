"""`/v2/manifests`: deployments as files say them."""

import msgspec
from starlette.responses import Response

from moorage.api.answer import of_revision
from moorage.api.call import Call
from moorage.core.manifest import ManifestPage
from moorage.core.page import PageQuery


async def list_page(call: Call) -> Response:
    """A page of the project's deployments as files say them, with who keeps each, newest first."""
    query = PageQuery.read(call.request.query_params.multi_items())
    with call.services.store.read() as reading:
        page, has_more = reading.manifests(call.project_id, query)
    return of_revision(call, msgspec.json.encode(ManifestPage("list", [kept.manifest() for kept in page], has_more)))
