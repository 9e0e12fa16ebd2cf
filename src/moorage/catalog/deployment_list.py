"""Encoded deployments in the order of the list."""

from bisect import bisect_left
from collections.abc import Iterator

import msgspec

from moorage.catalog.prepared import Listed, LiveFields
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.deployments.filter import FilterFields


class ItemFields(msgspec.Struct):
    """The fields of a deployment's JSON that it shares with its live version."""

    id: str
    key: str
    version: str
    prompt_config: msgspec.Raw
    aliases: tuple[str, ...] = ()


decode_item = msgspec.json.Decoder(ItemFields).decode


class ListState(msgspec.Struct, frozen=True, array_like=True):
    """The data of a `DeploymentList`, to be stored outside of memory."""

    seqs: list[int]
    items: list[bytes]
    revs: list[int]
    live_fields: list[LiveFields]


class DeploymentList:
    """The JSON of deployments, oldest first: `seqs` is ascending, and the other lists have the same order."""

    __slots__ = ("filter_fields", "items", "live_fields", "revs", "seqs")

    def __init__(self, state: ListState | None = None) -> None:
        """Create a list from a stored state, or an empty one."""
        state = state or ListState([], [], [], [])
        self.seqs, self.items, self.revs, self.live_fields = state.seqs, state.items, state.revs, state.live_fields
        self.filter_fields = [
            FilterFields.of(item, live.owner, live.runtime_config)
            for item, live in zip(state.items, state.live_fields, strict=True)
        ]

    def __len__(self) -> int:
        """Return the number of deployments."""
        return len(self.seqs)

    def state(self) -> ListState:
        """Return the data of this list, without a copy."""
        return ListState(self.seqs, self.items, self.revs, self.live_fields)

    def copy(self) -> "DeploymentList":
        """Return a copy for another thread, while updates are applied to this list."""
        copied = DeploymentList()
        copied.seqs, copied.items, copied.revs = self.seqs.copy(), self.items.copy(), self.revs.copy()
        copied.live_fields, copied.filter_fields = self.live_fields.copy(), self.filter_fields.copy()
        return copied

    def find(self, seq: int) -> int | None:
        """Return the position of a deployment by its place in creation order."""
        position = bisect_left(self.seqs, seq)
        return position if position < len(self.seqs) and self.seqs[position] == seq else None

    def put(self, seq: int, rev: int, listed: Listed) -> None:
        """Insert or replace a deployment."""
        position = bisect_left(self.seqs, seq)
        if position < len(self.seqs) and self.seqs[position] == seq:
            self.items[position], self.revs[position] = listed.item, rev
            self.live_fields[position], self.filter_fields[position] = listed.live_fields, listed.filter_fields
        else:
            self.seqs.insert(position, seq)
            self.items.insert(position, listed.item)
            self.revs.insert(position, rev)
            self.live_fields.insert(position, listed.live_fields)
            self.filter_fields.insert(position, listed.filter_fields)

    def remove(self, seq: int) -> None:
        """Remove a deployment, if it is in the list."""
        position = self.find(seq)
        if position is not None:
            del self.seqs[position], self.items[position], self.revs[position]
            del self.live_fields[position], self.filter_fields[position]

    def id_at(self, position: int) -> str:
        """Return the id of the deployment at a position."""
        return decode_item(self.items[position]).id

    def live(self, position: int) -> LiveVersion:
        """Return the live version at a position."""
        return live_version(self.items[position], self.live_fields[position])

    def ids(self) -> Iterator[str]:
        """Yield the ids, oldest first."""
        return (decode_item(item).id for item in self.items)


def live_version(item: bytes, live: LiveFields) -> LiveVersion:
    """Return a live version; it is not cached, because it is as large as the item."""
    fields = decode_item(item)
    content = StoredContent(bytes(fields.prompt_config).decode(), live.variables, live.runtime_config)
    return LiveVersion(fields.key, fields.id, live.version_id, fields.version, content, fields.aliases)
