"""Changes: what is new in a database since it was read last, or all of it where that cannot be told."""

from collections.abc import Iterator

import msgspec

from moorage.core.access import ApiKey
from moorage.core.deployments.deployment import Deployment
from moorage.store import rows
from moorage.store.engine import Stream


class State(msgspec.Struct, frozen=True):
    """Where a database is in its history: the newest revision, the epoch it counts in, and the hash of the newest entry
    of the ledger."""

    epoch: str
    rev: int
    history_hash: str


#: Before everything.
INITIAL = State("", -1, "")


class Changes(msgspec.Struct, frozen=True):
    """All that changed after `since`, up to `state`; everything there is if `is_full`, in creation order. The rows are
    read as they are asked for, once."""

    since: State
    state: State
    is_full: bool
    deployments: Iterator[Deployment]
    api_keys: Iterator[ApiKey]


def read_changes(stream: Stream, since: State) -> Changes:
    """What changed after `since`, tombstones included."""
    ((epoch, rev, _, history_hash),) = stream("state")
    state = State(epoch, rev, history_hash)
    is_full = not _continues(stream, since, state)
    deployments = stream("deployments") if is_full else stream("changed_deployments", rev=since.rev)
    api_keys = stream("api_keys", rev=0 if is_full else since.rev)
    return Changes(since, state, is_full, map(rows.deployment, deployments), map(rows.api_key, api_keys))


def _continues(stream: Stream, before: State, now: State) -> bool:
    """Whether `now` came from `before`: not after a restore, nor on a server that had not all of the one before it."""
    if before.rev < 0 or before.epoch != now.epoch or before.rev > now.rev:
        return False
    hashes: list[str] = [row[0] for row in stream("history_hash_at", rev=before.rev)]
    return (hashes or [""])[0] == before.history_hash
