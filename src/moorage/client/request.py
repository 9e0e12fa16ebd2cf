"""The request of a call of `get_config`: the client accepts what the server accepts, with the same result."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from moorage.core.errors.base import Problem
from moorage.core.errors.requests import BodyTooLarge, InvalidBody
from moorage.core.resolution.config import MAX_CALL_BODY, GetConfigRequest, Object, read_request

Objects = Sequence[Object]

#: Whole numbers from here on take the path of the server.
_LARGE = 2**53

#: Texts with more characters together, too: their size is checked.
_LARGE_TEXT = 1_048_576

_NONE: tuple[Objects, ...] = ((), [])


def new_request(
    key: str,
    inputs: Mapping[str, Any] | None,
    context: Mapping[str, Any] | None,
    prefix_messages: Objects,
    messages: Objects,
    extra_params: Mapping[str, Any] | None,
) -> GetConfigRequest:
    """Return the arguments as the server would decode them; most are unchanged.

    Raises:
        InvalidJson, InvalidBody: as on the server, or an argument is not a JSON value.
    """
    if (
        (type(key) is str and key and key.isascii())
        and (inputs is None or _is_plain(inputs))
        and (context is None or _is_plain(context))
        and (extra_params is None or _is_plain(extra_params))
        and prefix_messages in _NONE
        and messages in _NONE
    ):
        return GetConfigRequest(key, inputs or {}, context or {}, [], [], dict(extra_params) if extra_params else {})
    body = {
        "inputs": inputs, "context": context, "prefix_messages": prefix_messages, "messages": messages,
        "extra_params": extra_params,
    }  # fmt: skip
    fields = {name: value for name, value in body.items() if value is not None and value != ()}
    encoded = _encode_body({"key": key} | fields)
    if len(encoded) > MAX_CALL_BODY:
        raise BodyTooLarge(maximum=MAX_CALL_BODY)
    return read_request(encoded)[0]


def _is_plain(given: Mapping[str, Any]) -> TypeGuard[Object]:
    """Return whether decoding keeps an object unchanged: strings, small whole numbers, booleans and nulls.

    The size of a large one must be checked, so it is not plain.
    """
    if not isinstance(given, dict):
        return False
    size = 0
    for name, value in given.items():
        if type(name) is not str or not (name.isascii() or _is_encodable(name)):
            return False
        if type(value) is str:
            size += len(value)
            if size > _LARGE_TEXT or not (value.isascii() or _is_encodable(value)):
                return False
        elif type(value) is int:
            if not -_LARGE < value < _LARGE:
                return False
        elif type(value) is not bool and value is not None:
            return False
    return True


def _is_encodable(text: str) -> bool:
    """Return whether the text contains no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encode_body(body: Object) -> bytes:
    """Return the JSON that the server would get: it has no tuples, enumerations, or subclasses of `str`.

    Raises:
        InvalidBody: a field is not a JSON value.
    """
    try:
        return _encode(body).encode()
    except (TypeError, ValueError, RecursionError) as error:
        if len(body) > 1:
            for name, value in body.items():
                _encode_body({name: value})
        raise InvalidBody.of([Problem(next(iter(body)), f"is not a JSON value: {error}")]) from error


def _to_json_type(value: Any) -> Any:
    """Convert a value for `json`."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_encode = json.JSONEncoder(allow_nan=False, default=_to_json_type).encode
