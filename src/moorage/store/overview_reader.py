"""Lookups over all deployments of a project, for people: who changed and who uses what, and what is deleted."""

from typing import Any, Final

from moorage.core.compatibility.consumers import KeyUse
from moorage.core.compatibility.usage import UsagePage, page_of_uses, read_position
from moorage.core.deployments.deleted import DeletedRow
from moorage.core.deployments.deployment import RESTORE_DAYS
from moorage.core.deployments.drafts import DraftItem
from moorage.core.deployments.page import MAX_LIMIT, PageQuery
from moorage.core.deployments.project_history import ProjectHistoryEntry
from moorage.core.deployments.summary import MAX_SUMMARIES, Summary
from moorage.core.environments import Environment
from moorage.core.times import LAST_US
from moorage.store import overview_rows
from moorage.store.lists import ListQueries, Lookups

#: How many uses with the time of a cursor are read besides the page: those before the cursor do not belong to it.
_MAX_TIES: Final = 100

_DELETED: Final = ListQueries("find_deleted", "deleted_older", "deleted_newer", MAX_LIMIT + 1)
_DRAFTS: Final = ListQueries(
    "find_draft_deployment", "draft_deployments_older", "draft_deployments_newer", MAX_LIMIT + 1
)
_PROJECT_ENTRIES: Final = ListQueries(
    "find_project_entry", "project_entries_older", "project_entries_newer", MAX_LIMIT + 1
)


class OverviewReader(Lookups):
    """The lookups."""

    def project_history(
        self, project_id: str, query: PageQuery, environment: Environment | None = None, action: str = ""
    ) -> tuple[list[ProjectHistoryEntry], bool]:
        """Return a page of the history of all deployments of a project, newest first, and whether there are more.

        With an environment, only the entries that concern it; with an action, only those with it.

        Raises:
            InvalidCursor: the cursor is not an entry of this history.
        """
        parent = {"project_id": project_id, "action": action, **_only_in(environment)}
        page, has_more = self._page(_PROJECT_ENTRIES, overview_rows.project_entry, parent, query)
        return [entry.item for entry in page], has_more

    def usage(self, project_id: str, environment_id: str, since_us: int, query: PageQuery) -> UsagePage:
        """Return a page of the uses of the deployments of a project in an environment (empty for production).

        Raises:
            InvalidCursor
        """
        position, is_newer = read_position(query), query.ending_before is not None
        found = self._run(
            "usage_newer" if is_newer else "usage_older", project_id=project_id, environment_id=environment_id,
            since_us=since_us, last_us=LAST_US if position is None else position[0],
            limit=query.limit + 1 + _MAX_TIES,
        )  # fmt: skip
        return page_of_uses(map(overview_rows.use, found), query, position)

    def usage_of_deployment(
        self, deployment_id: str, environment_id: str, since_us: int, query: PageQuery
    ) -> UsagePage:
        """Return a page of the uses of a deployment in an environment (empty for production).

        Raises:
            InvalidCursor
        """
        position = read_position(query)
        found = self._run(
            "usage_of_deployment", deployment_id=deployment_id, environment_id=environment_id, since_us=since_us
        )
        return page_of_uses(map(overview_rows.use, found), query, position)

    def summaries(self, project_id: str, ids: list[str], environment_id: str) -> list[Summary]:
        """Return the summaries of at most `MAX_SUMMARIES` deployments in an environment (empty for production)."""
        padded = [*ids, *[""] * MAX_SUMMARIES]
        parameters = {f"id{place}": padded[place] for place in range(MAX_SUMMARIES)}
        found = self._run("summaries", environment_id=environment_id, **parameters)
        by_id = {row[1]: overview_rows.summary(row[1:]) for row in found if row[0] == project_id}
        return [by_id[id_] for id_ in ids if id_ in by_id]

    def uses_of_key(self, api_key_id: str, since_us: int) -> list[KeyUse]:
        """Return the versions that an API key was served after a time."""
        return list(map(overview_rows.key_use, self._run("uses_of_key", api_key_id=api_key_id, since_us=since_us)))

    def deleted_deployments(self, project_id: str, query: PageQuery) -> tuple[list[DeletedRow], bool]:
        """Return a page of the deployments that can be restored, the last deletion first; whether there are more.

        Raises:
            InvalidCursor: the cursor is not a deleted deployment of this project.
        """
        parent = {"project_id": project_id, "since_us": self.clock_us - RESTORE_DAYS * 86_400_000_000}
        return self._page(_DELETED, lambda row: DeletedRow(*row), parent, query)

    def draft_deployments(self, project_id: str, query: PageQuery) -> tuple[list[DraftItem], bool]:
        """Return a page of the deployments that are live in no environment, newest first; whether there are more.

        Raises:
            InvalidCursor: the cursor is not a deployment of this project.
        """
        page, has_more = self._page(_DRAFTS, overview_rows.draft, {"project_id": project_id}, query)
        return [row.item for row in page], has_more


def _only_in(environment: Environment | None) -> dict[str, Any]:
    """Return the parameters of a query for the entries that concern an environment; all entries without one."""
    if environment is None:
        return {"only_in": "", "is_production": 0}
    return {"only_in": environment.id, "is_production": int(environment.is_production)}
