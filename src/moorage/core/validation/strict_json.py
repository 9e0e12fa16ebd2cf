"""A strict JSON parser for content that is stored for years.

It rejects, with the reason: invalid UTF-8 or JSON, duplicate keys (parsers disagree on which one wins), NaN and
infinities, numbers too large for a double, nesting over 64 levels, more than 100,000 values, and NUL and lone
surrogates in strings (PostgreSQL cannot store the first, UTF-8 cannot encode the second).
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from moorage.core.errors.requests import InvalidJson

#: The maximum size of a body in bytes.
MAX_BODY = 1_048_576
MAX_DEPTH = 64
MAX_VALUES = 100_000


def parse(text: bytes) -> Any:
    """Parse one JSON value.

    Raises:
        InvalidJson: with the reason and, if the parser knows it, the line and column or the path.
    """
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidJson(reason=f"byte {error.start} is not UTF-8") from None
    try:
        value = json.loads(
            decoded,
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_int,
        )
    except json.JSONDecodeError as error:
        reason = (
            "the request body is empty"
            if not decoded.strip()
            else f"{error.msg}, line {error.lineno} column {error.colno}"
        )
        raise InvalidJson(reason=reason) from None
    except RecursionError:
        raise too_deep() from None
    check(value)
    return value


def too_deep() -> InvalidJson:
    """Return the error for a value with too many levels."""
    return InvalidJson(reason=f"the nesting is deeper than {MAX_DEPTH} levels")


def check(value: Any) -> None:
    """Check a parsed value as `parse` does: depth, NUL, lone surrogates, and values that are not JSON.

    Raises:
        InvalidJson: with the path of the first problem.
    """
    waiting: list[tuple[Any, str, int]] = [(value, "", 1)]
    seen = 0
    while waiting:
        item, path, depth = waiting.pop()
        seen += 1
        if seen > MAX_VALUES:
            raise InvalidJson(reason=f"there are more than {MAX_VALUES} values")
        if isinstance(item, dict | list):
            if depth > MAX_DEPTH:
                raise too_deep()
            waiting.extend((child, where, depth + 1) for where, child in _children(item, path))
        else:
            _check_scalar(item, path or "the body")


def _children(item: dict[Any, Any] | list[Any], path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(item, list):
        yield from ((f"{path}[{index}]", child) for index, child in enumerate(item))
        return
    for key, child in item.items():
        if not isinstance(key, str):
            raise InvalidJson(reason=f"the key {key!r} in {path or 'the body'} is not a string")
        _check_text(key, path or "the body")
        yield join(path, key), child


def _check_scalar(item: Any, path: str) -> None:
    if isinstance(item, str):
        _check_text(item, path)
    elif isinstance(item, float) and not math.isfinite(item):
        raise InvalidJson(reason=f"{path} is not a finite number")
    elif item is not None and not isinstance(item, bool | int | float):
        raise InvalidJson(reason=f"{path} is a {type(item).__name__}, which is not a JSON type")


def join(path: str, key: str) -> str:
    """Return the path of `key` inside `path`: `a.b`, or `a["b c"]` if the key is not a plain word."""
    if key.isidentifier() or key.replace("-", "_").isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key)}]"


def _check_text(text: str, path: str) -> None:
    if "\x00" in text:
        raise InvalidJson(reason=f"{path} contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidJson(reason=f"{path} contains half a surrogate pair") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidJson(reason=f"the key {key[:200]!r} occurs twice in one object")
            seen.add(key)
    return found


def _no_constant(name: str) -> NoReturn:
    raise InvalidJson(reason=f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidJson(reason=f"the number {text[:40]} does not fit into a double")
    return number


def _int(text: str) -> int:
    if len(text) > 309:  # the digits of the largest double; also keeps Python's quadratic int() short
        raise InvalidJson(reason=f"the number {text[:40]}… does not fit into a double")
    return int(text)
