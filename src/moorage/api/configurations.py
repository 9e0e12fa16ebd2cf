"""`/v2/deployments/get_config`: what an application sends to a model."""

from typing import Final

from starlette.responses import Response

from moorage.api.auth import authenticate, authorize
from moorage.api.call import Call
from moorage.api.etags import matches
from moorage.catalog.catalog import Catalog
from moorage.core.access import ApiKey, Scope
from moorage.core.configuration import read_request
from moorage.core.errors import MoorageError
from moorage.core.plan import Plan
from moorage.gateway.gateway import Gateway, Resolved, resolve_now
from moorage.gateway.usage import Usage

PATH: Final = "/v2/deployments/get_config"
SCOPES: Final = frozenset({Scope.INVOKE})

RawHeaders = list[tuple[bytes, bytes]]

#: Who asked, status, headers, body.
Quickly = tuple[ApiKey, int, RawHeaders, bytes]


async def get_config(call: Call) -> Response:
    """What to send to the model for a deployment, a context and inputs."""
    call.expect_parameters()
    request = read_request(await call.body())
    resolved = await call.services.gateway.resolve(call.project_id, request)
    call.services.usage.note(resolved.live.version_id, call.key.id, request.inputs)
    if_none_match = call.request.headers.get("if-none-match")
    sent = None if if_none_match is None else if_none_match.encode("latin-1")
    status, headers, body = _answer(call.services.catalog.revision, resolved, sent)
    response = Response(body, status)
    response.raw_headers = headers
    return response


class Quick:
    """The same for a request that has nothing to it but a key and a body, at a fraction of the cost: calls are what a
    server is asked most. Whatever else a request is goes the way of all others, errors too."""

    def __init__(self, catalog: Catalog, gateway: Gateway, usage: Usage) -> None:
        self._usage = usage
        self._catalog = catalog
        self._gateway = gateway
        self._callers: dict[bytes, ApiKey] = {}
        self._plans: dict[tuple[str, str], Plan] = {}

    def forget(self) -> None:
        """Look everything up anew: something changed."""
        self._callers.clear()
        self._plans.clear()

    def answer(self, authorization: bytes | None, if_none_match: bytes | None, body: bytes) -> Quickly | None:
        """The answer; nothing if it takes the long way. Whoever asks has seen to the catalog's age."""
        try:
            caller = self._caller(authorization)
            request = read_request(body)
            resolved = resolve_now(self._plan(caller.project_id, request.key), request)
        except MoorageError:
            return None
        if resolved is None:
            return None
        self._usage.note(resolved.live.version_id, caller.id, request.inputs)
        return caller, *_answer(self._catalog.revision, resolved, if_none_match)

    def _caller(self, authorization: bytes | None) -> ApiKey:
        caller = self._callers.get(authorization or b"")
        if caller is None:
            sent = None if authorization is None else authorization.decode("latin-1")
            caller = authenticate(self._catalog, sent)
            authorize(caller, SCOPES)
            if caller.expires_us is None:
                self._callers[authorization or b""] = caller
        return caller

    def _plan(self, project_id: str, key_or_id: str) -> Plan:
        plan = self._plans.get((project_id, key_or_id))
        if plan is None:
            plan = self._plans[project_id, key_or_id] = self._gateway.plan(project_id, key_or_id)
        return plan


def _answer(revision: int, resolved: Resolved, if_none_match: bytes | None) -> tuple[int, RawHeaders, bytes]:
    live, body = resolved.live, resolved.configuration
    etag = b'"%b"' % body[7:33]  # its id, which follows from all of it
    headers = [
        (b"etag", etag),
        (b"cache-control", b"private, no-cache"),
        (b"x-moorage-deployment", live.key.encode()),
        (b"x-moorage-version", live.version.encode()),
        (b"x-moorage-variant", resolved.resolution.variant.encode()),
        (b"x-moorage-reason", resolved.resolution.reason.encode()),
        (b"x-moorage-revision", b"%d" % revision),
    ]
    if if_none_match is not None and matches(if_none_match, etag):
        return 304, headers, b""
    return 200, [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *headers], body
