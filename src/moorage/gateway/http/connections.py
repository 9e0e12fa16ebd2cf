"""Connections to providers: DNS, egress, TLS and the pool, by the connector of aiohttp.

Importing aiohttp takes half a second, so only `moorage.gateway.http.transport` imports this module, at the first call.
"""

import asyncio
import base64
import errno
import os
import socket
import ssl
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientRequest,
    ClientTimeout,
    TCPConnector,
)
from aiohttp.connector import AddrInfoType, Connection
from yarl import URL

from moorage.gateway.egress import Egress, EgressForbidden, Target
from moorage.gateway.http.errors import ConnectFailed, TransportError
from moorage.gateway.http.proxies import EnvironmentProxies
from moorage.gateway.http.resolver import Resolver

#: Idle connections are closed before most servers do it.
_KEEP_ALIVE: Final = 15.0

_MAX_CA_FILE: Final = 1_048_576
_MAX_ORIGINS: Final = 1_024

#: The limits of time are those of the transport.
_NO_TIMEOUT: Final = ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class Origin:
    """A scheme, host and port, with its proxy and certificates: the key of the pool.

    `prefix` comes before the path in a request line, and `headers` before those of the request. They are for a proxy
    that reads the requests, which it does without TLS.
    """

    __slots__ = ("headers", "is_proxied", "prefix", "request", "target")

    def __init__(self, target: Target, proxy: str | None, context: ssl.SSLContext | None) -> None:
        self.target = target
        self.is_proxied = proxy is not None
        url = URL(proxy) if proxy is not None else None
        self.prefix, credentials = "", ""
        if url is not None and target.scheme == "http":
            self.prefix = f"http://{target.authority}"
            if url.user is not None:
                token = base64.b64encode(f"{url.user}:{url.password or ''}".encode()).decode()
                credentials = f"Proxy-Authorization: Basic {token}\r\n"
        self.headers = f"Host: {target.authority}\r\nAccept-Encoding: identity\r\n{credentials}"
        self.request = ClientRequest(
            "POST",
            URL.build(scheme=target.scheme, host=target.host, port=target.port, path="/"),
            loop=asyncio.get_running_loop(),
            ssl=True if context is None else context,
            proxy=url,
        )


class _Dial:
    """One attempt to connect: whether a socket was created for it, and why one was refused."""

    __slots__ = ("is_new", "origin", "refusal")

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.is_new = False
        self.refusal: EgressForbidden | None = None


_dial: ContextVar[_Dial] = ContextVar("_dial")


class Connections:
    """The pooled connections of a process."""

    def __init__(self, egress: Egress, proxies: EnvironmentProxies) -> None:
        self._egress = egress
        self._proxies = proxies
        self._origins: dict[tuple[str, str, int, str | None], Origin] = {}
        self._connector = TCPConnector(
            limit=0,
            keepalive_timeout=_KEEP_ALIVE,
            resolver=Resolver(),
            socket_factory=self._create_socket,
        )

    def known_origin(self, target: Target, ca_file: str | None) -> Origin | None:
        """Return the origin of a target, if `find_origin` has found it before."""
        return self._origins.get((target.scheme, target.host, target.port, ca_file))

    async def find_origin(self, target: Target, ca_file: str | None) -> Origin:
        """Return the origin of a target.

        Raises:
            ConnectFailed: the file of certificates or the proxy is not usable.
        """
        key = (target.scheme, target.host, target.port, ca_file)
        if (origin := self._origins.get(key)) is None:
            proxy = self._proxies.find(target)
            context = await asyncio.to_thread(_load_certificates, ca_file) if ca_file else None
            if len(self._origins) >= _MAX_ORIGINS:
                self._origins.clear()
            origin = self._origins[key] = Origin(target, proxy, context)
        return origin

    async def connect(self, origin: Origin, *, is_fresh: bool = False) -> tuple[Connection, bool]:
        """Return a connection, and whether it is new. An idle one is reused unless it must be `is_fresh`.

        Raises:
            ConnectFailed, EgressForbidden
        """
        dial = _Dial(origin)
        token = _dial.set(dial)
        try:
            while True:
                connection = await self._connector.connect(origin.request, [], _NO_TIMEOUT)
                protocol = connection.protocol
                # A server can send a response that nobody requested, such as a 408 before it closes an idle connection.
                if dial.is_new or not (is_fresh or protocol is None or protocol.should_close):
                    return connection, dial.is_new
                connection.close()
        except (ClientError, OSError, ValueError) as error:
            if dial.refusal is not None:
                raise dial.refusal from None
            raise _connect_failed(origin.target, error) from error
        finally:
            _dial.reset(token)

    async def close(self) -> None:
        """Close all connections."""
        await self._connector.close()

    def _create_socket(self, info: AddrInfoType) -> socket.socket:
        """Create the socket for an address, if the gateway may connect to it. A proxy is chosen by the operator."""
        family, kind, protocol, _, address = info
        dial = _dial.get()
        dial.is_new = True
        if not dial.origin.is_proxied:
            try:
                self._egress.check_address(dial.origin.target, str(address[0]))
            except EgressForbidden as error:
                dial.refusal = error
                raise OSError(errno.EACCES, error.message) from error
        return socket.socket(family, kind, protocol)


def _load_certificates(file: str) -> ssl.SSLContext:
    try:
        handle = os.open(Path(file), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would wait for its writer
        with os.fdopen(handle, "rb") as opened:
            content = opened.read(_MAX_CA_FILE)
        if b"-----BEGIN" not in content:  # nothing at all means the certificates of the system
            raise ssl.SSLError
        context = ssl.create_default_context(cadata=content.decode("ascii", "ignore"))
    except ssl.SSLError as error:
        raise ConnectFailed(f"ca_file {file!r} has no certificates in PEM form") from error
    except (OSError, ValueError) as error:
        raise ConnectFailed(f"ca_file {file!r} cannot be read: {getattr(error, 'strerror', error)}") from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def _connect_failed(target: Target, error: Exception) -> TransportError:
    """Return the reason why no connection was made, without the address of a proxy, which can have a password."""
    host = target.authority
    if isinstance(error, ClientHttpProxyError):
        return ConnectFailed(f"the proxy rejected the connection to {host} with status {error.status}")
    if isinstance(error, ClientProxyConnectionError):
        return ConnectFailed(
            f"the proxy for {host} is unreachable: {os.strerror(error.os_error.errno or errno.EIO).lower()}"
        )
    if isinstance(error, ClientConnectorDNSError):
        return ConnectFailed(f"the name {target.host} cannot be resolved")
    if isinstance(error, ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or "it is not valid"
        return ConnectFailed(f"the certificate of {host} was rejected: {reason}")
    cause = getattr(error, "os_error", error)
    if isinstance(cause, ssl.SSLError):
        return ConnectFailed(f"TLS with {host} failed: {cause.reason or 'the connection ended'}")
    code = getattr(cause, "errno", None)
    return ConnectFailed(f"cannot connect to {host}: {os.strerror(code).lower() if code else type(cause).__name__}")
