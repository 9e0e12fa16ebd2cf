"""Encoded snapshots of projects in their environments, made on request and cached until they change."""

import asyncio
import zlib
from collections.abc import Iterable

import msgspec

from moorage.catalog.catalog import Catalog
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.environments import PRODUCTION, Environment
from moorage.core.resolution.snapshot import digest_of, encode_snapshot, etag_of_digest

#: The size of the cache. The least recently used snapshot is evicted first.
MAX_BYTES = 256 * 1024 * 1024

#: Measured on 10,000 deployments: levels 2 to 6 take 1.3 to 3.5 times as long for 3 to 18 percent less.
LEVEL = 1

_GZIP = 31


class EncodedSnapshot(msgspec.Struct, frozen=True):
    """A snapshot as it is sent, plain and compressed, and its digest."""

    epoch: str
    revision: int
    environments: tuple[str, ...]
    body: bytes
    gzipped: bytes
    digest: bytes

    @property
    def etag(self) -> str:
        """The ETag, derived from the content."""
        return etag_of_digest(self.digest)

    @property
    def state(self) -> tuple[str, int, tuple[str, ...]]:
        """The epoch, the revision and the names of all environments, on which the content depends."""
        return self.epoch, self.revision, self.environments


#: A project and the id of an environment in pointers.
_Name = tuple[str, str | None]


class _Source(msgspec.Struct, frozen=True):
    """The content of a snapshot that is not encoded yet."""

    project_id: str
    environment: str
    state: tuple[str, int, tuple[str, ...]]
    live_versions: Iterable[LiveVersion]

    def encoded(self) -> EncodedSnapshot:
        """Encode the snapshot."""
        epoch, revision, environments = self.state
        body = encode_snapshot(self.project_id, epoch, revision, self.live_versions, self.environment, environments)
        gzipped = zlib.compress(body, LEVEL, _GZIP)
        return EncodedSnapshot(epoch, revision, environments, body, gzipped, digest_of(body))


class SnapshotCache:
    """The snapshot cache of a process, used only on its event loop."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._cached: dict[_Name, EncodedSnapshot] = {}
        self._tasks: dict[_Name, asyncio.Task[None]] = {}

    async def get(self, project_id: str, environment: Environment | None = None) -> EncodedSnapshot:
        """Return the snapshot of a project in an environment at the current revision of the catalog."""
        name = (project_id, None if environment is None else environment.pointer_id)
        while True:
            view = self._catalog.view(project_id, environment)
            state = self._catalog.state.position.epoch, view.revision, (*self._catalog.environments(project_id),)
            snapshot = self._cached.pop(name, None)
            if snapshot is not None:
                self._cached[name] = snapshot
                if snapshot.state == state:
                    return snapshot
            task = self._tasks.get(name)
            if task is None:
                shown_in = PRODUCTION if environment is None else environment.name
                source = _Source(project_id, shown_in, state, view.live_versions())
                task = self._tasks[name] = asyncio.create_task(self._encode(name, source))
                # It started now, so it has the current revision, whatever is written concurrently.
                await asyncio.shield(task)
                return self._cached[name]
            await asyncio.shield(task)

    async def _encode(self, name: _Name, source: _Source) -> None:
        try:
            snapshot = await asyncio.to_thread(source.encoded)
            self._cached.pop(name, None)
            size = sum(map(_size, self._cached.values()))
            for other in [*self._cached]:
                if size + _size(snapshot) <= MAX_BYTES:
                    break
                size -= _size(self._cached.pop(other))
            self._cached[name] = snapshot
        finally:
            del self._tasks[name]


def _size(snapshot: EncodedSnapshot) -> int:
    return len(snapshot.body) + len(snapshot.gzipped)
