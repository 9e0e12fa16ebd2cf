"""Lookups in one committed state, in a read or inside a write."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Literal, Protocol, TypeVar

import msgspec

from moorage.core.access import ApiKey
from moorage.core.compatibility.consumers import ConsumerRecord
from moorage.core.deployments.content import DECODE_ERRORS, Content, StoredContent
from moorage.core.deployments.deployment import Deployment, VersionNumber
from moorage.core.deployments.history import HistoryEntry
from moorage.core.deployments.page import MAX_LIMIT, PageQuery, fitting
from moorage.core.deployments.version import Version
from moorage.core.errors.requests import InvalidCursor
from moorage.core.errors.rows import HistoryUnreadable
from moorage.core.integrations import Integration
from moorage.core.times import LAST_US
from moorage.store import deployment_rows, rows
from moorage.store.columns import is_time
from moorage.store.engine import EVERY, Row
from moorage.store.unreadable import UnreadableRow, as_name, readable

_AFTER_NEWEST = 2**62

#: How many writes are searched for the last one of an API key.
_NEWEST_WRITES = 10_000


#: How many live versions are searched in memory at a time.
_CONTENTS = 20


class _Listed(Protocol):
    """An item of a list with a position; None if the row cannot be decoded."""

    @property
    def place(self) -> int | None: ...


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
        """Return all API keys that can be decoded, oldest first, revoked and expired keys included."""
        return readable(map(rows.api_key, self._run("api_keys", rev=EVERY)))

    def unreadable_rows(self, table: Literal["project", "api_key"]) -> list[UnreadableRow]:
        """Return the projects or API keys that cannot be decoded."""
        if table == "project":
            decoded: Iterable[object] = map(rows.project, self._run("projects"))
        else:
            decoded = map(rows.api_key, self._run("api_keys", rev=EVERY))
        return [row for row in decoded if isinstance(row, UnreadableRow)]

    def has_api_keys(self) -> bool:
        """Return whether there is any API key, also one that cannot be decoded."""
        return any(True for _ in self._run("api_keys", rev=EVERY))

    def find_api_key(self, key_id: str) -> ApiKey | None:
        """Return the API key with an id, revoked and expired keys included.

        Raises:
            ApiKeyUnreadable
        """
        return next(map(rows.get_api_key, self._run("find_api_key", id=key_id)), None)

    def find_integration(self, project_id: str, name: str) -> Integration | None:
        """Return the integration with a name, unless it is deleted.

        Raises:
            IntegrationUnreadable
        """
        return next(map(rows.get_integration, self._run("find_integration", project_id=project_id, name=name)), None)

    def find_named_integration(self, project_id: str, name_or_id: str) -> Integration | None:
        """Return the integration with a name or an id, unless it is deleted or cannot be decoded."""
        found = self._run("find_named_integration", project_id=project_id, name=name_or_id)
        return next(iter(readable(map(rows.integration, found))), None)

    def sealed_integrations(self) -> list[Integration | UnreadableRow]:
        """Return the integrations with encrypted columns, and those of them that cannot be decoded."""
        return list(map(rows.integration, self._run("sealed_integrations")))

    def live_contents_with(self, project_id: str, text: str) -> Iterator[tuple[str, Content]]:
        """Yield key and content of the live versions of a project that have a text in their JSON.

        Those that cannot be decoded are not served, so they are omitted.
        """
        place = -1
        while True:
            found = list(
                self._run(
                    "live_contents_with", project_id=project_id, place=place, pattern=f"%{text}%", limit=_CONTENTS
                )
            )
            for _, key, *texts in found:
                with suppress(TypeError, *DECODE_ERRORS):
                    yield as_name(key), StoredContent(*texts).decode()
            if len(found) < _CONTENTS:
                return
            place = found[-1][0]

    def find_deployment(self, project_id: str, key_or_id: str) -> Deployment | None:
        """Return the deployment with a key or an id, unless it is deleted.

        Raises:
            DeploymentUnreadable: more than its live version cannot be decoded.
        """
        return next(
            map(deployment_rows.get_deployment, self._run("find_deployment", project_id=project_id, key=key_or_id)),
            None,
        )

    def find_tombstone(self, project_id: str, key_or_id: str) -> Deployment | None:
        """Return the deleted deployment with a key or an id; of several, the one deleted last.

        Raises:
            DeploymentUnreadable
        """
        return next(
            map(deployment_rows.get_deployment, self._run("find_tombstone", project_id=project_id, key=key_or_id)), None
        )

    def find_version(self, deployment_id: str, id_or_number: str) -> Version | None:
        """Return a version by its id or its number, deleted versions included.

        Raises:
            VersionUnreadable
        """
        found = self._run("find_version", deployment_id=deployment_id, **rows.version_parameters(id_or_number))
        return next(map(rows.version, found), None)

    def last_version(self, deployment_id: str) -> VersionNumber:
        """Return the highest version number of a deployment; 0.0 if it has no version.

        Raises:
            VersionUnreadable
        """
        found = self._run("last_version", deployment_id=deployment_id)
        return next(map(rows.version_number, found), VersionNumber(0, 0))

    def last_move(self, deployment_id: str) -> tuple[str | None, str] | None:
        """Return the version ids of the last move of the live pointer: from, to.

        Raises:
            HistoryUnreadable
        """
        return next(map(rows.move, self._run("last_move", deployment_id=deployment_id)), None)

    def history_since(self, deployment_id: str, rev: int, limit: int) -> list[HistoryEntry]:
        """Return the first history entries of a deployment after a revision, oldest first.

        It is a part of an error, so entries that cannot be decoded are omitted.
        """
        found = self._run(_ENTRIES.newer, deployment_id=deployment_id, place=rev, limit=limit)
        items = []
        for row in found:
            with suppress(HistoryUnreadable):
                items.append(rows.chained(row).item)
        return items

    def consumers_of_deployment(self, deployment_id: str, since_us: int) -> list[ConsumerRecord]:
        """Return the consumers of all versions of a deployment after a time."""
        found = self._run("consumers_of_deployment", deployment_id=deployment_id, since_us=since_us)
        return list(map(rows.consumer_record, found))

    def consumers_of_version(self, version_id: str, since_us: int) -> list[ConsumerRecord]:
        """Return the consumers of a version after a time."""
        return list(
            map(rows.consumer_record, self._run("consumers_of_version", version_id=version_id, since_us=since_us))
        )

    def last_uses(self, since_us: int) -> dict[str, int]:
        """Return the last time of each API key that was served a version since then, or made one of the last writes."""
        last: dict[str, int] = {}
        for key_id, at_us in self._run("uses_of_keys", since_us=since_us, rev=self.rev - _NEWEST_WRITES):
            if is_time(at_us):
                last[key_id] = max(at_us, last.get(key_id, 0))
        return last

    def has_version(self, project_id: str, version_id: str) -> bool:
        """Return whether a project has a version that is not deleted."""
        ((exists,),) = self._run("has_version", project_id=project_id, version_id=version_id)
        return bool(exists)

    def newest_time_us(self) -> int:
        """Return the time of the newest write in the order of writes; it can be ahead of the clock."""
        ((newest_us,),) = self._run("newest_time")
        return min(newest_us, LAST_US) if isinstance(newest_us, int) else LAST_US

    def can_purge(self, before_us: int, clock_us: int) -> bool:
        """Return whether anything deleted before a time still has its content."""
        ((can,),) = self._run("can_purge", before_us=before_us, clock_us=clock_us)
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

    def manifests(
        self, project_id: str, query: PageQuery, place: int | None = None
    ) -> tuple[list[Deployment | UnreadableRow], bool]:
        """Return a page of a project's manifests, newest first, and whether there are more.

        With a `place`, the page starts there instead of at the cursor.

        Raises:
            InvalidCursor: the cursor was never a deployment of this project.
        """
        return self._page(_MANIFESTS, deployment_rows.deployment, {"project_id": project_id}, query, place)

    def _page(
        self,
        queries: ListQueries,
        from_row: Callable[[Row], R],
        parent: dict[str, str],
        query: PageQuery,
        place: int | None = None,
        **others: None,
    ) -> tuple[list[R], bool]:
        cursor, is_newer = query.ending_before or query.starting_after, query.ending_before is not None
        if place is None and cursor is None:
            place = _AFTER_NEWEST
        elif place is None and cursor is not None:
            found = next(map(from_row, self._run(queries.find, id=cursor, **parent, **others)), None)
            if found is None or found.place is None:
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
