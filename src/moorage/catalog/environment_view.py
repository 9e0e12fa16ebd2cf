"""The deployments of a project in an environment other than production."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import islice
from operator import itemgetter

from moorage.catalog.deployment_list import DeploymentList
from moorage.catalog.overlay import NO_OVERLAY, Overlay
from moorage.catalog.project import ProjectCatalog, encode_page
from moorage.core.deployments.deployment import LiveVersion, Tombstone, etag_of
from moorage.core.deployments.filter import Filter
from moorage.core.deployments.page import PageQuery
from moorage.core.environments import Environment
from moorage.core.errors.base import DeploymentUnreadable
from moorage.core.resolution.snapshot import GoneDeployment

_rev_of = itemgetter(0)
_seq_of = itemgetter(0)


class EnvironmentView:
    """Production's list with the own live versions of one environment, see `View`."""

    __slots__ = ("_environment", "_overlay", "_project", "_replaced_at")

    def __init__(
        self, project: ProjectCatalog, environment: Environment, replaced_at: int, overlay: Overlay | None = None
    ) -> None:
        """Create the view of an environment; one with its name was deleted at the revision `replaced_at`, or 0."""
        self._project = project
        self._environment = environment
        self._replaced_at = replaced_at
        self._overlay = overlay or project.overlays.get(environment.id, NO_OVERLAY)

    def __len__(self) -> int:
        """Return the number of deployments."""
        listed = self._project.listed
        replaced = sum(listed.find(seq) is not None for seq in self._overlay.hidden)
        return len(listed) + len(self._overlay.own) - replaced

    def page(self, query: PageQuery, filters: Filter | None = None) -> bytes:
        """Return the JSON of a page, see `View`."""
        before = after = None
        if query.ending_before is not None:
            after = self._project.seq_of_cursor("ending_before", query.ending_before)
        elif query.starting_after is not None:
            before = self._project.seq_of_cursor("starting_after", query.starting_after)
        is_newer = query.ending_before is not None
        shown = self._shown(before, after, is_newer=is_newer)
        matching = (
            listed.items[position]
            for _, listed, position in shown
            if filters is None or filters.matches(listed.filter_fields[position])
        )
        found = list(islice(matching, query.limit + 1))
        return encode_page(found[: query.limit], has_more=len(found) > query.limit, is_newer=is_newer)

    def _shown(
        self, before: int | None = None, after: int | None = None, *, is_newer: bool
    ) -> Iterator[tuple[int, DeploymentList, int]]:
        """Yield the places in creation order, lists and positions of the deployments before or after a place.

        The newest is first, unless `is_newer`.
        """
        hidden = self._overlay.hidden
        parts = (
            _part(listed, before, after, is_newer=is_newer) for listed in (self._project.listed, self._overlay.own)
        )
        of_production, own = parts
        visible = (each for each in of_production if each[0] not in hidden)
        return merge(visible, own, key=_seq_of, reverse=not is_newer)

    def get(self, key_or_id: str) -> tuple[bytes, str]:
        """Return the JSON of a deployment and its ETag, see `View`."""
        listed, position = self._find(key_or_id)
        item, rev = listed.items[position], listed.revs[position]
        if listed is self._project.listed and self._overlay is not NO_OVERLAY:
            rev = max(rev, self._overlay.log.revisions.get(listed.id_at(position), 0))
        return item, etag_of(rev, item)

    def id_of(self, key_or_id: str) -> str | None:
        """Return the id of a deployment, see `View`."""
        return self._project.id_of(key_or_id)

    def live(self, key_or_id: str) -> LiveVersion:
        """Return the live version of a deployment, see `View`."""
        listed, position = self._find(key_or_id)
        return listed.live(position)

    def follows(self, key_or_id: str) -> bool:
        """Return whether a deployment follows production, see `View`."""
        return self._find(key_or_id)[0] is self._project.listed

    def live_versions(self) -> Iterator[LiveVersion]:
        """Return the current live versions, see `View`."""
        return (listed.live(position) for _, listed, position in self.for_scan()._shown(is_newer=True))

    def for_scan(self) -> "EnvironmentView":
        """Return a copy for `page` in another thread, while updates are applied to this one."""
        return EnvironmentView(self._project.for_scan(), self._environment, self._replaced_at, self._overlay.copy())

    @property
    def revision(self) -> int:
        """The revision of the last change that the environment shows.

        If an environment with its name was deleted, it is not less than any revision of that one: a client, which knows
        the name, rejects a snapshot that is older than its own.
        """
        shown = self._project.revision if self._overlay is NO_OVERLAY else self._overlay.revision
        return max(shown, self._replaced_at)

    @property
    def unreadable(self) -> Mapping[str, DeploymentUnreadable]:
        """The errors of the deployments whose current state cannot be decoded, by their ids."""
        seq_of, hidden = self._project.seq_of, self._overlay.hidden
        followed = {id_: error for id_, error in self._project.unreadable.items() if seq_of.get(id_) not in hidden}
        return followed | self._overlay.unreadable

    def changes(self, since: int) -> Iterator[tuple[int, LiveVersion | Tombstone | GoneDeployment]]:
        """Yield the deployments that changed after a revision, see `View`.

        They are the changes of the pointers, and those of production that no pointer hides.
        """
        production, pointers = self._project.log, self._overlay.log
        followed = (each for each in production.since(since) if self._shown_rev(each[1]) == each[0])
        moved = (
            (rev, id_)
            for rev, id_ in pointers.since(since)
            if self._shown_rev(id_) == rev and production.revisions.get(id_) != rev  # else it is in the other list
        )
        for rev, id_ in merge(followed, moved, key=_rev_of):
            yield rev, self._state_of(id_)

    def _shown_rev(self, id_: str) -> int:
        """Return the revision of the last change of a deployment that this environment shows."""
        seq, pointer_rev = self._project.seq_of.get(id_, 0), self._overlay.log.revisions.get(id_, 0)
        if seq in self._overlay.hidden:
            return pointer_rev
        return max(self._project.log.revisions.get(id_, 0), pointer_rev)

    def _state_of(self, id_: str) -> LiveVersion | Tombstone | GoneDeployment:
        """Return the current state of a deployment, which may not be shown any more."""
        tombstone = self._project.tombstones.get(id_)
        if tombstone is not None:
            return tombstone
        absent = self._project.absent.get(seq := self._project.seq_of[id_])
        return absent if absent is not None and seq not in self._overlay.hidden else self.live(id_)

    def _find(self, key_or_id: str) -> tuple[DeploymentList, int]:
        """Return the list with a deployment and its position there.

        Raises:
            DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable, NotInEnvironment
        """
        project, overlay = self._project, self._overlay
        seq = project.seq_of_key.get(key_or_id, project.seq_of.get(key_or_id))
        if seq is not None and seq in overlay.hidden:
            withheld = overlay.withheld.get(seq)
            if withheld is not None:
                raise withheld.error()
            position = overlay.own.find(seq)
            if position is not None:
                return overlay.own, position
        return project.listed, project.find(key_or_id, self._environment.name)


def _part(
    listed: DeploymentList, before: int | None, after: int | None, *, is_newer: bool
) -> Iterator[tuple[int, DeploymentList, int]]:
    """Yield the places in creation order and positions of a list before or after a place, see `_shown`."""
    start = 0 if after is None else bisect_right(listed.seqs, after)
    end = len(listed) if before is None else bisect_left(listed.seqs, before)
    for position in range(start, end) if is_newer else range(end - 1, start - 1, -1):
        yield listed.seqs[position], listed, position
