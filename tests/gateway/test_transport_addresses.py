"""Where requests to providers connect to: addresses, proxies and certificates."""

import asyncio
import base64
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from moorage.gateway.egress import EgressForbidden, parse_url
from moorage.gateway.http.errors import ConnectFailed
from moorage.gateway.http.proxies import EnvironmentProxies
from tests.support.certificates import Authority
from tests.support.scripted_provider import LOOPBACK, LOOPS, Caller, Peer, Received, ScriptedProvider, run

Answers = dict[str, list[str]]

#: The server of some names is down while this is not set.
still_down = threading.Event()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Return the answers of the DNS, for names; a test changes them."""
    table: Answers = {}
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *options: int) -> list[Any]:
        if host.endswith(".down.example"):
            still_down.wait()
        if host not in table:
            return list(real(host, port, *options))
        if not table[host]:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [info for address in table[host] for info in real(address, port, *options)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    "addresses", [[LOOPBACK], ["::ffff:7f00:1"], ["169.254.169.254"], ["0.0.0.0"], ["::"], [LOOPBACK, "10.0.0.1"]]
)
def test_no_connection_is_made_to_the_private_address_of_a_public_name(
    loop: str, addresses: list[str], answers: Answers
) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.ok()

        async with ScriptedProvider(script) as provider, Caller(hosts="other.example") as caller:
            answers["rebinding.example"] = addresses
            with pytest.raises(EgressForbidden, match=r"rebinding\.example"):
                await caller.read(f"https://rebinding.example:{provider.port}/v1")
            assert not provider.peers

    run(loop, main)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_named_host_is_reached_at_its_private_address_and_others_are_not(loop: str, answers: Answers) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.ok()

        async with ScriptedProvider(script) as provider, Caller(hosts="ollama.internal") as caller:
            answers["ollama.internal"] = answers["other.internal"] = [LOOPBACK]
            assert await caller.read(f"http://ollama.internal:{provider.port}/v1") == b"ok"
            with pytest.raises(EgressForbidden):
                await caller.read(f"https://other.internal:{provider.port}/v1")
            with pytest.raises(EgressForbidden):
                await caller.read(f"http://{LOOPBACK}:{provider.port}/v1")
            assert len(provider.peers) == 1

    run(loop, main)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_name_without_an_address_is_named(loop: str, answers: Answers) -> None:
    async def main() -> None:
        answers["nowhere.example"] = []
        async with Caller() as caller:
            with pytest.raises(ConnectFailed, match=r"the name nowhere\.example cannot be resolved"):
                await caller.read("https://nowhere.example/v1")

    run(loop, main)


@pytest.mark.parametrize("loop", LOOPS)
def test_names_whose_server_is_down_stop_no_other_lookup(loop: str, answers: Answers) -> None:
    async def main() -> None:
        async with ScriptedProvider(one_ok) as provider, Caller(hosts="ollama.internal") as caller:
            answers["ollama.internal"] = [LOOPBACK]
            calls = [asyncio.create_task(caller.read(f"https://{number}.down.example/")) for number in range(40)]
            await asyncio.sleep(0)
            assert await caller.read(f"http://ollama.internal:{provider.port}/v1") == b"ok"
            assert not any(call.done() for call in calls)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            still_down.set()

    still_down.clear()
    run(loop, main)


async def one_ok(peer: Peer) -> None:
    await peer.request()
    await peer.ok()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_proxy_of_the_environment_gets_the_requests_and_no_credentials_of_netrc(
    loop: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = folder / "netrc"
    netrc.write_text(f"machine {LOOPBACK} login user password from-netrc\nmachine vendor.example login u password p\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    async def main() -> None:
        received: list[Received] = []

        async def script(peer: Peer) -> None:
            received.append(await peer.request())
            await peer.ok()

        async with ScriptedProvider(script) as proxy, ScriptedProvider(script) as direct:
            monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@{LOOPBACK}:{proxy.port}")
            monkeypatch.setenv("NO_PROXY", f"{LOOPBACK},.direct.example")
            proxies = {"http": f"http://me:secret@{LOOPBACK}:{proxy.port}", "no": LOOPBACK}
            async with Caller(proxies, hosts="vendor.example,127.0.0.1") as caller:
                assert await caller.read("http://vendor.example/v1/chat?a=b") == b"ok"
                assert await caller.read(direct.url) == b"ok"
            assert len(proxy.peers) == len(direct.peers) == 1
        proxied, plain = received
        assert proxied.line == "POST http://vendor.example/v1/chat?a=b HTTP/1.1"
        assert proxied.headers["host"] == "vendor.example"
        assert proxied.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'me:secret').decode()}"
        for request in received:
            assert "authorization" not in request.headers
        assert "proxy-authorization" not in plain.headers

    run(loop, main)


@pytest.mark.parametrize("loop", LOOPS)
def test_https_goes_through_a_tunnel_of_the_proxy(loop: str, folder: Path) -> None:
    authority = Authority(folder)

    async def main() -> None:
        lines: list[str] = []
        received: list[Received] = []

        async def provider_script(peer: Peer) -> None:
            while True:
                received.append(await peer.request())
                await peer.ok()

        async with ScriptedProvider(provider_script, authority.server("vendor.example")) as provider:

            async def proxy_script(peer: Peer) -> None:
                request = await peer.request()
                lines.append(request.line)
                assert request.headers["proxy-authorization"].startswith("Basic ")
                reader, writer = await asyncio.open_connection(LOOPBACK, provider.port)
                await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
                await asyncio.gather(pipe(peer.reader, writer), pipe(reader, peer.writer))

            async with ScriptedProvider(proxy_script) as proxy:
                proxies = {"https": f"http://me:secret@{LOOPBACK}:{proxy.port}"}
                async with Caller(proxies, ca_file=str(authority.file)) as caller:
                    assert await caller.read("https://vendor.example/v1", headers={"Authorization": "k"}) == b"ok"
                    assert await caller.read("https://vendor.example/v1") == b"ok"
        assert lines == ["CONNECT vendor.example:443 HTTP/1.1"], "the tunnel is reused"
        assert received[0].line == "POST /v1 HTTP/1.1"
        assert received[0].headers["authorization"] == "k"
        assert not any("proxy-authorization" in request.headers for request in received)

    run(loop, main)


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
    writer.close()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_proxy_that_refuses_is_an_error_without_its_password(loop: str) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 407 Denied\r\nContent-Length: 0\r\n\r\n")

        async with ScriptedProvider(script) as proxy:
            async with Caller({"https": f"http://me:secret@{LOOPBACK}:{proxy.port}"}) as caller:
                with pytest.raises(ConnectFailed, match="status 407") as refused:
                    await caller.read("https://vendor.example/v1")
            url = f"http://me:secret@{LOOPBACK}:{proxy.port}"
        async with Caller({"https": url}) as caller:
            with pytest.raises(ConnectFailed, match=r"the proxy .* unreachable: connection refused") as unreachable:
                await caller.read("https://vendor.example/v1")
        async with Caller({"https": "socks5://me:secret@localhost:1"}) as caller:
            with pytest.raises(ConnectFailed, match="HTTPS_PROXY must be the URL of an HTTP proxy") as wrong:
                await caller.read("https://vendor.example/v1")
        assert not any("secret" in str(each.value) for each in (refused, unreachable, wrong))

    run(loop, main)


def test_a_metadata_address_is_not_requested_through_a_proxy() -> None:
    async def main() -> None:
        async with ScriptedProvider(one_ok) as proxy:
            async with Caller({"http": f"{LOOPBACK}:{proxy.port}"}, hosts="0.0.0.0/0") as caller:
                for host in ("169.254.169.254", "metadata.google.internal"):
                    with pytest.raises(EgressForbidden):
                        await caller.read(f"http://{host}/latest")
            assert not proxy.peers

    run("asyncio", main)


def test_proxies_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "internal.example")
    proxies = EnvironmentProxies()
    assert proxies.find(parse_url("https://vendor.example/v1")) == "http://proxy.example:3128"
    assert proxies.find(parse_url("https://a.internal.example/v1")) is None
    assert proxies.find(parse_url("http://vendor.example/v1")) is None


@pytest.mark.parametrize("loop", LOOPS)
def test_a_file_of_certificates_replaces_those_of_the_system(loop: str, folder: Path) -> None:
    authority, other = Authority(folder), Authority(folder, "other")

    async def main() -> None:
        received: list[Received] = []

        async def script(peer: Peer) -> None:
            received.append(await peer.request())
            await peer.ok()

        async with ScriptedProvider(script, authority.server(LOOPBACK)) as provider:
            async with Caller(ca_file=str(authority.file)) as caller:
                assert await caller.read(provider.url) == b"ok"
            for ca_file in (str(other.file), None):
                async with Caller(ca_file=ca_file) as caller:
                    with pytest.raises(ConnectFailed, match="was rejected: unable to get local issuer"):
                        await caller.read(provider.url)
        elsewhere = ScriptedProvider(script, authority.server("other.example"))
        async with elsewhere as provider, Caller(ca_file=str(authority.file)) as caller:
            with pytest.raises(ConnectFailed, match=r"certificate is not valid for '127\.0\.0\.1'"):
                await caller.read(provider.url)
        assert len(received) == 1

    run(loop, main)


#: SSL_CERT_FILE is read when the process starts, so this is a program.
_WITH_CERTIFICATES = """
import ssl, sys
from tests.support.scripted_provider import Caller, Peer, ScriptedProvider, run

