"""`/`: the first page of a server, for browsers and for programs."""

import msgspec
from starlette.responses import Response

from moorage import __version__
from moorage.api.openapi.docs_page import CONTENT_SECURITY_POLICY
from moorage.api.openapi.index_page import index_page
from moorage.api.request import RequestContext


class ServerIndex(msgspec.Struct, frozen=True):
    """The server: its version, the number of deployments in all projects, and its open routes."""

    name: str
    version: str
    deployments: int
    docs: str
    openapi: str
    health: str


async def index(ctx: RequestContext) -> Response:
    """Return the version of the server and where its documentation is: a page for browsers, JSON for others."""
    prefix: str = ctx.request.scope["moorage.root_path"]
    server = ServerIndex(
        "Moorage", __version__, len(ctx.services.catalog), f"{prefix}/docs", f"{prefix}/openapi.json",
        f"{prefix}/health/ready",
    )  # fmt: skip
    headers = {"Cache-Control": "no-cache", "Vary": "Accept"}
    if "text/html" not in ctx.request.headers.get("accept", ""):
        return Response(msgspec.json.encode(server), headers=headers, media_type="application/json")
    headers |= {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Content-Type-Options": "nosniff"}
    page = index_page(server.version, server.deployments, server.docs, server.openapi)
    return Response(page, headers=headers, media_type="text/html")
