"""The state of a catalog: deployments and API keys at one position of the store."""

from collections.abc import Iterable

from moorage.catalog.project import ProjectCatalog, ProjectState
from moorage.core.access import ApiKey
from moorage.core.deployments.deployment import Deployment
from moorage.store.changes import INITIAL, StorePosition


class CatalogState:
    """The deployments and API keys of all projects at a `position` of the store."""

    def __init__(self) -> None:
        self.position = INITIAL
        self.projects: dict[str, ProjectCatalog] = {}
        self.api_keys: dict[str, ApiKey] = {}

    @classmethod
    def of(
        cls, position: StorePosition, projects: dict[str, ProjectState], api_keys: dict[str, ApiKey]
    ) -> "CatalogState":
        """Return a state that was stored outside of memory."""
        state = cls()
        state.projects = {project_id: ProjectCatalog(project) for project_id, project in projects.items()}
        state.position, state.api_keys = position, api_keys
        return state

    def project_states(self) -> dict[str, ProjectState]:
        """Return the states of the projects, to be stored outside of memory."""
        return {project_id: project.state() for project_id, project in self.projects.items()}

    def apply(self, position: StorePosition, deployments: Iterable[Deployment], api_keys: Iterable[ApiKey]) -> None:
        """Apply the changes up to `position`."""
        for deployment in deployments:
            self.project(deployment.project_id).apply(deployment)
        for key in api_keys:
            self.api_keys[key.id] = key
        self.position = position

    def project(self, project_id: str) -> ProjectCatalog:
        """Return the catalog of a project; it is empty for a project without deployments."""
        project = self.projects.get(project_id)
        if project is None:
            project = self.projects[project_id] = ProjectCatalog()
        return project
