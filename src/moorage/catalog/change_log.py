"""The last changes of deployments, in the order of their revisions."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from operator import itemgetter

#: How many outdated changes are stored in addition to one for each deployment.
MAX_OUTDATED = 1_000


class ChangeLog:
    """The revision of the last change of each deployment, by its id; `revision` is the newest one."""

    __slots__ = ("_log", "revision", "revisions")

    def __init__(self, revisions: dict[str, int]) -> None:
        self.revisions = revisions
        self.revision = max(revisions.values(), default=0)
        self._log: list[tuple[int, str]] | None = None

    def record(self, id_: str, rev: int) -> None:
        """Record a change of a deployment; to record it again changes nothing."""
        if self.revisions.get(id_) == rev:
            return
        self.revisions[id_] = rev
        if self._log is not None:
            if rev < self.revision or len(self._log) > 2 * len(self.revisions) + MAX_OUTDATED:
                self._log = None
            else:
                self._log.append((rev, id_))
        self.revision = max(self.revision, rev)

    def forget(self, id_: str) -> None:
        """Remove the change of a deployment."""
        self.revisions.pop(id_, None)

    def since(self, rev: int) -> Iterator[tuple[int, str]]:
        """Yield the revision and the id of each deployment that changed after a revision, in order."""
        log = self.in_order()
        for changed_at, id_ in islice(log, bisect_right(log, rev, key=itemgetter(0)), None):
            if self.revisions.get(id_) == changed_at:
                yield changed_at, id_

    def in_order(self) -> list[tuple[int, str]]:
        """Return the changes in the order of their revisions, outdated ones included."""
        if self._log is None:  # a full update is in the order of creation
            self._log = sorted((rev, id_) for id_, rev in self.revisions.items())
        return self._log
