"""The router: Starlette routes from the route table, with authentication before each handler."""

import asyncio
import re
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moorage.api.auth import authenticate
from moorage.api.calls.once import call_once
from moorage.api.environment import RAW_HEADER, check_bound_environment, check_unbound, header_value
from moorage.api.operation import Operation
from moorage.api.request import Proposed, RequestContext
from moorage.api.responses import proposal_response
from moorage.api.route_rules import RouteRules
from moorage.api.routes import OPERATIONS
from moorage.api.services import Services
from moorage.core.errors.api_keys import InvalidApiKey
from moorage.core.errors.base import NotAllowed
from moorage.core.errors.requests import InvalidMinRevision

#: How many requests with an unknown key may wait for a revision.
_unauthenticated_waiters = asyncio.Semaphore(64)


def routes(services: Services) -> list[Route]:
    """Return one route for each path of the route table.

    The router compares a path with all routes before the right one. So paths without parameters are the first ones, and
    calls, which have their own application (`moorage.api.middleware.calls`), are the last ones of their kind.
    """
    in_order = sorted(OPERATIONS, key=lambda operation: ("{" in operation.path, operation.is_call))
    by_path = groupby(in_order, key=lambda operation: operation.path)
    return [_route(path, {operation.method: operation for operation in group}, services) for path, group in by_path]


def _route(path: str, by_method: dict[str, Operation], services: Services) -> Route:
    rules = {method: operation.rules for method, operation in by_method.items()}

    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await run(by_method[method], rules[method], request, services)

    return Route(path, endpoint, methods=list(by_method))


async def run(operation: Operation, rules: RouteRules, request: Request, services: Services) -> Response:
    """Authenticate a request, and return the response of its handler.

    Raises:
        MoorageError
    """
    if operation.scopes is None:
        return await operation.handler(RequestContext(request, services, None, rules))
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
    context = RequestContext(request, services, caller, rules)
    bound = None if caller.environment_id is None else check_bound_environment(services.catalog, caller)
    if rules.environment in ("view", "move"):
        context.choose_environment()
    elif rules.environment == "all":
        check_unbound(bound)
    context.check_scopes()
    try:
        response = await _respond(operation, context)
    except Proposed as proposed:
        response = proposal_response(context, proposed.result, 202)
    finally:
        context.lease.release()
    if rules.environment in ("view", "move"):
        value = header_value(context.environment.name, follows=context.follows)
        response.raw_headers.append((RAW_HEADER, value.encode()))
    if context.has_written:
        revision = str(services.catalog.revision)
    elif not operation.is_call:
        await context.check_caller()  # what the handler read can be newer than the revocation of the key
    response.headers.setdefault("X-Moorage-Revision", revision)
    return response


async def _respond(operation: Operation, context: RequestContext) -> Response:
    if operation.is_idempotent and "idempotency-key" in context.request.headers:
        return await call_once(context, operation.handler)
    return await operation.handler(context)


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
