"""The API client of the command line."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import click
import msgspec

from moorage import __version__
from moorage.cli.environment_responses import ProposalReply
from moorage.cli.errors import ServerError, api_error, decode, raise_not_moorage
from moorage.cli.hints import GET_A_KEY
from moorage.cli.http import MAX_RESPONSE, Exchange, HttpClient, HttpResponse, InvalidServerUrl, NoResponse
from moorage.cli.profile import profile_path, read_profile
from moorage.cli.proposed import Proposed
from moorage.cli.responses import LiveDeployment, PageT
from moorage.core.deployments.deployment import MAX_NOTES
from moorage.core.deployments.ids import check_key_or_id, is_segment
from moorage.core.deployments.page import MAX_LIMIT
from moorage.core.escaping import visible, visible_line
from moorage.settings import SettingError, from_environment

T = TypeVar("T")
S = TypeVar("S")

#: The status of a change that is stored as a proposal.
PROPOSED = 202

#: The limits of a list: pages, bytes of all pages, and seconds.
MAX_PAGES = 10_000
MAX_LIST = 4 * MAX_RESPONSE
LIST_SECONDS = 600.0


class Reply(msgspec.Struct, Generic[T], frozen=True):
    """A 2xx response: its decoded JSON, and the response."""

    url: str
    value: T
    response: HttpResponse

    def plain(self) -> Any:
        """Return the JSON with all fields, also those that this version does not know."""
        return decode(self.url, self.response, Any)

    def header(self, name: str, values: Sequence[str] = ()) -> str:
        """Return a header that the response must have, and that has one of the `values` if there are any."""
        value = self.response.headers.get(name)
        if value is None or (values and value not in values):
            raise_not_moorage(self.url, self.response.status, f"the header {name} is missing or invalid")
        return value

    def find_header(self, name: str) -> str | None:
        """Return a header that the response can have."""
        return self.response.headers.get(name)


class Client:
    """A client of one server with one API key; connections are reused."""

    def __init__(self, url: str, api_key: str, source: str = "") -> None:
        """`source` says where the API key is from, for an error."""
        self._source = source
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
            "User-Agent": f"moorage-cli/{__version__}",
        }
        try:
            self._http = HttpClient(url)
        except InvalidServerUrl as error:
            raise click.ClickException(
                f"MOORAGE_URL is not the URL of a server: {error}. Use http://HOST:PORT or https://HOST."
            ) from error

    @classmethod
    def from_environment(cls, url: str) -> "Client":
        """Return a client with the API key of MOORAGE_API_KEY, or of the profile for this server.

        Raises:
            click.ClickException: there is none.
        """
        client = cls.find(url)
        if client is None:
            shown = visible_line(url, 200)
            raise click.ClickException(f"MOORAGE_API_KEY is not set, so {shown} is not used. {GET_A_KEY}")
        return client

    @classmethod
    def find(cls, url: str) -> "Client | None":
        """Return the same, or None if there is no API key.

        Raises:
            click.ClickException: the setting or the profile cannot be read.
        """
        try:
            api_key = from_environment("api_key")
        except SettingError as error:
            raise click.ClickException(str(error)) from error
        if api_key:
            return cls(url, api_key, "MOORAGE_API_KEY")
        profile = read_profile()
        if profile is not None and profile.url == url.rstrip("/"):
            return cls(url, profile.api_key, visible_line(profile_path()))
        return None

    @property
    def url(self) -> str:
        """The URL of the server, which is safe to show."""
        return self._http.url

    def get(self, path: str, kind: type[T], **query: Any) -> Reply[T]:
        """GET `path` with the query parameters that are not None."""
        return self._json("GET", path, query, None, kind)

    def text(self, path: str, **query: Any) -> str:
        """GET `path` as plain text."""
        response = self._send("GET", path, query, None, Accept="text/plain")
        if not response.headers.get("content-type", "").startswith("text/plain"):
            raise_not_moorage(self._http.url, response.status, "the response is not a text")
        return response.body.decode(errors="replace")

    def send(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: Any = None,
        query: dict[str, Any] | None = None,
        **headers: str,
    ) -> Reply[T]:
        """Send a request with a JSON body.

        Raises:
            Proposed: the environment requires approvals, so the change is a proposal.
        """
        data = None if body is None else msgspec.json.encode(body)
        return self._json(method, path, query or {}, data, kind, **headers)

    def call(self, path: str, kind: type[T], body: Any = None, **query: Any) -> Reply[T]:
        """Send a request for which the server waits for a provider, and return the complete response."""
        data, target = None if body is None else msgspec.json.encode(body), _target(path, query)
        response = self._respond(lambda: self._http.send("POST", target, data, self._headers, is_call=True))
        return Reply(self._http.url, decode(self._http.url, self._checked(response), kind), response)

    def stream(self, path: str, body: Any, **query: Any) -> Exchange:
        """Call a model, and return its response while it arrives. Close it."""
        data, target = msgspec.json.encode(body), _target(path, query)
        exchange = self._respond(lambda: self._http.stream("POST", target, data, self._headers))
        if not 200 <= exchange.status < 300:
            with exchange:
                self._checked(self._respond(exchange.read))
        return exchange

    def put(self, key: str, body: Any, reason: str, **query: Any) -> Reply[LiveDeployment]:
        """PUT a deployment, with the query parameters that are not None."""
        data, path = msgspec.json.encode(body), deployment_path(key)
        return self._json("PUT", path, query, data, LiveDeployment, X_Moorage_Change_Reason=reason)

    def pages(self, path: str, kind: type[PageT], **query: Any) -> Iterator[Reply[PageT]]:
        """Yield all pages of a list, newest first."""
        cursors: set[str] = set()
        cursor, size, deadline = None, 0, time.monotonic() + LIST_SECONDS
        while True:
            page = self.get(path, kind, limit=MAX_LIMIT, starting_after=cursor, **query)
            yield page
            if not page.value.has_more:
                return
            size += len(page.response.body)
            cursor = page.value.data[-1].id if page.value.data else None
            if cursor is None or cursor in cursors:
                raise_not_moorage(self._http.url, page.response.status, "a page of the list repeats")
            cursors.add(cursor)
            if len(cursors) >= MAX_PAGES or size > MAX_LIST or time.monotonic() > deadline:
                reason = f"the list has no end after {len(cursors)} pages and {size} bytes"
                raise_not_moorage(self._http.url, page.response.status, reason)

    def _json(
        self, method: str, path: str, query: dict[str, Any], body: bytes | None, kind: type[T], **headers: str
    ) -> Reply[T]:
        response = self._send(method, path, query, body, **headers)
        if response.status == PROPOSED:
            raise Proposed(decode(self._http.url, response, ProposalReply), decode(self._http.url, response, Any))
        return Reply(self._http.url, decode(self._http.url, response, kind), response)

    def _send(self, method: str, path: str, query: dict[str, Any], body: bytes | None, **headers: str) -> HttpResponse:
        target = _target(path, query)
        texts = {name.replace("_", "-"): _header_value(value) for name, value in headers.items() if value}
        return self._checked(self._respond(lambda: self._http.send(method, target, body, self._headers | texts)))

    def _respond(self, send: Callable[[], S]) -> S:
        try:
            return send()
        except NoResponse as error:
            raise ServerError(
                f"No response from {self._http.url}: {error}.",
                "Check that the server is running (moorage serve) and that MOORAGE_URL is correct.",
            ) from error

    def _checked(self, response: HttpResponse) -> HttpResponse:
        """Return a response that is 2xx; any other is an error."""
        if not 200 <= response.status < 300:
            raise api_error(self._http.url, response, self._source)
        return response


def deployment_path(key_or_id: str) -> str:
    """Return the path of a deployment.

    Raises:
        InvalidKey: no deployment can have the key; in a path, it could lead to another route.
    """
    return f"/v2/deployments/{quote(check_key_or_id(key_or_id), safe='')}"


def version_path(key_or_id: str, version: str) -> str:
    """Return the path of a version.

    Raises:
        InvalidKey
        click.ClickException: no version can have the number or id.
    """
    if not is_segment(version):
        raise click.ClickException(
            f"'{visible_line(version, 80)}' is not a version. `moorage deployments versions KEY` lists the numbers."
        )
    return f"{deployment_path(key_or_id)}/versions/{quote(version, safe='')}"


def one_line(text: str) -> str:
    """Return a text on one line."""
    return visible(" ".join(text.split()))


def _target(path: str, query: dict[str, Any]) -> str:
    """Return a path with the query parameters that are not None."""
    fields = {name: _query_value(value) for name, value in query.items() if value is not None}
    return path + (f"?{urlencode(fields)}" if fields else "")


def _query_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _header_value(text: str) -> str:
    """Return a text as the value of a header: its UTF-8, of which each byte is a character for urllib3."""
    return one_line(text)[:MAX_NOTES].encode().decode("latin-1")
