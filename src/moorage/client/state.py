"""Known: the deployments that a client answers from. Any thread reads it while one takes over changes."""

import time

from moorage.client.config import Source
from moorage.client.errors import DeploymentNotFound, DeploymentUnreadable
from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.resolution.compiled import CompiledDeployment
from moorage.core.resolution.snapshot import GoneDeployment, Snapshot, digest_of, encode_snapshot, etag_of_digest
from moorage.core.validation.validate import nearest

#: The sources of a configuration, as an error names them.
_SOURCES = {"server": "server's snapshot", "disk": "disk cache", "lockfile": "lockfile"}


class ClientState:
    """The content of a snapshot with the changes since. `current_at` is when it was last known to be all there is
    (`time.monotonic`)."""

    def __init__(self, snapshot: Snapshot, source: Source, current_at: float) -> None:
        self.source = source
        self.current_at = current_at
        self.epoch, self.revision = snapshot.epoch, snapshot.revision
        self._project = snapshot.project
        self._by_id = {live.id: live for live in snapshot.lives}
        self._by_key = {live.key: live for live in snapshot.lives}
        self._plans: dict[str, CompiledDeployment] = {}

    def plan(self, key_or_id: str) -> CompiledDeployment:
        """The plan of a deployment's live version.

        Raises:
            UnknownDeployment
            BrokenDeployment: as a lockfile that was changed by hand may have it.
        """
        live = self._by_key.get(key_or_id) or self._by_id.get(key_or_id)
        if live is None:
            keys = [*self._by_key]
            count = f"{len(keys)} deployment" if len(keys) == 1 else f"{len(keys)} deployments"
            raise DeploymentNotFound(
                param="key", key=key_or_id[:200], source=_SOURCES[self.source], age=int(self.age()), count=count,
                suggestion=nearest(key_or_id, keys).removeprefix("."),
            )  # fmt: skip
        plan = self._plans.get(live.id)
        if plan is None or plan.live is not live:
            try:
                plan = self._plans[live.id] = CompiledDeployment(live)
            except DECODE_ERRORS as error:
                raise DeploymentUnreadable(
                    param="key", key=live.key, source=_SOURCES[self.source], reason=error
                ) from error
        return plan

    def age(self) -> float:
        """Seconds since it was known to be all there is."""
        return time.monotonic() - self.current_at

    def put(self, live: LiveVersion) -> None:
        """A deployment is like this now."""
        self._by_id[live.id] = self._by_key[live.key] = live

    def remove(self, gone: GoneDeployment) -> None:
        """A deployment was deleted; another may have its key by now."""
        self._plans.pop(gone.id, None)
        live = self._by_id.pop(gone.id, None)
        if live is not None and self._by_key.get(gone.key) is live:
            del self._by_key[gone.key]

    def etag(self) -> str:
        """The server's ETag of the bundle it is now."""
        return etag_of_digest(digest_of(self.encoded()))

    def encoded(self) -> bytes:
        """The bundle it is now, byte for byte as the server has it."""
        return encode_snapshot(self._project, self.epoch, self.revision, self._by_id.values())
