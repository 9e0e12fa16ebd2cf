"""Requests to providers, over real sockets: what goes well, and every way in which a connection breaks."""

import asyncio
import gzip
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from moorage.gateway.egress import InvalidUrl
from moorage.gateway.http.errors import (
    BrokenAfterFirstByte,
    BrokenBeforeFirstByte,
    ConnectFailed,
    InvalidResponse,
    ResponseTooLarge,
    TransportError,
    UnsendableRequest,
)
from tests.support.scripted_provider import LOOPBACK, LOOPS, Caller, Peer, Received, ScriptedProvider, run

Run = Callable[[Callable[[], Awaitable[None]]], None]


@pytest.fixture(params=LOOPS)
def on_loop(request: pytest.FixtureRequest) -> Run:
    """Return a function that runs a test on an event loop."""
    return lambda main: run(request.param, main)


async def forever_ok(peer: Peer) -> None:
    while True:
        await peer.request()
        await peer.ok()


def test_a_server_starts_without_the_http_client() -> None:
    program = "import moorage.server.app, moorage.gateway.http.transport, sys; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_request_arrives_as_given_and_with_no_header_of_the_client(on_loop: Run) -> None:
    async def main() -> None:
        received: list[Received] = []

        async def script(peer: Peer) -> None:
            received.append(await peer.request())
            await peer.ok(b'{"id": 1}', "X-Request-Id: r1\r\nSet-Cookie: a=b\r\n")
            received.append(await peer.request())
            await peer.ok()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            url = f"{provider.url}?alt=sse"
            with await caller.send(url, b"body", {"Authorization": "Bearer k", "Host": "elsewhere"}) as response:
                assert (response.status, response.headers["x-request-id"]) == (200, "r1")
                assert await response.read(100) == b'{"id": 1}'
            assert await caller.read(url) == b"ok"
        assert received[0] == Received(
            "POST /v1/chat?alt=sse HTTP/1.1",
            {
                "host": f"{LOOPBACK}:{provider.port}",
                "accept-encoding": "identity",
                "content-length": "4",
                "authorization": "Bearer k",
            },
            b"body",
        )
        assert "cookie" not in received[1].headers
        assert len(provider.peers) == 1, "the connection is reused"

    on_loop(main)


def test_pieces_arrive_as_they_were_sent_and_not_later(on_loop: Run) -> None:
    async def main() -> None:
        seen = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in (b"one", b"two", b"three"):
                await peer.send(b"%x\r\n%s\r\n" % (len(piece), piece))
                await seen.wait()
                seen.clear()
            await peer.send(b"0\r\n\r\n")
            await peer.request()
            await peer.ok()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            pieces = []
            with await caller.send(provider.url) as response:
                async for piece in response.pieces():
                    pieces.append(piece)
                    seen.set()
            assert pieces == [b"one", b"two", b"three"]
            assert await caller.read(provider.url) == b"ok"
            assert len(provider.peers) == 1

    on_loop(main)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (b"", BrokenBeforeFirstByte),
        (b"HTTP/1.1 200 OK\r\nContent-", BrokenBeforeFirstByte),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly", BrokenAfterFirstByte),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", BrokenAfterFirstByte),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", BrokenAfterFirstByte),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", TransportError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", TransportError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello", TransportError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", InvalidResponse),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", InvalidResponse),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", InvalidResponse),
        (b"HTTP/1.1 99999 OK\r\n\r\n", InvalidResponse),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", InvalidResponse),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", InvalidResponse),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", InvalidResponse),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 100, InvalidResponse),
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000, InvalidResponse),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Many: a\r\n" * 1_000 + b"\r\n", InvalidResponse),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", TransportError),
    ],
)
def test_a_response_that_breaks_is_an_error_without_content(
    on_loop: Run, response: bytes, expected: type[Exception]
) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(response)

        async with ScriptedProvider(script) as provider, Caller() as caller:
            with pytest.raises(expected) as error:
                await caller.read(provider.url)
            assert "hel" not in str(error.value)
            assert "nope" not in str(error.value)
            assert len(provider.peers) == 1, "a new connection that breaks is not tried again here"

    on_loop(main)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"])
