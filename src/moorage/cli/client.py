"""The HTTP client of the command line."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import click
import msgspec
import urllib3

from moorage import __version__
from moorage.cli.hints import translate
from moorage.core.deployments.manifest import Manifest
from moorage.core.deployments.page import MAX_LIMIT
from moorage.settings import SettingError, from_environment

_TIMEOUT = urllib3.Timeout(connect=5, read=60)


class ApiError(click.ClickException):
    """An error response; `problems` are the lines to show, and the message joins them with the hint."""

    def __init__(self, problems: list[str], hint: str = "", code: str = "") -> None:
        self.problems = problems
        self.hint = hint
        self.code = code
        super().__init__("\n  ".join(problems) + (f"\n{hint}" if hint else ""))


class Reply(msgspec.Struct, frozen=True):
    """A 2xx response: its JSON, and its headers (names are case-insensitive)."""

    value: Any
    headers: urllib3.HTTPHeaderDict


class Client:
    """A client of one server with one API key; connections are reused."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url.rstrip("/")
        self._prefix = urlsplit(self._url).path
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
            "User-Agent": f"moorage-cli/{__version__}",
        }
        try:
            self._pool = urllib3.connection_from_url(self._url, timeout=_TIMEOUT)
        except urllib3.exceptions.HTTPError as error:
            raise click.ClickException(f"MOORAGE_URL is not a valid server URL: {url}") from error

    @classmethod
    def from_environment(cls, url: str) -> "Client":
        """Return a client with the API key of MOORAGE_API_KEY.

        Raises:
            click.ClickException: it is not set.
        """
        try:
            api_key = from_environment("api_key")
        except SettingError as error:
            raise click.ClickException(str(error)) from error
        if not api_key:
            raise click.ClickException(
                "MOORAGE_API_KEY is not set. To create a key: export MOORAGE_API_KEY=$(moorage keys create NAME)"
            )
        return cls(url, api_key)

    def get(self, path: str, **query: Any) -> Reply:
        """GET `path` with the query parameters that are not None."""
        return self._send("GET", path, query, None)

    def text(self, path: str, **query: Any) -> str:
        """GET `path` as plain text."""
        return str(self._send("GET", path, query, None, Accept="text/plain").value)

    def send(
        self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None, **headers: str
    ) -> Any:
        """Send a request with a JSON body; return the JSON of the response."""
        data = None if body is None else msgspec.json.encode(body)
        return self._send(method, path, query or {}, data, **headers).value

    def post(self, path: str, body: Any) -> Reply:
        """POST `body`; return the response."""
        return self._send("POST", path, {}, msgspec.json.encode(body))

    def put(self, key: str, body: Any, reason: str, **query: Any) -> Reply:
        """PUT a deployment, with the query parameters that are not None."""
        data = msgspec.json.encode(body)
        return self._send("PUT", deployment_path(key), query, data, X_Moorage_Change_Reason=reason)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of all pages of a list, newest first."""
        cursor = None
        while True:
            page = self.get(path, limit=MAX_LIMIT, starting_after=cursor, **query).value
            yield from page["data"]
            if not page["has_more"]:
                return
            cursor = page["data"][-1]["id"]

    def _send(self, method: str, path: str, query: dict[str, Any], body: bytes | None, **headers: str) -> Reply:
        fields = {name: _query_value(value) for name, value in query.items() if value is not None}
        target = self._prefix + path + (f"?{urlencode(fields)}" if fields else "")
        try:
            sent = {
                **self._headers,
                **{
                    name.replace("_", "-"): one_line(value).encode().decode("latin-1")
                    for name, value in headers.items()
                    if value
                },
            }
            response = self._pool.urlopen(method, target, body, sent, retries=False, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(
                [f"No response from {self._url}: {error_text(error)}."],
                "Check that the server is running (moorage serve) and that MOORAGE_URL is correct.",
            ) from error
        is_text = response.headers.get("content-type", "").startswith("text/plain")
        value = response.data.decode() if is_text else _json(response.data)
        if 200 <= response.status < 300 and value is not None:
            return Reply(value, response.headers)
        raise _api_error(response.status, value, self._url)


def read_manifests(client: Client) -> dict[str, Manifest]:
    """Return all deployments of the server in the form of files, by key."""
    return {item["key"]: msgspec.convert(item, Manifest) for item in client.pages("/v2/manifests")}


def deployment_path(key_or_id: str) -> str:
    """Return the path of a deployment; the key is quoted."""
    return f"/v2/deployments/{quote(key_or_id, safe='')}"


def one_line(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())


def _query_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _api_error(status: int, value: Any, url: str) -> ApiError:
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict) or "message" not in error:
        return ApiError([f"{url} is not a Moorage server (status {status}). Check MOORAGE_URL."])
    problems = [f"{problem['path'] or 'the body'}: {problem['message']}" for problem in error.get("problems", ())]
    problems += [f"breaking: {change['message']}" for change in error.get("breaking", ())]
    problems += [_affected(caller) for caller in error.get("callers", ())]
    message, hint = translate(error)
    return ApiError(problems or [message], hint, str(error.get("code")))


def _affected(caller: dict[str, Any]) -> str:
    """Return a line about an API key that a breaking change affects."""
    key, missing, unused = caller["api_key"], caller["inputs_missing"], caller["inputs_unused"]
    parts = [
        *([f"does not send {', '.join(missing)}"] if missing else []),
        *([f"sends {', '.join(unused)} without effect"] if unused else []),
    ]
    return f"affected: {key['name']} ({key['id']}) {' and '.join(parts)}; last request at {caller['last_used']}"


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return None


def error_text(error: urllib3.exceptions.HTTPError) -> str:
    """Return why there was no response, in a few words."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(error).rpartition(": ")[2]
