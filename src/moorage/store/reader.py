"""Lookups in one committed state, in a read or inside a write."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Literal

from moorage.core.access import ApiKey
from moorage.core.compatibility.consumers import ConsumerRecord
from moorage.core.deployments.content import DECODE_ERRORS, Content, StoredContent
from moorage.core.deployments.deployment import Deployment, VersionNumber
from moorage.core.deployments.history import HistoryEntry
from moorage.core.deployments.page import MAX_LIMIT, PageQuery
from moorage.core.deployments.proposal import PROPOSAL_US
from moorage.core.deployments.version import Version
from moorage.core.environments import Environment, production_id
from moorage.core.errors.rows import HistoryUnreadable
from moorage.core.integrations import Integration
from moorage.core.times import LAST_US
from moorage.store import deployment_rows, rows
from moorage.store.columns import is_time
from moorage.store.engine import EVERY
from moorage.store.environment_reader import EnvironmentReader
from moorage.store.lists import ListQueries
from moorage.store.overview_reader import OverviewReader
from moorage.store.unreadable import UnreadableRow, as_name, readable

#: How many writes are searched for the last one of an API key.
_NEWEST_WRITES = 10_000


#: How many live versions are searched in memory at a time.
_CONTENTS = 20


_VERSIONS = ListQueries("find_version", "versions_older", "versions_newer", 4)
_ENTRIES = ListQueries("find_entry", "entries_older", "entries_newer", MAX_LIMIT + 1)
_MANIFESTS = ListQueries("find_manifest", "manifests_older", "manifests_newer", 4)


class Reader(EnvironmentReader, OverviewReader):
    """The lookups."""

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
        """Yield key and content of the live versions of a project, in all environments, that have a text in their JSON.

        Those that cannot be decoded are not served, so they are omitted.
        """
        starts: dict[str, int | str] = {"live_contents_with": -1, "own_contents_with": ""}
        for query, place in starts.items():
            while True:
                found = list(self._run(query, project_id=project_id, place=place, pattern=f"%{text}%", limit=_CONTENTS))
                for _, key, *texts in found:
                    with suppress(TypeError, *DECODE_ERRORS):
                        yield as_name(key), StoredContent(*texts).decode()
                if len(found) < _CONTENTS:
                    break
                place = found[-1][0]  # noqa: PLW2901 -- the place of the next page of this query

    def find_deployment(self, project_id: str, key_or_id: str, environment_id: str | None = None) -> Deployment | None:
        """Return the deployment with a key or an id as it is in an environment, unless it is deleted.

        Raises:
            DeploymentUnreadable: more than its live version cannot be decoded.
        """
        return self._deployment("find_deployment", project_id, key_or_id, environment_id)

    def find_tombstone(self, project_id: str, key_or_id: str, environment_id: str | None = None) -> Deployment | None:
        """Return the deleted deployment with a key or an id; of several, the one deleted last.

        Raises:
            DeploymentUnreadable
        """
        return self._deployment("find_tombstone", project_id, key_or_id, environment_id)

    def _deployment(self, query: str, project_id: str, key: str, environment_id: str | None) -> Deployment | None:
        found = self._run(query, project_id=project_id, key=key, environment_id=environment_id)
        return next((deployment_rows.get_deployment(environment_id, row) for row in found), None)

    def find_version(
        self, deployment_id: str, id_or_number: str, status_in: Deployment | None = None
    ) -> Version | None:
        """Return a version by its id or its number, deleted versions included.

        Its status is that in the environment of `status_in`.

        Raises:
            VersionUnreadable
        """
        parent = {"deployment_id": deployment_id, **self._status_parameters(status_in)}
        found = self._run("find_version", **parent, **rows.version_parameters(id_or_number))
        return next(map(rows.version, found), None)

    def _status_parameters(self, deployment: Deployment | None) -> dict[str, Any]:
        """Return the parameters for the status of versions in the environment of a deployment."""
        environment_id = None if deployment is None else deployment.environment_id
        project_id = "" if deployment is None else deployment.project_id
        return {
            "environment_id": environment_id, "proposals_in": environment_id or production_id(project_id),
            "proposed_after_us": self.clock_us - PROPOSAL_US,
        }  # fmt: skip

    def last_version(self, deployment_id: str) -> VersionNumber:
        """Return the highest version number of a deployment; 0.0 if it has no version.

        Raises:
            VersionUnreadable
        """
        found = self._run("last_version", deployment_id=deployment_id)
        return next(map(rows.version_number, found), VersionNumber(0, 0))

    def history_since(self, deployment_id: str, rev: int, limit: int) -> list[HistoryEntry]:
        """Return the first history entries of a deployment after a revision, oldest first.

        It is a part of an error, so entries that cannot be decoded are omitted.
        """
        place = rows.place_after(rev)
        found = self._run(
            _ENTRIES.newer, deployment_id=deployment_id, place=place, limit=limit, only_in="", is_production=0
        )
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

    def versions(self, deployment: Deployment, query: PageQuery) -> tuple[list[Version], bool]:
        """Return a page of versions, newest first, and whether there are more.

        Raises:
            InvalidCursor: the cursor was never a version of this deployment.
        """
        number = {"major": None, "minor": None}
        parent = {"deployment_id": deployment.id, **self._status_parameters(deployment)}
        return self._page(_VERSIONS, rows.version, parent, query, **number)

    def history(
        self, deployment_id: str, query: PageQuery, environment: Environment | None = None
    ) -> tuple[list[HistoryEntry], bool]:
        """Return a page of the history, newest first, and whether there are more.

        With an environment, only the entries that concern it.

        Raises:
            InvalidCursor: the cursor is not an entry of this history.
        """
        only = {"only_in": "" if environment is None else environment.id, "is_production": 0}
        if environment is not None and environment.is_production:
            only["is_production"] = 1
        page, has_more = self._page(_ENTRIES, rows.chained, {"deployment_id": deployment_id, **only}, query)
        return [entry.item for entry in page], has_more

    def manifests(
        self, project_id: str, query: PageQuery, place: int | None = None, environment_id: str | None = None
    ) -> tuple[list[Deployment | UnreadableRow], bool]:
        """Return a page of a project's deployments as they are in an environment, newest first; whether there are more.

        Those that are not in the environment are included.

        With a `place`, the page starts there instead of at the cursor.

        Raises:
            InvalidCursor: the cursor was never a deployment of this project.
        """
        decode = partial(deployment_rows.deployment_in, environment_id)
        return self._page(
            _MANIFESTS, decode, {"project_id": project_id, "environment_id": environment_id}, query, place
        )