def test_a_reset_is_an_error(on_loop: Run, head: bytes) -> None:
    async def main() -> None:
        seen = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(head)
            if head:
                await seen.wait()
            peer.reset()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            if not head:
                with pytest.raises(BrokenBeforeFirstByte):
                    await caller.send(provider.url)
                return
            with await caller.send(provider.url) as response:
                assert await anext(response.pieces()) == b"hello"
                seen.set()
                with pytest.raises(BrokenAfterFirstByte):
                    await anext(response)

    on_loop(main)


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;name=value\r\no\r\n1\r\nk\r\n0\r\nTrailer: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nConnection: close\r\n\r\nok",
    ],
)
def test_every_form_of_a_response_is_read(on_loop: Run, response: bytes) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(response)

        async with ScriptedProvider(script) as provider, Caller() as caller:
            assert await caller.read(provider.url) == b"ok"

    on_loop(main)


def test_a_redirect_is_not_followed(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 307 Elsewhere\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            with await caller.send(provider.url) as response:
                assert response.status == 307
                assert await response.read(10) == b""

    on_loop(main)


@pytest.mark.parametrize("headers", ["Content-Length: 104857600\r\n", "Transfer-Encoding: chunked\r\n", ""])
def test_a_body_over_the_maximum_ends_the_connection(on_loop: Run, headers: str) -> None:
    async def main() -> None:
        sent = 0

        async def script(peer: Peer) -> None:
            nonlocal sent
            await peer.request()
            await peer.send(f"HTTP/1.1 200 OK\r\n{headers}\r\n".encode())
            piece = b"x" * 65_536
            framed = b"10000\r\n" + piece + b"\r\n" if "chunked" in headers else piece
            while True:  # endless, until the client closes
                await peer.send(framed)
                sent += len(piece)

        async with ScriptedProvider(script) as provider, Caller() as caller:
            with pytest.raises(ResponseTooLarge, match="more than 1000000 bytes"):
                await caller.read(provider.url)
            assert sent < 50_000_000

    on_loop(main)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "rest"),
    [
        (CHUNKED, b"1\r\nx\r\n" * 10_000),
        (CHUNKED + b"1;", b"name" * 10_000),
        (CHUNKED, b"0" * 10_000),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X-A: b\r\n" * 10_000),
        (CHUNKED + b"1\r\nx\r\n0\r\nX-A: ", b"b" * 10_000),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 10_000),
        (b"HTTP/1.1 200 ", b"reason" * 10_000),
        (b"", b"\r\n" * 10_000),
        (b"", b"HTTP/1.1 103 Hints\r\n\r\n" * 10_000),
    ],
)
def test_a_response_without_an_end_ends(on_loop: Run, head: bytes, rest: bytes) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(head)
            while True:
                await peer.send(rest)

        async with ScriptedProvider(script) as provider, Caller(total=0.5) as caller:
            with pytest.raises(TransportError):
                await caller.read(provider.url)

    on_loop(main)


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP, identity"])
def test_a_compressed_response_is_not_decoded(on_loop: Run, encoding: str) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.ok(gzip.compress(bytes(1_000_000)), f"Content-Encoding: {encoding}\r\n")
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            with await caller.send(provider.url) as response:
                assert response.status == 200
                with pytest.raises(InvalidResponse, match="compressed"):
                    await anext(response.pieces())
            await provider.peers[0].closed.wait()

    on_loop(main)


