"""Call: one request with who makes it, and the services that answer it."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Concatenate, ParamSpec, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from moorage.api.change_stream import Streams
from moorage.api.documents import Documents
from moorage.api.idempotency import answer_once
from moorage.api.journal import Journal
from moorage.api.metrics import Metrics
from moorage.api.writer import Writer
from moorage.catalog.bundles import Bundles
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.core.access import ApiKey
from moorage.core.deployment import MAX_NOTES
from moorage.core.history import Actor
from moorage.core.ownership import Terms
from moorage.core.request_errors import (
    BodyTooLarge,
    BodyTooSlow,
    InvalidFlag,
    InvalidIdempotencyKey,
    InvalidRequest,
    RepeatedParameter,
    UnknownParameter,
    UnsupportedEncoding,
)
from moorage.core.strict_json import MAX_BODY
from moorage.core.usage_errors import BreakingChange
from moorage.gateway.gateway import Gateway
from moorage.gateway.usage import Usage
from moorage.rendering.names import NamesUnknown, TemplateNames
from moorage.store.reading import Reading
from moorage.store.store import Store, Writable

BODY_SECONDS = 30
MAX_FILE = 1_000

P = ParamSpec("P")
T = TypeVar("T")


class Services(msgspec.Struct, frozen=True):
    """What handlers answer from."""

    store: Store
    catalog: Catalog
    follower: Follower
    gateway: Gateway
    usage: Usage
    names: TemplateNames
    bundles: Bundles
    streams: Streams
    metrics: Metrics
    journal: Journal
    documents: Documents
    writer: Writer
    reader: Executor


class Call(msgspec.Struct, frozen=True):
    """A request; `caller` is the API key it came with, None on the routes that are open to all."""

    request: Request
    services: Services
    caller: ApiKey | None

    @property
    def key(self) -> ApiKey:
        """The caller's key, on a route that needs one."""
        assert self.caller is not None  # noqa: S101 -- every route with a project has a scope, see routes
        return self.caller

    @property
    def project_id(self) -> str:
        """The project the caller's key belongs to, which is all it can see."""
        return self.key.project_id

    def terms(self) -> Terms:
        """On what terms the change is asked for: `If-Match`, `If-None-Match: *`, and what the query allows.

        Raises:
            InvalidFlag
            InvalidRequest: `file` is no name that can be shown.
        """
        file = self.request.query_params.get("file")
        if file is not None and not (file.strip() and len(file) <= MAX_FILE and file.isprintable()):
            raise InvalidRequest(param="file", reason=f"file is 1 to {MAX_FILE} printable characters")
        headers = self.request.headers
        is_new = headers.get("if-none-match", "").strip() == "*"
        return Terms(
            headers.get("if-match"), is_new, file, self.flag("take_ownership"),
            allow_breaking=self.flag("allow_breaking"), force=self.flag("force"),
            has_jinja=self.services.gateway.has_jinja, names_of=self.services.names,
        )  # fmt: skip

    async def write(self, do: Callable[Concatenate[Writable, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a write of the registry; when it returns, every read shows it."""
        return await self.services.writer.write(lambda store: do(store, *args, **kwargs))

    async def read(self, look_up: Callable[[Reading], T]) -> tuple[T, int]:
        """Look something up that is not in the catalog, beside the event loop; what was found, and the revision that it
        is of. The catalog may show another one by now."""
        services = self.services

        def in_one_state() -> tuple[T, int]:
            with services.store.read() as reading:
                return look_up(reading), reading.rev

        return await asyncio.get_running_loop().run_in_executor(services.reader, in_one_state)

    async def once(self, body: bytes, work: Callable[[Writable], Response]) -> Response:
        """Do a write and answer. With an `Idempotency-Key` it is done once, whatever happens: the answer is kept with
        it, and a second request of that key gets the first one's answer.

        Raises:
            InvalidIdempotencyKey
            IdempotencyConflict: the key was used for another request.
        """
        key = self.request.headers.get("idempotency-key")
        if key is None:
            return self._shown(await self.services.writer.write(work))
        if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
            raise InvalidIdempotencyKey(param="Idempotency-Key")
        asked = f"{self.request.method} {self.request.url.path}?{self.request.url.query}\n".encode() + body
        digest = hashlib.sha256(asked).hexdigest()
        answer = await self.write(answer_once, self.project_id, key, digest, work)
        return self._shown(Response(answer.body, answer.status, answer.headers))

    async def with_contracts(self, change: Callable[[], Awaitable[T]]) -> T:
        """Make a change that compares contracts. What it has to know for that is fetched when it says so, and it is
        made again: no write waits for a process, and who would be broken is told with those served just now."""
        is_noted = False
        while True:
            try:
                return await change()
            except NamesUnknown as unknown:
                await self.services.names.learn(unknown.wanted)
            except BreakingChange:
                if is_noted:
                    raise
                await self.services.usage.flush()
                is_noted = True

    def _shown(self, response: Response) -> Response:
        """The revision that the catalog shows after the write, not the one it showed during it."""
        response.headers["X-Moorage-Revision"] = str(self.services.catalog.revision)
        return response

    def actor(self) -> Actor:
        """Who asks, for the history; the reason is that of the header `X-Moorage-Reason`."""
        reason = _text(self.request.headers.get("x-moorage-reason", ""))[:MAX_NOTES]
        key = self.caller
        request_id = self.request.scope["moorage.request_id"]
        return Actor(key.id if key else None, key.name if key else None, request_id, reason)

    def expect_parameters(self, *known: str) -> None:
        """Refuse any query parameter but these: one that is ignored would be a promise not kept.

        Raises:
            UnknownParameter, RepeatedParameter
        """
        names = [name for name, _ in self.request.query_params.multi_items()]
        for name in names:
            if name not in known:
                raise UnknownParameter(param=name[:200], name=name[:200], known=", ".join(known) or "none")
            if names.count(name) > 1:
                raise RepeatedParameter(param=name, name=name)

    def flag(self, name: str) -> bool:
        """A query parameter that is `true`, `false`, or absent.

        Raises:
            InvalidFlag
        """
        value = self.request.query_params.get(name, "false")
        if value not in {"true", "false"}:
            raise InvalidFlag(param=name, value=value[:200])
        return value == "true"

    async def body(self) -> bytes:
        """The body, at most `MAX_BODY` bytes.

        Raises:
            BodyTooLarge: as soon as that is known; the rest is not read.
            BodyTooSlow: it did not arrive within `BODY_SECONDS`.
            UnsupportedEncoding: it is compressed.
        """
        encoding = self.request.headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            raise UnsupportedEncoding(encoding=encoding[:40])
        declared = self.request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > MAX_BODY:
            raise BodyTooLarge(maximum=MAX_BODY)
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for piece in self.request.stream():
                    body += piece
                    if len(body) > MAX_BODY:
                        raise BodyTooLarge(maximum=MAX_BODY)
        except TimeoutError:
            raise BodyTooSlow(seconds=BODY_SECONDS) from None
        return bytes(body)


def _text(header: str) -> str:
    """The text in a header, which is bytes by the standard: UTF-8 if it can be, else Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header
