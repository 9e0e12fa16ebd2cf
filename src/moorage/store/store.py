"""The store: reads and writes on any `Engine`."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Concatenate, ParamSpec, TypeVar

from moorage.clock import now_ns
from moorage.core.access import ApiKey, Project
from moorage.core.compatibility.consumers import UsageRecord, merge_names
from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.core.times import LAST_US
from moorage.store.cached_responses import CachedResponseTable
from moorage.store.call_results import CallResultTable
from moorage.store.cases import CaseTable
from moorage.store.changes import Changes, StorePosition, read_changes
from moorage.store.engine import Engine, Run, Stream, as_word, checked_revision, the_row
from moorage.store.group_commit import group_commit
from moorage.store.history_head import HistoryHead
from moorage.store.reader import Reader
from moorage.store.rows import names, project
from moorage.store.sealing import KeyRing
from moorage.store.sessions import SessionTable
from moorage.store.transaction import Transaction
from moorage.store.transfer.dump import DatabaseDump
from moorage.store.unreadable import readable

#: How far the clocks of two nodes may be apart (microseconds).
_MAX_APART_US = 60_000_000

#: How many unknown names of environments are stored of a project: they come from contexts, and so from end users.
MAX_UNKNOWN_NAMES = 100

P = ParamSpec("P")
T = TypeVar("T")


class _Discarded(Exception):
    pass


class Store:
    """The stored data, and the only way to change it."""

    def __init__(self, engine: Engine, clock: Callable[[], int] = now_ns, secret_keys: SecretKeys = NO_KEYS) -> None:
        """Store data with `engine`; `clock` returns nanoseconds since 1970 and may step back.

        `secret_keys` authenticate the history, and encrypt credentials.
        """
        self._engine = engine
        self._clock = clock
        self.secret_keys = secret_keys
        #: The keys that encrypt credentials.
        self.key_ring = KeyRing(secret_keys, engine.key_file())
        #: The sessions of the console.
        self.sessions = SessionTable(engine)
        #: The responses to calls with an idempotency key.
        self.call_results = CallResultTable(engine)
        #: The response cache that processes share, on a database on the network.
        self.cached_responses = None if engine.key_file() else CachedResponseTable(engine)
        #: The cases with which versions are tried.
        self.cases = CaseTable(engine)

    @property
    def url(self) -> str:
        """The URL of the database, without a password."""
        return self._engine.url

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Run one write: it has a revision of its own, and it is durable when the block ends.

        An exception or `Transaction.discard` rolls it back.

        Raises:
            StorageFull, StorageUnavailable: nothing is acknowledged.
        """
        with suppress(_Discarded), self._engine.write() as run:
            tx = self._begin(run)
            yield tx
            if tx.is_discarded:
                raise _Discarded
            tx.finish()

    def run(self, operation: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one operation in a write of its own.

        Raises:
            StorageFull, StorageUnavailable: nothing is acknowledged.
        """
        with self.write() as tx:
            return operation(tx, *args, **kwargs)

    def group_commit(self, operations: Sequence[Callable[[Transaction], T]]) -> list[T | Exception]:
        """Run several writes and commit them together; see `moorage.store.group_commit`."""
        return group_commit(self._engine, self._begin, operations)

    def _begin(self, run: Run) -> Transaction:
        clock_us = self.now_us()
        rev, now_us, *head = the_row(run("next_revision", now_us=clock_us))
        if not isinstance(rev, int):  # a text of the row is not UTF-8, so the engine returned no values
            _, rev, now_us, *head = the_row(run("state"))
        return Transaction(
            run, checked_revision(rev), now_us, clock_us, HistoryHead(*map(as_word, head)), self.secret_keys
        )

    def record_consumers(self, records: Iterable[UsageRecord]) -> None:
        """Merge usage records into the stored consumers, without a new revision.

        Records of deleted or unknown versions and API keys are ignored.

        Raises:
            StorageFull, StorageUnavailable: nothing was stored.
        """
        latest_us = self.now_us() + _MAX_APART_US
        with self._engine.write() as run:
            for record in sorted(records):  # concurrent writers lock the same rows in the same order
                key = {
                    "version_id": record.version_id, "api_key_id": record.api_key_id,
                    "environment_id": record.environment_id,
                }  # fmt: skip
                used = {"first_us": record.first_us, "last_us": record.last_us, "inputs": json.dumps(record.inputs)}
                for (stored,) in run("record_consumer", **key, **used, latest_us=latest_us):
                    before = names(stored)
                    if (after := merge_names(before, record.inputs)) != before:
                        run("set_consumer_inputs", **key, inputs=json.dumps(after))

    def record_unknown_names(self, names: Mapping[tuple[str, str], int], before_us: int) -> None:
        """Store names of no environment by project and name, with their times, without a new revision.

        A project has at most `MAX_UNKNOWN_NAMES`. Those from before a time are deleted.

        Raises:
            StorageFull, StorageUnavailable: nothing was stored.
        """
        with self._engine.write() as run:
            run("delete_unknown_names", before_us=before_us)
            for (project_id, name), last_us in names.items():
                run("record_unknown_name", project_id=project_id, name=name, last_us=last_us, maximum=MAX_UNKNOWN_NAMES)

    def delete_old_consumers(self, before_us: int) -> None:
        """Delete consumers from before a time, without a new revision; write only if needed.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            ((exist,),) = stream("has_old_consumers", before_us=before_us)
        if exist:
            with self._engine.write() as run:
                run("delete_old_consumers", before_us=before_us)

    def now_us(self) -> int:
        """Return the time in microseconds since 1970."""
        return _now_us(self._clock)

    def newest_revision(self) -> int:
        """Return the newest revision on this machine, from shared memory."""
        return self._engine.newest_revision()

    def confirmed_at(self) -> float:
        """Return when `newest_revision` was last confirmed by the database (`time.monotonic`)."""
        return self._engine.confirmed_at()

    def confirm(self) -> None:
        """Confirm `newest_revision`; called a few times a second.

        Raises:
            StorageUnavailable
        """
        self._engine.confirm()

    def secret(self) -> bytes | None:
        """Return the password of a database on the network; None for a local database."""
        return self._engine.secret()

    def current_revision(self) -> int:
        """Return the revision of the last committed write, from the database."""
        with self._engine.read() as stream:
            return _rev(stream)

    @contextmanager
    def changes(self, since: StorePosition) -> Iterator[Changes]:
        """Read the changes after `since`, tombstones included; everything after a restore.

        The end of the block publishes the revision to the other processes on this machine. So a client of two of them
        does not go back in time.
        """
        with self._engine.read() as stream:
            changes = read_changes(stream, since)
            yield changes
        self._record(changes.position.rev)

    def projects(self) -> list[Project]:
        """Return all projects that can be decoded, oldest first."""
        with self._engine.read() as stream:
            return readable(map(project, stream("projects")))

    def api_keys(self) -> list[ApiKey]:
        """See `Reader.api_keys`."""
        with self.read() as reader:
            return reader.api_keys()

    def history_head(self) -> HistoryHead:
        """Return the head of the history.

        Raises:
            SecretKeyMissing: the history is authenticated with a secret key, and this process has none.
        """
        with self._engine.read() as stream:
            _, _, _, *columns = the_row(stream("state"))
        head = HistoryHead(*map(as_word, columns))
        head.check_key(self.secret_keys)
        return head

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Look things up in one committed state.

        The end of the block publishes the revision to the other processes on this machine, as with `changes`.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            rev = _rev(stream)
            yield Reader(stream, rev, self.now_us())
        self._record(rev)

    @contextmanager
    def dump(self) -> Iterator[DatabaseDump]:
        """Read every row, in one committed state.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            yield DatabaseDump(stream)

    def damage(self) -> list[str]:
        """Return the corruption that the database finds in its own files.

        Raises:
            StorageUnavailable
        """
        return self._engine.damage()

    def close(self) -> None:
        """Close the database."""
        self._engine.close()

    def _record(self, rev: int) -> None:
        if rev > self._engine.newest_revision():
            self._engine.record_revision(rev)


def _now_us(clock: Callable[[], int]) -> int:
    return min(max(clock() // 1000, 0), LAST_US)


def _rev(stream: Stream) -> int:
    (rev,) = the_row(stream("current_revision"))
    return checked_revision(rev)