def test_a_body_that_is_not_read_to_its_end_closes_the_connection(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            with await caller.send(provider.url) as response:
                async for _ in response.pieces():
                    break
            await provider.peers[0].closed.wait()

    on_loop(main)


@pytest.mark.parametrize("moment", ["before the head", "within the body"])
def test_a_cancelled_call_closes_the_connection(on_loop: Run, moment: str) -> None:
    async def main() -> None:
        arrived = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            if peer.number:
                await peer.ok()
                return
            if moment == "within the body":
                await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
            arrived.set()
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            call = asyncio.create_task(caller.read(provider.url))
            await arrived.wait()
            await asyncio.sleep(0.05)  # the client is somewhere in its wait; either way the connection must end
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await provider.peers[0].closed.wait()
            assert await caller.read(provider.url) == b"ok", "a later call has a connection of its own"

    on_loop(main)


def test_an_idle_connection_that_the_provider_closes_costs_no_call(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.ok()
            if peer.number == 0:
                await peer.request()  # and closes without a response: the request was on its way
            else:
                await forever_ok(peer)

        async with ScriptedProvider(script) as provider, Caller() as caller:
            assert await caller.read(provider.url) == b"ok"
            assert await caller.read(provider.url) == b"ok"
            assert len(provider.peers) == 2

    on_loop(main)


def test_a_new_connection_that_breaks_is_not_tried_twice(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            if peer.number == 0:
                await peer.request()
                await peer.ok()
            await peer.request()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            await caller.read(provider.url)
            with pytest.raises(BrokenBeforeFirstByte):
                await caller.read(provider.url)
            assert len(provider.peers) == 2

    on_loop(main)


def test_a_response_that_nobody_requested_is_not_the_response_of_the_next_call(on_loop: Run) -> None:
    async def main() -> None:
        sent = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.ok(f"{peer.number}".encode())
            if peer.number == 0:
                await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
                sent.set()
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            assert await caller.read(provider.url) == b"0"
            await sent.wait()
            await asyncio.sleep(0.05)
            assert await caller.read(provider.url) in (b"1",)

    on_loop(main)


def test_a_large_body_arrives_while_other_calls_go_on(on_loop: Run) -> None:
    async def main() -> None:
        body = bytes(range(256)) * 80_000  # 20 MB
        may_read, received = asyncio.Event(), list[bytes]()

        async def script(peer: Peer) -> None:
            request = await peer.request(with_body=False)
            length = int(request.headers["content-length"])
            if length > 100:
                await may_read.wait()
            received.append(await peer.reader.readexactly(length))
            await peer.ok()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            large = asyncio.create_task(caller.read(provider.url, body))
            assert await caller.read(provider.url) == b"ok"
            assert not large.done()
            may_read.set()
            assert await large == b"ok"
        assert received[-1] == body

    on_loop(main)


@pytest.mark.parametrize("then", ["reads no more", "reads the rest", "closes"])
def test_a_response_before_the_end_of_a_large_body_is_returned(on_loop: Run, then: str) -> None:
    async def main() -> None:
        read = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request(with_body=False)
            await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
            if then == "reads the rest":
                await peer.until_closed()
            elif then == "reads no more":
                await read.wait()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            with await caller.send(provider.url, b"x" * 20_000_000) as response:
                assert (response.status, await response.read(100)) == (413, b"large")
            read.set()

    on_loop(main)


def test_a_host_that_does_not_listen_is_named(on_loop: Run) -> None:
    async def main() -> None:
        async with ScriptedProvider(forever_ok) as provider:
            url = provider.url
        async with Caller() as caller:
            with pytest.raises(ConnectFailed, match=r"cannot connect to 127\.0\.0\.1:\d+: connection refused"):
                await caller.read(url)

    on_loop(main)


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-A", "b\r\nX-Injected: c"), ("X-A", "b\nc"), ("X A", "b"), ("X-A", "é中"), ("", "b"), ("X-A", "\0")],
)
def test_a_header_cannot_add_others(on_loop: Run, name: str, value: str) -> None:
    async def main() -> None:
        async with ScriptedProvider(forever_ok) as provider, Caller() as caller:
            with pytest.raises(UnsendableRequest) as error:
                await caller.read(provider.url, headers={name: value})
            assert value.strip() not in str(error.value).replace(repr(name), "")
            assert await caller.read(provider.url) == b"ok"

    on_loop(main)


def test_a_path_cannot_add_a_header(on_loop: Run) -> None:
    async def main() -> None:
        async with ScriptedProvider(forever_ok) as provider, Caller() as caller:
            with pytest.raises(InvalidUrl):
                await caller.read(f"{provider.url}/a HTTP/1.1\r\nX-Injected: b")

    on_loop(main)
