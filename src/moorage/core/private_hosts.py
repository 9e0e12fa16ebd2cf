"""Private hosts: the addresses that the gateway connects to, and those that it needs the operator's permission for.

Everybody with the scope `integrations:admin` can choose the address of a provider, so without these rules they could
reach the services of the network that the server is in.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal, Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: `public`: everybody can connect to it. `private`: only if the operator names it. `never`: no setting allows it.
Reach = Literal["public", "private", "never"]

#: Labels of letters, digits, hyphens and underscores (container names have them), at most 253 characters.
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)

_NEVER: Final = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8", "::/128",  # unspecified: the kernel connects to this machine
        "169.254.0.0/16", "fe80::/10",  # link-local, with the credentials of most clouds
        "224.0.0.0/4", "ff00::/8", "255.255.255.255/32",  # multicast and broadcast
        "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",  # metadata: Alibaba, Azure, Oracle
        "fd00:ec2::/32", "fd20:ce::254/128", "fd00:42::42/128",  # metadata: AWS, Google, Scaleway
    )
)  # fmt: skip

#: IPv6 has public addresses here only. Python 3.11 counts others, such as fec0::/10, as global.
_PUBLIC_IPV6: Final = IPv6Network("2000::/3")
_DOCUMENTATION: Final = IPv6Network("3fff::/20")

#: Networks whose addresses end with an IPv4 address: compatible, translated and mapped addresses, and NAT64.
_ENDS_WITH_IPV4: Final = tuple(
    IPv6Network(network) for network in ("::/96", "::ffff:0:0:0/96", "::ffff:0:0/96", "64:ff9b::/96")
)
_IS_ISATAP: Final = (0x00005EFE, 0x02005EFE)


class PrivateHosts:
    """The private hosts that the operator allows: names, and networks of addresses."""

    __slots__ = ("names", "networks")

    def __init__(self, names: Sequence[str] = (), networks: Sequence[Network] = ()) -> None:
        self.names = frozenset(names)
        self.networks = tuple(networks)

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Return the hosts in a setting: names, addresses and networks, separated by commas.

        Raises:
            ValueError: one of them is none of these, or is never allowed; the message has it.
        """
        names, networks = list[str](), list[Network]()
        for word in text.split(",") if text else ():
            found = _entry(word.strip())
            if isinstance(found, str):
                names.append(found)
            else:
                networks.append(found)
        return cls(names, networks)

    def names_host(self, host: str) -> bool:
        """Return whether a host is named, as a name or as an address."""
        if host in self.names:
            return True
        address = find_address(host)
        return address is not None and self.has_address(address)

    def has_address(self, address: Address) -> bool:
        """Return whether an address is in one of the networks."""
        return self._has(address) or all(map(self._has, unwrapped(address)))

    def _has(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


#: Without the setting, the gateway connects to public addresses only.
NO_PRIVATE_HOSTS: Final = PrivateHosts()


def reach_of(address: Address) -> Reach:
    """Return who can connect to an address. An IPv4 address within an IPv6 address decides."""
    inner = unwrapped(address)
    if any(one in network for one in inner for network in _NEVER):
        return "never"
    return "public" if all(_is_public(one) for one in inner) else "private"


def find_address(host: str) -> Address | None:
    """Return the address that a host is; None if it is a name. A zone (`%eth0`) is ignored."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def is_name(host: str) -> bool:
    """Return whether a text is the name of a host, in lower case and in ASCII."""
    return _NAME.fullmatch(host) is not None


def unwrapped(address: Address) -> tuple[Address, ...]:
    """Return the IPv4 addresses within an IPv6 address, or the address itself if there are none."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.teredo:
        return address.teredo
    if address.sixtofour:
        return (address.sixtofour,)
    low, middle = int(address) & 0xFFFFFFFF, int(address) >> 32 & 0xFFFFFFFF
    is_compatible = int(address) > 1 and any(address in network for network in _ENDS_WITH_IPV4)  # not :: and ::1
    return (IPv4Address(low),) if is_compatible or middle in _IS_ISATAP else (address,)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address not in _PUBLIC_IPV6 or address in _DOCUMENTATION):
        return False
    return address.is_global


def _entry(word: str) -> str | Network:
    """Return the name or the network of a word in the setting."""
    shown = f"'{word[:80]}'"
    name = word.lower().rstrip(".")
    network = _find_network(word)
    if network is None and is_name(name) and not re.search(r"(?:\A|\.)(?:\d+|0x[0-9a-f]*)\Z", name):
        return name
    if network is None:
        raise ValueError(f"{shown} is no host, address or network; write a name without a port, or 10.0.0.0/8")
    if any(_contains(never, network) for never in _NEVER):
        raise ValueError(f"{shown} is never allowed: link-local, metadata, multicast and unspecified addresses")
    return network


def _find_network(word: str) -> Network | None:
    bare = word[1:-1] if word.startswith("[") and word.endswith("]") else word
    if (address := find_address(bare)) is not None and "%" not in bare:
        inner = unwrapped(address)
        return ip_network(inner[0] if len(inner) == 1 else address)
    try:
        return ip_network(word)
    except ValueError as error:
        if "host bits" in str(error):
            whole = ip_network(word, strict=False)
            raise ValueError(f"'{word[:80]}' has bits after its prefix; write {whole}") from error
        return None


def _contains(outer: Network, inner: Network) -> bool:
    is_same_version = outer.version == inner.version
    return is_same_version and outer.prefixlen <= inner.prefixlen and inner.network_address in outer
