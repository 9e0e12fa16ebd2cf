"""The integrations of all projects in memory, with encrypted credentials, which are decrypted when they are used."""

import logging
from collections.abc import Iterable, Mapping

from moorage.core.errors.integrations import CredentialsUnreadable, IntegrationUnreadable
from moorage.core.integrations import Credentials, Integration
from moorage.store.sealing import KeyRing
from moorage.store.unreadable import UnreadableRow

_log = logging.getLogger("moorage.catalog")


class ProjectIntegrations:
    """The integrations of one project by name and by id, and the errors of those that cannot be decoded, by name."""

    __slots__ = ("_all", "by_id", "by_name", "unreadable")

    def __init__(self) -> None:
        self.by_name: dict[str, Integration] = {}
        self.by_id: dict[str, Integration] = {}
        self.unreadable: dict[str, IntegrationUnreadable] = {}
        self._all: dict[str, Integration] = {}

    def find(self, name_or_id: str) -> Integration | None:
        """Return the integration with a name or an id; a name has precedence.

        Raises:
            IntegrationUnreadable: it cannot be decoded, so another one must not take its place.
        """
        if name_or_id in self.unreadable:
            raise self.unreadable[name_or_id]
        return self.by_name.get(name_or_id) or self.by_id.get(name_or_id)

    def in_order(self) -> list[Integration]:
        """Return all integrations, newest first, with tombstones, to which cursors stay valid."""
        return sorted(self._all.values(), key=lambda each: (each.created_us, each.id), reverse=True)

    def apply(self, integration: Integration) -> None:
        """Apply the newest state of an integration."""
        self.remove(integration.id)
        self._all[integration.id] = integration
        if integration.deleted_us is None:
            self.by_id[integration.id] = self.by_name[integration.name] = integration

    def remove(self, integration_id: str) -> None:
        """Remove an integration, and the error that it had."""
        self._all.pop(integration_id, None)
        before = self.by_id.pop(integration_id, None)
        if before is not None and self.by_name.get(before.name) is before:
            del self.by_name[before.name]
        error = self.unreadable.pop(integration_id, None)
        if error is not None:
            self.unreadable.pop(str(error.fields["name"]), None)


class IntegrationIndex:
    """The integrations of all projects."""

    def __init__(self) -> None:
        self._projects: dict[str, ProjectIntegrations] = {}
        self._all: dict[str, Integration] = {}

    def project(self, project_id: str) -> ProjectIntegrations:
        """Return those of a project."""
        found = self._projects.get(project_id)
        if found is None:
            found = self._projects[project_id] = ProjectIntegrations()
        return found

    def stored(self) -> Mapping[str, Integration]:
        """Return all integrations by id, to be stored outside of memory: their credentials are encrypted."""
        return self._all

    def apply(self, integrations: Iterable[Integration | UnreadableRow]) -> None:
        """Apply changes. A row that cannot be decoded does not affect the others."""
        for each in integrations:
            project, before = self.project(each.project_id), self._all.pop(each.id, None)
            if before is not None and before.project_id != each.project_id:
                self.project(before.project_id).remove(each.id)
            if isinstance(each, Integration):
                self._all[each.id] = each
                project.apply(each)
                continue
            known = project.unreadable.get(each.id)
            project.remove(each.id)
            if not each.is_deleted:
                error = each.integration_error()
                project.unreadable[each.id] = project.unreadable[each.key] = error
                if str(known) != str(error):
                    _log.error("An integration of project %s cannot be decoded: %s", each.project_id, error)


class Vault:
    """The decrypted credentials of integrations, in memory only, each until it changes."""

    def __init__(self, key_ring: KeyRing) -> None:
        self._key_ring = key_ring
        self._opened: dict[str, tuple[tuple[str, str], Credentials]] = {}  # by id, with the encrypted texts
        self._reported: dict[str, str] = {}

    def open(self, integration: Integration) -> Credentials:
        """Return the credentials of an integration of a project.

        Raises:
            CredentialsUnreadable
        """
        known, sealed = self._opened.get(integration.id), (integration.credentials, integration.headers)
        if known is not None and known[0] == sealed:
            return known[1]
        self._opened.pop(integration.id, None)
        try:
            opened = self._key_ring.open(integration)
        except CredentialsUnreadable as error:
            if self._reported.get(integration.id) != str(error):
                self._reported[integration.id] = str(error)
                _log.warning("%s", error, extra={"fields": {"project_id": integration.project_id}})
            raise
        self._reported.pop(integration.id, None)
        if integration.deleted_us is None:
            self._opened[integration.id] = sealed, opened
        return opened

    def report_unreadable(self, integrations: Iterable[Integration]) -> None:
        """Log which integrations cannot be decrypted; each breaks only itself."""
        for each in integrations:
            if each.deleted_us is None:
                try:
                    self.open(each)
                except CredentialsUnreadable:
                    continue

    def forget(self, integrations: Iterable[Integration | UnreadableRow]) -> None:
        """Forget the credentials of integrations that changed."""
        for each in integrations:
            self._opened.pop(each.id, None)
