"""The change feed of a project as server-sent events.

A stream stores only its position. It looks up the next events in the catalog after the client has received the
previous ones. So a slow client costs no memory, and gets only the newest state of each deployment.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from moorage import clock
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.catalog.notifier import ChangeNotifier
from moorage.catalog.view import Change
from moorage.core.access import ApiKey
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.environments import PRODUCTION, Environment
from moorage.core.errors.storage import TooStale
from moorage.core.position import Position
from moorage.core.resolution.snapshot import GoneDeployment, encode_live

#: The longest time without an event or a comment (seconds).
HEARTBEAT_SECONDS: Final = 15.0

#: The stream of a client that receives nothing for so long ends; the client can reconnect and resume (seconds).
SEND_TIMEOUT_SECONDS: Final = 20.0

#: The approximate size of a chunk (bytes).
MAX_CHUNK: Final = 65_536


class Streams:
    """All open streams of this process, at most `maximum`."""

    def __init__(self, catalog: Catalog, follower: Follower, notifier: ChangeNotifier, maximum: int) -> None:
        self.catalog = catalog
        self.follower = follower
        self.notifier = notifier
        self.open = 0
        self.closed = False
        self._maximum = maximum

    def close_all(self) -> None:
        """End all streams, so that the server can stop."""
        if not self.closed:
            self.closed = True
            self.notifier.notify(None)

    def at_capacity(self) -> bool:
        """Return whether no other stream may be opened."""
        return self.open >= self._maximum


class ChangeStream(Response):
    """The stream of one client about one environment.

    It ends when the client disconnects, its API key becomes invalid, the environment is deleted, or the server stops.
    """

    def __init__(
        self,
        streams: Streams,
        key: ApiKey,
        position: Position | None,
        headers: Mapping[str, str],
        environment: Environment | None = None,
    ) -> None:
        """Start after `position`, or at the current revision if it is None; `environment` is production if None."""
        super().__init__(headers=dict(headers))
        del self.headers["content-length"]
        self._streams, self._catalog = streams, streams.catalog
        self._key_id, self._token_sha256, self._project_id = key.id, key.token_sha256, key.project_id
        self._environment = None if environment is None or environment.is_production else environment
        self._state = self._catalog.state
        self._names = [PRODUCTION]
        current = self._state.position
        self._rev = current.rev if position is None else position.rev
        is_other_epoch = position is not None and position.epoch not in {None, current.epoch}
        # The client may know an environment with the same name that was deleted since.
        is_other_environment = environment is not None and self._rev < self._catalog.replaced_at(environment)
        self._must_reset = self._rev > current.rev or is_other_epoch or is_other_environment

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events as they occur, until the stream ends."""
        disconnect = asyncio.ensure_future(_wait_for_disconnect(receive))
        self._streams.open += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            chunk = b"retry: 1000\n" + self._new_names() + self._heartbeat()
            while chunk and not disconnect.done():
                async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await asyncio.sleep(0)  # lets other requests run: sending does not wait while the network accepts data
                chunk = await self._next(disconnect)
        except TimeoutError:
            return  # the connection ends here
        finally:
            disconnect.cancel()
            self._streams.open -= 1
        await send({"type": "http.response.body", "body": b""})

    async def _next(self, disconnect: asyncio.Future[None]) -> bytes:
        """Return the next events or heartbeat as soon as one is due; nothing if the stream must end."""
        heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS
        while not (disconnect.done() or self._streams.closed) and (valid := self._seconds_left()) > 0:
            if events := self._events():
                return events
            remaining = heartbeat_at - time.monotonic()
            if remaining <= 0:
                return self._heartbeat()
            await self._sleep(disconnect, min(remaining, valid))
        return b""

    async def _sleep(self, disconnect: asyncio.Future[None], seconds: float) -> None:
        """Sleep until the project changes, the client disconnects, or the time is over."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        wake = partial(_wake, woken)
        timer = loop.call_later(seconds, wake)
        disconnect.add_done_callback(wake)
        self._streams.notifier.subscribe(self._project_id, woken)
        try:
            await woken
        finally:
            timer.cancel()
            disconnect.remove_done_callback(wake)
            self._streams.notifier.unsubscribe(self._project_id, woken)

    def _seconds_left(self) -> float:
        """Return for how long the key and the environment are known to be valid; 0 or less if they are not."""
        if self._environment is not None:
            environment = self._catalog.find_environment(self._environment.id)
            if environment is None or environment.deleted_us is not None:
                return 0
        key = self._catalog.find_api_key(self._key_id)
        if key is None or key.revoked_us is not None or key.token_sha256 != self._token_sha256:
            return 0
        try:
            self._streams.follower.check_age()
        except TooStale:
            return 0
        return HEARTBEAT_SECONDS if key.expires_us is None else key.expires_us / 1e6 - clock.now_seconds()

    def _heartbeat(self) -> bytes:
        return b": age %d\n\n" % self._streams.follower.age()

    def _events(self) -> bytes:
        """Return the events after the position of the stream, about `MAX_CHUNK` bytes at most."""
        if self._must_reset or self._state is not self._catalog.state:
            self._must_reset, self._state = False, self._catalog.state
            self._rev = self._state.position.rev
            return self._event("reset", b"{}", is_last=True)
        return self._new_names() + b"".join(self._changes())

    def _new_names(self) -> bytes:
        """Return an event if the project has other environments than the client knows: they change without a revision.

        The first one is sent before the first heartbeat. Without it, production is the only environment.
        """
        names = [*self._catalog.environments(self._project_id)]
        if names == self._names:
            return b""
        self._names = names
        return b"event: environments\ndata: %b\n\n" % msgspec.json.encode(names)

    def _changes(self) -> Iterator[bytes]:
        changes = self._catalog.view(self._project_id, self._environment).changes(self._rev)
        size, current = 0, next(changes, None)
        while current is not None:
            (rev, change), following = current, next(changes, None)
            # A revision can change several deployments. Only its last event has an id, so that a client that is
            # disconnected before it resumes with all of them.
            is_last = following is None or following[0] > rev
            if is_last:
                self._rev = rev
            event = self._encode_change(change, is_last=is_last)
            size += len(event)
            yield event
            if is_last and size >= MAX_CHUNK:
                return
            current = following

    def _encode_change(self, change: Change, *, is_last: bool) -> bytes:
        if isinstance(change, LiveVersion):
            return self._event("deployment", encode_live(change), is_last=is_last)
        return self._event("deleted", msgspec.json.encode(GoneDeployment(change.id, change.key)), is_last=is_last)

    def _event(self, name: str, data: bytes, *, is_last: bool) -> bytes:
        event_id = f"id: {Position(self._rev, self._state.position.epoch)}\n" if is_last else ""
        return f"{event_id}event: {name}\ndata: ".encode() + data + b"\n\n"


async def _wait_for_disconnect(receive: Receive) -> None:
    """Return when the client disconnects, or the server stops."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _wake(woken: asyncio.Future[None], _: object = None) -> None:
    if not woken.done():
        woken.set_result(None)
