"""Publishes without a server: through the write queue, the registry and the store."""

import asyncio
import hashlib
import itertools
import multiprocessing
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from moorage.api.idempotency import run_idempotent
from moorage.catalog.catalog import Catalog
from moorage.core.deployments.deployment import PutDeployment
from moorage.core.deployments.version import PostVersion
from moorage.registry.deployments import put_deployment
from moorage.registry.projects import DEFAULT_PROJECT, get_project
from moorage.registry.versions import save_version
from moorage.registry.write_context import WriteContext
from moorage.registry.write_queue import WriteQueue
from moorage.store.opening import open_store
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from tools.common.data import NewDeployment, deployment
from tools.common.stored import MarkedVersion

KEYS = ("hot-0", "hot-1")
WRITERS = 6

#: Starts processes quickly, from a process that has imported this module and does nothing else.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tools.faults.kill_sqlite", "tools.faults.power_cut"])

_BODY = deployment(0).body


class Listener(Protocol):
    """Receiver of sent and acknowledged publishes, called from two threads."""

    def add_sent(self, key: str, marker: str) -> None:
        """See `Acknowledged`."""
        ...

    def add_acknowledged(self, key: str, version: MarkedVersion) -> None:
        """See `Acknowledged`."""
        ...


class Publisher:
    """Publishes on the deployments of one database."""

    def __init__(self, store: Store) -> None:
        """Creates project and deployments if they do not exist."""
        self.store = store
        self._context = WriteContext(get_project(store, DEFAULT_PROJECT).id)
        self.project_id = self._context.project_id
        with store.read() as reader:
            missing = [key for key in KEYS if reader.find_deployment(self.project_id, key) is None]
        for key in missing:
            store.run(put_deployment, self._context, key, msgspec.convert(_BODY, PutDeployment))

    def publish(self, tx: Transaction, key: str, marker: str, idempotency_key: str = "") -> MarkedVersion:
        """Publish a version as `POST …/versions` does with an `Idempotency-Key`, which is the marker by default."""
        body = NewDeployment(key, _BODY).publish(marker).body or b""
        parsed = msgspec.json.decode(body, type=PostVersion)
        result, _ = run_idempotent(
            tx, self._context, idempotency_key or marker, hashlib.sha256(body).hexdigest(),
            lambda tx: save_version(tx, self._context, key, parsed),
        )  # fmt: skip
        return MarkedVersion(str(result.version.number), marker)


async def publish(
    database: Path, prefix: str, listener: Listener, count: int | None = None, *, is_early: bool = False
) -> None:
    """Publish with several writers, `count` times each or without end; markers begin with `prefix`.

    An early writer acknowledges before the commit: the positive control of a check for lost writes.
    """
    store = open_store(f"sqlite:///{database}")
    publisher = Publisher(store)
    queue = WriteQueue(store, Catalog(store))

    def publish_early(tx: Transaction, key: str, marker: str) -> MarkedVersion:
        version = publisher.publish(tx, key, marker)
        listener.add_acknowledged(key, version)
        return version

    async def write(number: int) -> None:
        key = KEYS[number % len(KEYS)]
        operation = publish_early if is_early else publisher.publish
        for place in itertools.count() if count is None else range(count):
            marker = f"{prefix}-{number}-{place}"
            listener.add_sent(key, marker)
            version = await queue.write(partial(operation, key=key, marker=marker))
            if not is_early:
                listener.add_acknowledged(key, version)

    await asyncio.gather(*map(write, range(WRITERS)))
    queue.close()
    store.close()
