"""The state of a catalog: deployments, environments, API keys and integrations at one position of the store."""

import logging
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping

import msgspec

from moorage.catalog.environments import EnvironmentIndex
from moorage.catalog.integrations import IntegrationIndex
from moorage.catalog.prepared import PreparedDeployment, PreparedPointer, UnreadablePointer
from moorage.catalog.project import ProjectCatalog, ProjectState
from moorage.core.access import ApiKey
from moorage.core.deployments.page import PageQuery
from moorage.core.environments import Environment
from moorage.core.errors.requests import InvalidCursor
from moorage.core.integrations import Integration
from moorage.store.changes import INITIAL, StorePosition
from moorage.store.unreadable import UnreadableRow

_log = logging.getLogger("moorage.catalog")


def _place(key: ApiKey) -> tuple[str, int]:
    return key.project_id, key.created_us


class CatalogState:
    """The deployments, environments, API keys and integrations of all projects at a `position` of the store."""

    def __init__(self) -> None:
        self.position = INITIAL
        self.projects: dict[str, ProjectCatalog] = {}
        self.api_keys: dict[str, ApiKey] = {}
        self.rejected: dict[str, UnreadableRow] = {}
        self.integrations = IntegrationIndex()
        self.environments = EnvironmentIndex()
        self._keys_in_order: dict[str, list[tuple[int, str]]] = {}  # by project, oldest first

    @classmethod
    def of(
        cls,
        position: StorePosition,
        projects: dict[str, ProjectState],
        api_keys: dict[str, ApiKey],
        integrations: Mapping[str, Integration],
        environments: Mapping[str, Environment],
    ) -> "CatalogState":
        """Return a state that was stored outside of memory."""
        state = cls()
        state.projects = {project_id: ProjectCatalog(project) for project_id, project in projects.items()}
        state.apply(position, (), api_keys.values(), integrations.values(), environments.values())
        return state

    def project_states(self) -> dict[str, ProjectState]:
        """Return the states of the projects, to be stored outside of memory."""
        return {project_id: project.state() for project_id, project in self.projects.items()}

    def apply(
        self,
        position: StorePosition,
        deployments: Iterable[PreparedDeployment | UnreadableRow],
        api_keys: Iterable[ApiKey | UnreadableRow],
        integrations: Iterable[Integration | UnreadableRow] = (),
        environments: Iterable[Environment | UnreadableRow] = (),
        pointers: Iterable[PreparedPointer | UnreadablePointer] = (),
    ) -> None:
        """Apply the changes up to `position`. A row that cannot be decoded does not affect the others."""
        for deleted in self.environments.apply(environments):
            self.project(deleted.project_id).overlays.pop(deleted.id, None)
        for pointer in pointers:  # before the deployments, see `ProjectCatalog.apply`
            environment = self.environments.find(pointer.environment_id)
            if environment is None or environment.deleted_us is None:
                name = pointer.environment_id if environment is None else environment.name
                self.project(pointer.project_id).apply_pointer(pointer, position.rev, name)
        for each in deployments:
            if isinstance(each, UnreadableRow):
                self.project(each.project_id).apply_unreadable(each)
            else:
                self.project(each.deployment.project_id).apply(_bounded(each, position.rev))
        for key in api_keys:
            if isinstance(key, UnreadableRow):
                self._reject(key)
            else:
                self._add_key(key)
        self.integrations.apply(integrations)
        self.position = position

    def page_of_api_keys(
        self, project_id: str, query: PageQuery, environment_id: str | None = None
    ) -> tuple[list[ApiKey], bool]:
        """Return a page of a project's API keys, newest first, and whether there are more.

        With an `environment_id`, only those that are bound to that one.

        Raises:
            InvalidCursor: the cursor is not an API key of the project.
        """
        keys, is_newer = self._keys_in_order.get(project_id, []), query.ending_before is not None
        if environment_id is not None:
            keys = [place for place in keys if self.api_keys[place[1]].environment_id == environment_id]
        start, end = 0, len(keys)
        cursor = query.ending_before or query.starting_after
        if cursor is not None:
            found = self.api_keys.get(cursor)
            if found is None or found.project_id != project_id:
                raise InvalidCursor(param="ending_before" if is_newer else "starting_after", value=cursor[:200])
            place = bisect_left(keys, (found.created_us, found.id))
            start, end = (place + 1, end) if is_newer else (0, place)
        has_more = end - start > query.limit
        page = keys[start : start + query.limit] if is_newer else keys[max(end - query.limit, 0) : end]
        return [self.api_keys[key_id] for _, key_id in reversed(page)], has_more

    def _add_key(self, key: ApiKey) -> None:
        before = self.api_keys.get(key.id)
        if before is None or _place(before) != _place(key):
            self._remove_key(key.id)
            insort(self._keys_in_order.setdefault(key.project_id, []), (key.created_us, key.id))
        self.api_keys[key.id] = key
        self.rejected.pop(key.id, None)

    def _remove_key(self, key_id: str) -> None:
        before = self.api_keys.pop(key_id, None)
        if before is not None:
            keys = self._keys_in_order[before.project_id]
            del keys[bisect_left(keys, (before.created_us, key_id))]

    def _reject(self, key: UnreadableRow) -> None:
        """Remove an API key that cannot be decoded: its scopes or its expiry may be wrong."""
        self._remove_key(key.id)
        if self.rejected.get(key.id) != key:
            self.rejected[key.id] = key
            _log.error("The API key %s cannot be decoded and is rejected: %s", key.id, key.reason)

    def project(self, project_id: str) -> ProjectCatalog:
        """Return the catalog of a project; it is empty for a project without deployments."""
        project = self.projects.get(project_id)
        if project is None:
            project = self.projects[project_id] = ProjectCatalog()
        return project


def _bounded(prepared: PreparedDeployment, rev: int) -> PreparedDeployment:
    """Return the deployment with at most this revision: clients would wait for one that does not exist."""
    replace = msgspec.structs.replace
    if prepared.deployment.rev <= rev:
        return prepared
    return replace(prepared, deployment=replace(prepared.deployment, rev=rev))
