"""Projects: who owns deployments and API keys."""

from moorage.core.access import Project
from moorage.core.errors import NameTaken, ProjectNotFound
from moorage.core.request_errors import InvalidRequest
from moorage.store.store import Store

#: The project there is from the start, for teams that need no second one.
DEFAULT_PROJECT = "default"

MAX_NAME = 128


def create_project(store: Store, name: str) -> Project:
    """Make a project.

    Raises:
        NameTaken: there is one of that name.
        InvalidRequest: the name is empty, too long, or not printable.
    """
    check_name(name, "project")
    with store.write() as write:
        if write.find_project(name):
            raise NameTaken(what="project", name=name)
        return write.insert_project(name)


def get_project(store: Store, name: str) -> Project:
    """The project of that name; the default one is made when it is first asked for.

    Raises:
        ProjectNotFound: with the names there are.
    """
    projects = store.projects()
    for project in projects:
        if project.name == name:
            return project
    if name == DEFAULT_PROJECT:
        with store.write() as write:  # two nodes may start on an empty database at the same moment
            return write.find_project(name) or write.insert_project(name)
    raise ProjectNotFound(name=name, known=", ".join(project.name for project in projects) or "none")


def check_name(name: str, what: str) -> None:
    """Refuse a name that a person could not read back in a table.

    Raises:
        InvalidRequest: it is empty, longer than 128 characters, or not printable.
    """
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidRequest(param="name", reason=f"a {what}'s name is 1 to {MAX_NAME} printable characters")
