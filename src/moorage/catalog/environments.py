"""The environments of all projects in memory."""

import logging
from collections.abc import Iterable, Mapping

from moorage.core.environments import PRODUCTION, Environment, production_of
from moorage.store.unreadable import UnreadableRow

_log = logging.getLogger("moorage.catalog")


class EnvironmentIndex:
    """The environments of all projects, with tombstones."""

    def __init__(self) -> None:
        self._all: dict[str, Environment] = {}
        self._by_name: dict[str, Mapping[str, Environment]] = {}  # by project
        self._deleted: dict[tuple[str, str], int] = {}
        self._unreadable: dict[str, UnreadableRow] = {}

    def project(self, project_id: str) -> Mapping[str, Environment]:
        """Return those of a project by name, production first, without deleted ones."""
        found = self._by_name.get(project_id)
        if found is None:
            found = self._by_name[project_id] = _by_name(project_id, ())
        return found

    def find(self, environment_id: str) -> Environment | None:
        """Return the environment with an id, also a deleted one."""
        return self._all.get(environment_id)

    def __len__(self) -> int:
        """Return the number of environments that are not deleted."""
        return sum(each.deleted_us is None for each in self._all.values())

    def replaced_at(self, project_id: str, name: str) -> int:
        """Return the revision at which an environment with this name was deleted last; 0 if none was."""
        return self._deleted.get((project_id, name), 0)

    def stored(self) -> Mapping[str, Environment]:
        """Return all environments by id, to be stored outside of memory."""
        return self._all

    def apply(self, environments: Iterable[Environment | UnreadableRow]) -> list[Environment]:
        """Apply changes, and return the deleted ones. Of a row that cannot be decoded, the previous state stays."""
        changed, deleted = set[str](), list[Environment]()
        for each in environments:
            if isinstance(each, UnreadableRow):
                if self._unreadable.get(each.id) != each:
                    self._unreadable[each.id] = each
                    _log.error("An environment of project %s cannot be decoded: %s", each.project_id, each.reason)
            else:
                self._all[each.id] = each
                self._unreadable.pop(each.id, None)
                changed.add(each.project_id)
                if each.deleted_us is not None:
                    deleted.append(each)
                    name = (each.project_id, each.name)
                    self._deleted[name] = max(self._deleted.get(name, 0), each.rev)
        if changed:
            of_project: dict[str, list[Environment]] = {project_id: [] for project_id in changed}
            for environment in self._all.values():
                if environment.project_id in changed:
                    of_project[environment.project_id].append(environment)
            for project_id, found in of_project.items():
                self._by_name[project_id] = _by_name(project_id, found)
        return deleted


def _by_name(project_id: str, environments: Iterable[Environment]) -> Mapping[str, Environment]:
    """Return the environments that are not deleted by name, production first, then oldest first."""
    found = {each.name: each for each in sorted(environments, key=_age) if each.deleted_us is None}
    production = found.pop(PRODUCTION, None) or production_of(project_id, 0, 0)
    return {PRODUCTION: production, **found}


def _age(environment: Environment) -> tuple[int, str]:
    return environment.created_us, environment.id
