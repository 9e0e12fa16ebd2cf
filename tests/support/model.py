"""A model of deployments and API keys. Tests compare it with the responses of the API."""

from dataclasses import dataclass, field
from typing import Literal

from moorage.core.access import Scope

Number = tuple[int, int]

#: `deleted` can be restored, `purged` cannot.
State = Literal["existing", "deleted", "purged"]


@dataclass
class Version:
    """A version; `id` is empty until it is read from a response."""

    number: Number
    text: str
    was_live: bool = False
    state: State = "existing"
    id: str = ""

    @property
    def name(self) -> str:
        """The number as text."""
        return f"{self.number[0]}.{self.number[1]}"


@dataclass
class Deployment:
    """A deployment, with its versions and its history, oldest first.

    `moves` lists the changes of the live version as pairs (before, after), `etags` all ETags.
    """

    id: str
    key: str
    description: str
    versions: list[Version]
    live: Version
    history: list[tuple[str, str | None, str | None]]
    moves: list[tuple[Version, Version]] = field(default_factory=list)
    etags: list[str] = field(default_factory=list)
    is_changed: bool = True
    state: State = "existing"

    @classmethod
    def created(cls, deployment_id: str, key: str, description: str, text: str) -> "Deployment":
        """Return a new deployment with the live version 1.0."""
        first = Version((1, 0), text, was_live=True)
        return cls(deployment_id, key, description, [first], first, [("created", None, "1.0")])

    @property
    def exists(self) -> bool:
        """Whether it is neither deleted nor purged."""
        return self.state == "existing"

    def listed(self) -> list[Version]:
        """Return the existing versions, newest first."""
        return [version for version in self.versions[::-1] if version.state == "existing"]

    def status(self, version: Version) -> str:
        """Return the status of a version."""
        return "live" if version is self.live else "published" if version.was_live else "draft"

    def put(self, text: str, description: str | None, bump: str) -> None:
        """Add and publish a version if the text differs; set the description."""
        if text == self.live.text:
            self.describe(self.description if description is None else description)
        else:
            self.publish(self.save(text, bump))
            self.description = self.description if description is None else description

    def describe(self, description: str) -> None:
        """Change the description."""
        if description != self.description:
            self.description = description
            self._record("changed", self.live, self.live)

    def save(self, text: str, bump: str) -> Version:
        """Return a new draft, with the number after the highest one."""
        major, minor = max(version.number for version in self.versions)
        version = Version((major + 1, 0) if bump == "major" else (major, minor + 1), text)
        self.versions.append(version)
        self.is_changed = True
        return version

    def publish(self, version: Version) -> None:
        """Make a version live."""
        if version is not self.live:
            self._move("published", version)

    def undo(self) -> None:
        """Restore the previous live version."""
        self._move("undone", self.moves[-1][0])

    def delete(self) -> None:
        """Delete the deployment."""
        self.state = "deleted"
        self._record("deleted", self.live, None)

    def restore(self) -> None:
        """Restore the deployment."""
        self.state = "existing"
        self._record("restored", None, self.live)

    def delete_version(self, version: Version) -> None:
        """Delete a version; its number is not reused."""
        version.state = "deleted"
        self._record("deleted", version, version)

    def restore_version(self, version: Version) -> None:
        """Restore a version."""
        version.state = "existing"
        self._record("restored", version, version)

    def check_etag(self, etag: str) -> None:
        """Check the ETag: a new one after a change, and otherwise the last one."""
        if self.is_changed:
            assert etag not in self.etags
            self.etags.append(etag)
            self.is_changed = False
        assert etag == self.etags[-1]

    def purge(self) -> int:
        """Purge the deleted deployment, or its deleted versions; return the number of both."""
        if self.state == "deleted":
            self.state, purged = "purged", self.versions
        else:
            purged = [version for version in self.versions if version.state == "deleted"]
        for version in purged:
            version.state = "purged"
        return 1 if self.state == "purged" and purged is self.versions else len(purged)

    def _move(self, action: str, to: Version) -> None:
        self._record(action, self.live, to)
        self.moves.append((self.live, to))
        self.live, to.was_live = to, True

    def _record(self, action: str, before: Version | None, after: Version | None) -> None:
        self.history.append((action, before.name if before else None, after.name if after else None))
        self.is_changed = True


@dataclass
class Key:
    """An API key."""

    id: str
    name: str
    scopes: frozenset[Scope]
    token: str
    is_revoked: bool = False
