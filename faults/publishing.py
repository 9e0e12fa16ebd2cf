"""Publishing without a server in between: through the store, the registry, and the writer that commits together."""

import asyncio
import hashlib
import itertools
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
from bench.changes import publish
from bench.data import Named, rich
from bench.kept import Marked
from starlette.responses import Response

from moorage.api.idempotency import answer_once
from moorage.api.writer import Writer
from moorage.catalog.catalog import Catalog
from moorage.core.history import Actor
from moorage.registry.deployments import put_deployment
from moorage.registry.projects import DEFAULT_PROJECT, get_project
from moorage.registry.versions import save_version
from moorage.store.opening import open_store
from moorage.store.store import Store, Writable

#: The deployments that are published on, each by several at once.
KEYS = ("hot-0", "hot-1")
WRITERS = 6

_BODY = rich(0).body


class Listener(Protocol):
    """Who is told of what is sent and acknowledged. Called from two threads."""

    def note_sent(self, key: str, mark: str) -> None:
        """It is sent now."""
        ...

    def note_acknowledged(self, key: str, published: Marked) -> None:
        """It was acknowledged."""
        ...


class Publisher:
    """Publishes on the deployments of one database."""

    def __init__(self, store: Store) -> None:
        """Makes the project and the deployments where they are not there yet."""
        self.store = store
        self.project_id = get_project(store, DEFAULT_PROJECT).id
        with store.read() as reading:
            missing = [key for key in KEYS if reading.find_deployment(self.project_id, key) is None]
        for key in missing:
            put_deployment(store, self.project_id, key, msgspec.json.encode(_BODY), Actor())

    def publish(self, key: str, mark: str, place: Writable, idempotency_key: str = "") -> Marked:
        """Publish a version with a mark, as `POST …/versions` does with an `Idempotency-Key`; the mark, if no other."""
        body = publish(Named(key, _BODY), mark).body or b""

        def work(inner: Writable) -> Response:
            saved = save_version(inner, self.project_id, key, body, Actor())
            return Response(msgspec.json.encode({"version": str(saved.version.number)}), 201)

        digest = hashlib.sha256(body).hexdigest()
        answer = answer_once(place, self.project_id, idempotency_key or mark, digest, work)
        return Marked(msgspec.json.decode(answer.body)["version"], mark)


def publish_for_ever(database: Path, prefix: str, listener: Listener, *, is_hasty: bool = False) -> None:
    """Publish with several writers until somebody ends the process. The marks begin with `prefix`.

    A hasty writer says that it is done before the commit: what a check of lost writes must find.
    """
    asyncio.run(publish_some(database, prefix, listener, is_hasty=is_hasty))


async def publish_some(
    database: Path, prefix: str, listener: Listener, each: int | None = None, *, is_hasty: bool = False
) -> None:
    """Publish with several writers, so often each, or without end."""
    store = open_store(f"sqlite:///{database}")
    publisher = Publisher(store)
    writer = Writer(store, Catalog(store))

    def publish_hastily(key: str, mark: str, place: Writable) -> Marked:
        published = publisher.publish(key, mark, place)
        listener.note_acknowledged(key, published)
        return published

    async def run(number: int) -> None:
        key = KEYS[number % len(KEYS)]
        for count in itertools.count() if each is None else range(each):
            mark = f"{prefix}-{number}-{count}"
            listener.note_sent(key, mark)
            published = await writer.write(partial(publish_hastily if is_hasty else publisher.publish, key, mark))
            if not is_hasty:
                listener.note_acknowledged(key, published)

    await asyncio.gather(*map(run, range(WRITERS)))
    writer.close()
    store.close()
