"""Egress: the URLs and addresses that the gateway may connect to."""

import pytest

from moorage.core.private_hosts import PrivateHosts
from moorage.gateway.egress import Egress, EgressForbidden, InvalidUrl, parse_url


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://API.OpenAI.com./v1",
        "https://api.example.com:8443/v1",
        "https://8.8.8.8/v1",
        "https://[2606:4700::1111]/v1",
        "https://[::ffff:8.8.8.8]/v1",
        "https://0x08080808/v1",
        "https://xn--bcher-kva.example/v1",
        "https://under_score.example.com",
    ],
)
def test_https_to_public_hosts_is_allowed(url: str) -> None:
    Egress().check_url(url)


PRIVATE = [
    "https://127.0.0.1", "https://127.9.9.9", "https://localhost", "https://LOCALHOST.", "https://a.localhost",
    "https://10.0.0.1", "https://172.16.0.1", "https://192.168.1.1", "https://100.64.0.1", "https://198.18.0.1",
    "https://192.0.2.1", "https://240.0.0.1", "https://[::1]", "https://[fd12::1]", "https://[fec0::1]",
    "https://[2001:db8::1]", "https://[3fff::1]", "https://[64:ff9b:1::1]", "https://[5f00::1]",
    "https://[::ffff:127.0.0.1]", "https://[::ffff:7f00:1]", "https://[0:0:0:0:0:ffff:a00:1]", "https://[::127.0.0.1]",
    "https://[::ffff:0:127.0.0.1]", "https://[64:ff9b::10.0.0.1]", "https://[2002:7f00:1::]",
    "https://[2001:0:808:808::80ff:fffe]", "https://[2606:4700::5efe:127.0.0.1]", "https://[2606:4700::200:5efe:a00:1]",
    "https://2130706433", "https://0x7f000001", "https://0X7F.1", "https://127.1", "https://0177.0.0.1",
    "https://017700000001", "https://127.0.0.1.", "https://10.1",
]  # fmt: skip

PLAIN = ["http://api.openai.com/v1", "http://8.8.8.8"]

NEVER = [
    "https://169.254.169.254/latest/meta-data", "https://169.254.0.1", "https://[fe80::1]", "https://[fe80::a9fe:a9fe]",
    "https://[fd00:ec2::254]", "https://[fd20:ce::254]", "https://100.100.100.200", "https://168.63.129.16",
    "https://192.0.0.192", "https://0.0.0.0", "https://0", "https://[::]", "https://224.0.0.1", "https://[ff02::1]",
    "https://255.255.255.255", "https://[::ffff:169.254.169.254]", "https://[::ffff:0.0.0.0]",
    "https://[64:ff9b::169.254.169.254]", "https://[2002:a9fe:a9fe::]", "https://2852039166", "https://0xa9fea9fe",
    "https://169.254.43518", "https://metadata.google.internal", "https://Metadata.Goog.",
]  # fmt: skip


@pytest.mark.parametrize("url", PRIVATE + PLAIN)
def test_other_hosts_need_the_permission_of_the_operator(url: str) -> None:
    with pytest.raises(EgressForbidden, match="MOORAGE_PRIVATE_HOSTS=") as error:
        Egress().check_url(url)
    host = parse_url(url).host
    assert host in error.value.message
    Egress(PrivateHosts.parse(host)).check_url(url)


@pytest.mark.parametrize("url", NEVER)
def test_no_setting_allows_link_local_and_metadata_addresses(url: str) -> None:
    everything = PrivateHosts.parse("0.0.0.0/0, ::/0, metadata.google.internal, metadata.goog")
    with pytest.raises(EgressForbidden, match="No setting allows it") as error:
        Egress(everything).check_url(url)
    assert "MOORAGE_PRIVATE_HOSTS" not in str(error.value)


