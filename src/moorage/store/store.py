"""Store: the verbs of what is kept, written once over any `Engine`."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

from moorage.core.access import ApiKey, Project
from moorage.core.storage_errors import StorageError
from moorage.core.usage import Use, merged
from moorage.store.changes import Changes, State, read_changes
from moorage.store.engine import Engine, Run, Stream
from moorage.store.reading import Reading
from moorage.store.transaction import Transaction
from moorage.store.whole import Whole

#: From then on a failure is the database's, and not that of what it was given.
_SLOW_SECONDS = 1.0

T = TypeVar("T")


class Writable(Protocol):
    """Where a write can be made: a store, or a transaction that is under way (`Joined`)."""

    def write(self) -> AbstractContextManager[Transaction]:
        """One write."""
        ...


class Joined:
    """A write that is under way, as a place to write in: all that is done in it is kept or undone together."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """The write that is under way."""
        yield self._transaction


class _Several:
    """Writes of one transaction, each of which can be undone by itself."""

    def __init__(self, run: Run, clock: Callable[[], int]) -> None:
        self._run = run
        self._clock = clock

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One of them."""
        self._run("savepoint")
        try:
            yield _begin(self._run, self._clock)
        except StorageError:
            raise  # undoes everything
        except BaseException:  # raised again: an interrupt leaves nothing behind either
            self._run("rollback_to_savepoint")
            self._run("release_savepoint")
            raise
        self._run("release_savepoint")


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
        """One write: revision + 1, the verbs of the transaction, and it is durable. An exception undoes it all.

        Raises:
            StorageFull, StorageUnavailable: nothing is acknowledged.
        """
        with self._engine.write() as run:
            yield _begin(run, self._clock)

    def write_together(self, works: Sequence[Callable[[Writable], T]]) -> list[T | Exception]:
        """Do several pieces of work whose writes are committed together, with one wait for the disk, each with its own
        revision and kept or undone by itself; what each returned or raised.

        If the database fails in the middle, everything is undone and each piece is done once more by itself, so that
        one which it cannot keep is no harm to the others. If it fails at the commit, or slowly, all of them failed.
        """
        done: list[T | Exception] = []
        is_one_to_blame, started = False, time.monotonic()
        try:
            with self._engine.write() as run:
                several = _Several(run, self._clock)
                for work in works:
                    try:
                        done.append(work(several))
                    except StorageError:
                        # Who asks a database that stands still for each of them waits as many times.
                        is_one_to_blame = len(works) > 1 and time.monotonic() - started < _SLOW_SECONDS
                        raise
                    except Exception as error:  # noqa: BLE001 -- whoever asked for this one is told; the others go on
                        done.append(error)
        except StorageError as error:
            if is_one_to_blame:
                return [each for work in works for each in self.write_together([work])]
            return [error] * len(works)
        return done

    def note_usage(self, uses: Iterable[Use]) -> None:
        """Note who was served by which version, beside what is noted already. It is no revision: nothing that is shown
        changes. What was deleted meanwhile, or is not there, is passed over.

        Raises:
            StorageFull, StorageUnavailable: nothing was noted.
        """
        with self._engine.write() as run:
            for use in sorted(uses):  # whoever notes the same rows at the same time locks them in the same order
                place = {"version_id": use.version_id, "api_key_id": use.api_key_id}
                inputs = json.dumps(use.inputs)
                for (known,) in run("note_usage", **place, first_us=use.first_us, last_us=use.last_us, inputs=inputs):
                    before = json.loads(known)
                    if (after := merged(before, use.inputs)) != before:
                        run("note_inputs", **place, inputs=json.dumps(after))

    def forget_usage(self, before_us: int) -> None:
        """Forget usage from before a time; no revision either, and no write where there is none.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            ((is_there,),) = stream("has_old_usage", before_us=before_us)
        if is_there:
            with self._engine.write() as run:
                run("forget_usage", before_us=before_us)

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
    def read(self) -> Iterator[Reading]:
        """Look things up, all of them in one committed state.

        When the block ends, the other processes on the machine know of its revision, as with `changes`.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            rev = _rev(stream)
            yield Reading(stream, rev)
        self._saw(rev)

    @contextmanager
    def whole(self) -> Iterator[Whole]:
        """Every row there is, all of them in one committed state.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            yield Whole(stream)

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
    ((rev, now_us, ledger_hash),) = run("next_revision", now_us=clock() // 1000)
    return Transaction(run, rev, now_us, ledger_hash)


def _rev(stream: Stream) -> int:
    ((rev,),) = stream("current_revision")
    return int(rev)
