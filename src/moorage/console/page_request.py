"""A request of a browser to a page: its session, and the operations of the API that it uses."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from moorage import __version__
from moorage.api.body import receive_body
from moorage.api.errors import report_error
from moorage.api.memory_budget import Lease
from moorage.api.router import run
from moorage.api.routes import OPERATIONS
from moorage.api.services import Services
from moorage.console.form import MAX_FORM, Form, parse_form
from moorage.console.notices import notice, notice_link
from moorage.console.problems import ErrorPage, error_page
from moorage.console.session import Sessions
from moorage.console.templating import static_path, templates
from moorage.core.access import ApiKey, Scope
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import MoorageError

T = TypeVar("T")

_OPERATIONS: Final = {operation.name: operation for operation in OPERATIONS}
_RULES: Final = {operation.name: operation.rules for operation in OPERATIONS}


class Result(NamedTuple):
    """The response of an operation; `value` is its decoded JSON, None if it has none."""

    status: int
    value: Any
    headers: Headers

    @property
    def is_proposal(self) -> bool:
        """Whether the write waits for approval, so that `value` is a proposal."""
        return self.status == 202


class PageRequest:
    """A request to a page. `caller` is the API key of the session; None without one."""

    def __init__(self, request: Request, services: Services, sessions: Sessions) -> None:
        self.request = request
        self.services = services
        self.sessions = sessions
        self.caller: ApiKey | None = None
        self.project = ""  # the name of the project of the API key
        self.prefix: str = request.scope["moorage.root_path"]
        self.section = ""
        self.has_media = False  # whether the page has pictures or audio of its own
        self.waiting = 0  # proposals that wait for the API key, on pages that are read
        self.seen = services.catalog.revision  # whatever changes after it, the page may not show
        self._leases = list[Lease]()
        self._form: Form | None = None

    @property
    def key(self) -> ApiKey:
        """The API key, on a page that requires a session."""
        assert self.caller is not None  # noqa: S101 -- `application` has found the session
        return self.caller

    def path(self, name: str) -> str:
        """Return a path parameter."""
        value: str = self.request.path_params[name]
        return value

    def parameter(self, name: str) -> str:
        """Return a query parameter; nothing if it is absent."""
        return self.request.query_params.get(name, "")

    @property
    def environment(self) -> str:
        """The name of the environment that the page is about, which may not exist."""
        return self.parameter("environment") or self._own_environment()

    @property
    def move_scope(self) -> Scope:
        """The scope that a change of a live version in the environment of the page needs."""
        return self.scope_in(self.environment)

    def scope_in(self, name: str) -> Scope:
        """Return the scope that a change of a live version in an environment needs."""
        environment = self.services.catalog.environments(self.key.project_id).get(name)
        return Scope.PUBLISH if environment is None or environment.settings.protected else Scope.WRITE

    def has(self, scope: str) -> bool:
        """Return whether the API key has a scope, by its name."""
        return scope in self.key.scopes

    async def form(self) -> Form:
        """Return the form that was sent. The request holds its memory until the response.

        Raises:
            InvalidRequest, BodyTooLarge, BodyTooSlow, MalformedBody, UnsupportedEncoding, ApiKeyQueueFull,
            WriteQueueFull
        """
        if self._form is not None:
            return self._form
        lease = Lease(self.services.memory, self.key.id)
        self.hold(lease)
        body = await receive_body(self.request, lease, MAX_FORM)
        lease.take(2 * len(body))  # the bytes of a field, and its text
        return await self.compute(partial(parse_form, self.request.headers.get("content-type", ""), body))

    def take_form(self, form: Form) -> None:
        """Set the form, which was read before there was a session."""
        self._form = form

    def hold(self, lease: Lease) -> None:
        """Hold memory until the response."""
        self._leases.append(lease)

    def release(self) -> None:
        """Give back the memory of the form."""
        for lease in self._leases:
            lease.release()

    async def call(self, operation: str, query: Mapping[str, str] | None = None, **path: str) -> Any:
        """Return the decoded response of an operation of the API that reads.

        Raises:
            MoorageError: as the operation.
        """
        return (await self._run(operation, path, None, query, None)).value

    async def send(
        self,
        operation: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **path: str,
    ) -> Result:
        """Run an operation of the API with the API key of the session, and return its response.

        A page can thus do what the API can, with the same checks and the same effect, and nothing else. Empty query
        parameters and headers are left out. The environment is that of the page, unless the query names another one.

        Raises:
            MoorageError: as the operation.
        """
        return await self._run(operation, path, body, query, headers)

    async def respond(
        self, operation: str, body: object = None, *, query: Mapping[str, str] | None = None, **path: str
    ) -> Response:
        """Run an operation as `send` does, and return its response as it is, which can be a stream.

        Raises:
            MoorageError: as the operation.
        """
        return await self._respond(operation, path, body, query, None)

    async def _run(
        self,
        operation: str,
        path: dict[str, str],
        body: object,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Result:
        response = await self._respond(operation, path, body, query, headers)
        value = msgspec.json.decode(response.body) if response.body else None
        return Result(response.status_code, value, response.headers)

    async def _respond(
        self,
        operation: str,
        path: dict[str, str],
        body: object,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Response:
        sent = {name: value for name, value in (query or {}).items() if value}
        if _RULES[operation].environment in ("view", "move") and "environment" not in (query or {}):
            sent["environment"] = self.environment
        sent_body = b"" if body is None else msgspec.json.encode(body)
        raw_headers = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items() if value]
        raw_headers.append((b"content-length", b"%d" % len(sent_body)))  # a body that is too large is rejected
        scope = dict(self.request.scope) | {
            "method": _OPERATIONS[operation].method, "query_string": urlencode(sent).encode(), "headers": raw_headers,
            "path_params": path, "moorage.verified": self.key,
            "moorage.body": sent_body,
        }  # fmt: skip
        request = Request(scope, self.request.receive)
        return await run(_OPERATIONS[operation], _RULES[operation], request, self.services)

    def failure(self, error: MoorageError) -> ErrorPage:
        """Return what a page says about an error of an operation, and record it for the log."""
        shown = report_error(self.services.metrics, self.request.scope, error)
        return error_page(shown, is_form=self.request.method == "POST")

    @property
    def once(self) -> str:
        """A new idempotency key: a form that is sent twice, by a double click, runs its operation once."""
        return secrets.token_urlsafe(16)

    def render(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Return a page. Templates get `values`, and what is on every page."""
        catalog, follower = self.services.catalog, self.services.follower
        common = {
            "page": self, "prefix": self.prefix, "static": partial(static_path, self.prefix), "version": __version__,
            "revision": catalog.revision, "age": int(follower.age()), "caller": self.caller, "project": self.project,
            "section": self.section, "environment": self.environment, "environments": self.environments,
            "notice": notice(self.request.query_params) if self.caller else "",
            "notice_link": notice_link(self.request.query_params) if self.caller else None,
        }  # fmt: skip
        return HTMLResponse(templates().get_template(template).render(common | values), status)

    def message(self, status: int, heading: str, text: str) -> Response:
        """Return a page that says why something cannot be shown."""
        return self.render("message.html", status=status, heading=heading, text=text)

    def redirect(self, path: str) -> Response:
        """Return a redirect to a page."""
        return RedirectResponse(f"{self.prefix}{path}", 303)

    def done(self, path: str, notice: str, **values: str) -> Response:
        """Return a redirect to a page about the same environment, which shows a notice of `moorage.console.notices`."""
        return self.redirect(self.query(path, environment=self.parameter("environment"), done=notice, **values))

    def query(self, path: str, **parameters: str) -> str:
        """Return a path with query parameters; empty values are left out."""
        query = urlencode({name: value for name, value in parameters.items() if value})
        return f"{path}?{query}" if query else path

    def address(self, path: str, **parameters: str) -> str:
        """Return the address of a page about the same environment."""
        return self.prefix + self.query(path, environment=self.parameter("environment"), **parameters)

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Return the result of a lookup in the database."""
        return await asyncio.get_running_loop().run_in_executor(self.services.reader, function)

    async def compute(self, function: Callable[[], T]) -> T:
        """Return the result of a long calculation, which does not hold up other requests."""
        return await asyncio.get_running_loop().run_in_executor(self.services.compute, function)

    @property
    def environments(self) -> list[str]:
        """The names of the environments that the API key may see, production first."""
        if self.caller is None:
            return []
        if self.caller.environment_id is not None:
            return [self.environment]
        return [*self.services.catalog.environments(self.caller.project_id)]

    def _own_environment(self) -> str:
        """Return the name of the environment of the API key; it can be deleted, which the operations report."""
        if self.caller is None or self.caller.environment_id is None:
            return PRODUCTION
        found = self.services.catalog.find_environment(self.caller.environment_id)
        return PRODUCTION if found is None else found.name
