"""Paper: what a person who changes deployments would note by hand. Tests hold it against what the API shows."""

from dataclasses import dataclass, field
from typing import Literal

from moorage.core.access import Scope

Number = tuple[int, int]

#: There; deleted, and can be restored; erased, and cannot.
State = Literal["there", "deleted", "erased"]


@dataclass
class Version:
    """A version; `id` is empty until it was read."""

    number: Number
    text: str
    was_live: bool = False
    state: State = "there"
    id: str = ""

    @property
    def name(self) -> str:
        """Its number as it is written."""
        return f"{self.number[0]}.{self.number[1]}"


@dataclass
class Deployment:
    """A deployment, with its versions and its history from the oldest on.

    `moves` are those of the live version, from and to; `etags` are all it ever had.
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
    state: State = "there"

    @classmethod
    def created(cls, deployment_id: str, key: str, description: str, text: str) -> "Deployment":
        """A new deployment, whose version 1.0 is live."""
        first = Version((1, 0), text, was_live=True)
        return cls(deployment_id, key, description, [first], first, [("created", None, "1.0")])

    @property
    def is_there(self) -> bool:
        """Neither deleted nor erased."""
        return self.state == "there"

    def listed(self) -> list[Version]:
        """The versions that are there, newest first."""
        return [version for version in self.versions[::-1] if version.state == "there"]

    def status(self, version: Version) -> str:
        """What a version is at present."""
        return "live" if version is self.live else "published" if version.was_live else "draft"

    def put(self, text: str, description: str | None, bump: str) -> None:
        """A version only where the text is another than the live one's; an entry only where something is."""
        if text == self.live.text:
            self.describe(self.description if description is None else description)
        else:
            self.publish(self.save(text, bump))
            self.description = self.description if description is None else description

    def describe(self, description: str) -> None:
        """Change the description, in place."""
        if description != self.description:
            self.description = description
            self._note("changed", self.live, self.live)

    def save(self, text: str, bump: str) -> Version:
        """A draft, of the number after the highest that was ever given."""
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
        """Take back the last move."""
        self._move("undone", self.moves[-1][0])

    def delete(self) -> None:
        """Delete it, with all that is in it."""
        self.state = "deleted"
        self._note("deleted", self.live, None)

    def restore(self) -> None:
        """Take that back."""
        self.state = "there"
        self._note("restored", None, self.live)

    def delete_version(self, version: Version) -> None:
        """Delete a version; its number is not given again."""
        version.state = "deleted"
        self._note("deleted", version, version)

    def restore_version(self, version: Version) -> None:
        """Take that back."""
        version.state = "there"
        self._note("restored", version, version)

    def has_etag(self, etag: str) -> None:
        """Check its ETag: another one than ever if it was changed since the last, and else the same."""
        if self.is_changed:
            assert etag not in self.etags
            self.etags.append(etag)
            self.is_changed = False
        assert etag == self.etags[-1]

    def erase(self) -> int:
        """Erase what was deleted: itself with all its versions, or single ones; how many of both."""
        if self.state == "deleted":
            self.state, erased = "erased", self.versions
        else:
            erased = [version for version in self.versions if version.state == "deleted"]
        for version in erased:
            version.state = "erased"
        return 1 if self.state == "erased" and erased is self.versions else len(erased)

    def _move(self, action: str, to: Version) -> None:
        self._note(action, self.live, to)
        self.moves.append((self.live, to))
        self.live, to.was_live = to, True

    def _note(self, action: str, before: Version | None, after: Version | None) -> None:
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
