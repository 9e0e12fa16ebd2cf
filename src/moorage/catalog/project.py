"""The deployments of one project in memory, already encoded, in the order of the list."""

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from copy import copy
from itertools import islice

import msgspec

from moorage.catalog.change_log import ChangeLog
from moorage.catalog.deployment_list import DeploymentList, ListState, live_version
from moorage.catalog.overlay import Overlay, OverlayState
from moorage.catalog.prepared import PreparedDeployment, PreparedPointer, UnreadablePointer
from moorage.core.deployments.deployment import Deployment, LiveVersion, Tombstone, etag_of
from moorage.core.deployments.filter import Filter
from moorage.core.deployments.page import PageQuery, fitting, page_json
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import DeploymentNotFound, DeploymentUnreadable
from moorage.core.errors.environments import NotInEnvironment
from moorage.core.errors.requests import InvalidCursor
from moorage.core.resolution.snapshot import GoneDeployment
from moorage.store.unreadable import UnreadableRow

_log = logging.getLogger("moorage.catalog")

#: The number of deployments in a project that the log names; the metric counts all.
_MAX_LOGGED = 100


class ProjectState(msgspec.Struct, frozen=True, array_like=True):
    """The data of a `ProjectCatalog`, to be stored outside of memory."""

    listed: ListState
    seq_of: dict[str, int]
    seq_of_key: dict[str, int]
    aliases: dict[int, tuple[str, ...]]
    tombstones: dict[str, Tombstone]
    absent: dict[int, GoneDeployment]
    overlays: dict[str, OverlayState]


