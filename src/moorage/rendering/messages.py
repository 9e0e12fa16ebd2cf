"""The messages between a program and its rendering process: JSON, each message after its length."""

import socket
import time
from typing import Any, Literal

import msgspec

from moorage.core.templates.template import Rendered

#: More is not read from the process: escaped, each byte of a text can take six.
MAX_REPLY = 8 * 1_048_576

_LENGTH_BYTES = 4


class Render(msgspec.Struct, frozen=True, tag="render"):
    """Render these templates with the inputs; their texts share the room, in bytes."""

    templates: list[str]
    inputs: dict[str, Any]
    keep: bool
    budget: int


class Names(msgspec.Struct, frozen=True, tag="names"):
    """Which names do these templates use?"""

    templates: list[str]


class Texts(msgspec.Struct, frozen=True, tag="texts"):
    """The answer to `Render`: one for each template."""

    rendered: list[Rendered]


class VariablesFound(msgspec.Struct, frozen=True, tag="names_found"):
    """The answer to `Names`: one list for each template."""

    names: list[list[str]]


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """An error instead; `is_last` if the process ends after it."""

    problem: Literal["invalid", "not_allowed", "too_heavy", "too_large"]
    reason: str
    is_last: bool = False


Question = Render | Names
Reply = Texts | VariablesFound | Refused


def send(connection: socket.socket, message: bytes) -> None:
    """Send one message, within the time limit of the connection.

    Raises:
        OSError: the other side is gone; TimeoutError: it does not read.
    """
    connection.sendall(len(message).to_bytes(_LENGTH_BYTES, "big") + message)


def receive(connection: socket.socket, limit: int, deadline: float | None = None) -> bytes:
    """The next message, until a time of `time.monotonic()`.

    Raises:
        EOFError, OSError: the other side is gone, or says more than `limit` bytes; TimeoutError: it is too slow.
    """
    length = int.from_bytes(_exactly(connection, _LENGTH_BYTES, deadline), "big")
    if length > limit:
        raise EOFError
    return _exactly(connection, length, deadline)


def _exactly(connection: socket.socket, length: int, deadline: float | None) -> bytes:
    received = bytearray()
    while len(received) < length:
        if deadline is not None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            connection.settimeout(remaining)
        piece = connection.recv(min(length - len(received), 65_536))
        if not piece:
            raise EOFError
        received += piece
    return bytes(received)
