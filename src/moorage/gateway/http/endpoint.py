"""The endpoint of an integration: the limits within which requests are sent to it."""

import msgspec


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How an integration is reached: limits in seconds, a limit of connections, and a file of certificates.

    `name` is unique in the process: all requests with the same name share the limit of connections.
    """

    name: str
    connect: float = 5
    first_byte: float = 120
    between_bytes: float = 60
    total: float = 900
    max_connections: int = 100
    ca_file: str | None = None