class ProjectCatalog:
    """The JSON of every deployment of a project in production, by id, by key and by position.

    `seq_of` includes deleted deployments, so that a cursor to one stays valid. `seq_of_key` has their aliases, too;
    `aliases` says by place which they are. Every page costs a binary search and a join. Deployments that never were in
    production are `absent` from the list and from the log. `overlays` has what is different in the other environments,
    by their ids; `moorage.catalog.environment_view` combines both.
    """

    def __init__(self, state: ProjectState | None = None) -> None:
        """Create a catalog from a stored state, or an empty one."""
        state = state or ProjectState(ListState([], [], [], []), {}, {}, {}, {}, {}, {})
        self.listed = DeploymentList(state.listed)
        self.seq_of, self.seq_of_key, self.tombstones = state.seq_of, state.seq_of_key, state.tombstones
        self.aliases, self.absent = state.aliases, state.absent
        self.overlays = {id_: Overlay(overlay) for id_, overlay in state.overlays.items()}
        never_shown = {each.id for each in state.absent.values()}
        self.log = ChangeLog(
            dict(zip(self.listed.ids(), state.listed.revs, strict=True))
            | {
                tombstone.id: tombstone.rev
                for name, tombstone in state.tombstones.items()
                if name == tombstone.id and name not in never_shown
            }
        )
        self._unreadable: dict[str, DeploymentUnreadable] = {}

    def __len__(self) -> int:
        """Return the number of deployments in production that are not deleted."""
        return len(self.listed)

    def state(self) -> ProjectState:
        """Return the data of this catalog, without a copy."""
        overlays = {id_: overlay.state() for id_, overlay in self.overlays.items()}
        names = self.seq_of, self.seq_of_key, self.aliases, self.tombstones, self.absent
        return ProjectState(self.listed.state(), *names, overlays)

    def apply(self, prepared: PreparedDeployment) -> None:
        """Apply the newest state of a deployment; to apply it again changes nothing.

        If it cannot be decoded, the previous state stays, and the other deployments are not affected. The pointers of
        the same update are applied before: an environment does not see the changes that its pointer hides.
        """
        deployment, listed = prepared.deployment, prepared.listed
        if prepared.error is not None:
            self._exclude(deployment.id, prepared.error, deployment.project_id)
            return
        self._unreadable.pop(deployment.id, None)
        seq = self.seq_of[deployment.id] = deployment.seq
        if deployment.live_version_id is None:
            self.absent[seq] = GoneDeployment(deployment.id, deployment.key)
            self.log.forget(deployment.id)
        else:
            self.absent.pop(seq, None)
            self.log.record(deployment.id, deployment.rev)
            for overlay in self.overlays.values():
                overlay.see(seq, deployment.rev)
        if listed is None:
            self.listed.remove(seq)
        else:
            self.listed.put(seq, deployment.rev, listed)
        for alias in self.aliases.pop(seq, ()):
            if self.seq_of_key.get(alias) == seq:
                del self.seq_of_key[alias]
        if deployment.deleted_us is not None:
            self._bury(deployment)
            return
        self.tombstones.pop(deployment.id, None)
        self.seq_of_key[deployment.key] = seq
        if deployment.aliases:
            self.aliases[seq] = deployment.aliases
            self.seq_of_key.update(dict.fromkeys(deployment.aliases, seq))

    def _bury(self, deployment: Deployment) -> None:
        if self.seq_of_key.get(deployment.key) == deployment.seq:
            del self.seq_of_key[deployment.key]
        tombstone = self.tombstones[deployment.id] = deployment.tombstone
        for name in (deployment.key, *deployment.aliases):
            known = self.tombstones.get(name, tombstone)
            if known.id == tombstone.id or tombstone.order >= known.order:
                self.tombstones[name] = tombstone  # of several with the name, the one deleted last

    def apply_pointer(self, pointer: PreparedPointer | UnreadablePointer, rev: int, environment: str) -> None:
        """Apply the newest state of a pointer in an environment with this name; its revision is at most `rev`."""
        overlay = self.overlays.get(pointer.environment_id)
        if overlay is None:
            overlay = self.overlays[pointer.environment_id] = Overlay.empty(environment, self.log.revision)
        if isinstance(pointer, PreparedPointer):
            stored = pointer.deployment.pointer
            overlay.apply(pointer, min(rev, stored.rev if stored else rev))
            return
        row, is_known = pointer.row, pointer.row.id in self.seq_of
        if overlay.exclude(row, is_known=is_known) and len(overlay.unreadable) <= _MAX_LOGGED:
            message = "A deployment of project %s cannot be decoded in the environment %s: %s"
            _log.error(message, row.project_id, environment, row.deployment_error())

    def apply_unreadable(self, row: UnreadableRow) -> None:
        """Apply a row that cannot be decoded: the previous state stays, if there is one."""
        self._exclude(row.id, row.deployment_error(), row.project_id)

    def _exclude(self, deployment_id: str, error: DeploymentUnreadable, project_id: str) -> None:
        known = self._unreadable.get(deployment_id)
        self._unreadable[deployment_id] = error
        if str(known) != str(error) and len(self._unreadable) <= _MAX_LOGGED:
            _log.error("A deployment of project %s cannot be decoded: %s", project_id, error)

    def for_scan(self) -> "ProjectCatalog":
        """Return a copy for `page` in another thread, while updates are applied to this one."""
        copied = copy(self)
        copied.listed = self.listed.copy()
        return copied

    def page(self, query: PageQuery, filters: Filter | None = None) -> bytes:
        """Return the JSON of a page, see `View`."""
        seqs, items = self.listed.seqs, self.listed.items
        start, end = 0, len(seqs)
        is_newer = query.ending_before is not None
        if query.ending_before is not None:
            start = bisect_right(seqs, self.seq_of_cursor("ending_before", query.ending_before))
        elif query.starting_after is not None:
            end = bisect_left(seqs, self.seq_of_cursor("starting_after", query.starting_after))
        if filters is None:
            has_more = end - start > query.limit
            found = items[start : start + query.limit] if is_newer else items[max(end - query.limit, 0) : end][::-1]
        else:
            fields = self.listed.filter_fields
            positions = range(start, end) if is_newer else range(end - 1, -1, -1)
            matching = (items[position] for position in positions if filters.matches(fields[position]))
            found = list(islice(matching, query.limit + 1))
            has_more = len(found) > query.limit
        return encode_page(found[: query.limit], has_more=has_more, is_newer=is_newer)

    def seq_of_cursor(self, parameter: str, cursor: str) -> int:
        """Return the place of a cursor in creation order.

        Raises:
            InvalidCursor: it was never a deployment of this project.
        """
        seq = self.seq_of.get(cursor)
        if seq is None:
            raise InvalidCursor(param=parameter, value=cursor[:200])
        return seq

    def get(self, key_or_id: str) -> tuple[bytes, str]:
        """Return the JSON of a deployment and its ETag, see `View`."""
        position = self.find(key_or_id)
        item = self.listed.items[position]
        return item, etag_of(self.listed.revs[position], item)

    def id_of(self, key_or_id: str) -> str | None:
        """Return the id of a deployment, see `View`."""
        if key_or_id in self.seq_of:
            return key_or_id
        seq = self.seq_of_key.get(key_or_id)
        if seq is None:
            tombstone = self.tombstones.get(key_or_id)
            return None if tombstone is None else tombstone.id
        position = self.listed.find(seq)
        return self.absent[seq].id if position is None else self.listed.id_at(position)

    def live(self, key_or_id: str) -> LiveVersion:
        """Return the live version of a deployment, see `View`."""
        return self.listed.live(self.find(key_or_id))

    def follows(self, key_or_id: str) -> bool:
        """Return False for a deployment that is in production, see `View`."""
        self.find(key_or_id)
        return False

    @property
    def unreadable(self) -> dict[str, DeploymentUnreadable]:
        """The errors of the deployments whose current state cannot be decoded, by their ids."""
        return self._unreadable

    def count_unreadable(self) -> int:
        """Return the number of the deployments whose current state cannot be decoded, in any environment."""
        return len(self._unreadable.keys() | {id_ for each in self.overlays.values() for id_ in each.unreadable})

    @property
    def revision(self) -> int:
        """The revision of the last change in production; 0 if there was none."""
        return self.log.revision

    def live_versions(self) -> Iterator[LiveVersion]:
        """Return the current live versions, see `View`."""
        return map(live_version, self.listed.items.copy(), self.listed.live_fields.copy())

    def changes(self, since: int) -> Iterator[tuple[int, LiveVersion | Tombstone | GoneDeployment]]:
        """Yield the deployments that changed after a revision, see `View`."""
        for rev, id_ in self.log.since(since):
            yield rev, self.tombstones.get(id_) or self.live(id_)

    def find(self, key_or_id: str, environment: str = PRODUCTION) -> int:
        """Return the position of a deployment; `environment` is the one that the error names.

        Raises:
            DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable, NotInEnvironment
        """
        seq = self.seq_of_key.get(key_or_id, self.seq_of.get(key_or_id))
        if seq is not None and (position := self.listed.find(seq)) is not None:
            return position
        tombstone = self.tombstones.get(key_or_id)
        for id_, error in self._unreadable.items():
            # A tombstone that cannot be decoded may be older than the other one of its key.
            if key_or_id in (id_, error.fields["key"]) and not (tombstone and error.fields.get("is_deleted")):
                raise error.with_traceback(None)
        absent = None if seq is None else self.absent.get(seq)
        if absent is not None and absent.id not in self.tombstones:
            owners = sorted(each.name for each in self.overlays.values() if each.own.find(seq or 0) is not None)
            existing = ", ".join(owners) or "none"
            raise NotInEnvironment(param="key", key=absent.key, environment=environment, existing=existing)
        if tombstone is not None:
            raise tombstone.error()
        raise DeploymentNotFound(param="key", key=key_or_id[:200])


def encode_page(items: list[bytes], *, has_more: bool, is_newer: bool) -> bytes:
    """Return the JSON of a page of as many items as fit into one, which start at the cursor."""
    count = fitting(map(len, items))
    has_more = has_more or count < len(items)
    del items[count:]
    return page_json(items[::-1] if is_newer else items, has_more=has_more)
