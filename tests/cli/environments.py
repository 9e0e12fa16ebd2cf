"""Projects with environments, and the API keys of persons and programs, for the tests of the command line."""

from moorage.core.access import Scope
from tests.support.server import Project


def with_key(project: Project, *scopes: Scope) -> Project:
    """Return a project with another API key, which the operator made: it may approve what others propose."""
    _, token = project.key(*scopes)
    return Project(project.server, project.id, project.name, token)


def administrator(project: Project) -> Project:
    """Return a project with an API key of all scopes."""
    return with_key(project, *Scope)


def approver(project: Project) -> Project:
    """Return a project with the API key of a person who approves, and changes nothing."""
    return with_key(project, Scope.READ, Scope.APPROVE)


def put_environment(project: Project, name: str, settings: bytes = b"{}") -> None:
    """Create an environment, or change its settings."""
    response = administrator(project).request("PUT", f"/v2/environments/{name}", settings)
    assert response.status in (200, 201), response.body


def version_in(project: Project, environment: str, key: str) -> str | None:
    """Return the live version of a deployment in an environment, or None if there is none."""
    response = project.request("GET", f"/v2/deployments/{key}?environment={environment}")
    return str(response.json["version"]) if response.status == 200 else None
