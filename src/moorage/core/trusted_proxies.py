"""Trusted proxies: whose headers name the address of a client.

Everybody can send `X-Forwarded-For`, so it counts only on a connection from a trusted proxy, and only from the right:
each proxy appends the address that it got the request from. The first address that is no trusted proxy is the client.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Self

Network = IPv4Network | IPv6Network

#: The elements of `Forwarded` (RFC 7239), and the pairs of an element. A quoted string can contain both separators: it
#: can be the Host that a client sent.
_ELEMENT: Final = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_PAIR: Final = re.compile(r'(?:[^";]|"(?:[^"\\]|\\.)*")+')
_MAX_FORWARDED: Final = 4_096

#: An address, with a port or without one; with a port, IPv6 has brackets.
_NODE: Final = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::\d{1,5})?|([0-9.]{7,15})(?::\d{1,5})?|([0-9A-Fa-f:.]{2,45})")


class TrustedProxies:
    """The addresses of trusted proxies."""

    __slots__ = ("networks",)

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self.networks = tuple(networks)

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Return the proxies in a setting: addresses and networks, separated by commas.

        Raises:
            ValueError: one of them is neither; the message has it.
        """
        return cls([_network(word.strip()) for word in text.split(",")] if text else [])

    def client(self, peer: str, forwarded_for: bytes | None, forwarded: bytes | None) -> str:
        """Return the address of the client of a request from `peer`, with its `X-Forwarded-For` or `Forwarded`."""
        if not self.networks or (forwarded_for is None and forwarded is None):
            return peer
        return _client(self.networks, peer, forwarded_for, forwarded)


#: Without trusted proxies, the client is the other end of the connection.
NO_PROXIES: Final = TrustedProxies()


@lru_cache(maxsize=1_024)  # clients repeat their requests
def _client(networks: tuple[Network, ...], peer: str, forwarded_for: bytes | None, forwarded: bytes | None) -> str:
    if not _is_trusted(networks, _address(peer)):
        return peer
    client = peer
    for node in reversed(_nodes(forwarded_for, forwarded)):
        address = _address(node)
        if address is None:  # `unknown`, or a name: the proxy that wrote it is the last one that is known
            break
        client = str(address)
        if not _is_trusted(networks, address):
            break
    return client


def _nodes(forwarded_for: bytes | None, forwarded: bytes | None) -> list[str]:
    """Return the addresses that the proxies wrote, the nearest one last."""
    if forwarded_for is not None:
        return forwarded_for.decode("latin-1").split(",")
    if forwarded is None or len(forwarded) > _MAX_FORWARDED:
        return []
    return [_node(element) for element in _ELEMENT.findall(forwarded.decode("latin-1"))]


def _node(element: str) -> str:
    for pair in _PAIR.findall(element):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return str(value.strip().strip('"'))
    return ""


def _address(node: str) -> IPv4Address | IPv6Address | None:
    found = _NODE.fullmatch(node.strip())
    try:
        address = ip_address(found[1] or found[2] or found[3]) if found else None
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(networks: tuple[Network, ...], address: IPv4Address | IPv6Address | None) -> bool:
    return address is not None and any(address in network for network in networks)


def _network(word: str) -> Network:
    try:
        return ip_network(word)
    except ValueError as error:
        shown = f"'{word[:80]}'"
        if "host bits" in str(error):
            raise ValueError(f"{shown} has bits after its prefix; write {ip_network(word, strict=False)}") from error
        raise ValueError(f"{shown} is neither an address nor a network such as 10.0.0.0/8") from error
