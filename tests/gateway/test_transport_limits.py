"""Limits of requests to providers: times, and the connections of an integration."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from moorage.gateway.http.errors import TimedOut
from moorage.gateway.http.slots import Slots
from tests.support.certificates import Authority
from tests.support.scripted_provider import LOOPBACK, LOOPS, Caller, Peer, ScriptedProvider, run

Run = Callable[[Callable[[], Awaitable[None]]], None]

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

#: Seconds of a limit that has to apply. What must not time out has a limit that no machine exceeds.
SHORT = 0.1


@pytest.fixture(params=LOOPS)
def on_loop(request: pytest.FixtureRequest) -> Run:
    """Return a function that runs a test on an event loop."""
    return lambda main: run(request.param, main)


def expire(caller: Caller) -> int:
    """Let all limits of time pass that apply now; return the number of requests that have some."""
    sender = caller.transport._sender
    assert sender is not None
    watches = list(sender._sweep._watches)
    for watch in watches:
        watch.fire(float("inf"))
    return len(watches)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nX-A", b"HTTP/1.1 103 Hints\r\n\r\n", HEAD])
def test_the_first_byte_of_the_body_has_a_limit(on_loop: Run, sent: bytes) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(sent)
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller(first_byte=SHORT) as caller:
            with pytest.raises(TimedOut, match=r"within 0\.1 seconds") as error:
                await caller.read(provider.url)
            assert (error.value.limit, error.value.seconds) == ("first_byte", SHORT)
            await provider.peers[0].closed.wait()

    on_loop(main)


def test_a_response_that_stops_has_a_limit_between_its_bytes(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(HEAD + b"5\r\nhello\r\n")
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller(between_bytes=SHORT) as caller:
            with await caller.send(provider.url) as response:
                assert await anext(response.pieces()) == b"hello"
                with pytest.raises(TimedOut) as error:
                    await anext(response)
            assert error.value.limit == "between_bytes"
            await provider.peers[0].closed.wait()

    on_loop(main)


def test_a_response_that_trickles_forever_has_a_limit_in_all(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(HEAD)
            while True:
                await peer.send(b"1\r\nx\r\n")
                await asyncio.sleep(0.01)

        async with ScriptedProvider(script) as provider, Caller(total=0.3) as caller:
            with pytest.raises(TimedOut) as error:
                await caller.read(provider.url)
            assert (error.value.limit, error.value.seconds) == ("total", 0.3)

    on_loop(main)


def test_a_response_that_always_has_more_bytes_has_a_limit_in_all(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(HEAD)
            while True:
                await peer.send(b"1\r\nx\r\n" * 1_000)

        async with ScriptedProvider(script) as provider, Caller(total=900) as caller:
            with await caller.send(provider.url) as response:
                assert await anext(response)
                for _ in range(1_000):
                    await asyncio.sleep(0)
                assert response._content._size  # the next read does not wait
                response._watch._deadline = 0
                with pytest.raises(TimedOut) as error:
                    await anext(response)
            assert error.value.limit == "total"

    on_loop(main)


def test_the_head_can_trickle_only_until_its_limit(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(b"HTTP/1.1 200 OK\r\n")
            while True:
                await peer.send(b"X")
                await asyncio.sleep(0.01)

        async with ScriptedProvider(script) as provider, Caller(first_byte=SHORT) as caller:
            with pytest.raises(TimedOut) as error:
                await caller.read(provider.url)
            assert error.value.limit == "first_byte"

    on_loop(main)


def test_the_deadline_of_the_caller_holds_before_the_limits_of_the_integration(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            with pytest.raises(TimedOut) as error:
                await caller.send(provider.url, seconds=SHORT)
            assert error.value.limit == "total"
            assert 0 < error.value.seconds < SHORT + 0.001  # a float of the clock
            with pytest.raises(TimedOut) as error:
                await caller.send(provider.url, seconds=-1)
            assert error.value.limit == "total"
            assert len(provider.peers) <= 1, "after the deadline, nothing is sent"

    on_loop(main)


def test_a_handshake_that_never_ends_has_the_limit_of_connecting(on_loop: Run) -> None:
    async def main() -> None:
        async with ScriptedProvider(Peer.until_closed) as provider, Caller(connect=SHORT) as caller:
            with pytest.raises(TimedOut) as error:
                await caller.read(f"https://{LOOPBACK}:{provider.port}/v1")
            assert (error.value.limit, error.value.seconds) == ("connect", SHORT)
            await provider.peers[0].closed.wait()

    on_loop(main)


@pytest.mark.parametrize("with_tls", [False, True])
def test_a_provider_that_reads_no_request_has_the_limit_of_the_first_byte(
    on_loop: Run, with_tls: bool, folder: Path
) -> None:
    authority = Authority(folder)

    async def main() -> None:
        stop = asyncio.Event()

        async def script(peer: Peer) -> None:
            await stop.wait()

        context = authority.server(LOOPBACK) if with_tls else None
        provider = ScriptedProvider(script, context)
        async with provider, Caller(first_byte=SHORT, ca_file=str(authority.file) if with_tls else None) as caller:
            with pytest.raises(TimedOut) as error:
                await caller.read(provider.url, b"x" * 20_000_000)
            assert error.value.limit == "first_byte"
            # With its unsent data, the connection would stay until the provider reads.
            while connections_to(provider.port):  # noqa: ASYNC110 -- the kernel has no event for it
                await asyncio.sleep(0.01)
            stop.set()

    on_loop(main)


def connections_to(port: int) -> int:
    """Return the number of open connections to a port: established, and with a descriptor."""
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" and row[9] != "0" for row in rows)


def test_a_slow_reader_is_not_a_slow_provider(on_loop: Run) -> None:
    async def main() -> None:
        all_sent = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(HEAD + b"5\r\nhello\r\n")
            await peer.send(b"5\r\nworld\r\n0\r\n\r\n")
            all_sent.set()
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            with await caller.send(provider.url) as response:
                found = await anext(response.pieces())
                await all_sent.wait()
                expire(caller)  # while the reader does something else
                async for piece in response.pieces():
                    found += piece
            assert found == b"helloworld"

    on_loop(main)


def test_the_cancellation_of_the_caller_is_not_a_timeout(on_loop: Run) -> None:
    async def main() -> None:
        arrived = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            arrived.set()
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller(first_byte=SHORT) as caller:
            call = asyncio.create_task(caller.read(provider.url))
            await arrived.wait()
            expire(caller)
            call.cancel()  # in the same turn of the loop
            with pytest.raises(asyncio.CancelledError):
                await call
            assert call.cancelled()

    on_loop(main)


def test_a_timeout_of_the_caller_stays_one(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.until_closed()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(SHORT):
                    await caller.read(provider.url)
            await provider.peers[0].closed.wait()
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0

    on_loop(main)


def test_no_limit_remains_on_an_idle_connection(on_loop: Run) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            while True:
                await peer.request()
                await peer.ok()

        async with ScriptedProvider(script) as provider, Caller() as caller:
            for _ in range(3):
                assert await caller.read(provider.url) == b"ok"
                assert expire(caller) == 0
            assert len(provider.peers) == 1

    on_loop(main)


def test_150_slow_calls_start_at_once(on_loop: Run) -> None:
    async def main() -> None:
        all_arrived, count = asyncio.Event(), 0

        async def script(peer: Peer) -> None:
            nonlocal count
            await peer.request()
            count += 1
            if count == 150:
                all_arrived.set()
            await all_arrived.wait()  # no response before the last request
            await peer.ok()

        async with ScriptedProvider(script) as provider, Caller(max_connections=150) as caller:
            assert await asyncio.gather(*(caller.read(provider.url) for _ in range(150))) == [b"ok"] * 150

    on_loop(main)


def test_calls_over_the_limit_of_connections_wait_in_order_and_starve_no_other_integration(on_loop: Run) -> None:
    async def main() -> None:
        release, both_arrived, order = asyncio.Semaphore(0), asyncio.Event(), list[bytes]()

        async def script(peer: Peer) -> None:
            while True:
                request = await peer.request()
                order.append(request.body)
                if len(order) == 2:
                    both_arrived.set()
                if request.body != b"other":
                    await release.acquire()
                await peer.ok()

        async with ScriptedProvider(script) as provider, Caller(max_connections=2) as caller:
            first = [asyncio.create_task(caller.read(provider.url, b"%d" % number)) for number in range(2)]
            await both_arrived.wait()
            waiting = []
            for number in range(2, 6):
                waiting.append(asyncio.create_task(caller.read(provider.url, b"%d" % number)))
                await asyncio.sleep(0)
            waiting[1].cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting[1]
            caller.endpoint, one = type(caller.endpoint)(name="another"), caller.endpoint
            assert await caller.read(provider.url, b"other") == b"ok"
            caller.endpoint = one
            assert sorted(order) == [b"0", b"1", b"other"]
            with pytest.raises(TimedOut) as error:
                await caller.send(provider.url, seconds=SHORT)
            assert error.value.limit == "queue"
            assert 0 < error.value.seconds < SHORT + 0.001  # a float of the clock
            for _ in range(5):
                release.release()
            await asyncio.gather(*first, waiting[0], waiting[2], waiting[3])
            assert [body for body in order if body in (b"2", b"4", b"5")] == [b"2", b"4", b"5"]
            assert len(provider.peers) <= 3
            assert expire(caller) == 0
            assert caller.transport._sender is not None
            assert not caller.transport._sender._slots, "nothing remains of an integration without calls"

    on_loop(main)


def test_a_slot_that_is_given_to_a_cancelled_call_goes_to_the_next() -> None:
    async def main() -> None:
        slots = Slots()
        assert slots.take(1)
        first, second = (asyncio.create_task(slots.wait(1)) for _ in range(2))
        await asyncio.sleep(0)
        slots.release()  # the first call has the slot, and is cancelled before it runs
        first.cancel()
        await second
        assert first.cancelled()
        assert slots.used == 1
        slots.release()
        assert slots.is_idle

    run("asyncio", main)


def test_a_higher_limit_of_connections_applies_at_the_next_call() -> None:
    async def main() -> None:
        slots = Slots()
        assert slots.take(1)
        low = asyncio.create_task(slots.wait(1))
        await asyncio.sleep(0)
        high = asyncio.create_task(slots.wait(3))
        await asyncio.sleep(0)
        assert not low.done()
        slots.release()
        await low
        await high
        assert slots.used == 2

    run("asyncio", main)
