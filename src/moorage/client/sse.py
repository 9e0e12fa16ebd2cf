"""A parser for server-sent events."""

from collections.abc import Iterable, Iterator

import msgspec


class Event(msgspec.Struct, frozen=True):
    """An event. A comment has the name `comment`; `id` is None if the event has none."""

    name: str
    data: bytes
    id: str | None


def events(pieces: Iterable[bytes]) -> Iterator[Event]:
    """Yield the complete events of a stream."""
    incomplete = b""
    for piece in pieces:
        *blocks, incomplete = (incomplete + piece).split(b"\n\n")
        for block in blocks:
            lines = [line.partition(b":")[::2] for line in block.split(b"\n")]
            fields = {name.decode(): value.removeprefix(b" ") for name, value in lines}
            event_id = fields.get("id")
            name = "comment" if "" in fields and "data" not in fields else fields.get("event", b"message").decode()
            yield Event(name, fields.get("data", fields.get("", b"")), None if event_id is None else event_id.decode())
