"""Store: the verbs of what is kept, written once over any `Engine`."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Concatenate, ParamSpec, TypeVar

from moorage.core.access import ApiKey, Project
from moorage.core.compatibility.consumers import UsageRecord, merged
from moorage.core.errors.storage import StorageError
from moorage.store.changes import Changes, State, read_changes
from moorage.store.engine import Engine, Run, Stream
from moorage.store.reader import Reader
from moorage.store.transaction import Transaction
from moorage.store.transfer.dump import DatabaseDump

#: From then on a failure is the database's, and not that of what it was given.
_SLOW_SECONDS = 1.0

P = ParamSpec("P")
T = TypeVar("T")


class _Discarded(Exception):
    pass


class Store:
    """What is kept, and the only way to change it."""

    def __init__(self, engine: Engine, clock: Callable[[], int] = time.time_ns) -> None:
        """Keep things in `engine`; `clock` gives nanoseconds since 1970 and may step back."""
        self._engine = engine
        self._clock = clock

    @property
    def url(self) -> str:
        """The database's address, as it may be shown: without a password."""
        return self._engine.url

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Run one write: it has a revision of its own, and it is durable when the block ends.

        An exception or `Transaction.discard` rolls it back.

        Raises:
            StorageFull, StorageUnavailable: nothing is acknowledged.
        """
        with suppress(_Discarded), self._engine.write() as run:
            tx = _begin(run, self._clock)
            yield tx
            if tx.is_discarded:
                raise _Discarded

    def run(self, operation: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one operation in a write of its own.

        Raises:
            StorageFull, StorageUnavailable: nothing is acknowledged.
        """
        with self.write() as tx:
            return operation(tx, *args, **kwargs)

    def group_commit(self, operations: Sequence[Callable[[Transaction], T]]) -> list[T | Exception]:
        """Run several writes and commit them together, with one wait for the disk.

        Each write has a revision of its own and is rolled back by itself. The result has what each one returned or
        raised. If the database fails inside a write, everything is rolled back and each write runs once more alone, so
        that a write which the database cannot store does not fail the others. If the database fails at the commit, or
        slowly, all writes fail.
        """
        results: list[T | Exception] = []
        can_retry, started = False, time.monotonic()
        try:
            with self._engine.write() as run:
                for operation in operations:
                    try:
                        results.append(self._run_savepoint(run, operation))
                    except StorageError:
                        # With a database that hangs, a retry of each write would wait as many times.
                        can_retry = len(operations) > 1 and time.monotonic() - started < _SLOW_SECONDS
                        raise
                    except Exception as error:  # noqa: BLE001 -- raised in the request of this write; the others continue
                        results.append(error)
        except StorageError as error:
            if can_retry:
                return [result for operation in operations for result in self.group_commit([operation])]
            return [error] * len(operations)
        return results

    def _run_savepoint(self, run: Run, operation: Callable[[Transaction], T]) -> T:
        """Run one of several writes of a transaction; a failure or a discard rolls back that write alone."""
        run("savepoint")
        try:
            tx = _begin(run, self._clock)
            result = operation(tx)
        except StorageError:
            raise  # rolls back the whole transaction
        except BaseException:  # raised again: an interrupt must leave nothing behind either
            run("rollback_to_savepoint")
            run("release_savepoint")
            raise
        if tx.is_discarded:
            run("rollback_to_savepoint")
        run("release_savepoint")
        return result

    def record_consumers(self, uses: Iterable[UsageRecord]) -> None:
        """Note who was served by which version, beside what is noted already. It is no revision: nothing that is shown
        changes. What was deleted meanwhile, or is not there, is passed over.

        Raises:
            StorageFull, StorageUnavailable: nothing was noted.
        """
        with self._engine.write() as run:
            for use in sorted(uses):  # whoever notes the same rows at the same time locks them in the same order
                place = {"version_id": use.version_id, "api_key_id": use.api_key_id}
                inputs = json.dumps(use.inputs)
                for (known,) in run(
                    "record_consumer", **place, first_us=use.first_us, last_us=use.last_us, inputs=inputs
                ):
                    before = json.loads(known)
                    if (after := merged(before, use.inputs)) != before:
                        run("set_consumer_inputs", **place, inputs=json.dumps(after))

    def delete_old_consumers(self, before_us: int) -> None:
        """Forget usage from before a time; no revision either, and no write where there is none.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            ((is_there,),) = stream("has_old_consumers", before_us=before_us)
        if is_there:
            with self._engine.write() as run:
                run("delete_old_consumers", before_us=before_us)

    def now_us(self) -> int:
        """The time, in microseconds since 1970."""
        return self._clock() // 1000

    def newest_revision(self) -> int:
        """The newest revision known on this machine, at the price of one look into memory."""
        return self._engine.newest_revision()

    def confirmed_at(self) -> float:
        """When `newest_revision` was last known to be the newest of all there are (`time.monotonic`)."""
        return self._engine.confirmed_at()

    def confirm(self) -> None:
        """Make sure of `newest_revision`; called a few times a second.

        Raises:
            StorageUnavailable
        """
        self._engine.confirm()

    def secret(self) -> bytes | None:
        """What only those know who may read the database over a network; None if it is on this machine."""
        return self._engine.secret()

    def current_revision(self) -> int:
        """The revision of the last committed write, asked of the database."""
        with self._engine.read() as stream:
            return _rev(stream)

    @contextmanager
    def changes(self, since: State) -> Iterator[Changes]:
        """What changed after `since`, tombstones included; everything, if the database did not come from there.

        When the block ends, the other processes on the machine know of the revision, so no reader that asks two of them
        is taken back in time.
        """
        with self._engine.read() as stream:
            changes = read_changes(stream, since)
            yield changes
        self._saw(changes.state.rev)

    def projects(self) -> list[Project]:
        """All projects, oldest first."""
        with self._engine.read() as stream:
            return [Project(*row) for row in stream("projects")]

    def api_keys(self) -> list[ApiKey]:
        """All API keys, revoked and expired ones too, oldest first."""
        with self.read() as reading:
            return reading.api_keys()

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Look things up, all of them in one committed state.

        When the block ends, the other processes on the machine know of its revision, as with `changes`.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            rev = _rev(stream)
            yield Reader(stream, rev)
        self._saw(rev)

    @contextmanager
    def whole(self) -> Iterator[DatabaseDump]:
        """Every row there is, all of them in one committed state.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            yield DatabaseDump(stream)

    def damage(self) -> list[str]:
        """What the database itself finds wrong with how it keeps its rows.

        Raises:
            StorageUnavailable
        """
        return self._engine.damage()

    def close(self) -> None:
        """Close the database."""
        self._engine.close()

    def _saw(self, rev: int) -> None:
        if rev > self._engine.newest_revision():
            self._engine.saw_revision(rev)


def _begin(run: Run, clock: Callable[[], int]) -> Transaction:
    ((rev, now_us, history_hash),) = run("next_revision", now_us=clock() // 1000)
    return Transaction(run, rev, now_us, history_hash)


def _rev(stream: Stream) -> int:
    ((rev,),) = stream("current_revision")
    return int(rev)
