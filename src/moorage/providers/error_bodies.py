"""The errors of providers: one reader for the bodies of all of them, which differ in where the message is."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.resolution.config import Object

#: The longest message and code that are shown, in characters, and the largest body that is read, in bytes.
MAX_MESSAGE: Final = 1_000
_MAX_CODE: Final = 100
MAX_BODY: Final = 65_536

#: The fields with a message, and those with a code, in the order in which they count.
_MESSAGES: Final = ("message", "detail", "error_description", "error", "msg", "title")
_CODES: Final = ("code", "status", "type", "reason", "__type")

#: How deep an error is nested at most: `{"error": {"detail": [{"msg": …}]}}`.
_MAX_DEPTH: Final = 4


class ErrorBody(msgspec.Struct, frozen=True):
    """The message and the code in the body of an error; None where there is none."""

    message: str | None = None
    code: str | None = None


def read_error(body: bytes, headers: Mapping[str, str]) -> ErrorBody:
    """Return what the body of an error says. Amazon has the code in a header, such as `ThrottlingException:http://…`."""
    header = headers.get("x-amzn-errortype", "").partition(":")[0][:_MAX_CODE] or None
    try:
        value = msgspec.json.decode(body[:MAX_BODY])
    except DECODE_ERRORS:
        text = " ".join(body[:MAX_MESSAGE].decode(errors="replace").split())
        is_page = text[:1] == "<"  # the page of a proxy in between
        return ErrorBody(None if is_page or not text else text, header)
    details = value[0] if isinstance(value, list) and value else value  # Google wraps errors of streams in a list
    return ErrorBody(_message(details, 0), header or _code(details))


def _message(value: Any, depth: int) -> str | None:
    if isinstance(value, str):
        return value.strip()[:MAX_MESSAGE] or None
    if depth == _MAX_DEPTH:
        return None
    if isinstance(value, list):
        found = [message for each in value[:10] if (message := _message(each, depth + 1))]
        return "; ".join(found)[:MAX_MESSAGE] or None
    if not isinstance(value, dict):
        return None
    inner = value.get("error")
    names = ("error", *_MESSAGES) if isinstance(inner, dict) else _MESSAGES
    return next((message for name in names if (message := _message(value.get(name), depth + 1))), None)


def _code(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    inner: Object = value["error"] if isinstance(value.get("error"), dict) else value
    for name in _CODES:
        code = inner.get(name)
        if isinstance(code, str) and code:
            return code[:_MAX_CODE]
    return None


def is_invalid_key(body: bytes) -> bool:
    """Return whether an error is about the API key, although its status is 400: Google reports it so."""
    return b"API_KEY_INVALID" in body[:MAX_BODY] or b"API key not valid" in body[:MAX_BODY]
