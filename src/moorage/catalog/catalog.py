"""Catalog: all projects and API keys in memory, following the store."""

from collections.abc import Callable, Collection

import msgspec

from moorage.catalog.project import ProjectCatalog
from moorage.catalog.state import CatalogState
from moorage.core.access import ApiKey
from moorage.core.deployments.deployment import Deployment
from moorage.store.changes import State
from moorage.store.store import Store


class CatalogUpdate(msgspec.Struct, frozen=True):
    """What the store has and the catalog had not, when it was in the state `since`: in `contents` all there is, or in
    the lists what changed."""

    since: State
    state: State
    contents: CatalogState | None
    deployments: list[Deployment]
    api_keys: list[ApiKey]


class Catalog:
    """What every read is answered from. `revision` is the count of committed writes it shows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.contents = CatalogState()
        self.revision = self.contents.state.rev
        #: Called with the projects there is news of after it was taken; with None if it can be any.
        self.on_change: Callable[[Collection[str] | None], None] = lambda projects: None

    def is_current(self) -> bool:
        """Whether no process on this machine has acknowledged or shown another revision: one comparison."""
        return self._store.newest_revision() == self.revision

    def fetch(self) -> CatalogUpdate:
        """Read what is new. This may take long, and can be done in any thread, while the catalog is read.

        Raises:
            StorageUnavailable
        """
        with self._store.changes(since=self.contents.state) as changes:
            if changes.is_full:
                contents = CatalogState()
                contents.apply(changes.state, changes.deployments, changes.api_keys)
                return CatalogUpdate(changes.since, changes.state, contents, [], [])
            return CatalogUpdate(changes.since, changes.state, None, list(changes.deployments), list(changes.api_keys))

    def apply(self, news: CatalogUpdate) -> None:
        """Show what was fetched. What was overtaken by other news meanwhile is left, so the catalog never goes back: it
        does only with the database itself, when that is restored."""
        state = self.contents.state
        if news.contents is not None:
            if news.since == state:
                self.replace(news.contents)
        elif news.since.epoch == state.epoch and news.since.rev <= state.rev < news.state.rev:
            self.contents.apply(news.state, news.deployments, news.api_keys)
            self.revision = news.state.rev
            projects = {each.project_id for each in news.deployments} | {each.project_id for each in news.api_keys}
            self.on_change(projects)

    def replace(self, contents: CatalogState) -> None:
        """Show these from now on."""
        self.contents = contents
        self.revision = contents.state.rev
        self.on_change(None)

    def catch_up(self) -> None:
        """Fetch and take."""
        self.apply(self.fetch())

    def project(self, project_id: str) -> ProjectCatalog:
        """The deployments of a project; a project without any has an empty one."""
        return self.contents.project(project_id)

    def find_api_key(self, key_id: str) -> ApiKey | None:
        """The API key with that id, revoked or expired ones too."""
        return self.contents.api_keys.get(key_id)

    def api_keys(self, project_id: str) -> list[ApiKey]:
        """The API keys of a project, revoked or expired ones too."""
        return [key for key in self.contents.api_keys.values() if key.project_id == project_id]

    @property
    def unreadable(self) -> int:
        """How many deployments could not be taken over, as they are now."""
        return sum(project.unreadable for project in self.contents.projects.values())

    def __len__(self) -> int:
        """How many deployments there are in all projects."""
        return sum(map(len, self.contents.projects.values()))
