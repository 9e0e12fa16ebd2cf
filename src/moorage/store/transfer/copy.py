"""Copying a whole database into another one, of whichever engine: in one transaction, or piece by piece."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from moorage.core.deployments.ids import new_id
from moorage.core.errors.storage import CopyDiffers, CopyUnfinished, SourceChanged, TargetNotEmpty
from moorage.store.engine import Engine, Run
from moorage.store.store import Store
from moorage.store.transfer.dump import TABLES, DatabaseDump, Fingerprint, counts, pieces

CopyStart = Literal["new", "resumed", "anew"]


class Step(msgspec.Struct, frozen=True):
    """How far a copy is: of `total` rows of a table, `done` are there."""

    table: str
    done: int
    total: int


class TableComparison(msgspec.Struct, frozen=True):
    """A table on both sides: how many rows, and what they add up to (`Fingerprint`)."""

    table: str
    rows: int
    source: str
    target: str


def replace_all(run: Run, whole: DatabaseDump, epoch: str, rev: int) -> None:
    """Put everything of another database in the place of what is there, in a write that is under way; the revision is
    `rev` of `epoch` from then on."""
    _empty(run)
    for table in TABLES:
        for piece in pieces(whole.rows(table)):
            run(table.put, for_each=piece)
    _set_state(run, whole, epoch, rev)


def fill(engine: Engine, whole: DatabaseDump) -> None:
    """Put everything of another database into a new one that nobody uses yet, and go on in its epoch. It is committed
    piece by piece: to wait for a disk to take it all at once would hold up all others that wait for the disk."""
    for table in TABLES:
        for piece in pieces(whole.rows(table)):
            with engine.write() as run:
                run(table.put, for_each=piece)
    with engine.write() as run:
        _set_state(run, whole, whole.epoch, whole.rev)


class Copy:
    """A copy that survives being killed: each piece is committed to the target, where a mark says that it is under way,
    from which source, and in which state that was. A source in the same state gives the same rows in the same order,
    so as many as are there already are left out. No server starts on the target until the mark is gone."""

    def __init__(self, source: Store, whole: DatabaseDump, target: Engine) -> None:
        """Copy what is in `whole`, a state of `source`, into `target`. `begin` and `steps` read in it, the rest does
        not."""
        self._source = source
        self._whole = whole
        self._target = target
        self._mark = {"source": source.url, "epoch": whole.epoch, "rev": whole.rev}
        self._there: dict[str, int] = {}
        self._read: dict[str, Fingerprint] = {}

    def begin(self) -> CopyStart:
        """Mark the target, or find the mark of a copy that was stopped. One of another state of the source is emptied.

        Raises:
            TargetNotEmpty: it holds something else.
            CopyUnfinished: it holds a copy of another source.
            StorageFull, StorageUnavailable
        """
        with self._target.write() as run:
            there = counts(run("counts"))
            marks = [{"source": source, "epoch": epoch, "rev": rev} for source, epoch, rev in run("find_copy")]
            if marks == [self._mark]:
                self._there = there
                return "resumed"
            for mark in marks:
                if mark["source"] != self._source.url:
                    raise CopyUnfinished(url=self._target.url, source=mark["source"])
            if not marks and any(there.values()):
                ((deployments,),), ((rev,),) = run("count_deployments"), run("current_revision")
                raise TargetNotEmpty(url=self._target.url, deployments=deployments, rev=rev)
            _empty(run)
            run("begin_copy", **self._mark)
            self._there = dict.fromkeys(there, 0)
            return "anew" if marks else "new"

    def steps(self) -> Iterator[Step]:
        """Copy, piece by piece, and tell after each.

        Raises:
            StorageFull, StorageUnavailable: what was told is there.
        """
        totals = self._whole.counts()
        for table in TABLES:
            done = 0
            read = self._read[table.name] = Fingerprint()
            for piece in pieces(self._whole.rows(table)):
                for row in piece:
                    read.add(row)
                missing = piece[max(0, self._there[table.name] - done) :]
                if missing:
                    with self._target.write() as run:
                        run(table.put, for_each=missing)
                done += len(piece)
                yield Step(table.name, done, totals[table.name])

    def compare(self) -> list[TableComparison]:
        """Read the copy, and hold it against what was read before.

        Raises:
            CopyDiffers, StorageUnavailable
        """
        with self._target.read() as stream:
            found = {table.name: Fingerprint.of(stream(table.every)) for table in TABLES}
        compared = [
            TableComparison(name, read.count, read.digest, found[name].digest) for name, read in self._read.items()
        ]
        different = [each.table for each in compared if each.source != each.target]
        if different:
            raise CopyDiffers(url=self._target.url, tables=", ".join(different))
        return compared

    def finish(self) -> None:
        """Make the copy a database that servers use: it goes on from the source's revision, in a new epoch.

        Raises:
            SourceWentOn: the source is not what it was when the copy was begun.
            StorageFull, StorageUnavailable
        """
        with self._source.whole() as now:
            if (now.epoch, now.rev) != (self._whole.epoch, self._whole.rev):
                raise SourceChanged(url=self._source.url, before=self._whole.rev, after=now.rev)
        with self._target.write() as run:
            run("end_copy")
            _set_state(run, self._whole, new_id(), self._whole.rev)


def _empty(run: Run) -> None:
    for table in reversed(TABLES):
        run(table.empty)
    run("end_copy")


def _set_state(run: Run, whole: DatabaseDump, epoch: str, rev: int) -> None:
    run("set_state", epoch=epoch, rev=rev, last_created_us=whole.last_created_us, history_hash=whole.history_hash)