async def script(peer: Peer) -> None:
    await peer.request()
    await peer.ok()

async def main() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    async with ScriptedProvider(script, context) as provider, Caller() as caller:
        assert await caller.read(provider.url) == b"ok"

run("uvloop", main)
"""


def test_the_certificates_of_ssl_cert_file_apply(folder: Path) -> None:
    authority = Authority(folder)
    authority.server(LOOPBACK)
    program = [sys.executable, "-c", _WITH_CERTIFICATES, str(folder / f"server-{LOOPBACK}.pem")]

    def result(file: Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "SSL_CERT_FILE": str(file), "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)

    assert result(authority.file).returncode == 0
    assert "was rejected: unable to get local issuer" in result(Authority(folder, "other").file).stderr


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_without_tls_and_one_that_breaks_the_handshake_are_errors(loop: str) -> None:
    async def main() -> None:
        async def plain(peer: Peer) -> None:
            await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        async def closing(peer: Peer) -> None:
            await peer.reader.read(10)

        for script in (plain, closing):
            async with ScriptedProvider(script) as provider, Caller() as caller:
                with pytest.raises(ConnectFailed, match=f"{LOOPBACK}:{provider.port}"):
                    await caller.read(provider.url.replace("http:", "https:"))

    run(loop, main)


def test_a_file_of_certificates_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "empty.pem").write_bytes(b"")
    (folder / "text.pem").write_text("no certificate")

    async def main() -> None:
        for name in ("empty.pem", "text.pem", "missing.pem", ".", "/dev/zero", "/dev/null"):
            async with Caller(ca_file=str(folder / name)) as caller:
                with pytest.raises(ConnectFailed, match="ca_file"):
                    await caller.read(f"https://{LOOPBACK}:1/v1")

    run("asyncio", main)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("moment", ["before the head", "within the body"])
def test_a_cancelled_call_closes_a_connection_with_tls(loop: str, moment: str, folder: Path) -> None:
    authority = Authority(folder)

    async def main() -> None:
        arrived = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            if moment == "within the body":
                await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
            arrived.set()
            await peer.until_closed()

        context = authority.server(LOOPBACK)
        async with ScriptedProvider(script, context) as provider, Caller(ca_file=str(authority.file)) as caller:
            call = asyncio.create_task(caller.read(provider.url))
            await arrived.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await provider.peers[0].closed.wait()

    run(loop, main)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_large_body_arrives_through_tls(loop: str, folder: Path) -> None:
    authority = Authority(folder)

    async def main() -> None:
        received: list[Received] = []

        async def script(peer: Peer) -> None:
            received.append(await peer.request())
            await peer.ok()

        body = bytes(range(256)) * 20_000
        context = authority.server(LOOPBACK)
        async with ScriptedProvider(script, context) as provider, Caller(ca_file=str(authority.file)) as caller:
            assert await caller.read(provider.url, body) == b"ok"
        assert received[0].body == body

    run(loop, main)
