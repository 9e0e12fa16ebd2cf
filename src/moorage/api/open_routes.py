"""What is open to all: health, metrics, and the description of the API itself."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from moorage.api.call import Call
from moorage.api.docs_page import CONTENT_SECURITY_POLICY
from moorage.api.exchange import FRESH_SECONDS
from moorage.api.metrics import CONTENT_TYPE


class Health(msgspec.Struct, frozen=True):
    """`live`: the process answers. `ready`: it shows all there is. `degraded`: it cannot reach its database and answers
    reads with what it had `age` seconds ago. `stale`: that was too long ago, and it answers none."""

    status: Literal["live", "ready", "degraded", "stale"]
    age: int | UnsetType = UNSET


async def live(call: Call) -> Response:
    """Whether the process answers at all; when not, restart it."""
    return Response(msgspec.json.encode(Health("live")), media_type="application/json")


async def ready(call: Call) -> Response:
    """Whether to send requests here: 503 if they would be refused. The catalog is loaded before the first is taken."""
    age = call.services.follower.age()
    if age <= FRESH_SECONDS:
        health = Health("ready")
    else:
        health = Health("degraded" if age <= call.services.follower.max_age else "stale", int(age))
    status = 503 if health.status == "stale" else 200
    return Response(msgspec.json.encode(health), status, media_type="application/json")


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
