"""Endpoints: from the list of URLs to what the framework calls, with who asks found out before."""

import asyncio
import re
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moorage.api.auth import authenticate, authorize
from moorage.api.call import Call, Services
from moorage.api.operation import Operation
from moorage.api.routes import OPERATIONS
from moorage.core import errors, request_errors
from moorage.core.access import ApiKey

#: How many requests without a known key may wait for a revision.
_strangers = asyncio.Semaphore(64)


def routes(services: Services) -> list[Route]:
    """The list as the framework wants it: one route for each path."""
    by_path = groupby(OPERATIONS, key=lambda operation: operation.path)
    return [_route(path, {operation.method: operation for operation in group}, services) for path, group in by_path]


def _route(path: str, by_method: dict[str, Operation], services: Services) -> Route:
    async def endpoint(request: Request) -> Response:
        operation = by_method["GET" if request.method == "HEAD" else request.method]
        caller = None
        if operation.scopes is not None:
            services.follower.check_age()
            caller = await _caller(request, services)
            request.scope["moorage.caller"] = caller
            request.scope["moorage.revision"] = str(services.catalog.revision)
            authorize(caller, operation.scopes)
        response = await operation.handler(Call(request, services, caller))
        if caller is not None:
            response.headers.setdefault("X-Moorage-Revision", request.scope["moorage.revision"])
        return response

    return Route(path, endpoint, methods=list(by_method))


async def _caller(request: Request, services: Services) -> ApiKey:
    """Whoever asks, once the revision is shown that the request asks for.

    A key may be newer than what is shown, so the revision is waited for before it is called unknown; but not for many
    strangers at once.
    """
    authorization, wanted = request.headers.get("authorization"), request.headers.get("x-min-revision")
    if wanted is None:
        return authenticate(services.catalog, authorization)
    if not re.fullmatch(r"[0-9]{1,18}", wanted):
        raise request_errors.InvalidMinRevision(param="X-Min-Revision", value=wanted[:200])
    try:
        authenticate(services.catalog, authorization)
    except errors.InvalidApiKey:
        if _strangers.locked():
            raise
        async with _strangers:
            await services.follower.wait_for(int(wanted))
    else:
        await services.follower.wait_for(int(wanted))
    return authenticate(services.catalog, authorization)
