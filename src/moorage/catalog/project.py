"""The deployments of one project in memory, already encoded, in the order of the list."""

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from copy import copy
from itertools import islice
from operator import itemgetter

import msgspec

from moorage.catalog.prepared import LiveFields, PreparedDeployment
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import LiveVersion, Tombstone, etag_of
from moorage.core.deployments.filter import Filter, FilterFields
from moorage.core.deployments.page import PageQuery, fitting, page_json
from moorage.core.errors.base import DeploymentNotFound, DeploymentUnreadable
from moorage.core.errors.requests import InvalidCursor
from moorage.store.unreadable import UnreadableRow


class _ItemFields(msgspec.Struct):
    id: str
    key: str
    version: str
    prompt_config: msgspec.Raw


_decode = msgspec.json.Decoder(_ItemFields).decode
#: How many outdated changes are stored in addition to one for each deployment.
_MAX_OUTDATED = 1_000

_log = logging.getLogger("moorage.catalog")

#: The number of deployments in a project that the log names; the metric counts all.
_MAX_LOGGED = 100


class ProjectState(msgspec.Struct, frozen=True, array_like=True):
    """The data of a `ProjectCatalog`, to be stored outside of memory."""

    seqs: list[int]
    items: list[bytes]
    revs: list[int]
    live_fields: list[LiveFields]
    seq_of: dict[str, int]
    seq_of_key: dict[str, int]
    tombstones: dict[str, Tombstone]


