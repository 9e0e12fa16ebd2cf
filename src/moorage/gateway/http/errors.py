"""Errors of a request to a provider. None has content of a request or response."""

from typing import Final, Literal

#: `queue`: for a free connection; `connect`: DNS, TCP and TLS; `first_byte`: for the body; `between_bytes`; `total`.
Limit = Literal["queue", "connect", "first_byte", "between_bytes", "total"]

_WHAT: Final = {
    "queue": "no connection of the integration was free",
    "connect": "no connection was made",
    "first_byte": "the provider sent no response",
    "between_bytes": "the provider stopped sending its response",
    "total": "the response was not complete",
}


class TransportError(Exception):
    """A request that got no complete response. The argument is the reason."""


class ConnectFailed(TransportError):
    """No connection was made: DNS, TCP, TLS or the proxy."""


class BrokenBeforeFirstByte(TransportError):
    """The connection ended before the head of a response, so the request can be sent again."""


class BrokenAfterFirstByte(TransportError):
    """The connection ended within a response."""


class InvalidResponse(TransportError):
    """The response is not valid HTTP."""


class ResponseTooLarge(TransportError):
    """The response has more bytes than its reader accepts."""

    def __init__(self, maximum: int) -> None:
        super().__init__(f"the response has more than {maximum} bytes")
        self.maximum = maximum


class UnsendableRequest(TransportError):
    """A header of the request cannot be sent."""


class TimedOut(TransportError):
    """A limit of time of the integration, or the deadline of the call, has passed."""

    def __init__(self, limit: Limit, seconds: float) -> None:
        super().__init__(f"{_WHAT[limit]} within {seconds:g} seconds")
        self.limit = limit
        self.seconds = seconds
