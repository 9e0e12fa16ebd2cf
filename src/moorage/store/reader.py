"""Reading: what can be looked up, in a read or in the middle of a write, all of it in the same committed state."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import msgspec

from moorage.core.access import ApiKey
from moorage.core.compatibility.consumers import ConsumerRecord
from moorage.core.deployments.deployment import Deployment, VersionNumber
from moorage.core.deployments.history import HistoryEntry
from moorage.core.deployments.page import PageQuery
from moorage.core.deployments.version import Version
from moorage.core.errors.requests import InvalidCursor
from moorage.store import rows
from moorage.store.engine import Row

_PAST_THE_NEWEST = 2**62


class _Placed(Protocol):
    """What is listed by its place."""

    @property
    def place(self) -> int: ...


R = TypeVar("R", bound=_Placed)


class List(msgspec.Struct, frozen=True):
    """The queries of a list: of one item by its id, of the older ones, of the newer ones."""

    find: str
    older: str
    newer: str


_VERSIONS = List("find_version", "versions_older", "versions_newer")
_ENTRIES = List("find_entry", "entries_older", "entries_newer")
_MANIFESTS = List("find_manifest", "manifests_older", "manifests_newer")


class Reader:
    """The verbs that change nothing."""

    def __init__(self, run: Callable[..., Iterable[Row]], rev: int) -> None:
        """Read with `run` (a query's name and parameters -> its rows) in the state of the revision `rev`."""
        self._run = run
        self.rev = rev

    def api_keys(self) -> list[ApiKey]:
        """All API keys, revoked and expired ones too, oldest first."""
        return list(map(rows.api_key, self._run("api_keys", rev=0)))

    def find_api_key(self, key_id: str) -> ApiKey | None:
        """Return the API key with an id, revoked and expired keys included."""
        return next(map(rows.api_key, self._run("find_api_key", id=key_id)), None)

    def find_deployment(self, project_id: str, key_or_id: str) -> Deployment | None:
        """The deployment that has a key or an id now."""
        return next(map(rows.deployment, self._run("find_deployment", project_id=project_id, key=key_or_id)), None)

    def find_tombstone(self, project_id: str, key_or_id: str) -> Deployment | None:
        """The deployment that had a key or an id and was deleted last."""
        return next(map(rows.deployment, self._run("find_tombstone", project_id=project_id, key=key_or_id)), None)

    def find_version(self, deployment_id: str, id_or_number: str) -> Version | None:
        """A version of a deployment, by its id or its number; deleted ones too."""
        found = self._run("find_version", deployment_id=deployment_id, **rows.version_name(id_or_number))
        return next(map(rows.version, found), None)

    def last_version(self, deployment_id: str) -> VersionNumber:
        """The highest version number given out."""
        ((major, minor),) = self._run("last_version", deployment_id=deployment_id)
        return VersionNumber(major, minor)

    def last_move(self, deployment_id: str) -> tuple[str | None, str] | None:
        """Where the live pointer was moved last, from and to (version ids)."""
        return next(((before, after) for before, after in self._run("last_move", deployment_id=deployment_id)), None)

    def history_since(self, deployment_id: str, rev: int, limit: int) -> list[HistoryEntry]:
        """The first entries of a deployment's history after a revision, oldest first."""
        found = self._run(_ENTRIES.newer, deployment_id=deployment_id, place=rev, limit=limit)
        return [rows.chained(row).shown for row in found]

    def consumers_of_deployment(self, deployment_id: str, since_us: int) -> list[ConsumerRecord]:
        """Who was served by any version of a deployment after a time."""
        found = self._run("consumers_of_deployment", deployment_id=deployment_id, since_us=since_us)
        return list(map(rows.served, found))

    def consumers_of_version(self, version_id: str, since_us: int) -> list[ConsumerRecord]:
        """Who was served by a version after a time."""
        return list(map(rows.served, self._run("consumers_of_version", version_id=version_id, since_us=since_us)))

    def can_purge(self, before_us: int) -> bool:
        """Whether something that was deleted before a time still has its content."""
        ((can,),) = self._run("can_purge", before_us=before_us)
        return bool(can)

    def versions(self, deployment_id: str, query: PageQuery) -> tuple[list[Version], bool]:
        """A page of a deployment's versions, newest first, and whether there are more in its direction.

        Raises:
            InvalidCursor: the cursor never was a version of this deployment.
        """
        number = {"major": None, "minor": None}
        return self._page(_VERSIONS, rows.version, {"deployment_id": deployment_id}, query, **number)

    def history(self, deployment_id: str, query: PageQuery) -> tuple[list[HistoryEntry], bool]:
        """A page of a deployment's history, newest first, and whether there are more in its direction.

        Raises:
            InvalidCursor: the cursor is no entry of it.
        """
        page, has_more = self._page(_ENTRIES, rows.chained, {"deployment_id": deployment_id}, query)
        return [each.shown for each in page], has_more

    def manifests(self, project_id: str, query: PageQuery) -> tuple[list[Deployment], bool]:
        """A page of a project's deployments as files say them, newest first, and whether there are more.

        Raises:
            InvalidCursor: the cursor never was a deployment of this project.
        """
        return self._page(_MANIFESTS, rows.deployment, {"project_id": project_id}, query)

    def _page(
        self, queries: List, of: Callable[[Row], R], inside: dict[str, str], query: PageQuery, **unnamed: None
    ) -> tuple[list[R], bool]:
        cursor, is_newer = query.ending_before or query.starting_after, query.ending_before is not None
        place = _PAST_THE_NEWEST
        if cursor is not None:
            found = next(map(of, self._run(queries.find, id=cursor, **inside, **unnamed)), None)
            if found is None:
                parameter = "ending_before" if is_newer else "starting_after"
                raise InvalidCursor(param=parameter, value=cursor[:200])
            place = found.place
        direction = queries.newer if is_newer else queries.older
        page = list(map(of, self._run(direction, place=place, limit=query.limit + 1, **inside)))
        has_more = len(page) > query.limit
        page = page[: query.limit]
        return (page[::-1] if is_newer else page), has_more
