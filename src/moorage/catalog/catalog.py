"""The catalog: all projects, API keys and integrations in memory, updated from the store."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from moorage.catalog.environment_view import EnvironmentView
from moorage.catalog.integrations import ProjectIntegrations, Vault
from moorage.catalog.prepared import PreparedDeployment, PreparedPointer, UnreadablePointer, prepare, prepare_pointer
from moorage.catalog.project import ProjectCatalog
from moorage.catalog.state import CatalogState
from moorage.catalog.view import View
from moorage.core.access import ApiKey
from moorage.core.deployments.page import PageQuery
from moorage.core.environments import Environment
from moorage.core.integrations import Credentials, Integration
from moorage.store.changes import StorePosition
from moorage.store.store import Store
from moorage.store.unreadable import UnreadableRow


class CatalogUpdate(msgspec.Struct, frozen=True):
    """The changes after the position `since`: a complete new `state`, or lists of changes."""

    since: StorePosition
    position: StorePosition
    state: CatalogState | None
    deployments: list[PreparedDeployment | UnreadableRow]
    api_keys: list[ApiKey | UnreadableRow]
    integrations: list[Integration | UnreadableRow]
    environments: list[Environment | UnreadableRow]
    pointers: list[PreparedPointer | UnreadablePointer]

    @property
    def changes(self) -> tuple[Any, ...]:
        """The lists of changes, as `CatalogState.apply` takes them."""
        return self.deployments, self.api_keys, self.integrations, self.environments, self.pointers


class Catalog:
    """The data from which reads are served. `revision` is the newest revision in it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.state = CatalogState()
        self.vault = Vault(store.key_ring)
        self.revision = self.state.position.rev
        #: Called after an update with the ids of the changed projects, or with None if any may have changed.
        self.on_change: Callable[[Collection[str] | None], None] = lambda projects: None

    def is_current(self) -> bool:
        """Return whether this is the newest revision on this machine. Costs one comparison."""
        return self._store.newest_revision() == self.revision

    def fetch(self) -> CatalogUpdate:
        """Read the changes from the store, which can take long; any thread can do it.

        Raises:
            StorageUnavailable
        """
        with self._store.changes(since=self.state.position) as changes:
            deployments, pointers = map(prepare, changes.deployments), map(prepare_pointer, changes.pointers)
            if changes.is_full:
                state = CatalogState()
                others = changes.api_keys, changes.integrations, changes.environments
                state.apply(changes.position, deployments, *others, pointers)
                return CatalogUpdate(changes.since, changes.position, state, [], [], [], [], [])
            return CatalogUpdate(
                changes.since, changes.position, None, list(deployments), list(changes.api_keys),
                list(changes.integrations), list(changes.environments), list(pointers),
            )  # fmt: skip

    def apply(self, update: CatalogUpdate) -> None:
        """Apply a fetched update, unless a later one was applied before it.

        So the catalog never goes back, except with a database that is restored.
        """
        position = self.state.position
        if update.state is not None:
            if update.since == position:
                self.replace(update.state)
        elif update.since.epoch == position.epoch and update.since.rev <= position.rev < update.position.rev:
            self.state.apply(update.position, *update.changes)
            self.vault.forget(update.integrations)
            self.revision = update.position.rev
            self.on_change({each.project_id for changes in update.changes for each in changes})

    def replace(self, state: CatalogState) -> None:
        """Replace the whole state."""
        self.state = state
        self.revision = state.position.rev
        self.on_change(None)

    def report_unreadable(self) -> None:
        """Log the integrations whose credentials cannot be decrypted."""
        self.vault.report_unreadable([*self.state.integrations.stored().values()])

    def catch_up(self) -> None:
        """Fetch and apply the changes in the store."""
        self.apply(self.fetch())

    def project(self, project_id: str) -> ProjectCatalog:
        """Return the catalog of a project in production; it is empty for a project without deployments."""
        return self.state.project(project_id)

    def view(self, project_id: str, environment: Environment | None = None) -> View:
        """Return the deployments of a project in an environment; None is production."""
        project = self.state.project(project_id)
        if environment is None or environment.is_production:
            return project
        return EnvironmentView(project, environment, self.replaced_at(environment))

    def environments(self, project_id: str) -> Mapping[str, Environment]:
        """Return the environments of a project by name, production first, without deleted ones."""
        return self.state.environments.project(project_id)

    def replaced_at(self, environment: Environment) -> int:
        """Return the revision at which an earlier environment with the same name was deleted; 0 if none was."""
        return self.state.environments.replaced_at(environment.project_id, environment.name)

    def find_environment(self, environment_id: str) -> Environment | None:
        """Return the environment with an id, also a deleted one."""
        return self.state.environments.find(environment_id)

    def integrations(self, project_id: str) -> ProjectIntegrations:
        """Return the integrations of a project."""
        return self.state.integrations.project(project_id)

    def credentials(self, integration: Integration) -> Credentials:
        """Return the decrypted credentials of an integration of a project; they are decrypted once.

        Raises:
            CredentialsUnreadable
        """
        return self.vault.open(integration)

    def find_api_key(self, key_id: str) -> ApiKey | None:
        """Return the API key with an id, revoked and expired keys included."""
        return self.state.api_keys.get(key_id)

    def check_readable(self, project_id: str, key_id: str) -> None:
        """Raise `ApiKeyUnreadable` for an API key of a project that cannot be decoded; it is rejected as unknown."""
        row = self.state.rejected.get(key_id)
        if row is not None and row.project_id == project_id:
            raise row.api_key_error()

    def api_keys(
        self, project_id: str, query: PageQuery, environment_id: str | None = None
    ) -> tuple[list[ApiKey], bool]:
        """Return a page of a project's API keys, revoked and expired keys included, and whether there are more.

        With an `environment_id`, only those that are bound to that one.

        Raises:
            InvalidCursor
        """
        return self.state.page_of_api_keys(project_id, query, environment_id)

    @property
    def unreadable(self) -> int:
        """The number of deployments whose current content cannot be decoded, in any environment."""
        return sum(project.count_unreadable() for project in self.state.projects.values())

    def __len__(self) -> int:
        """Return the number of deployments in all projects."""
        return sum(map(len, self.state.projects.values()))
