"""Catalog: all projects and API keys in memory, following the store."""

from moorage.catalog.project_catalog import ProjectCatalog
from moorage.core.access import ApiKey
from moorage.store.store import Store


class Catalog:
    """What every read is answered from. `revision` is the count of committed writes it shows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._projects: dict[str, ProjectCatalog] = {}
        self._api_keys: dict[str, ApiKey] = {}
        self.revision = -1

    def follow(self) -> int:
        """Catch up if any process on this machine has acknowledged or shown a newer revision; returns `revision`.

        Called before every read is answered: with nothing new it is one comparison.
        """
        if self._store.newest_revision() > self.revision:
            self.catch_up()
        return self.revision

    def catch_up(self) -> None:
        """Take over all that the store has and this has not."""
        with self._store.changes(since=self.revision) as changes:
            for deployment in changes.deployments:
                self.project(deployment.project_id).follow(deployment)
            for key in changes.api_keys:
                self._api_keys[key.id] = key
        self.revision = changes.rev

    def project(self, project_id: str) -> ProjectCatalog:
        """The deployments of a project; a project without any has an empty one."""
        found = self._projects.get(project_id)
        if found is None:
            found = self._projects[project_id] = ProjectCatalog()
        return found

    def find_api_key(self, key_id: str) -> ApiKey | None:
        """The API key with that id, revoked or expired ones too."""
        return self._api_keys.get(key_id)

    def api_keys(self, project_id: str) -> list[ApiKey]:
        """The API keys of a project, revoked or expired ones too."""
        return [key for key in self._api_keys.values() if key.project_id == project_id]

    def __len__(self) -> int:
        """How many deployments there are in all projects."""
        return sum(map(len, self._projects.values()))
