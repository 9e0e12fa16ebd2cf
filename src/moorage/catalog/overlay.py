"""The deployments that differ from production in one environment."""

from typing import Final

import msgspec

from moorage.catalog.change_log import ChangeLog
from moorage.catalog.deployment_list import DeploymentList, ListState
from moorage.catalog.prepared import PreparedPointer
from moorage.core.errors.base import DeploymentUnreadable
from moorage.core.errors.rows import DeploymentRowUnreadable
from moorage.store.unreadable import UnreadableRow


class Withheld(msgspec.Struct, frozen=True, array_like=True):
    """A deployment whose own version cannot be decoded. It is not served: production's version is another one."""

    id: str
    key: str
    reason: str

    def error(self) -> DeploymentUnreadable:
        """Return the error for a request that requires the deployment."""
        return DeploymentRowUnreadable(param="key", key=self.key, reason=self.reason)


class OverlayState(msgspec.Struct, frozen=True, array_like=True):
    """The data of an `Overlay`, to be stored outside of memory."""

    name: str
    own: ListState
    revs: dict[str, int]
    withheld: dict[int, Withheld]
    revision: int


class Overlay:
    """The pointers of one environment.

    `own` has the deployments with a live version of their own. `log` has the revisions of all pointers, also of those
    that follow production. `hidden` are the places of the deployments whose state in production is not shown here: own
    and `withheld` ones. `revision` is the newest change that the environment shows.
    """

    __slots__ = ("hidden", "log", "name", "own", "revision", "unreadable", "withheld")

    def __init__(self, state: OverlayState) -> None:
        """Create an overlay from a stored state."""
        self.name = state.name
        self.own = DeploymentList(state.own)
        self.log = ChangeLog(state.revs)
        self.withheld = state.withheld
        self.hidden = {*self.own.seqs, *self.withheld}
        self.unreadable = {each.id: each.error() for each in self.withheld.values()}
        self.revision = state.revision

    @classmethod
    def empty(cls, name: str, revision: int) -> "Overlay":
        """Return the overlay of an environment that equals production, which is at a revision."""
        return cls(OverlayState(name, ListState([], [], [], []), {}, {}, revision))

    def state(self) -> OverlayState:
        """Return the data of this overlay, without a copy."""
        return OverlayState(self.name, self.own.state(), self.log.revisions, self.withheld, self.revision)

    def copy(self) -> "Overlay":
        """Return a copy of the lists, see `DeploymentList.copy`."""
        copied = Overlay.empty(self.name, self.revision)
        copied.own, copied.hidden = self.own.copy(), self.hidden.copy()
        return copied

    def apply(self, pointer: PreparedPointer, rev: int) -> None:
        """Apply the newest state of a pointer, with its revision."""
        deployment, seq = pointer.deployment, pointer.deployment.seq
        self.unreadable.pop(deployment.id, None)
        self.withheld.pop(seq, None)
        self.log.record(deployment.id, rev)
        self.revision = max(self.revision, rev)
        if pointer.listed is None:
            self.own.remove(seq)
            self.hidden.discard(seq)
        else:
            self.own.put(seq, rev, pointer.listed)
            self.hidden.add(seq)

    def exclude(self, row: UnreadableRow, *, is_known: bool) -> bool:
        """Apply a pointer that cannot be decoded; return whether that is news.

        The previous state stays. Without one (the deployment is not known), it is withheld.
        """
        error = row.deployment_error()
        known = self.unreadable.get(row.id)
        self.unreadable[row.id] = error
        if not (is_known or row.is_deleted or row.place is None or row.place in self.hidden):
            self.withheld[row.place] = Withheld(row.id, row.key or row.id, row.reason)
            self.hidden.add(row.place)
        return str(known) != str(error)

    def see(self, seq: int, rev: int) -> None:
        """Take note of a change in production, which this environment shows unless the deployment is hidden."""
        if seq not in self.hidden:
            self.revision = max(self.revision, rev)


#: That of an environment without pointers.
NO_OVERLAY: Final = Overlay.empty("", 0)
