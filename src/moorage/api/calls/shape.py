"""Shape: how a call is answered, in the form of one API."""

import secrets
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from moorage import clock
from moorage.core.errors.base import MoorageError
from moorage.providers.completion import Completion

#: The end of a stream, in both APIs.
DONE: Final = b"data: [DONE]\n\n"

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = tuple(first + second for first in _DIGITS for second in _DIGITS)


class CallIds(msgspec.Struct, frozen=True):
    """The identity of a call. `id` is a ULID, `trace_id` and `span_id` are those of W3C Trace Context."""

    id: str
    trace_id: str
    span_id: str
    at_us: int

    @classmethod
    def new(cls, trace_id: str | None = None) -> "CallIds":
        """Return new ids; `trace_id` is that of the caller's trace."""
        at_us, random = clock.now_us(), secrets.token_bytes(34)
        return cls(_ulid(at_us // 1000, random[:10]), trace_id or random[10:26].hex(), random[26:].hex(), at_us)


def _ulid(milliseconds: int, random: bytes) -> str:
    number = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(random)
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


class Shape(Protocol):
    """The response of one call."""

    def response(self, completion: Completion) -> bytes:
        """Return the body of a response that is no stream."""
        ...

    def chunks(self, completions: Sequence[Completion]) -> bytes:
        """Return the events of a stream for what the model wrote, encoded."""
        ...

    def end(self) -> bytes:
        """Return the last events of a stream."""
        ...

    def failure(self, error: MoorageError, body: bytes) -> bytes | None:
        """Return the event for an error in a stream, after its first byte; `body` is the error as JSON.

        None if the API has no such event: then the connection is closed without the end of the response, which every
        client reports as an error.
        """
        ...
