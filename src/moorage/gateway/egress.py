"""Egress: the URLs that integrations may have, and the addresses that the gateway may connect to.

A URL is checked early, when an integration is saved, for its message. The address is checked when a socket for it is
created: between both, the answer of the DNS can change.
"""

import re
import socket
from functools import lru_cache
from ipaddress import IPv4Address
from typing import Final, Literal, cast
from urllib.parse import urlsplit

import msgspec

from moorage.core.errors.base import MoorageError
from moorage.core.errors.requests import InvalidRequest
from moorage.core.private_hosts import NO_PRIVATE_HOSTS, PrivateHosts, find_address, is_name, reach_of

Scheme = Literal["https", "http"]

_MAX_URL: Final = 8_192
_PORTS: Final = {"https": 443, "http": 80}

#: Parsers differ in what they do with others: some remove them, some take \ as /.
_CHARACTERS: Final = re.compile(r"[!-~]+")

#: The C library takes such a host as an IPv4 address: 0x7f000001, 127.1, 0177.0.0.1.
_ENDS_IN_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")

#: Names of metadata services. They lead to addresses that are never allowed, but a proxy would resolve them itself.
_METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})


class InvalidUrl(InvalidRequest):
    """The URL {url!r} is not valid: {reason}."""

    code = "invalid_url"
    hint = "Write it like https://api.example.com/v1."


class EgressForbidden(MoorageError):
    """The gateway must not connect to {host!r}: {reason}."""

    code = "egress_forbidden"
    hint = "{advice}"


class Target(msgspec.Struct, frozen=True):
    """The parts of a URL. `host` is a name in lower case, or an address in its usual form without brackets."""

    scheme: Scheme
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host and port as in the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@lru_cache(maxsize=1_024)
def parse_url(url: str) -> Target:
    """Return the parts of a URL.

    Raises:
        InvalidUrl
    """
    if len(url) > _MAX_URL:
        raise _invalid(url, f"it has more than {_MAX_URL} characters")
    if not _CHARACTERS.fullmatch(url) or "\\" in url:
        raise _invalid(url, "it is empty, or has a space, a backslash or a character that is not ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as error:
        raise _invalid(url, "its host or port is malformed") from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise _invalid(url, "it does not start with https:// or http://")
    if "@" in parts.netloc:
        raise _invalid(url, "it has a user or a password; they belong to the credentials")
    if "#" in url:
        raise _invalid(url, "it has a fragment (#)")
    if port == 0:
        raise _invalid(url, "the port is 0")
    query = f"?{parts.query}" if parts.query else ""
    path = f"{parts.path or '/'}{query}"
    return Target(cast("Scheme", scheme), _host(url, parts.netloc, host), port or _PORTS[scheme], path)


class Egress:
    """The rules for URLs and addresses, with the private hosts that the operator allows."""

    def __init__(self, private_hosts: PrivateHosts = NO_PRIVATE_HOSTS) -> None:
        self._private = private_hosts
        self._allowed: dict[str, Target] = {}

    def check_url(self, url: str) -> Target:
        """Return the parts of a URL that the gateway may use, as far as it can be decided without the DNS.

        Raises:
            InvalidUrl, EgressForbidden
        """
        if (known := self._allowed.get(url)) is not None:
            return known
        target = parse_url(url)
        self._check(target)
        if len(self._allowed) >= 1_024:
            self._allowed.clear()
        self._allowed[url] = target
        return target

    def check_address(self, target: Target, address: str) -> None:
        """Check that the gateway may connect to an address for a target.

        Raises:
            EgressForbidden
        """
        found = find_address(address)
        if found is None:
            raise _forbidden(target.host, f"{address!r} is not an IP address", is_allowable=False)
        reach = reach_of(found)
        shown = address if address == target.host else f"its address {address}"
        if reach == "never":
            raise _forbidden(target.host, f"{shown} is link-local, multicast, unspecified or of a metadata service")
        if target.host in self._private.names or self._private.has_address(found):
            return
        if reach == "private":
            raise _forbidden(target.host, f"{shown} is not public", is_allowable=True)
        if target.scheme == "http":
            raise _forbidden(target.host, "http: is for private hosts only", is_allowable=True)

    def _check(self, target: Target) -> None:
        host = target.host
        if find_address(host) is not None:
            self.check_address(target, host)
        elif host in _METADATA_NAMES:
            raise _forbidden(host, "it is a metadata service")
        elif host not in self._private.names and not self._private.networks:  # a network can have its address
            if host == "localhost" or host.endswith(".localhost"):
                raise _forbidden(host, "it is this machine", is_allowable=True)
            if target.scheme == "http":
                raise _forbidden(host, "http: is for private hosts only", is_allowable=True)


def _host(url: str, netloc: str, host: str) -> str:
    """Return the host of a URL in its usual form."""
    if "[" in netloc:
        address = find_address(host)
        if address is None or "%" in host or "]" not in netloc:
            raise _invalid(url, "its host is not an IPv6 address")
        return str(address)
    name = host.lower().removesuffix(".")
    if _ENDS_IN_NUMBER.fullmatch(name):
        try:
            return str(IPv4Address(socket.inet_aton(name)))
        except OSError as error:
            raise _invalid(url, "its host is not an IPv4 address") from error
    if not is_name(name):
        raise _invalid(url, "its host is not a name; write other alphabets as xn--…")
    return name


def _invalid(url: str, reason: str) -> InvalidUrl:
    shown = url.rpartition("@")[2][:200]  # a password can stand before the @
    return InvalidUrl(url=shown, reason=reason)


def _forbidden(host: str, reason: str, *, is_allowable: bool = False) -> EgressForbidden:
    advice = (
        f"The operator can allow it with MOORAGE_PRIVATE_HOSTS={host}." if is_allowable else "No setting allows it."
    )
    return EgressForbidden(host=host, reason=reason, advice=advice)
