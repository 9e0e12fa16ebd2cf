"""Copies of a database into another one on any engine, in one transaction or in batches."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from moorage.core.deployments.ids import new_epoch
from moorage.core.errors.storage import CopyDiffers, CopyUnfinished, SourceChanged, TargetNotEmpty
from moorage.store.engine import Engine, Run
from moorage.store.store import Store
from moorage.store.transfer.checked_rows import CheckedRows
from moorage.store.transfer.dump import TABLES, DatabaseDump, Fingerprint, batches, counts

CopyStart = Literal["new", "resumed", "restarted"]


class CopyProgress(msgspec.Struct, frozen=True):
    """The progress of a copy: `done` of `total` rows of a table."""

    table: str
    done: int
    total: int


class TableComparison(msgspec.Struct, frozen=True):
    """The number of rows of a table, and its fingerprint in both databases."""

    table: str
    rows: int
    source: str
    target: str


def replace_all(run: Run, checked: CheckedRows, epoch: str, rev: int) -> None:
    """Replace a database by a dump, inside a write, and set its revision and epoch."""
    _empty(run)
    for table in TABLES:
        for batch in batches(checked.rows(table)):
            run(table.put, for_each=batch)
    _set_state(run, checked.dump, epoch, rev)


def fill(engine: Engine, checked: CheckedRows) -> None:
    """Write a dump into a new database, with the same epoch.

    It commits in batches: one large commit would delay all other programs that wait for the disk.
    """
    for table in TABLES:
        for batch in batches(checked.rows(table)):
            with engine.write() as run:
                run(table.put, for_each=batch)
    with engine.write() as run:
        _set_state(run, checked.dump, checked.dump.epoch, checked.dump.rev)


class Copy:
    """A copy that can be resumed after a kill.

    Each batch is committed. A mark in the target has the source and its revision; no server starts on the target until
    the mark is deleted. An unchanged source returns the same rows in the same order, so a resumed copy skips as many
    rows as the target has.
    """

    def __init__(self, source: Store, dump: DatabaseDump, target: Engine) -> None:
        """Copy `dump`, a state of `source`, into `target`; only `begin` and `steps` read the dump."""
        self._source = source
        self._dump = dump
        #: Reports of rows that are left out, or that cannot be decoded.
        self.checked = CheckedRows(dump)
        self._target = target
        self._mark = {"source": source.url, "epoch": dump.epoch, "rev": dump.rev}
        self._copied: dict[str, int] = {}
        self._fingerprints: dict[str, Fingerprint] = {}

    def begin(self) -> CopyStart:
        """Mark the target, or resume; a copy of an older state of the source is deleted.

        Raises:
            TargetNotEmpty: the target has other data.
            CopyUnfinished: the target has a copy of another source.
            StorageFull, StorageUnavailable
        """
        with self._target.write() as run:
            current = counts(run("counts"))
            marks = [{"source": source, "epoch": epoch, "rev": rev} for source, epoch, rev in run("find_copy")]
            if marks == [self._mark]:
                self._copied = current
                return "resumed"
            for mark in marks:
                if mark["source"] != self._source.url:
                    raise CopyUnfinished(url=self._target.url, source=mark["source"])
            if not marks and any(current.values()):
                ((deployments,),), ((rev,),) = run("count_deployments"), run("current_revision")
                raise TargetNotEmpty(url=self._target.url, deployments=deployments, rev=rev)
            _empty(run)
            run("begin_copy", **self._mark)
            self._copied = dict.fromkeys(current, 0)
            return "restarted" if marks else "new"

    def steps(self) -> Iterator[CopyProgress]:
        """Copy in batches, and yield the progress after each.

        Raises:
            StorageFull, StorageUnavailable: the batches of the yielded progress are stored.
        """
        totals = self._dump.counts()
        for table in TABLES:
            done = 0
            fingerprint = self._fingerprints[table.name] = Fingerprint()
            for batch in batches(self.checked.rows(table)):
                for row in batch:
                    fingerprint.add(row)
                missing = batch[max(0, self._copied[table.name] - done) :]
                if missing:
                    with self._target.write() as run:
                        run(table.put, for_each=missing)
                done += len(batch)
                yield CopyProgress(table.name, done, totals[table.name] - self.checked.left_out[table.name])

    def compare(self) -> list[TableComparison]:
        """Read the copy, and compare it with the rows of the source.

        Raises:
            CopyDiffers, StorageUnavailable
        """
        with self._target.read() as stream:
            found = {table.name: Fingerprint.of(stream(table.every)) for table in TABLES}
        compared = [
            TableComparison(name, source.count, source.digest, found[name].digest)
            for name, source in self._fingerprints.items()
        ]
        different = [table.table for table in compared if table.source != table.target]
        if different:
            raise CopyDiffers(url=self._target.url, tables=", ".join(different))
        return compared

    def finish(self) -> None:
        """Delete the mark; the copy continues from the revision of the source in a new epoch.

        Raises:
            SourceChanged: the source changed during the copy.
            StorageFull, StorageUnavailable
        """
        with self._source.dump() as now:
            if (now.epoch, now.rev) != (self._dump.epoch, self._dump.rev):
                raise SourceChanged(url=self._source.url, before=self._dump.rev, after=now.rev)
        with self._target.write() as run:
            run("end_copy")
            _set_state(run, self._dump, new_epoch(self._dump.epoch), self._dump.rev)


def _empty(run: Run) -> None:
    run("empty_unknown_names")  # no dump has them, and they refer to projects
    for table in reversed(TABLES):
        run(table.empty)
    run("end_copy")


def _set_state(run: Run, dump: DatabaseDump, epoch: str, rev: int) -> None:
    run(
        "set_state", epoch=epoch, rev=rev, last_created_us=dump.last_created_us, history_hash=dump.history_hash,
        history_key=dump.history_key,
    )  # fmt: skip
