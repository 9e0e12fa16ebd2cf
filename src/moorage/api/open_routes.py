"""What is open to all: health, metrics, and the description of the API itself."""

from typing import Literal

import msgspec
from starlette.responses import Response

from moorage.api.call import Call
from moorage.api.docs_page import CONTENT_SECURITY_POLICY
from moorage.api.metrics import CONTENT_TYPE


class Health(msgspec.Struct, frozen=True):
    """`live`: the process answers. `ready`: it has all deployments in memory and answers for them."""

    status: Literal["live", "ready"]


async def live(call: Call) -> Response:
    """Whether the process answers at all; when not, restart it."""
    return Response(msgspec.json.encode(Health("live")), media_type="application/json")


async def ready(call: Call) -> Response:
    """Whether to send requests here. The catalog is loaded before the first request is taken."""
    return Response(msgspec.json.encode(Health("ready")), media_type="application/json")


async def metrics(call: Call) -> Response:
    """The numbers, in Prometheus' text format."""
    call.services.journal.settle()
    return Response(call.services.metrics.page(), headers={"Content-Type": CONTENT_TYPE})


async def openapi_json(call: Call) -> Response:
    """The description of this API, OpenAPI 3.1."""
    return Response(call.services.documents.openapi_json, media_type="application/json")


async def docs(call: Call) -> Response:
    """The same description as a page for people. It loads nothing from anywhere."""
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(call.services.documents.docs_html, headers=headers, media_type="text/html")
