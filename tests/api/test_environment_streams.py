"""The change stream of an environment, without the routes: it sends what the environment shows."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from moorage.api.event_stream import ChangeStream, Streams
from moorage.catalog.catalog import Catalog
from moorage.catalog.follower import Follower
from moorage.catalog.notifier import ChangeNotifier
from moorage.core.environments import Environment
from moorage.core.position import Position
from tests.support.registry import create_api_key, create_project, put
from tests.support.server import a_body
from tests.support.staged_project import create_environment, delete_environment, put_in, unpublish_in
from tests.support.stores import a_store
from tests.support.threads import HANG_SECONDS

_EVENT = re.compile(r'event: (\w+)\ndata: (?:\{\}|\{"id":"[^"]+","key":"(\w+)")(?:[^\n]*"version":"([0-9.]+)")?')

Act = Callable[[], object]


class Shop:
    """A project with `staging` and one deployment in production, which differs in staging."""

    def __init__(self, folder: Path) -> None:
        self.store = a_store(folder)
        self.id = create_project(self.store, "shop").id
        self.key, _ = create_api_key(self.store, self.id, "client")
        self.staging = create_environment(self.store, self.id, "staging")
        put(self.store, self.id, "a", a_body(model="one"))
        put_in(self.store, self.staging, "a", a_body(model="two"))
        self.catalog = Catalog(self.store)
        self.catalog.catch_up()

    async def stream(
        self, environment: Environment | None, acts: list[Act], position: Position | None = None, events: int = 1_000
    ) -> tuple[list[tuple[str, ...]], bool]:
        """Return the events of a stream until there are so many, and whether the server ended it.

        Each act happens when the stream has sent everything before it.
        """
        notifier = ChangeNotifier()
        self.catalog.on_change = notifier.notify
        follower = Follower(self.store, self.catalog)
        follower.start()
        stream = ChangeStream(
            Streams(self.catalog, follower, notifier, 9), self.key, position, {}, environment=environment
        )
        sent, ended, remaining = bytearray(), asyncio.Event(), [*acts]

        async def send(message: dict[str, Any]) -> None:
            sent.extend(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                ended.set()
            if len(found()) >= events:
                done.set()
            if remaining and message.get("more_body"):
                remaining.pop(0)()
                self.catalog.catch_up()

        def found() -> list[tuple[str, ...]]:
            return [tuple(filter(None, groups)) for groups in _EVENT.findall(sent.decode())]

        done = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await done.wait()
            return {"type": "http.disconnect"}

        run: Awaitable[None] = stream({}, receive, send)  # type: ignore[arg-type]  # the types of ASGI are wider
        await asyncio.wait_for(run, HANG_SECONDS)
        follower.close()
        return found(), ended.is_set() and not done.is_set()


@pytest.fixture
def shop(folder: Path) -> Shop:
    return Shop(folder)


def test_a_stream_sends_the_changes_that_its_environment_shows(shop: Shop) -> None:
    acts: list[Act] = [
        lambda: [put(shop.store, shop.id, key, a_body(model="three")) for key in "ab"],
        lambda: put_in(shop.store, shop.staging, "c", a_body()),
        lambda: unpublish_in(shop.store, shop.staging, "c"),
        lambda: unpublish_in(shop.store, shop.staging, "a"),
    ]
    events, _ = asyncio.run(shop.stream(shop.staging, acts, events=4))
    assert events == [
        ("deployment", "b", "1.0"),
        ("deployment", "c", "1.0"),
        ("deleted", "c"),
        ("deployment", "a", "1.2"),
    ]


def test_the_stream_of_a_deleted_environment_ends(shop: Shop) -> None:
    events, is_ended = asyncio.run(shop.stream(shop.staging, [lambda: delete_environment(shop.store, shop.staging)]))
    assert (events, is_ended) == ([], True)


def test_a_client_of_a_deleted_environment_gets_a_reset_from_the_next_one_with_its_name(shop: Shop) -> None:
    position = Position(shop.catalog.revision, shop.catalog.state.position.epoch)
    assert asyncio.run(shop.stream(shop.staging, [lambda: put(shop.store, shop.id, "b", a_body())], position, 1))[
        0
    ] == [("deployment", "b", "1.0")]
    delete_environment(shop.store, shop.staging)
    again = create_environment(shop.store, shop.id, "staging")
    shop.catalog.catch_up()
    assert asyncio.run(shop.stream(again, [], position, 1))[0] == [("reset",)]
    now = Position(shop.catalog.revision, shop.catalog.state.position.epoch)
    acts: list[Act] = [lambda: put(shop.store, shop.id, "c", a_body())]
    assert asyncio.run(shop.stream(again, acts, now, 1))[0] == [("deployment", "c", "1.0")]
