"""Contents: all projects' deployments and API keys, as they were in one state of the store."""

from collections.abc import Iterable

from moorage.catalog.project import ProjectCatalog, ProjectState
from moorage.core.access import ApiKey
from moorage.core.deployments.deployment import Deployment
from moorage.store.changes import INITIAL, State


class CatalogState:
    """What a catalog shows. `state` is that of the store it was read in."""

    def __init__(self) -> None:
        self.state = INITIAL
        self.projects: dict[str, ProjectCatalog] = {}
        self.api_keys: dict[str, ApiKey] = {}

    @classmethod
    def of(cls, state: State, projects: dict[str, ProjectState], api_keys: dict[str, ApiKey]) -> "CatalogState":
        """Contents that were kept."""
        made = cls()
        made.projects = {project_id: ProjectCatalog(each) for project_id, each in projects.items()}
        made.state, made.api_keys = state, api_keys
        return made

    def kept(self) -> dict[str, ProjectState]:
        """The projects, to be kept outside of memory."""
        return {project_id: project.kept() for project_id, project in self.projects.items()}

    def apply(self, state: State, deployments: Iterable[Deployment], api_keys: Iterable[ApiKey]) -> None:
        """Take over what changed up to `state`."""
        for deployment in deployments:
            self.project(deployment.project_id).follow(deployment)
        for key in api_keys:
            self.api_keys[key.id] = key
        self.state = state

    def project(self, project_id: str) -> ProjectCatalog:
        """The deployments of a project; a project without any has an empty one."""
        found = self.projects.get(project_id)
        if found is None:
            found = self.projects[project_id] = ProjectCatalog()
        return found
