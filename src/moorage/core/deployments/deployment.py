"""Deployment: a named, versioned configuration, and its JSON in responses."""

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.aliases import Aliases
from moorage.core.deployments.content import DECODE_ERRORS, NO_CONTENT, Content, StoredContent
from moorage.core.deployments.ids import KEY_PATTERN
from moorage.core.deployments.key_check import check_characters
from moorage.core.deployments.ownership import Owner
from moorage.core.deployments.prompt_config import PromptConfig, Variable
from moorage.core.deployments.runtime_config import RuntimeConfigFields
from moorage.core.environments import Pointer
from moorage.core.errors.base import DeploymentDeleted, DeploymentUnreadable
from moorage.core.times import LAST_US, iso
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import DROP, Report

Bump = Literal["minor", "major"]
Result = Literal["created", "updated", "unchanged"]

#: The number of days for which a deleted deployment can be restored.
RESTORE_DAYS = 30

MAX_DESCRIPTION = 10_000
MAX_NOTES = 10_000

_encode = msgspec.json.Encoder().encode


class PutDeployment(RuntimeConfigFields, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT /v2/deployments/{key}`: the desired deployment.

    Omitted optional fields are unchanged. If the content changes, `version_bump` selects the next version number, and
    `notes` describes the new version.
    """

    prompt_config: PromptConfig
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)] | UnsetType = UNSET
    variables: list[Variable] | UnsetType = UNSET
    aliases: Aliases | UnsetType = UNSET
    version_bump: Bump = "minor"
    notes: Annotated[str, Meta(max_length=MAX_NOTES)] = ""


class PostDeployment(PutDeployment, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /v2/deployments`: a new deployment. `reason` goes into the history."""

    key: Annotated[str, Meta(pattern=KEY_PATTERN, extra={"normalize": check_characters})]
    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET


def _permanent(value: Any, path: JsonPath, report: Report) -> Any:
    report.problem(
        path, "cannot be changed, because applications use it; create another deployment and delete this one"
    )
    return DROP


class PatchDeployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PATCH /v2/deployments/{keyOrID}`. `reason` goes into the history; omitted fields are unchanged."""

    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)] | UnsetType = UNSET
    aliases: Aliases | UnsetType = UNSET
    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET
    key: (
        Annotated[str, Meta(description="Rejected: a key is permanent.", extra={"normalize": _permanent})] | UnsetType
    ) = UNSET


class DeletedDeployment(msgspec.Struct, frozen=True):
    """The response to a deletion; the deployment can be restored until `restorable_until`."""

    id: str
    key: str
    deleted: Literal[True]
    deleted_at: str
    restorable_until: str


class DeploymentItem(msgspec.Struct, frozen=True):
    """A deployment in responses, such as an item of the list page. All fields are required, except `aliases`.

    `prompt_config` and `version` are those of the live version; `created` and `updated` are ISO 8601.
    """

    id: str
    created: str
    updated: str
    key: Annotated[str, Meta(pattern=KEY_PATTERN)]
    description: str
    prompt_config: PromptConfig
    version: str
    aliases: Annotated[list[str], Meta(description="Omitted if there are none.")] | UnsetType = UNSET


class DeploymentPage(msgspec.Struct, frozen=True):
    """A page of deployments, newest first. `has_more` applies to the requested direction."""

    object: Literal["list"]
    data: list[DeploymentItem]
    has_more: bool


def etag_of(rev: int, item: bytes) -> str:
    """Return the ETag of a deployment at a revision, with the JSON `item`."""
    return f'"{rev}-{hashlib.sha256(item).hexdigest()[:16]}"'


def restore_deadline_us(deleted_us: int) -> int:
    """Return the last time for a restore after a deletion; both are microseconds since 1970."""
    return min(deleted_us + RESTORE_DAYS * 86_400_000_000, LAST_US)


def restore_hint(deleted_us: int, path: str, *, is_purged: bool) -> str:
    """Return the hint for the restore of deleted content, with the route `path`."""
    if is_purged:
        return "It was permanently deleted."
    return f"It can be restored until {iso(restore_deadline_us(deleted_us))}: POST {path}"


def unreadable(key: str, error: Exception) -> DeploymentUnreadable:
    """Return the error for a live version that cannot be decoded."""
    return DeploymentUnreadable(param="key", key=key, reason=str(error)[:500])


class Tombstone(msgspec.Struct, frozen=True):
    """A deleted deployment."""

    id: str
    key: str
    deleted_us: int
    is_purged: bool
    rev: int

    @property
    def order(self) -> tuple[bool, int]:
        """The order of deletions; a purge changes the revision, but it comes later than the deletion of the others."""
        return not self.is_purged, self.rev

    def error(self) -> DeploymentDeleted:
        """Return the error for a request that requires the deployment."""
        hint = restore_hint(self.deleted_us, f"/v2/deployments/{self.id}/restore", is_purged=self.is_purged)
        return DeploymentDeleted(param="key", key=self.key, deleted_at=iso(self.deleted_us), restore_hint=hint)


