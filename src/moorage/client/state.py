"""The deployments of a client in memory. One thread applies changes, and any thread can read."""

import time

from moorage.client.config import Source
from moorage.client.errors import DeploymentNotFound, DeploymentUnreadable
from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.resolution.compiled import CompiledDeployment
from moorage.core.resolution.snapshot import GoneDeployment, Snapshot, digest_of, encode_snapshot, etag_of_digest
from moorage.core.validation.messages import nearest

#: The sources of a configuration, as an error names them.
_SOURCES = {"server": "server's snapshot", "disk": "disk cache", "lockfile": "lockfile"}


class ClientState:
    """The content of a snapshot with later changes; it was current at `current_at` (`time.monotonic`)."""

    def __init__(self, snapshot: Snapshot, source: Source, current_at: float) -> None:
        self.source = source
        self.current_at = current_at
        self.epoch, self.revision = snapshot.epoch, snapshot.revision
        self._project = snapshot.project
        self._by_id = {live.id: live for live in snapshot.lives}
        self._by_key = {live.key: live for live in snapshot.lives}
        self._compiled: dict[str, CompiledDeployment] = {}

    def compiled(self, key_or_id: str) -> CompiledDeployment:
        """Return the compiled live version of a deployment.

        Raises:
            DeploymentNotFound
            DeploymentUnreadable: for example, in a lockfile that was edited.
        """
        live = self._by_key.get(key_or_id) or self._by_id.get(key_or_id)
        if live is None:
            keys = [*self._by_key]
            count = f"{len(keys)} deployment" if len(keys) == 1 else f"{len(keys)} deployments"
            raise DeploymentNotFound(
                param="key", key=key_or_id[:200], source=_SOURCES[self.source], age=int(self.age()), count=count,
                suggestion=nearest(key_or_id, keys).removeprefix("."),
            )  # fmt: skip
        compiled = self._compiled.get(live.id)
        if compiled is None or compiled.live is not live:
            try:
                compiled = self._compiled[live.id] = CompiledDeployment(live)
            except DECODE_ERRORS as error:
                raise DeploymentUnreadable(
                    param="key", key=live.key, source=_SOURCES[self.source], reason=error
                ) from error
        return compiled

    def age(self) -> float:
        """Return the seconds since the deployments were current."""
        return time.monotonic() - self.current_at

    def put(self, live: LiveVersion) -> None:
        """Add or replace a deployment."""
        self._by_id[live.id] = self._by_key[live.key] = live

    def remove(self, gone: GoneDeployment) -> None:
        """Remove a deployment, but not a newer one with the same key."""
        self._compiled.pop(gone.id, None)
        live = self._by_id.pop(gone.id, None)
        if live is not None and self._by_key.get(gone.key) is live:
            del self._by_key[gone.key]

    def etag(self) -> str:
        """Return the server's ETag of the current snapshot."""
        return etag_of_digest(digest_of(self.encoded()))

    def encoded(self) -> bytes:
        """Return the current snapshot, with the same bytes as on the server."""
        return encode_snapshot(self._project, self.epoch, self.revision, self._by_id.values())
