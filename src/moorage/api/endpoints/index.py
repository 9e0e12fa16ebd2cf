"""`/`: the first page of a server, for browsers and for programs."""

import msgspec
from starlette.responses import RedirectResponse, Response

from moorage import __version__
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
    """Return the version of the server and where its documentation is; a browser gets the console."""
    prefix: str = ctx.request.scope["moorage.root_path"]
    server = ServerIndex(
        "Moorage", __version__, len(ctx.services.catalog), f"{prefix}/docs", f"{prefix}/openapi.json",
        f"{prefix}/health/ready",
    )  # fmt: skip
    headers = {"Cache-Control": "no-cache", "Vary": "Accept"}
    if "text/html" in ctx.request.headers.get("accept", ""):
        return RedirectResponse(f"{prefix}/console", 303, headers)
    return Response(msgspec.json.encode(server), headers=headers, media_type="application/json")
