"""The deployments of a client in memory. A change results in a new state, so any thread can read."""

import copy
import logging
import time
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, Self

import msgspec

from moorage.client.config import Source
from moorage.client.errors import DeploymentNotFound, DeploymentUnreadable, InvalidResponse, WrongEnvironment
from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.position import Position
from moorage.core.resolution.compiled import CompiledDeployment
from moorage.core.resolution.snapshot import GoneDeployment, Snapshot, digest_of, encode_snapshot
from moorage.core.validation.messages import nearest

#: The sources of a configuration, as an error names them.
_SOURCES = {"server": "server's snapshot", "disk": "disk cache", "lockfile": "lockfile"}

#: An unknown key is compared with as many keys as this divided by its length, because the caller's event loop waits.
#: The time of a comparison is the product of both lengths: 20 microseconds for 16 characters, a millisecond for 100.
COMPARED_CHARACTERS, _LONGEST_KEY = 400, 128

_log = logging.getLogger("moorage.client")


class HeldDeployment(msgspec.Struct, frozen=True):
    """A deployment that a client has, and the number of its live version."""

    key: str
    version: str
    id: str


Held = list[HeldDeployment]


class ClientState:
    """The content of a snapshot with the SHA-256 `digest`; it was current at `current_at` (`time.monotonic`)."""

    def __init__(self, snapshot: Snapshot, digest: bytes, source: Source, current_at: float) -> None:
        self.source = source
        self.current_at = current_at
        self.digest = digest
        self.epoch, self.revision = snapshot.epoch, snapshot.revision
        self._project = snapshot.project
        self.environment, self.environments = snapshot.environment, snapshot.environments
        self._by_id = {live.id: live for live in snapshot.lives}
        self._by_key = {live.key: live for live in snapshot.lives}
        self._keys = sorted(self._by_key)
        self._by_alias = self._index_aliases()
        self._compiled: dict[str, CompiledDeployment] = {}
        self._has_warned = False

    @property
    def position(self) -> Position:
        """The position in the change feed."""
        return Position(self.revision, self.epoch)

    def compiled(self, key_or_id: str) -> CompiledDeployment:
        """Return the compiled live version of a deployment.

        Raises:
            DeploymentNotFound
            DeploymentUnreadable: for example, in a lockfile that was edited.
        """
        live = self._by_key.get(key_or_id) or self._by_id.get(self._by_alias.get(key_or_id, key_or_id))
        if live is None:
            count = f"{len(self._keys)} deployment" if len(self._keys) == 1 else f"{len(self._keys)} deployments"
            raise DeploymentNotFound(
                param="key", key=key_or_id[:200], source=_SOURCES[self.source], age=int(self.age()), count=count,
                suggestion=nearest(key_or_id, self._neighbours(key_or_id)).removeprefix("."),
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

    def check_context(self, attribute: Any) -> None:
        """Check the environment that `context.environments` names, as the server does for a bound API key.

        A lockfile has no names of environments, so the first other name is logged.

        Raises:
            WrongEnvironment
        """
        name = attribute[0] if isinstance(attribute, list) and len(attribute) == 1 else attribute
        if not isinstance(name, str) or name == self.environment:
            return
        if name in self.environments:
            raise WrongEnvironment(param="context.environments", named=name, own=self.environment)
        if self.source == "lockfile" and not self._has_warned:
            self._has_warned = True
            message = "the lockfile is of the environment %r, and cannot show whether %r in a context is another one"
            _log.warning(message, self.environment, name[:80])

    def held(self) -> Held:
        """Return all deployments, ordered by key."""
        lives = (self._by_key[key] for key in self._keys)
        return [HeldDeployment(live.key, live.version, live.id) for live in lives]

    def age(self) -> float:
        """Return the seconds since the deployments were current."""
        return time.monotonic() - self.current_at

    def encoded(self) -> bytes:
        """Return the snapshot, with the same bytes as on the server."""
        lives = self._by_id.values()
        return encode_snapshot(self._project, self.epoch, self.revision, lives, self.environment, self.environments)

    def after(self, changes: Iterable[LiveVersion | GoneDeployment], revision: int) -> Self:
        """Return the state after changes: a prediction of the server's snapshot, until its signature is verified."""
        state = copy.copy(self)
        state.revision = revision
        state._by_id, state._by_key, state._compiled = {**self._by_id}, {**self._by_key}, self._compiled.copy()
        for change in changes:
            if isinstance(change, LiveVersion):
                state._by_id[change.id] = state._by_key[change.key] = change
            else:
                state._remove(change)
        state._keys = sorted(state._by_key)
        state._by_alias = state._index_aliases()
        state.digest = digest_of(state.encoded())
        return state

    def check_environment(self, environment: str) -> None:
        """Check that a snapshot is of an environment.

        Raises:
            InvalidResponse
        """
        if self.environment != environment:
            raise InvalidResponse(
                reason=f"the snapshot is of the environment {self.environment[:80]!r} instead of {environment!r}"
            )

    def supersedes(self, other: "ClientState") -> bool:
        """Return whether the state is newer than another one, or has other names of environments.

        These change without a revision.
        """
        ours, theirs = (self.epoch, self.revision), (other.epoch, other.revision)
        return ours > theirs or (ours == theirs and self.environments != other.environments)

    def check_follows(self, known: "ClientState") -> None:
        """Check that a signed snapshot is not older than a known one: an old signature stays valid forever.

        A restore of a database begins an epoch that sorts after the previous one.

        Raises:
            InvalidResponse
        """
        if self._project != known._project:
            raise InvalidResponse(reason="the snapshot belongs to another project")
        self.check_environment(known.environment)
        if (self.epoch, self.revision) < (known.epoch, known.revision):
            ours, theirs = ((state.revision, state.epoch or "first") for state in (known, self))
            raise InvalidResponse(
                reason=f"its snapshot is older (revision {theirs[0]}, epoch {theirs[1][:40]}) than the known one "
                f"(revision {ours[0]}, epoch {ours[1][:40]})"
            )

    def reuse(self, known: "ClientState") -> None:
        """Take over the compiled deployments that did not change."""
        for live_id, compiled in known._compiled.copy().items():
            live = self._by_id.get(live_id)
            if live == compiled.live and self._by_key.get(compiled.live.key) is live:
                self._by_id[live_id] = self._by_key[compiled.live.key] = compiled.live
                self._compiled[live_id] = compiled

    def _index_aliases(self) -> dict[str, str]:
        """Return the ids of the deployments by alias."""
        return {alias: live.id for live in self._by_id.values() for alias in live.aliases}

    def _remove(self, gone: GoneDeployment) -> None:
        """Remove a deployment, but not a newer one with the same key."""
        self._compiled.pop(gone.id, None)
        live = self._by_id.pop(gone.id, None)
        if live is not None and self._by_key.get(gone.key) is live:
            del self._by_key[gone.key]

    def _neighbours(self, key: str) -> list[str]:
        """Return the keys next to `key` in the order of keys, which have the same start; of few keys, all."""
        length = min(max(len(key), 4), 100)
        count = COMPARED_CHARACTERS // length
        start = max(0, bisect_left(self._keys, key) - count // 2) if len(self._keys) > count else 0
        return [choice for choice in self._keys[start : start + count] if len(choice) <= _LONGEST_KEY]
