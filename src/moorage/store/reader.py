"""Lookups in one committed state, in a read or inside a write."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import msgspec

from moorage.core.access import ApiKey
from moorage.core.compatibility.consumers import ConsumerRecord
from moorage.core.deployments.deployment import Deployment, VersionNumber
from moorage.core.deployments.history import HistoryEntry
from moorage.core.deployments.page import MAX_LIMIT, PageQuery, fitting
from moorage.core.deployments.version import Version
from moorage.core.errors.requests import InvalidCursor
from moorage.store import rows
from moorage.store.engine import Row

_AFTER_NEWEST = 2**62


class _Listed(Protocol):
    """An item of a list with a position."""

    @property
    def place(self) -> int: ...


R = TypeVar("R", bound=_Listed)


class ListQueries(msgspec.Struct, frozen=True):
    """The queries of a list: one item by its id, older items, newer items.

    `batch` is the number of items that are read at once: they are in memory, even if the page ends before them.
    """

    find: str
    older: str
    newer: str
    batch: int


_VERSIONS = ListQueries("find_version", "versions_older", "versions_newer", 4)
_ENTRIES = ListQueries("find_entry", "entries_older", "entries_newer", MAX_LIMIT + 1)
_MANIFESTS = ListQueries("find_manifest", "manifests_older", "manifests_newer", 4)


class Reader:
    """The lookups."""

    def __init__(self, run: Callable[..., Iterable[Row]], rev: int) -> None:
        """Create a reader of revision `rev`; `run` takes the name and parameters of a query."""
        self._run = run
        self.rev = rev

    def api_keys(self) -> list[ApiKey]:
        """Return all API keys, oldest first, revoked and expired keys included."""
        return list(map(rows.api_key, self._run("api_keys", rev=0)))

    def find_api_key(self, key_id: str) -> ApiKey | None:
        """Return the API key with an id, revoked and expired keys included."""
        return next(map(rows.api_key, self._run("find_api_key", id=key_id)), None)

    def find_deployment(self, project_id: str, key_or_id: str) -> Deployment | None:
        """Return the deployment with a key or an id, unless it is deleted."""
        return next(map(rows.deployment, self._run("find_deployment", project_id=project_id, key=key_or_id)), None)

    def find_tombstone(self, project_id: str, key_or_id: str) -> Deployment | None:
        """Return the deleted deployment with a key or an id; of several, the one deleted last."""
        return next(map(rows.deployment, self._run("find_tombstone", project_id=project_id, key=key_or_id)), None)

    def find_version(self, deployment_id: str, id_or_number: str) -> Version | None:
        """Return a version by its id or its number, deleted versions included."""
        found = self._run("find_version", deployment_id=deployment_id, **rows.version_parameters(id_or_number))
        return next(map(rows.version, found), None)

    def last_version(self, deployment_id: str) -> VersionNumber:
        """Return the highest version number of a deployment."""
        ((major, minor),) = self._run("last_version", deployment_id=deployment_id)
        return VersionNumber(major, minor)

    def last_move(self, deployment_id: str) -> tuple[str | None, str] | None:
        """Return the version ids of the last move of the live pointer: from, to."""
        return next(((before, after) for before, after in self._run("last_move", deployment_id=deployment_id)), None)

    def history_since(self, deployment_id: str, rev: int, limit: int) -> list[HistoryEntry]:
        """Return the first history entries of a deployment after a revision, oldest first."""
        found = self._run(_ENTRIES.newer, deployment_id=deployment_id, place=rev, limit=limit)
        return [rows.chained(row).item for row in found]

    def consumers_of_deployment(self, deployment_id: str, since_us: int) -> list[ConsumerRecord]:
        """Return the consumers of all versions of a deployment after a time."""
        found = self._run("consumers_of_deployment", deployment_id=deployment_id, since_us=since_us)
        return list(map(rows.consumer_record, found))

    def consumers_of_version(self, version_id: str, since_us: int) -> list[ConsumerRecord]:
        """Return the consumers of a version after a time."""
        return list(
            map(rows.consumer_record, self._run("consumers_of_version", version_id=version_id, since_us=since_us))
        )

    def can_purge(self, before_us: int) -> bool:
        """Return whether anything deleted before a time still has its content."""
        ((can,),) = self._run("can_purge", before_us=before_us)
        return bool(can)

    def versions(self, deployment_id: str, query: PageQuery) -> tuple[list[Version], bool]:
        """Return a page of versions, newest first, and whether there are more.

        Raises:
            InvalidCursor: the cursor was never a version of this deployment.
        """
        number = {"major": None, "minor": None}
        return self._page(_VERSIONS, rows.version, {"deployment_id": deployment_id}, query, **number)

    def history(self, deployment_id: str, query: PageQuery) -> tuple[list[HistoryEntry], bool]:
        """Return a page of the history, newest first, and whether there are more.

        Raises:
            InvalidCursor: the cursor is not an entry of this history.
        """
        page, has_more = self._page(_ENTRIES, rows.chained, {"deployment_id": deployment_id}, query)
        return [entry.item for entry in page], has_more

    def manifests(self, project_id: str, query: PageQuery) -> tuple[list[Deployment], bool]:
        """Return a page of a project's manifests, newest first, and whether there are more.

        Raises:
            InvalidCursor: the cursor was never a deployment of this project.
        """
        return self._page(_MANIFESTS, rows.deployment, {"project_id": project_id}, query)

    def _page(
        self,
        queries: ListQueries,
        from_row: Callable[[Row], R],
        parent: dict[str, str],
        query: PageQuery,
        **others: None,
    ) -> tuple[list[R], bool]:
        cursor, is_newer = query.ending_before or query.starting_after, query.ending_before is not None
        place = _AFTER_NEWEST
        if cursor is not None:
            found = next(map(from_row, self._run(queries.find, id=cursor, **parent, **others)), None)
            if found is None:
                parameter = "ending_before" if is_newer else "starting_after"
                raise InvalidCursor(param=parameter, value=cursor[:200])
            place = found.place
        direction = queries.newer if is_newer else queries.older
        page, sizes = list[R](), list[int]()
        while (missing := query.limit + 1 - len(page)) > 0 and fitting(sizes) == len(page):
            limit = min(missing, queries.batch)
            found_rows = list(self._run(direction, place=place, limit=limit, **parent))
            page += map(from_row, found_rows)
            sizes += map(_size, found_rows)
            if len(found_rows) < limit:
                break
            place = page[-1].place
        count = min(fitting(sizes), query.limit)
        has_more = len(page) > count
        page = page[:count]
        return (page[::-1] if is_newer else page), has_more


def _size(row: Row) -> int:
    """Return the number of bytes of the texts in a row."""
    texts = (column for column in row if isinstance(column, str))
    return sum(len(text) if text.isascii() else len(text.encode()) for text in texts)
