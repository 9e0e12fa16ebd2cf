"""Errors of the server, as the client shows them."""

import msgspec

from moorage.client.errors import ServerUnreachable

#: The maximum length of a text of the server.
_MAX_SHOWN = 400


def rejection(status: int, data: bytes, address: str, environment: str | None) -> ServerUnreachable:
    """Return the error for a response with another status than 200; `environment` is the requested one."""
    code, message = _code_and_message(data)
    problem = ""
    if status == 401:
        problem = f"{address} rejects the API key, "
    elif environment is not None and code == "unknown_parameter":
        problem = f"the environment {environment!r} needs a newer server: {address} has no environments, "
    return ServerUnreachable(reason=f"{problem}HTTP status {status}{message}")


def shown(text: str) -> str:
    """Return a text of the server for a log or an error, without control characters."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:_MAX_SHOWN])


def _code_and_message(data: bytes) -> tuple[object, str]:
    """Return the code in the body of an error, if there is one, and the message for the end of a text."""
    try:
        body = msgspec.json.decode(data)
        message = f": {shown(str(body['message']))}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, ", which is not a response of Moorage"
    error = body.get("error")
    return error.get("code") if isinstance(error, dict) else None, message
