"""The messages between a server and its rendering processes: JSON with a length prefix."""

import socket
import time
from typing import Any, Literal

import msgspec

from moorage.core.templates.template import Rendered

#: The maximum size of a reply in bytes: an escaped byte of a text can take six.
MAX_REPLY = 8 * 1_048_576

_LENGTH_BYTES = 4


class Render(msgspec.Struct, frozen=True, tag="render"):
    """A request to render templates with inputs; their texts share the budget, in bytes."""

    templates: list[str]
    inputs: dict[str, Any]
    keep_placeholders: bool
    budget: int


class FindVariables(msgspec.Struct, frozen=True, tag="find_variables"):
    """A request for the variables that templates use."""

    templates: list[str]


class RenderedTexts(msgspec.Struct, frozen=True, tag="texts"):
    """The reply to `Render`, in the order of the templates."""

    rendered: list[Rendered]


class Variables(msgspec.Struct, frozen=True, tag="variables"):
    """The reply to `FindVariables`, in the order of the templates."""

    names: list[list[str]]


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """An error reply; `is_last` if the process ends after it."""

    problem: Literal["invalid", "not_allowed", "limit_exceeded", "too_large"]
    reason: str
    is_last: bool = False


Request = Render | FindVariables
Reply = RenderedTexts | Variables | Failure


def send(connection: socket.socket, message: bytes) -> None:
    """Send one message, within the time limit of the connection.

    Raises:
        OSError: the peer closed the connection; TimeoutError: it does not read.
    """
    connection.sendall(len(message).to_bytes(_LENGTH_BYTES, "big") + message)


def receive(connection: socket.socket, limit: int, deadline: float | None = None) -> bytes:
    """Return the next message, until a time of `time.monotonic()`.

    Raises:
        EOFError, OSError: the peer closed the connection, or the message is larger than `limit` bytes.
        TimeoutError: the peer is too slow.
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
