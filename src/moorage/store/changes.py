"""The changes in a database since it was read last, or its whole content."""

from collections.abc import Iterator
from itertools import chain

import msgspec

from moorage.core.access import ApiKey
from moorage.core.deployments.deployment import Deployment
from moorage.core.environments import Environment
from moorage.core.integrations import Integration
from moorage.store import deployment_rows, environment_rows, rows
from moorage.store.engine import EVERY, Stream, as_word, checked_revision, the_row
from moorage.store.environment_rows import MovedDeployment
from moorage.store.unreadable import UnreadableRow


class StorePosition(msgspec.Struct, frozen=True):
    """The newest revision of a database, its epoch, and the hash of the newest history entry."""

    epoch: str
    rev: int
    history_hash: str


#: Before the first revision.
INITIAL = StorePosition("", -1, "")


class Changes(msgspec.Struct, frozen=True):
    """The changes after `since`, up to `position`.

    If `is_full`, it is the whole content in creation order. The iterators read their rows from the database, once; a
    row that cannot be decoded does not affect the others.
    """

    since: StorePosition
    position: StorePosition
    is_full: bool
    deployments: Iterator[Deployment | UnreadableRow]
    api_keys: Iterator[ApiKey | UnreadableRow]
    integrations: Iterator[Integration | UnreadableRow]
    environments: Iterator[Environment | UnreadableRow]
    pointers: Iterator[MovedDeployment]


def read_changes(stream: Stream, since: StorePosition) -> Changes:
    """Return the changes after `since`, tombstones included."""
    epoch, rev, _, history_hash, _ = the_row(stream("state"))
    position = StorePosition(as_word(epoch), checked_revision(rev), as_word(history_hash))
    is_full = not _continues(stream, since, position)
    deployments = stream("deployments") if is_full else stream("changed_deployments", rev=since.rev)
    rev = EVERY if is_full else since.rev
    api_keys, integrations = stream("api_keys", rev=rev), stream("integrations", rev=rev)
    environments, pointers = stream("environments", rev=rev), stream("changed_pointers", rev=rev)
    if not is_full:  # their JSON has the description of the deployment
        pointers = chain(pointers, stream("pointers_of_changed_deployments", rev=since.rev))
    return Changes(
        since, position, is_full, map(deployment_rows.deployment, deployments), map(rows.api_key, api_keys),
        map(rows.integration, integrations), map(environment_rows.environment, environments),
        map(environment_rows.moved_deployment, pointers),
    )  # fmt: skip


def _continues(stream: Stream, before: StorePosition, now: StorePosition) -> bool:
    """Return whether the database reached `now` from `before`.

    It did not after a restore, or after a failover to a server that lacks writes of the previous one.
    """
    if before.rev < 0 or before.epoch != now.epoch or before.rev > now.rev:
        return False
    hashes: list[str] = [row[0] for row in stream("history_hash_at", rev=before.rev)]
    return (hashes or [""])[0] == before.history_hash
