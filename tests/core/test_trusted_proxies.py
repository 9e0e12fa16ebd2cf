"""The address of a client behind proxies; nobody else than a trusted proxy can choose it."""

import pytest

from moorage.core.trusted_proxies import NO_PROXIES, TrustedProxies

PROXIES = TrustedProxies.parse("10.0.0.0/8, 192.0.2.7,fd00::/8")
CLIENT = b"203.0.113.9"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("10.0.0.1", CLIENT, "203.0.113.9"),
        ("192.0.2.7", CLIENT, "203.0.113.9"),
        ("fd00::1", CLIENT, "203.0.113.9"),
        ("::ffff:10.0.0.1", CLIENT, "203.0.113.9"),
        ("10.0.0.1", b"198.51.100.1, " + CLIENT, "203.0.113.9"),
        ("10.0.0.1", b"198.51.100.1, " + CLIENT + b", 10.9.9.9 ,192.0.2.7", "203.0.113.9"),
        ("10.0.0.1", b"10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.0.0.1", CLIENT + b":4711", "203.0.113.9"),
        ("10.0.0.1", b"2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", b"[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", b"::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"unknown", "10.0.0.1"),
        ("10.0.0.1", CLIENT + b", evil\n{}", "10.0.0.1"),
        ("10.0.0.1", b"evil, " + CLIENT, "203.0.113.9"),
        ("10.0.0.1", b"1.2.3, 10.2.2.2", "10.2.2.2"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("10.0.0.1", b"9" * 5_000, "10.0.0.1"),
        ("192.0.2.8", CLIENT, "192.0.2.8"),
        ("203.0.113.1", b"10.0.0.1", "203.0.113.1"),
    ],
)
def test_x_forwarded_for_counts_from_the_right_and_from_trusted_proxies(
    peer: str, forwarded_for: bytes, client: str
) -> None:
    assert PROXIES.client(peer, forwarded_for, None) == client


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (b"for=203.0.113.9", "203.0.113.9"),
        (b'For="203.0.113.9:80";proto=https;by=10.0.0.2', "203.0.113.9"),
        (b'for=198.51.100.1, for="[2001:db8::1]:80"', "2001:db8::1"),
        (b'for=203.0.113.9;host="a, for=1.1.1.1"', "203.0.113.9"),
        (b'for=203.0.113.9;host="a;for=1.1.1.1"', "203.0.113.9"),
        (b'host="a;for=1.1.1.1\\";for=2.2.2.2";for=203.0.113.9', "203.0.113.9"),
        (b'"' * 4_097, "10.0.0.1"),
        (b"proto=http;for=203.0.113.9, for=10.0.0.3;by=x", "203.0.113.9"),
        (b"for=_hidden", "10.0.0.1"),
        (b"for=203.0.113.9, proto=http", "10.0.0.1"),
        (b"before=203.0.113.9", "10.0.0.1"),
    ],
)
def test_forwarded_counts_like_x_forwarded_for(forwarded: bytes, client: str) -> None:
    assert PROXIES.client("10.0.0.1", None, forwarded) == client
    assert PROXIES.client("198.51.100.7", None, forwarded) == "198.51.100.7"


def test_x_forwarded_for_has_precedence() -> None:
    assert PROXIES.client("10.0.0.1", CLIENT, b"for=198.51.100.1") == "203.0.113.9"


def test_without_trusted_proxies_no_header_counts() -> None:
    assert NO_PROXIES.client("127.0.0.1", CLIENT, b"for=203.0.113.9") == "127.0.0.1"


@pytest.mark.parametrize("text", [None, ""])
def test_no_setting_is_no_proxy(text: str | None) -> None:
    assert TrustedProxies.parse(text).networks == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.0.0.0/8,localhost", "'localhost' is neither an address nor a network"),
        ("*", "'\\*' is neither"),
        ("10.0.0.0/8,", "'' is neither"),
        ("10.0.0.1/8", "'10.0.0.1/8' has bits after its prefix; write 10.0.0.0/8"),
        ("10.0.0.0/33", "'10.0.0.0/33' is neither"),
        ("http://10.0.0.1", "is neither"),
        ("x" * 5_000, "^'x{80}' is neither"),
    ],
)
def test_a_value_that_is_no_address_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrustedProxies.parse(text)
