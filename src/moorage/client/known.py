"""Known: the deployments that a client answers from. Any thread reads it while one takes over changes."""

import time

from moorage.client.config import Source
from moorage.client.errors import BrokenDeployment, UnknownDeployment
from moorage.core.bundle import Bundle, GoneDeployment, digest_of, encode_bundle, etag_of_digest
from moorage.core.conform import nearest
from moorage.core.deployment import UNREADABLE, Live
from moorage.core.plan import Plan


class Known:
    """What a bundle says, and what changed since. `current_at` is when it was last known to be all there is
    (`time.monotonic`)."""

    def __init__(self, bundle: Bundle, source: Source, current_at: float) -> None:
        self.source = source
        self.current_at = current_at
        self.epoch, self.revision = bundle.epoch, bundle.revision
        self._project = bundle.project
        self._by_id = {live.id: live for live in bundle.lives}
        self._by_key = {live.key: live for live in bundle.lives}
        self._plans: dict[str, Plan] = {}

    def plan(self, key_or_id: str) -> Plan:
        """The plan of a deployment's live version.

        Raises:
            UnknownDeployment
            BrokenDeployment: as a lockfile that was changed by hand may have it.
        """
        live = self._by_key.get(key_or_id) or self._by_id.get(key_or_id)
        if live is None:
            keys = [*self._by_key]
            raise UnknownDeployment(
                param="key", key=key_or_id[:200], source=self.source, age=int(self.age()), count=len(keys),
                hint=nearest(key_or_id, keys).rstrip("?"),
            )  # fmt: skip
        plan = self._plans.get(live.id)
        if plan is None or plan.live is not live:
            try:
                plan = self._plans[live.id] = Plan(live)
            except UNREADABLE as error:
                raise BrokenDeployment(param="key", key=live.key, source=self.source, reason=error) from error
        return plan

    def age(self) -> float:
        """Seconds since it was known to be all there is."""
        return time.monotonic() - self.current_at

    def put(self, live: Live) -> None:
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
        return encode_bundle(self._project, self.epoch, self.revision, self._by_id.values())
