"""The open routes: health, metrics, and the description of the API."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from moorage.api.metrics import CONTENT_TYPE
from moorage.api.openapi.docs_page import CONTENT_SECURITY_POLICY
from moorage.api.request import RequestContext
from moorage.catalog.follower import FRESH_SECONDS


class Health(msgspec.Struct, frozen=True):
    """The state of a process.

    `live`: it responds. `ready`: it shows all writes. `degraded`: the database is unreachable, and reads return the
    state of `age` seconds ago. `stale`: that state is older than `MOORAGE_MAX_STALENESS`, and reads are rejected.
    """

    status: Literal["live", "ready", "degraded", "stale"]
    age: int | UnsetType = UNSET


async def live(ctx: RequestContext) -> Response:
    """Return whether the process responds at all; if not, restart it."""
    return Response(msgspec.json.encode(Health("live")), media_type="application/json")


async def ready(ctx: RequestContext) -> Response:
    """Return whether the process can take requests; 503 if it would reject them."""
    age = ctx.services.follower.age()
    if age <= FRESH_SECONDS:
        health = Health("ready")
    else:
        health = Health("degraded" if age <= ctx.services.follower.max_staleness else "stale", int(age))
    status = 503 if health.status == "stale" else 200
    return Response(msgspec.json.encode(health), status, media_type="application/json")


async def metrics(ctx: RequestContext) -> Response:
    """Return the metrics in Prometheus' text format."""
    ctx.services.request_log.flush()
    ctx.services.call_log.flush()
    page = await ctx.compute(ctx.services.metrics.page)  # of many series, it takes long
    return Response(page, headers={"Content-Type": CONTENT_TYPE})


async def openapi_json(ctx: RequestContext) -> Response:
    """Return the description of this API (OpenAPI 3.1)."""
    return Response(ctx.services.description.openapi_json, media_type="application/json")


async def docs(ctx: RequestContext) -> Response:
    """Return the same description as a page for people. It loads nothing from elsewhere."""
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(ctx.services.description.docs_html, headers=headers, media_type="text/html")
