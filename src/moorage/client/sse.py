"""Server-sent events, as they come off the wire."""

from collections.abc import Iterable, Iterator

import msgspec


class Event(msgspec.Struct, frozen=True):
    """One event; a comment has the name `comment`. `id` is None where it has none."""

    name: str
    data: bytes
    id: str | None


def events(pieces: Iterable[bytes]) -> Iterator[Event]:
    """The events in a stream; one that is cut off is none."""
    waiting = b""
    for piece in pieces:
        *blocks, waiting = (waiting + piece).split(b"\n\n")
        for block in blocks:
            fields = [line.partition(b":")[::2] for line in block.split(b"\n")]
            said = {name.decode(): value.removeprefix(b" ") for name, value in fields}
            place = said.get("id")
            name = "comment" if "" in said and "data" not in said else said.get("event", b"message").decode()
            yield Event(name, said.get("data", said.get("", b"")), None if place is None else place.decode())