class LiveVersion(msgspec.Struct, frozen=True, gc=False):
    """The stored live version of a deployment, from which the server creates responses."""

    key: str
    id: str
    version_id: str
    version: str
    content: StoredContent
    aliases: tuple[str, ...] = ()


class VersionNumber(msgspec.Struct, frozen=True, order=True):
    """`1.0`, `1.1`, `2.0`: major, then minor."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def next(self, bump: Bump) -> "VersionNumber":
        """Return the next number."""
        return VersionNumber(self.major + 1, 0) if bump == "major" else VersionNumber(self.major, self.minor + 1)


FIRST_VERSION = VersionNumber(1, 0)


class Deployment(msgspec.Struct, frozen=True):
    """A stored deployment with its live version.

    `seq` is its position in creation order, which is the order of lists; `rev` is the revision of its last change. A
    deleted deployment remains as a tombstone, so that a cursor with its id stays valid. If the row of the live version
    cannot be decoded, `problem` is the reason.

    It is as in one environment (`environment_id`, None for production). In another one than production it has a
    `pointer`, or follows production. Without a `live_version_id` it is not in the environment; the content is that of
    its newest version then.
    """

    id: str
    project_id: str
    key: str
    description: str
    seq: int
    created_us: int
    updated_us: int
    deleted_us: int | None
    version: VersionNumber
    content: StoredContent
    content_sha256: str
    rev: int
    live_version_id: str | None
    owner: Owner
    file: str | None
    problem: str = ""
    environment_id: str | None = None
    pointer: Pointer | None = None
    aliases: tuple[str, ...] = ()

    def in_environment(self, environment_id: str, pointer: Pointer | None) -> "Deployment":
        """Return the deployment as it is in another environment than production.

        The content of `self` must be that of the version there.
        """
        replace = msgspec.structs.replace
        if pointer is None:
            return replace(self, environment_id=environment_id, owner="api", file=None)
        if pointer.version_id is None:
            rev = max(self.rev, pointer.rev)
            return replace(self, environment_id=environment_id, owner="api", file=None, pointer=pointer, rev=rev)
        return replace(
            self, environment_id=environment_id, pointer=pointer, live_version_id=pointer.version_id, rev=pointer.rev,
            updated_us=pointer.updated_us, owner=pointer.owner, file=pointer.file,
        )  # fmt: skip

    def without_content(self) -> "Deployment":
        """Return a copy that does not keep the content in memory."""
        return msgspec.structs.replace(self, content=NO_CONTENT)

    @property
    def is_following(self) -> bool:
        """Whether it follows production in its environment."""
        return self.environment_id is not None and (self.pointer is None or self.pointer.version_id is None)

    @property
    def own_version_id(self) -> str | None:
        """The live version that was set in this environment; None if it follows production, or there is none."""
        return None if self.is_following else self.live_version_id

    @property
    def base(self) -> str | None:
        """The state against which a change is made: the id of a version, `follows`, or None for none."""
        return "follows" if self.is_following else self.live_version_id

    @property
    def place(self) -> int:
        """Its position in the list."""
        return self.seq

    @property
    def tombstone(self) -> Tombstone:
        """Its tombstone."""
        return Tombstone(self.id, self.key, self.deleted_us or 0, not self.content.prompt_config, self.rev)

    @property
    def etag(self) -> str:
        """The ETag. It contains the revision, so that a `412` can list the changes since then."""
        return etag_of(self.rev, self.item())

    def decode(self) -> Content:
        """Return the content of the live version.

        Raises:
            DeploymentUnreadable: it cannot be decoded, because another program wrote it.
        """
        if self.problem:
            raise DeploymentUnreadable(param="key", key=self.key, reason=self.problem)
        try:
            return self.content.decode()
        except DECODE_ERRORS as error:
            raise unreadable(self.key, error) from error

    def decode_error(self) -> DeploymentUnreadable | None:
        """Return the error if the live version cannot be decoded."""
        try:
            self.decode()
        except DeploymentUnreadable as error:
            return error
        return None

    def item(self) -> bytes:
        """Return the JSON of the `DeploymentItem`. The stored JSON is not parsed."""
        created = iso(self.created_us).encode()
        updated = created if self.updated_us == self.created_us else iso(self.updated_us).encode()
        return b"".join((
            b'{"id":"', self.id.encode(), b'","created":"', created,
            b'","updated":"', updated, b'","key":"', self.key.encode(),
            b'","description":', _encode(self.description),
            b',"prompt_config":', self.content.prompt_config.encode(),
            b',"version":"', str(self.version).encode(), b'"',
            *((b',"aliases":', _encode(self.aliases)) if self.aliases else ()), b"}",
        ))  # fmt: skip