class ProjectCatalog:
    """The JSON of every deployment of a project, by id, by key and by position.

    `_seqs` is ascending (oldest first); `_items` and the other lists have the same order. `_seq_of` includes deleted
    deployments, so that a cursor to one stays valid. Every page costs a binary search and a join.
    """

    def __init__(self, state: ProjectState | None = None) -> None:
        """Create a catalog from a stored state, or an empty one."""
        state = state or ProjectState([], [], [], [], {}, {}, {})
        self._seqs, self._items, self._revs, self._live_fields = state.seqs, state.items, state.revs, state.live_fields
        self._filter_fields = [FilterFields.of(item) for item in state.items]
        self._seq_of, self._seq_of_key, self._tombstones = state.seq_of, state.seq_of_key, state.tombstones
        revs = {_decode(item).id: rev for item, rev in zip(state.items, state.revs, strict=True)}
        deleted = {tombstone.id: tombstone.rev for name, tombstone in state.tombstones.items() if name == tombstone.id}
        self._changed = revs | deleted
        self._revision = max(self._changed.values(), default=0)
        self._log: list[tuple[int, str]] | None = None  # see `_sorted_log`
        self._unreadable: dict[str, DeploymentUnreadable] = {}

    def __len__(self) -> int:
        """Return the number of deployments that are not deleted."""
        return len(self._seqs)

    def state(self) -> ProjectState:
        """Return the data of this catalog, without a copy."""
        lists = self._seqs, self._items, self._revs, self._live_fields
        return ProjectState(*lists, self._seq_of, self._seq_of_key, self._tombstones)

    def apply(self, prepared: PreparedDeployment) -> None:
        """Apply the newest state of a deployment; to apply it again changes nothing.

        If it cannot be decoded, the previous state stays, and the other deployments are not affected.
        """
        deployment, listed = prepared.deployment, prepared.listed
        if prepared.error is not None:
            self._exclude(deployment.id, prepared.error, deployment.project_id)
            return
        self._unreadable.pop(deployment.id, None)
        seq = deployment.seq
        self._seq_of[deployment.id] = seq
        self._record_change(deployment.id, deployment.rev)
        position = bisect_left(self._seqs, seq)
        is_listed = position < len(self._seqs) and self._seqs[position] == seq
        if listed is None:
            if is_listed:
                del self._seqs[position], self._items[position], self._revs[position]
                del self._live_fields[position], self._filter_fields[position]
            if self._seq_of_key.get(deployment.key) == seq:
                del self._seq_of_key[deployment.key]
            tombstone = self._tombstones[deployment.id] = deployment.tombstone
            known = self._tombstones.get(deployment.key, tombstone)
            if known.id == tombstone.id or tombstone.order >= known.order:
                self._tombstones[deployment.key] = tombstone  # of several with the key, the one deleted last
            return
        self._tombstones.pop(deployment.id, None)
        self._seq_of_key[deployment.key] = seq
        if is_listed:
            self._items[position], self._revs[position] = listed.item, deployment.rev
            self._live_fields[position], self._filter_fields[position] = listed.live_fields, listed.filter_fields
        else:
            self._seqs.insert(position, seq)
            self._items.insert(position, listed.item)
            self._revs.insert(position, deployment.rev)
            self._live_fields.insert(position, listed.live_fields)
            self._filter_fields.insert(position, listed.filter_fields)

    def for_scan(self) -> "ProjectCatalog":
        """Return a copy for `page` in another thread, while updates are applied to this one."""
        copied = copy(self)
        copied._seqs, copied._items = self._seqs.copy(), self._items.copy()
        copied._filter_fields = self._filter_fields.copy()
        return copied

    def apply_unreadable(self, row: UnreadableRow) -> None:
        """Apply a row that cannot be decoded: the previous state stays, if there is one."""
        self._exclude(row.id, row.deployment_error(), row.project_id)

    def _exclude(self, deployment_id: str, error: DeploymentUnreadable, project_id: str) -> None:
        known = self._unreadable.get(deployment_id)
        self._unreadable[deployment_id] = error
        if str(known) != str(error) and len(self._unreadable) <= _MAX_LOGGED:
            _log.error("A deployment of project %s cannot be decoded: %s", project_id, error)

    def page(self, query: PageQuery, filters: Filter | None = None) -> bytes:
        """Return the JSON of a page (`DeploymentPage`).

        With a filter it has only the matching deployments, and may scan all deployments after the cursor.

        Raises:
            InvalidCursor: the cursor was never a deployment of this project.
        """
        start, end = 0, len(self._seqs)
        is_newer = query.ending_before is not None
        if query.ending_before is not None:
            start = bisect_right(self._seqs, self._seq_of_cursor("ending_before", query.ending_before))
        elif query.starting_after is not None:
            end = bisect_left(self._seqs, self._seq_of_cursor("starting_after", query.starting_after))
        if filters is None:
            has_more = end - start > query.limit
            items = (
                self._items[start : start + query.limit]
                if is_newer
                else self._items[max(end - query.limit, 0) : end][::-1]
            )
        else:
            positions = range(start, end) if is_newer else range(end - 1, -1, -1)
            matching = (position for position in positions if filters.matches(self._filter_fields[position]))
            found = list(islice(matching, query.limit + 1))
            has_more = len(found) > query.limit
            items = [self._items[position] for position in found[: query.limit]]
        count = fitting(map(len, items))
        has_more = has_more or count < len(items)
        del items[count:]
        return page_json(items[::-1] if is_newer else items, has_more=has_more)

    def get(self, key_or_id: str) -> tuple[bytes, str]:
        """Return the JSON of a deployment (`DeploymentItem`) by key or id, and its ETag.

        Raises:
            DeploymentNotFound, DeploymentDeleted
        """
        position = self._find(key_or_id)
        return self._items[position], etag_of(self._revs[position], self._items[position])

    def id_of(self, key_or_id: str) -> str | None:
        """Return the id of a deployment, also of a deleted one; None if there was none."""
        if key_or_id in self._seq_of:
            return key_or_id
        if (tombstone := self._tombstones.get(key_or_id)) is not None and key_or_id not in self._seq_of_key:
            return tombstone.id
        seq = self._seq_of_key.get(key_or_id)
        if seq is None:
            return None
        position = bisect_left(self._seqs, seq)
        is_listed = position < len(self._seqs) and self._seqs[position] == seq
        return _decode(self._items[position]).id if is_listed else None

    def live(self, key_or_id: str) -> LiveVersion:
        """Return the live version of a deployment by key or id.

        Raises:
            DeploymentNotFound, DeploymentDeleted
        """
        position = self._find(key_or_id)
        return _live(self._items[position], self._live_fields[position])

    @property
    def unreadable(self) -> dict[str, DeploymentUnreadable]:
        """The errors of the deployments whose current state cannot be decoded, by their ids."""
        return self._unreadable

    @property
    def revision(self) -> int:
        """The revision of the last change in this project; 0 if there was none."""
        return self._revision

    def live_versions(self) -> Iterator[LiveVersion]:
        """Return the current live versions, oldest deployment first.

        Each is built when the iterator reaches it, which may be in another thread.
        """
        return map(_live, self._items.copy(), self._live_fields.copy())

    def changes(self, since: int) -> Iterator[tuple[int, LiveVersion | Tombstone]]:
        """Yield the deployments that changed after a revision, with their last revisions.

        Each is yielded once, in its current state, in the order of these revisions. It is built when it is reached, so
        a caller can stop early.
        """
        log = self._sorted_log()
        for rev, id_ in islice(log, bisect_right(log, since, key=itemgetter(0)), None):
            if self._changed[id_] == rev:
                yield rev, self._tombstones.get(id_) or self.live(id_)

    def _sorted_log(self) -> list[tuple[int, str]]:
        """Return the changes in the order of their revisions; those with an outdated revision are skipped later."""
        if self._log is None:  # a full update is in the order of creation
            self._log = sorted((rev, id_) for id_, rev in self._changed.items())
        return self._log

    def _record_change(self, id_: str, rev: int) -> None:
        self._changed[id_] = rev
        if self._log is not None:
            if rev < self._revision or len(self._log) > 2 * len(self._changed) + _MAX_OUTDATED:
                self._log = None
            else:
                self._log.append((rev, id_))
        self._revision = max(self._revision, rev)

    def _find(self, key_or_id: str) -> int:
        seq = self._seq_of_key.get(key_or_id, self._seq_of.get(key_or_id))
        if seq is not None:
            position = bisect_left(self._seqs, seq)
            if position < len(self._seqs) and self._seqs[position] == seq:
                return position
        tombstone = self._tombstones.get(key_or_id)
        for id_, error in self._unreadable.items():
            # A tombstone that cannot be decoded may be older than the other one of its key.
            if key_or_id in (id_, error.fields["key"]) and not (tombstone and error.fields.get("is_deleted")):
                raise error.with_traceback(None)
        if tombstone is not None:
            raise tombstone.error()
        raise DeploymentNotFound(param="key", key=key_or_id[:200])

    def _seq_of_cursor(self, parameter: str, cursor: str) -> int:
        seq = self._seq_of.get(cursor)
        if seq is None:
            raise InvalidCursor(param=parameter, value=cursor[:200])
        return seq


def _live(item: bytes, live: LiveFields) -> LiveVersion:
    """Return a live version; it is not cached, because it is as large as the item."""
    fields = _decode(item)
    content = StoredContent(bytes(fields.prompt_config).decode(), live.variables, live.runtime_config)
    return LiveVersion(fields.key, fields.id, live.version_id, fields.version, content)
