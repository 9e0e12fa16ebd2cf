"""The command line's side of the HTTP API."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import click
import msgspec
import urllib3

from moorage import __version__
from moorage.core.page import MAX_LIMIT
from moorage.settings import SettingError, from_environment

#: The code of an error -> the command that helps.
_HINTS = {
    "key_taken": "To change it: moorage apply FILE, or moorage deployments draft FILE.",
    "deployment_deleted": "To take it back: moorage deployments restore KEY.",
    "version_deleted": "To take it back: moorage deployments restore KEY --version VERSION.",
    "version_not_found": "To see which there are: moorage deployments versions KEY.",
    "version_is_live": "To publish another: moorage deployments publish KEY VERSION.",
    "precondition_failed": "To see what was done: moorage deployments history KEY.",
    "nothing_to_undo": "To see what was done: moorage deployments history KEY.",
    "breaking_change": "To publish it all the same: --allow-breaking.",
    "in_use": "To delete it all the same: --force.",
    "insufficient_scope": "To make another key: moorage keys create NAME --scope SCOPE.",
}

_TIMEOUT = urllib3.Timeout(connect=5, read=60)


class ApiError(click.ClickException):
    """The server said no, for the reason `code`. `problems` are the lines to show; the message joins them."""

    def __init__(self, problems: list[str], hint: str = "", code: str = "") -> None:
        self.problems = problems
        self.hint = hint
        self.code = code
        super().__init__("\n  ".join(problems) + (f"\n{hint}" if hint else ""))


class Reply(msgspec.Struct, frozen=True):
    """A 2xx: its JSON, and its headers (names are case-insensitive)."""

    value: Any
    headers: urllib3.HTTPHeaderDict


class Client:
    """One server and one API key; connections are kept."""

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
            raise click.ClickException(f"MOORAGE_URL is no address of a server: {url}") from error

    @classmethod
    def from_environment(cls, url: str) -> "Client":
        """With the API key of MOORAGE_API_KEY.

        Raises:
            click.ClickException: there is none.
        """
        try:
            api_key = from_environment("api_key")
        except SettingError as error:
            raise click.ClickException(str(error)) from error
        if not api_key:
            raise click.ClickException(
                "MOORAGE_API_KEY is not set. `moorage keys create NAME` makes a key; then: export MOORAGE_API_KEY=mrg_…"
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
        """Any other request, its body as JSON; what it answers."""
        data = None if body is None else msgspec.json.encode(body)
        return self._send(method, path, query or {}, data, **headers).value

    def post(self, path: str, body: Any) -> Reply:
        """POST `body`; what it answers, with its headers."""
        return self._send("POST", path, {}, msgspec.json.encode(body))

    def put(self, key: str, body: Any, reason: str, **query: Any) -> Reply:
        """Put one deployment, with the query parameters that are not None."""
        data = msgspec.json.encode(body)
        return self._send("PUT", deployment_path(key), query, data, X_Moorage_Reason=reason)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """The items of all pages of a list, newest first."""
        cursor = None
        while True:
            page = self.get(path, limit=MAX_LIMIT, starting_after=cursor, **query).value
            yield from page["data"]
            if not page["has_more"]:
                return
            cursor = page["data"][-1]["id"]

    def _send(self, method: str, path: str, query: dict[str, Any], body: bytes | None, **headers: str) -> Reply:
        fields = {name: _shown(value) for name, value in query.items() if value is not None}
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
                [f"there is no answer from {self._url} ({reason(error)})"],
                "Is the server running (moorage serve), and is MOORAGE_URL right?",
            ) from error
        is_text = response.headers.get("content-type", "").startswith("text/plain")
        value = response.data.decode() if is_text else _json(response.data)
        if 200 <= response.status < 300 and value is not None:
            return Reply(value, response.headers)
        raise _refused(response.status, value, self._url)


def deployment_path(key_or_id: str) -> str:
    """The path of one deployment, whatever characters the key was typed with."""
    return f"/v2/deployments/{quote(key_or_id, safe='')}"


def one_line(text: str) -> str:
    """A text on one line."""
    return " ".join(text.split())


def _header(text: str) -> str:
    """A text as the value of a header: UTF-8, on one line."""
    return one_line(text).encode().decode("latin-1")


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refused(status: int, value: Any, url: str) -> ApiError:
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict) or "message" not in error:
        return ApiError([f"{url} answered {status}, and not as Moorage does. Is MOORAGE_URL right?"])
    problems = [f"{problem['path']} {problem['message']}".strip() for problem in error.get("problems", ())]
    problems += [f"breaking: {change['message']}" for change in error.get("breaking", ())]
    problems += [_broken(caller) for caller in error.get("callers", ())]
    code = str(error.get("code"))
    hint = "MOORAGE_API_KEY holds the key that was refused." if status == 401 else _HINTS.get(code, "")
    return ApiError(problems or [error["message"]], hint, code)


def _broken(caller: dict[str, Any]) -> str:
    """What a publication would do to an API key that uses the live version."""
    key, missing, unused = caller["api_key"], caller["inputs_missing"], caller["inputs_unused"]
    parts = [
        *([f"sends no {', '.join(missing)}"] if missing else []),
        *([f"sends {', '.join(unused)} in vain"] if unused else []),
    ]
    return f"it would break {key['name']} ({key['id']}), which {' and '.join(parts)}; last at {caller['last_used']}"


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return None


def reason(error: urllib3.exceptions.HTTPError) -> str:
    """Why there was no answer, in a few words."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(error).rpartition(": ")[2]
