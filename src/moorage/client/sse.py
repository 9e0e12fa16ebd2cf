"""A parser for server-sent events."""

import time
from collections.abc import Iterable, Iterator

import msgspec

from moorage.client.errors import InvalidResponse

#: The largest event (bytes). A deployment with its variants can be larger than the body of one request, 1 MiB.
MAX_EVENT = 8 * 1024 * 1024

#: The largest number of lines of an event; the server sends three. Further lines are a part of the last one.
_MAX_LINES = 16


class Event(msgspec.Struct, frozen=True):
    """An event. A comment has the name `comment`; `id` is None if the event has none."""

    name: str
    data: bytes
    id: str | None
    size: int = 0


def events(pieces: Iterable[bytes]) -> Iterator[Event]:
    """Yield the complete events of a stream."""
    for batch in batches(pieces):
        yield from batch


def batches(pieces: Iterable[bytes], silent_seconds: float = float("inf")) -> Iterator[list[Event]]:
    """Yield the events that arrived together.

    Raises:
        InvalidResponse: an event is too large, or took longer than `silent_seconds`.
    """
    buffer, complete_at = bytearray(), time.monotonic()
    for piece in pieces:
        searched = max(0, len(buffer) - 1)
        buffer += piece
        end = buffer.rfind(b"\n\n", searched)
        if end >= 0:
            complete, buffer = bytes(buffer[:end]), buffer[end + 2 :]
            yield [_event(block) for block in complete.split(b"\n\n")]
            complete_at = time.monotonic()
        if len(buffer) > MAX_EVENT:
            raise InvalidResponse(reason=f"an event of the change stream is larger than {MAX_EVENT} bytes")
        if time.monotonic() - complete_at > silent_seconds:
            raise InvalidResponse(reason=f"no complete event of the change stream in {silent_seconds:.0f} seconds")


def _event(block: bytes) -> Event:
    lines = [line.partition(b":")[::2] for line in block.split(b"\n", _MAX_LINES)]
    fields = {name: value.removeprefix(b" ") for name, value in lines}
    event_id = fields.get(b"id")
    name = "comment" if b"" in fields and b"data" not in fields else fields.get(b"event", b"message").decode("latin-1")
    data = fields.get(b"data", fields.get(b"", b""))
    return Event(name, data, None if event_id is None else event_id.decode("latin-1"), len(block))
