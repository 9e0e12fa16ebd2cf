"""The catalog: all projects, API keys and integrations in memory, updated from the store."""

from collections.abc import Callable, Collection

import msgspec

from moorage.catalog.integrations import ProjectIntegrations, Vault
from moorage.catalog.prepared import PreparedDeployment, prepare
from moorage.catalog.project import ProjectCatalog
from moorage.catalog.state import CatalogState
from moorage.core.access import ApiKey
from moorage.core.deployments.page import PageQuery
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
            prepared = map(prepare, changes.deployments)
            if changes.is_full:
                state = CatalogState()
                state.apply(changes.position, prepared, changes.api_keys, changes.integrations)
                return CatalogUpdate(changes.since, changes.position, state, [], [], [])
            changed = list(prepared), list(changes.api_keys), list(changes.integrations)
            return CatalogUpdate(changes.since, changes.position, None, *changed)

    def apply(self, update: CatalogUpdate) -> None:
        """Apply a fetched update, unless a later one was applied before it.

        So the catalog never goes back, except with a database that is restored.
        """
        position = self.state.position
        if update.state is not None:
            if update.since == position:
                self.replace(update.state)
        elif update.since.epoch == position.epoch and update.since.rev <= position.rev < update.position.rev:
            self.state.apply(update.position, update.deployments, update.api_keys, update.integrations)
            self.vault.forget(update.integrations)
            self.revision = update.position.rev
            changed = (*update.deployments, *update.api_keys, *update.integrations)
            self.on_change({each.project_id for each in changed})

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
        """Return the catalog of a project; it is empty for a project without deployments."""
        return self.state.project(project_id)

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

    def api_keys(self, project_id: str, query: PageQuery) -> tuple[list[ApiKey], bool]:
        """Return a page of a project's API keys, revoked and expired keys included, and whether there are more.

        Raises:
            InvalidCursor
        """
        return self.state.page_of_api_keys(project_id, query)

    @property
    def unreadable(self) -> int:
        """The number of deployments whose current content cannot be decoded."""
        return sum(len(project.unreadable) for project in self.state.projects.values())

    def __len__(self) -> int:
        """Return the number of deployments in all projects."""
        return sum(map(len, self.state.projects.values()))
