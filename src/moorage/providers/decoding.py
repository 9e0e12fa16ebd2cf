"""Reading of what providers send: every problem is a `MalformedResponse`, and numbers of tokens are whole and small."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from moorage.providers.errors import MalformedResponse

#: A number of tokens as providers send it: some send fractions, which are zero.
Number = int | float | None

#: The largest number of tokens that is believed; all programs can represent it.
_MOST_TOKENS: Final = 2**53

#: The most choices and tool calls of a response.
MAX_ITEMS: Final = 1_024

#: The most objects of a response, and the most values. Parsing more holds up all requests, because the parser does not
#: release the interpreter. The probabilities of a long response have hundreds of thousands of values.
MAX_OBJECTS: Final = 100_000
MAX_VALUES: Final = 1_000_000

_T = TypeVar("_T")


def check_values(data: bytes, objects: int, values: int) -> None:
    """Check that a JSON text has at most so many objects and values; the contents of its strings do not count.

    Raises:
        MalformedResponse
    """
    if not _exceeds(data, objects, values):
        return
    bare = data.replace(rb"\\", b"").replace(rb"\"", b"")
    if bare.count(b'"') > objects or _exceeds(b"".join(bare.split(b'"')[::2]), objects, values):
        raise MalformedResponse(f"it has more than {objects} objects or {values} values")


def _exceeds(text: bytes, objects: int, values: int) -> bool:
    found = text.count(b"{")
    return found > objects or found + text.count(b"[") + text.count(b",") > values


def read(decode: Callable[[bytes], _T], data: bytes) -> _T:
    """Return the value that a decoder of msgspec finds.

    Raises:
        MalformedResponse
    """
    try:
        return decode(data)
    except UnicodeDecodeError:
        raise MalformedResponse("it is not UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedResponse(str(error)) from None


def arguments_of(raw: msgspec.Raw) -> str:
    """Return the arguments of a tool call, which the provider sends as an object, as a JSON text.

    Raises:
        MalformedResponse: they are no object.
    """
    text = bytes(raw)
    if not text or text == b"null":
        return "{}"
    if text[:1] != b"{":
        raise MalformedResponse("the arguments of a tool call are not an object")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise MalformedResponse("it is not UTF-8") from None


def known(number: Number) -> int | None:
    """Return a number of tokens; None if the provider sent none, or an impossible one."""
    return int(number) if number is not None and 0 <= number <= _MOST_TOKENS else None
