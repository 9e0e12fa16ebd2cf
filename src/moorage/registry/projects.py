"""Projects: the owners of deployments and API keys."""

from moorage.core.access import Project
from moorage.core.deployments.history import OPERATOR, Subject
from moorage.core.errors.base import NameTaken, ProjectNotFound
from moorage.core.errors.requests import InvalidRequest
from moorage.store.store import Store
from moorage.store.transaction import Transaction

#: The project that always exists, for teams that need no second one.
DEFAULT_PROJECT = "default"

MAX_NAME = 128


def create_project(tx: Transaction, name: str) -> Project:
    """Create a project.

    Raises:
        NameTaken: a project has the name.
        InvalidRequest: the name is empty, too long, or not printable.
    """
    check_name(name, "project")
    if tx.find_project(name):
        raise NameTaken(kind="project", name=name)
    return _insert(tx, name)


def get_project(store: Store, name: str) -> Project:
    """Return the project of a name; the default project is created on first use.

    Raises:
        ProjectNotFound: with the names of all projects.
    """
    projects = store.projects()
    for project in projects:
        if project.name == name:
            return project
    if name == DEFAULT_PROJECT:
        with store.write() as tx:  # two nodes may start on an empty database at the same time
            return tx.find_project(name) or _insert(tx, name)
    raise ProjectNotFound(name=name, existing=", ".join(project.name for project in projects) or "none")


def _insert(tx: Transaction, name: str) -> Project:
    project = tx.insert_project(name)
    tx.record("project_created", OPERATOR, Subject(project.id))
    return project


def check_name(name: str, kind: str) -> None:
    """Reject a name that a person cannot read back in a table.

    Raises:
        InvalidRequest: it is empty, longer than 128 characters, or not printable.
    """
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        reason = f"the name of a {kind} must be 1 to {MAX_NAME} printable characters; got {name[:MAX_NAME]!r}"
        raise InvalidRequest(param="name", reason=reason)
