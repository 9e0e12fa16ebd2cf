"""One project's deployments in memory: already encoded, in the order of the list."""

import logging
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import islice, takewhile
from operator import itemgetter

import msgspec

from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import Deployment, LiveVersion, Tombstone, etag_of
from moorage.core.deployments.filter import Filter, FilterFields
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.base import DeploymentNotFound, DeploymentUnreadable
from moorage.core.errors.requests import InvalidCursor


class LiveFields(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What calls of a deployment are answered from, beside what its item has."""

    version_id: str
    variables: str
    runtime_config: str

    @classmethod
    def of(cls, deployment: Deployment) -> "LiveFields":
        """That of a deployment. Texts that many have, such as none at all, are kept once."""
        content = deployment.content
        return cls(deployment.live_version_id, sys.intern(content.variables), sys.intern(content.runtime_config))


class _Shown(msgspec.Struct):
    id: str
    key: str
    version: str
    prompt_config: msgspec.Raw


_decode = msgspec.json.Decoder(_Shown).decode
_log = logging.getLogger("moorage.catalog")


class ProjectState(msgspec.Struct, frozen=True, array_like=True):
    """What a `ProjectCatalog` has, to be kept outside of memory."""

    seqs: list[int]
    items: list[bytes]
    revs: list[int]
    served: list[LiveFields]
    seq_of: dict[str, int]
    seq_of_key: dict[str, int]
    tombstones: dict[str, Tombstone]


class ProjectCatalog:
    """The JSON of every deployment of a project, by id, by key and by place.

    `_seqs` is ascending (oldest first); `_items` and the other lists run beside it. `_seq_of` knows deleted deployments
    too, so that a cursor to one still has its place. A page costs a search in a sorted list and a join, wherever it is.
    """

    def __init__(self, kept: ProjectState | None = None) -> None:
        """An empty one, or one that was kept."""
        kept = kept or ProjectState([], [], [], [], {}, {}, {})
        self._seqs, self._items, self._revs, self._served = kept.seqs, kept.items, kept.revs, kept.served
        self._facts = [FilterFields.of(item) for item in kept.items]
        self._seq_of, self._seq_of_key, self._tombstones = kept.seq_of, kept.seq_of_key, kept.tombstones
        revs = {_decode(item).id: rev for item, rev in zip(kept.items, kept.revs, strict=True)}
        gone = {stone.id: stone.rev for name, stone in kept.tombstones.items() if name == stone.id}
        self._changed = revs | gone
        self._is_in_order = False
        self._unreadable: dict[str, DeploymentUnreadable] = {}

    def __len__(self) -> int:
        """How many deployments there are, deleted ones not counted."""
        return len(self._seqs)

    def kept(self) -> ProjectState:
        """What it has; it changes with it."""
        listed = self._seqs, self._items, self._revs, self._served
        return ProjectState(*listed, self._seq_of, self._seq_of_key, self._tombstones)

    def follow(self, deployment: Deployment) -> None:
        """Take over the newest state of one deployment; a state seen before changes nothing. One that cannot be read is
        left as it was, so that it costs no other its answers."""
        self._unreadable.pop(deployment.id, None)
        fault = None if deployment.deleted_us is not None else deployment.fault()
        if fault is not None:
            self._unreadable[deployment.id] = fault
            _log.error("%s It is in the project %s.", fault, deployment.project_id)
            return
        seq = deployment.seq
        self._seq_of[deployment.id] = seq
        self._changed.pop(deployment.id, None)
        self._is_in_order = self._is_in_order and deployment.rev >= self.revision
        self._changed[deployment.id] = deployment.rev
        place = bisect_left(self._seqs, seq)
        is_listed = place < len(self._seqs) and self._seqs[place] == seq
        if deployment.deleted_us is not None:
            if is_listed:
                del self._seqs[place], self._items[place], self._revs[place], self._served[place], self._facts[place]
            if self._seq_of_key.get(deployment.key) == seq:
                del self._seq_of_key[deployment.key]
            stone = self._tombstones[deployment.id] = deployment.tombstone
            if stone.deleted_us >= self._tombstones.get(deployment.key, stone).deleted_us:
                self._tombstones[deployment.key] = stone  # of several that had the key, the one deleted last
            return
        self._tombstones.pop(deployment.id, None)
        self._seq_of_key[deployment.key] = seq
        item = deployment.item()
        if is_listed:
            self._items[place], self._revs[place] = item, deployment.rev
            self._served[place], self._facts[place] = LiveFields.of(deployment), FilterFields.of(item)
        else:
            self._seqs.insert(place, seq)
            self._items.insert(place, item)
            self._revs.insert(place, deployment.rev)
            self._served.insert(place, LiveFields.of(deployment))
            self._facts.insert(place, FilterFields.of(item))

    def page(self, query: PageQuery, wanted: Filter | None = None) -> bytes:
        """The JSON of a page (`DeploymentPage`); with a filter, of those deployments alone that it holds for. To find
        them, all that come after the cursor may have to be looked at.

        Raises:
            InvalidCursor: the cursor was never a deployment of this project.
        """
        start, end = 0, len(self._seqs)
        is_newer = query.ending_before is not None
        if query.ending_before is not None:
            start = bisect_right(self._seqs, self._place("ending_before", query.ending_before))
        elif query.starting_after is not None:
            end = bisect_left(self._seqs, self._place("starting_after", query.starting_after))
        if wanted is None:
            has_more = end - start > query.limit
            items = (
                self._items[start : start + query.limit] if is_newer else self._items[max(end - query.limit, 0) : end]
            )
            items.reverse()
        else:
            places = range(start, end) if is_newer else range(end - 1, -1, -1)
            matching = (place for place in places if wanted.holds(self._facts[place]))
            found = list(islice(matching, query.limit + 1))
            has_more = len(found) > query.limit
            items = [self._items[place] for place in sorted(found[: query.limit], reverse=True)]
        tail = b'],"has_more":true}' if has_more else b'],"has_more":false}'
        return b'{"object":"list","data":[' + b",".join(items) + tail

    def get(self, key_or_id: str) -> tuple[bytes, str]:
        """The JSON of one deployment (`DeploymentItem`) by its key or its id, and its ETag.

        Raises:
            DeploymentNotFound, DeploymentDeleted
        """
        place = self._find(key_or_id)
        return self._items[place], etag_of(self._revs[place], self._items[place])

    def live(self, key_or_id: str) -> LiveVersion:
        """What the live version of a deployment is, by its key or its id.

        Raises:
            DeploymentNotFound, DeploymentDeleted
        """
        place = self._find(key_or_id)
        return _live(self._items[place], self._served[place])

    @property
    def unreadable(self) -> int:
        """How many deployments could not be taken over, as they are now."""
        return len(self._unreadable)

    @property
    def revision(self) -> int:
        """The revision of the last change of any of its deployments; 0 if there never was one."""
        self._put_in_order()
        return next(reversed(self._changed.values()), 0)

    def lives(self) -> Iterator[LiveVersion]:
        """What the live versions of all deployments are now, oldest deployment first. They are put together as they are
        taken, which may be in another thread."""
        return map(_live, self._items.copy(), self._served.copy())

    def changes(self, since: int) -> list[tuple[int, LiveVersion | Tombstone]]:
        """The deployments that changed after a revision as they are now, each once, in the order of their last changes,
        with the revisions of those."""
        self._put_in_order()
        newest_first = takewhile(lambda change: change[1] > since, reversed(self._changed.items()))
        return [(rev, self._tombstones.get(id_) or self.live(id_)) for id_, rev in newest_first][::-1]

    def _put_in_order(self) -> None:
        if not self._is_in_order:  # a whole catalog is read in the order of creation
            self._changed = dict(sorted(self._changed.items(), key=itemgetter(1)))
            self._is_in_order = True

    def _find(self, key_or_id: str) -> int:
        seq = self._seq_of_key.get(key_or_id, self._seq_of.get(key_or_id))
        if seq is not None:
            place = bisect_left(self._seqs, seq)
            if place < len(self._seqs) and self._seqs[place] == seq:
                return place
        for id_, error in self._unreadable.items():
            if key_or_id in (id_, error.fields["key"]):
                raise error.with_traceback(None)
        if key_or_id in self._tombstones:
            raise self._tombstones[key_or_id].error()
        raise DeploymentNotFound(param="key", key=key_or_id[:200])

    def _place(self, parameter: str, cursor: str) -> int:
        seq = self._seq_of.get(cursor)
        if seq is None:
            raise InvalidCursor(param=parameter, value=cursor[:200])
        return seq


def _live(item: bytes, served: LiveFields) -> LiveVersion:
    """Put together when it is asked for: kept, it would be the item's size once more."""
    shown = _decode(item)
    content = StoredContent(bytes(shown.prompt_config).decode(), served.variables, served.runtime_config)
    return LiveVersion(shown.key, shown.id, served.version_id, shown.version, content)
