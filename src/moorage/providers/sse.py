"""Server-sent events as providers send them: any line end, comments, several `data` lines, no empty line at the end."""

from collections.abc import Sequence
from typing import Final

from moorage.providers.errors import MalformedResponse
from moorage.providers.protocol import Event

#: The largest event: providers send a large answer of a tool or an image in one.
MAX_EVENT: Final = 8 * 1024 * 1024

#: The most lines of an event: providers send two, and a text can have one for each of its lines.
_MAX_LINES: Final = 10_000

_BOM: Final = b"\xef\xbb\xbf"


class SseSplitter:
    """Splits the bytes of a stream into events."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_first = True
        self._ends_with_cr = False

    def feed(self, data: bytes) -> Sequence[Event]:
        """Return the events that are complete with these bytes.

        Raises:
            MalformedResponse: an event is larger than `MAX_EVENT`, or has too many lines.
        """
        if b"\r" in data or self._ends_with_cr:
            data = self._with_lf(data)
        # The end of an event can be split between two pieces, so a piece that starts with LF is joined.
        if b"\n\n" not in data and not (data[:1] == b"\n" and self._pieces and self._pieces[-1][-1:] == b"\n"):
            self._keep(data)
            return ()
        *complete, rest = b"".join((*self._pieces, data)).split(b"\n\n")
        self._pieces, self._size = [], 0
        self._keep(rest)
        return self._events(complete)

    def close(self) -> Sequence[Event]:
        """Return the last event, if no empty line follows it."""
        rest = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        return self._events([rest.rstrip(b"\n")])

    def _keep(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self._size += len(data)
            if self._size > MAX_EVENT:
                raise MalformedResponse(f"an event has more than {MAX_EVENT} bytes")

    def _with_lf(self, data: bytes) -> bytes:
        if self._ends_with_cr and data[:1] == b"\n":
            data = data[1:]
        self._ends_with_cr = data[-1:] == b"\r"
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events(self, blocks: list[bytes]) -> list[Event]:
        events = []
        for raw in blocks:
            block = raw.removeprefix(_BOM) if self._is_first else raw
            if not block:
                continue
            self._is_first = False
            if block.startswith(b"data: {") and b"\n" not in block:  # nearly all events
                events.append(Event(block[6:]))
            elif block[:1] == b":" and b"\n" not in block:
                continue
            elif (event := _event(block)) is not None:
                events.append(event)
        return events


def _event(block: bytes) -> Event | None:
    """Return the event of a block; None if it has only comments."""
    if block.count(b"\n") > _MAX_LINES:
        raise MalformedResponse(f"an event has more than {_MAX_LINES} lines")
    data, name = list[bytes](), ""
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")
    return Event(b"\n".join(data), name) if data else None
