"""The router: Starlette routes from the route table, with authentication before each handler."""

import asyncio
import re
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moorage.api.auth import authenticate
from moorage.api.operation import Operation
from moorage.api.request import RequestContext
from moorage.api.routes import OPERATIONS
from moorage.api.services import Services
from moorage.core.errors.api_keys import InvalidApiKey
from moorage.core.errors.base import NotAllowed
from moorage.core.errors.requests import InvalidMinRevision

#: How many requests with an unknown key may wait for a revision.
_unauthenticated_waiters = asyncio.Semaphore(64)


def routes(services: Services) -> list[Route]:
    """Return one route for each path of the route table."""
    by_path = groupby(OPERATIONS, key=lambda operation: operation.path)
    return [_route(path, {operation.method: operation for operation in group}, services) for path, group in by_path]


def _route(path: str, by_method: dict[str, Operation], services: Services) -> Route:
    async def endpoint(request: Request) -> Response:
        return await run(by_method["GET" if request.method == "HEAD" else request.method], request, services)

    return Route(path, endpoint, methods=list(by_method))


async def run(operation: Operation, request: Request, services: Services) -> Response:
    """Authenticate a request, and return the response of its handler.

    Raises:
        MoorageError
    """
    if operation.scopes is None:
        return await operation.handler(RequestContext(request, services, None, frozenset()))
    services.follower.check_age()
    try:
        if "x-moorage-min-revision" in request.headers:
            await _wait_for_revision(request, services)
        caller = request.scope.get("moorage.verified") or authenticate(
            services.catalog, request.headers.get("authorization")
        )
    except NotAllowed:
        services.limits.check_failure(request.scope["moorage.client"])
        raise
    request.scope["moorage.caller"] = caller
    revision = request.scope["moorage.revision"] = str(services.catalog.revision)
    services.limits.check_key(caller.id)
    caller.check_scopes(operation.scopes)
    context = RequestContext(request, services, caller, operation.scopes)
    try:
        response = await operation.handler(context)
    finally:
        context.lease.release()
    if context.has_written:
        revision = str(services.catalog.revision)
    elif not operation.is_call:
        await context.check_caller()  # what the handler read can be newer than the revocation of the key
    response.headers.setdefault("X-Moorage-Revision", revision)
    return response


async def _wait_for_revision(request: Request, services: Services) -> None:
    """Wait until the catalog shows the revision of `X-Moorage-Min-Revision`.

    The API key may be newer than the catalog, so a request with an unknown key waits, too, but only 64 at once.

    Raises:
        InvalidMinRevision, InvalidApiKey, Stale
    """
    value = request.headers["x-moorage-min-revision"]
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise InvalidMinRevision(param="X-Moorage-Min-Revision", value=value[:200])
    authorization = request.headers.get("authorization")
    try:
        authenticate(services.catalog, authorization)
    except InvalidApiKey:
        if _unauthenticated_waiters.locked():
            raise
        async with _unauthenticated_waiters:
            await services.follower.wait_for(int(value))
    else:
        await services.follower.wait_for(int(value))
