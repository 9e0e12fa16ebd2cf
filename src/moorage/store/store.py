"""Store: the verbs of what is kept, written once over any `Engine`."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

import msgspec

from moorage.core.access import ApiKey, Project
from moorage.core.deployment import Deployment
from moorage.core.errors import InvalidCursor
from moorage.core.history import HistoryEntry
from moorage.core.page import PageQuery
from moorage.core.version import Version
from moorage.store import rows
from moorage.store.engine import Engine, Row, Stream
from moorage.store.transaction import Transaction

_PAST_THE_NEWEST = 2**62

#: The queries of a list by revision: of one item by its id, of the older ones, of the newer ones.
_VERSIONS = ("find_version", "versions_older", "versions_newer")
_ENTRIES = ("find_entry", "entries_older", "entries_newer")


class Changes(msgspec.Struct, frozen=True):
    """All that changed after a revision, up to `rev`. The rows are read as they are asked for, once."""

    rev: int
    deployments: Iterator[Deployment]
    api_keys: Iterator[ApiKey]


class _Placed(Protocol):
    """What is listed by revision, and named by id."""

    @property
    def id(self) -> str: ...

    @property
    def rev(self) -> int: ...


R = TypeVar("R", bound=_Placed)


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


class Store:
    """What is kept, and the only way to change it."""

    def __init__(self, engine: Engine, clock: Callable[[], int] = time.time_ns) -> None:
        """Keep things in `engine`; `clock` gives nanoseconds since 1970 and may step back."""
        self._engine = engine
        self._clock = clock

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One write: revision + 1, the verbs of the transaction, and it is durable. An exception undoes it all.

        Raises:
            StorageFull, StorageUnavailable: nothing is acknowledged.
        """
        with self._engine.write() as run:
            ((rev, now_us, ledger_hash),) = run("next_revision", now_us=self._clock() // 1000)
            yield Transaction(run, rev, now_us, ledger_hash)

    def newest_revision(self) -> int:
        """The newest revision known on this machine, at the price of one look into memory."""
        return self._engine.newest_revision()

    def current_revision(self) -> int:
        """The revision of the last committed write, asked of the database."""
        with self._engine.read() as stream:
            return _rev(stream)

    @contextmanager
    def changes(self, since: int) -> Iterator[Changes]:
        """What changed after the revision `since`, tombstones included, deployments in creation order.

        When the block ends, the other processes on the machine know of the revision, so no reader that asks two of them
        is taken back in time.
        """
        with self._engine.read() as stream:
            rev = _rev(stream)
            deployments = map(rows.deployment, stream("deployments", rev=since))
            yield Changes(rev, deployments, map(rows.api_key, stream("api_keys", rev=since)))
        if rev > self._engine.newest_revision():
            self._engine.saw_revision(rev)

    def projects(self) -> list[Project]:
        """All projects, oldest first."""
        with self._engine.read() as stream:
            return [Project(*row) for row in stream("projects")]

    def api_keys(self) -> list[ApiKey]:
        """All API keys, revoked and expired ones too, oldest first."""
        with self._engine.read() as stream:
            return list(map(rows.api_key, stream("api_keys", rev=0)))

    def find_deployment(self, project_id: str, key_or_id: str) -> Deployment | None:
        """The deployment that has a key or an id now."""
        with self._engine.read() as stream:
            return next(map(rows.deployment, stream("find_deployment", project_id=project_id, key=key_or_id)), None)

    def find_tombstone(self, project_id: str, key_or_id: str) -> Deployment | None:
        """The deployment that had a key or an id and was deleted last."""
        with self._engine.read() as stream:
            return next(map(rows.deployment, stream("find_tombstone", project_id=project_id, key=key_or_id)), None)

    def find_version(self, deployment_id: str, id_or_number: str) -> Version | None:
        """A version of a deployment, by its id or its number."""
        with self._engine.read() as stream:
            found = stream("find_version", deployment_id=deployment_id, **rows.version_name(id_or_number))
            return next(map(rows.version, found), None)

    def versions(self, deployment_id: str, query: PageQuery) -> tuple[list[Version], bool]:
        """A page of a deployment's versions, newest first, and whether there are more in its direction.

        Raises:
            InvalidCursor: the cursor is no version of this deployment.
        """
        return self._page(_VERSIONS, rows.version, deployment_id, query)

    def history(self, deployment_id: str, query: PageQuery) -> tuple[list[HistoryEntry], bool]:
        """A page of a deployment's history, newest first, and whether there are more in its direction.

        Raises:
            InvalidCursor: the cursor is no entry of it.
        """
        page, has_more = self._page(_ENTRIES, rows.chained, deployment_id, query)
        return [each.shown for each in page], has_more

    def ledger(self) -> tuple[list[rows.Chained], str]:
        """Every entry there is, in order, and the hash that was noted as the newest."""
        with self._engine.read() as stream:
            ((newest,),) = stream("ledger_hash")
            return list(map(rows.chained, stream("ledger"))), newest

    def close(self) -> None:
        """Close the database."""
        self._engine.close()

    def _page(
        self, queries: tuple[str, str, str], of: Callable[[Row], R], deployment_id: str, query: PageQuery
    ) -> tuple[list[R], bool]:
        find, older, newer = queries
        cursor, is_newer = query.ending_before or query.starting_after, query.ending_before is not None
        with self._engine.read() as stream:
            rev = _PAST_THE_NEWEST
            if cursor is not None:
                by_id = {"deployment_id": deployment_id, "id": cursor, "major": None, "minor": None}
                place = next(map(of, stream(find, **by_id)), None)
                if place is None:
                    parameter = "ending_before" if is_newer else "starting_after"
                    raise InvalidCursor(param=parameter, value=cursor[:200])
                rev = place.rev
            page = list(
                map(
                    of,
                    stream(newer if is_newer else older, deployment_id=deployment_id, rev=rev, limit=query.limit + 1),
                )
            )
        has_more = len(page) > query.limit
        page = page[: query.limit]
        return (page[::-1] if is_newer else page), has_more


def _rev(stream: Stream) -> int:
    ((rev,),) = stream("current_revision")
    return int(rev)
