"""ChangeStream: the changes of a project's deployments as server-sent events.

A stream keeps nothing but how far it is: what it sends next is looked up in the catalog when the client has taken what
was sent before. So one that reads slowly costs no memory, and gets only the newest of what changed meanwhile.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.catalog.notifier import ChangeNotifier
from moorage.core.access import ApiKey
from moorage.core.deployments.deployment import LiveVersion, Tombstone
from moorage.core.errors.storage import TooStale
from moorage.core.position import Position
from moorage.core.resolution.snapshot import GoneDeployment, encode_live

#: A comment is sent at least so often (seconds).
HEARTBEAT_SECONDS: Final = 15.0

#: A client that takes nothing for so long is left; it goes on from where it was when it comes back (seconds).
SLOW_SECONDS: Final = 20.0

#: About how much is sent at once (bytes).
CHUNK: Final = 65_536


class Streams:
    """All streams of this process."""

    def __init__(self, catalog: Catalog, follower: Follower, notifier: ChangeNotifier, maximum: int) -> None:
        self.catalog = catalog
        self.follower = follower
        self.notifier = notifier
        self.open = 0
        self.closed = False
        self._maximum = maximum

    def close_all(self) -> None:
        """Have all of them end: the server stops, and would wait for them."""
        if not self.closed:
            self.closed = True
            self.notifier.notify(None)

    def at_capacity(self) -> bool:
        """Whether there is room for no more of them."""
        return self.open >= self._maximum


class ChangeStream(Response):
    """One client's stream; it ends when the client leaves, its API key is not valid any more, or the server stops."""

    def __init__(self, streams: Streams, key: ApiKey, position: Position | None, headers: Mapping[str, str]) -> None:
        """Go on from `position`, or from now if it is None."""
        super().__init__(headers=dict(headers))
        del self.headers["content-length"]
        self._streams, self._catalog = streams, streams.catalog
        self._key_id, self._project_id = key.id, key.project_id
        self._contents = self._catalog.contents
        state = self._contents.state
        self._rev = state.rev if position is None else position.rev
        self._is_lost = self._rev > state.rev or (position is not None and position.epoch not in {None, state.epoch})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what there is, wait for news, and so on."""
        leaving = asyncio.ensure_future(_leave(receive))
        self._streams.open += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            pieces = b"retry: 1000\n" + self._heartbeat()
            while pieces and not leaving.done():
                async with asyncio.timeout(SLOW_SECONDS):
                    await send({"type": "http.response.body", "body": pieces, "more_body": True})
                pieces = await self._next(leaving)
        except TimeoutError:
            return  # the connection ends here
        finally:
            leaving.cancel()
            self._streams.open -= 1
        await send({"type": "http.response.body", "body": b""})

    async def _next(self, leaving: asyncio.Future[None]) -> bytes:
        """What to send next, as soon as there is something; nothing if it is over."""
        beat_at = time.monotonic() + HEARTBEAT_SECONDS
        while not (leaving.done() or self._streams.closed) and (valid := self._seconds_left()) > 0:
            if events := self._events():
                return events
            quiet = beat_at - time.monotonic()
            if quiet <= 0:
                return self._heartbeat()
            await self._sleep(leaving, min(quiet, valid))
        return b""

    async def _sleep(self, leaving: asyncio.Future[None], seconds: float) -> None:
        """Until there is news, the client leaves, or the time is over."""
        loop = asyncio.get_running_loop()
        awakened: asyncio.Future[None] = loop.create_future()
        wake = partial(_awaken, awakened)
        timer = loop.call_later(seconds, wake)
        leaving.add_done_callback(wake)
        self._streams.notifier.subscribe(self._project_id, awakened)
        try:
            await awakened
        finally:
            timer.cancel()
            leaving.remove_done_callback(wake)
            self._streams.notifier.unsubscribe(self._project_id, awakened)

    def _seconds_left(self) -> float:
        """How long the key is valid as far as is known; at most 0 if it is not."""
        key = self._catalog.find_api_key(self._key_id)
        if key is None or key.revoked_us is not None:
            return 0
        try:
            self._streams.follower.check_age()
        except TooStale:
            return 0
        return HEARTBEAT_SECONDS if key.expires_us is None else key.expires_us / 1e6 - time.time()

    def _heartbeat(self) -> bytes:
        return b": age %d\n\n" % self._streams.follower.age()

    def _events(self) -> bytes:
        """What the client has not seen yet, as much as is sent at once."""
        if self._is_lost or self._contents is not self._catalog.contents:
            self._is_lost, self._contents = False, self._catalog.contents
            self._rev = self._contents.state.rev
            return self._event("reset", b"{}", is_last=True)
        return b"".join(self._newer())

    def _newer(self) -> Iterator[bytes]:
        changes = self._catalog.project(self._project_id).changes(self._rev)
        size = 0
        for place, (rev, what) in enumerate(changes, 1):
            # One revision can change several: only the last has the id, so that whoever is cut off before misses none.
            is_last = place == len(changes) or changes[place][0] > rev
            if is_last:
                self._rev = rev
            event = self._encode_change(what, is_last=is_last)
            size += len(event)
            yield event
            if is_last and size >= CHUNK:
                return

    def _encode_change(self, what: LiveVersion | Tombstone, *, is_last: bool) -> bytes:
        if isinstance(what, LiveVersion):
            return self._event("deployment", encode_live(what), is_last=is_last)
        return self._event("deleted", msgspec.json.encode(GoneDeployment(what.id, what.key)), is_last=is_last)

    def _event(self, name: str, data: bytes, *, is_last: bool) -> bytes:
        place = f"id: {Position(self._rev, self._contents.state.epoch)}\n" if is_last else ""
        return f"{place}event: {name}\ndata: ".encode() + data + b"\n\n"


async def _leave(receive: Receive) -> None:
    """Return when the client leaves, or the server stops."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _awaken(awakened: asyncio.Future[None], _: object = None) -> None:
    if not awakened.done():
        awakened.set_result(None)
