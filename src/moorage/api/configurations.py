"""`/v2/deployments/get_config`: what an application sends to a model."""

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from starlette.responses import Response

from moorage.api.answers import FOREVER, Answer, Answers
from moorage.api.auth import authenticate, authorize
from moorage.api.call import Call
from moorage.api.exchange import RawHeaders
from moorage.catalog.catalog import Catalog
from moorage.core.access import ApiKey, Scope
from moorage.core.configuration import read_request
from moorage.core.errors import MoorageError
from moorage.core.plan import Plan
from moorage.gateway.gateway import Gateway, Resolved, resolve_now
from moorage.gateway.usage import Usage

PATH: Final = "/v2/deployments/get_config"
SCOPES: Final = frozenset({Scope.INVOKE})

#: How many questions are recognized when they are asked again.
MAX_QUESTIONS: Final = 20_000

#: An answer, and what is noted each time it is given: the version, and the names of the inputs.
_Noted = tuple[Answer, str, Collection[str]]


async def get_config(call: Call) -> Response:
    """What to send to the model for a deployment, a context and inputs."""
    call.expect_parameters()
    request = read_request(await call.body())
    resolved = await call.services.gateway.resolve(call.project_id, request)
    call.services.usage.note(resolved.live.version_id, call.key.id, request.inputs)
    response = Response(resolved.configuration)
    _, response.raw_headers = _headers(call.services.catalog.revision, resolved)
    return response


class Quick:
    """The same for a request that has nothing to it but a key and a body, at a fraction of the cost: calls are what a
    server is asked most. Whatever else a request is goes the way of all others, errors too.

    An answer that was asked for twice is remembered. The first time only a number is kept of the question: most are
    asked once, by one user in one context."""

    def __init__(self, catalog: Catalog, gateway: Gateway, usage: Usage) -> None:
        self._usage = usage
        self._catalog = catalog
        self._gateway = gateway
        self._callers: dict[bytes | None, ApiKey] = {}
        self._plans: dict[tuple[str, str], Plan] = {}
        self._answers = Answers[tuple[bytes | None, bytes], _Noted]()
        self._asked_once = set[int]()

    def __len__(self) -> int:
        """How many answers are remembered."""
        return len(self._answers)

    def forget(self) -> None:
        """Look everything up anew: something changed."""
        self._callers.clear()
        self._plans.clear()
        self._answers.forget()
        self._asked_once.clear()

    def answer(self, authorization: bytes | None, body: bytes) -> Answer | None:
        """The answer; nothing if it takes the long way. Whoever asks has seen to the catalog's age."""
        question = authorization, body
        noted = self._answers.find(question)
        if noted is None:
            noted = self._find(*question)
            if noted is None:
                return None
            self._remember(question, noted)
        answer, version_id, inputs = noted
        self._usage.note(version_id, answer.caller.id, inputs)
        return answer

    def _find(self, authorization: bytes | None, body: bytes) -> _Noted | None:
        try:
            caller = self._callers.get(authorization) or self._authenticate(authorization)
            request = read_request(body)
            asked = caller.project_id, request.key
            plan = self._plans.get(asked)
            if plan is None:
                plan = self._plans[asked] = self._gateway.plan(*asked)
            resolved = resolve_now(plan, request)
        except MoorageError:
            return None
        if resolved is None:
            return None
        etag, headers = _headers(self._catalog.revision, resolved)
        answer = Answer.of(headers, resolved.configuration, etag, PATH, caller)
        return answer, resolved.live.version_id, request.inputs.keys()

    def _authenticate(self, authorization: bytes | None) -> ApiKey:
        caller = authenticate(self._catalog, None if authorization is None else authorization.decode("latin-1"))
        authorize(caller, SCOPES)
        if caller.expires_us is None:
            self._callers[authorization] = caller
        return caller

    def _remember(self, question: tuple[bytes | None, bytes], noted: _Noted) -> None:
        number = hash(question)
        if number not in self._asked_once:
            if len(self._asked_once) >= MAX_QUESTIONS:
                self._asked_once.clear()
            self._asked_once.add(number)
        elif noted[0].until == FOREVER:
            self._answers.keep(question, noted, len(question[1]) + len(noted[0].body_message["body"]))


def _headers(revision: int, resolved: Resolved) -> tuple[bytes, RawHeaders]:
    """The ETag, and all headers of an answer."""
    live, resolution, body = resolved.live, resolved.resolution, resolved.configuration
    etag = b'"%b"' % body[7:33]  # its id, which follows from all of it
    return etag, [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"etag", etag),
        (b"x-moorage-revision", b"%d" % revision),
        *_headers_of_variant(live.key, live.version, resolution.variant, resolution.reason),
    ]


@lru_cache(maxsize=10_000)
def _headers_of_variant(key: str, version: str, variant: str, reason: str) -> RawHeaders:
    return [
        (b"cache-control", b"private, no-cache"),
        (b"x-moorage-deployment", key.encode()),
        (b"x-moorage-version", version.encode()),
        (b"x-moorage-variant", variant.encode()),
        (b"x-moorage-reason", reason.encode()),
    ]
