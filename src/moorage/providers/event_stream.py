"""Event streams of Amazon Web Services: binary messages with headers and two checksums.

botocore has a parser too, but a Bedrock API key needs no other part of it.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from moorage.providers.errors import MalformedResponse
from moorage.providers.protocol import Event

#: The largest message and its largest headers; those of AWS itself.
MAX_MESSAGE: Final = 24 * 1024 * 1024
_MAX_HEADERS: Final = 128 * 1024

#: The most headers of a message; AWS sends three.
_MAX_COUNT: Final = 64

#: The prefix of the name of an event that is an exception.
EXCEPTION: Final = "exception:"

_PRELUDE: Final = struct.Struct(">III")
_CHECKSUM: Final = struct.Struct(">I")
_SMALLEST: Final = _PRELUDE.size + _CHECKSUM.size

#: Type of a header -> the size of its value; texts and bytes have a size of their own.
_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_BYTES, _TEXT = 6, 7


class EventStreamSplitter:
    """Splits the bytes of a stream into events, whose names are the types of the messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._expected = _PRELUDE.size

    def feed(self, data: bytes) -> Sequence[Event]:
        """Return the events that are complete with these bytes. What is malformed after them counts at the next call.

        Raises:
            MalformedResponse: a checksum is wrong, or a message is too large.
        """
        self._buffer += data
        if len(self._buffer) < self._expected:
            return ()
        events, position = list[Event](), 0
        try:
            while (size := self._size_at(position)) is not None:
                events.append(_event(bytes(self._buffer[position : position + size])))
                position += size
        except MalformedResponse:
            if not events:
                raise
            self._expected = 0  # so that the next call parses the same bytes
        del self._buffer[:position]
        return events

    def close(self) -> Sequence[Event]:
        """Return no event: each message has its size. A part of a message is lost.

        Raises:
            MalformedResponse: as `feed`.
        """
        return () if self._expected else self.feed(b"")

    def _size_at(self, position: int) -> int | None:
        """Return the size of the message there; None if it is not complete."""
        available = len(self._buffer) - position
        if available < _PRELUDE.size:
            self._expected = _PRELUDE.size
            return None
        size, n_headers, checksum = _PRELUDE.unpack_from(self._buffer, position)
        if zlib.crc32(self._buffer[position : position + 8]) != checksum:
            raise MalformedResponse("the checksum of the sizes of a message is wrong")
        if size > MAX_MESSAGE or n_headers > _MAX_HEADERS or size < _SMALLEST + n_headers:
            raise MalformedResponse(f"a message has {size} bytes, and {n_headers} bytes of headers")
        self._expected = size
        return size if available >= size else None


def _event(message: bytes) -> Event:
    if zlib.crc32(message[: -_CHECKSUM.size]) != _CHECKSUM.unpack_from(message, len(message) - _CHECKSUM.size)[0]:
        raise MalformedResponse("the checksum of a message is wrong")
    end = _PRELUDE.size + _PRELUDE.unpack_from(message)[1]
    headers = dict(_headers(message[_PRELUDE.size : end]))
    payload = message[end : -_CHECKSUM.size]
    match headers.get(":message-type"):
        case "exception":
            return Event(payload, EXCEPTION + headers.get(":exception-type", ""))
        case "error":
            text = msgspec.json.encode({"message": headers.get(":error-message", "")})
            return Event(text, EXCEPTION + headers.get(":error-code", ""))
    return Event(payload, headers.get(":event-type", ""))


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the headers that are texts."""
    position, count = 0, 0
    try:
        while position < len(data):
            start, count = position + 1, count + 1
            position = start + data[position] + 1
            name, kind = data[start : position - 1], data[position - 1]
            size = _SIZES.get(kind)
            if size is None and kind in (_BYTES, _TEXT):
                size, position = int.from_bytes(data[position : position + 2], "big"), position + 2
            if size is None or count > _MAX_COUNT or position + size > len(data):
                raise MalformedResponse("the headers of a message are wrong")
            if kind == _TEXT:
                yield name.decode(), data[position : position + size].decode()
            position += size
    except (IndexError, UnicodeDecodeError):
        raise MalformedResponse("the headers of a message are wrong") from None