def test_a_network_allows_its_addresses_with_and_without_tls() -> None:
    egress = Egress(PrivateHosts.parse("10.0.0.0/8, fd00::/8"))
    for url in ("http://10.1.2.3:11434/v1", "https://10.1.2.3", "http://[fd00::1]", "http://[::ffff:10.1.2.3]"):
        egress.check_url(url)
    for url in ("http://11.1.2.3", "https://127.0.0.1", "http://[fc00::1]"):
        with pytest.raises(EgressForbidden):
            egress.check_url(url)


def test_a_name_allows_its_addresses_for_that_name_only() -> None:
    egress = Egress(PrivateHosts.parse("ollama.internal"))
    egress.check_address(egress.check_url("http://ollama.internal:11434/v1"), "10.0.0.5")
    for url in ("https://other.internal", "https://x.ollama.internal", "https://ollama.internal.example.com"):
        with pytest.raises(EgressForbidden, match=r"10\.0\.0\.5"):
            egress.check_address(egress.check_url(url), "10.0.0.5")
    with pytest.raises(EgressForbidden, match="No setting"):
        egress.check_address(egress.check_url("http://ollama.internal/v1"), "169.254.169.254")
    with pytest.raises(EgressForbidden):
        egress.check_url("http://10.0.0.5/v1")


def test_http_to_a_name_needs_an_address_that_is_allowed() -> None:
    egress = Egress(PrivateHosts.parse("10.0.0.0/8"))
    target = egress.check_url("http://some.internal/v1")
    egress.check_address(target, "10.0.0.5")
    for address in ("8.8.8.8", "192.168.1.1"):
        with pytest.raises(EgressForbidden):
            egress.check_address(target, address)


@pytest.mark.parametrize(
    "url",
    [
        "", "api.openai.com/v1", "//api.openai.com", "ftp://a.example", "file:///etc/passwd", "https://", "https:///v1",
        "https://user:secret@a.example/", "https://a.example@b.example", "https://a.example\\@b.example",
        "https://a.example/ v1", "https://a.example/\r\nX: y", "https://a\t.example", "https://a.example#f",
        "https://a.example:0", "https://a.example:65536", "https://a.example:x", "https://[::1",
        "https://[fe80::1%25eth0]",
        "https://[a.example]", "https://a..example", "https://-a.example", "https://a%2eexample", "https://a,b",
        "https://\uff11\uff12\uff17.0.0.1", "https://bücher.example", "https://1.2.3.4.5", "https://256.1.1.1", "https://0x",
        "https://127.0.0.08", "https://" + "a" * 64 + ".example", "https://a.example/" + "a" * 9_000, "data:a",
    ],
)  # fmt: skip
def test_an_invalid_url_is_an_error_without_its_password(url: str) -> None:
    with pytest.raises(InvalidUrl) as error:
        Egress(PrivateHosts.parse("0.0.0.0/0")).check_url(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ollama:11434", "without a port"), ("http://ollama", "no host"), ("a,,b", "no host"),
        ("*.internal", "no host"),
        ("10.0.0.1/8", "write 10.0.0.0/8"), ("169.254.169.254", "never"), ("fe80::/10", "never"),
        ("169.254.0.0/16", "never"), ("fd00:ec2::254", "never"), ("0.0.0.0", "never"), ("::ffff:169.254.1.1", "never"),
        ("127.1", "no host"), ("0x7f000001", "no host"), ("fe80::1%eth0", "never"), ("10.0.0.0/33", "no host"),
    ],
)  # fmt: skip
def test_a_setting_with_a_mistake_is_rejected(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        PrivateHosts.parse(text)


def test_a_setting_names_hosts_in_any_form() -> None:
    hosts = PrivateHosts.parse("Ollama., 10.0.0.0/8 ,127.0.0.1, [::1], ::ffff:192.168.1.1")
    assert all(map(hosts.names_host, ("ollama", "10.2.3.4", "127.0.0.1", "::1", "192.168.1.1", "::ffff:10.0.0.1")))
    assert not any(map(hosts.names_host, ("other", "127.0.0.2", "8.8.8.8", "::2")))
