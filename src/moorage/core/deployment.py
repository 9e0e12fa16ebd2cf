"""Deployment: a named, versioned configuration, and the bytes it is on the wire."""

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.conform import DROP, Report
from moorage.core.errors import DeploymentDeleted, DeploymentUnreadable
from moorage.core.ids import KEY_PATTERN
from moorage.core.ownership import Owner
from moorage.core.prompt_config import PromptConfig, Variable, decode_prompt_config, decode_variables
from moorage.core.serving import NOTHING, Serving, ServingFields, decode_serving
from moorage.core.times import iso

Bump = Literal["minor", "major"]
Result = Literal["created", "updated", "unchanged"]

#: How long a deleted deployment can be restored.
RESTORE_DAYS = 30

MAX_DESCRIPTION = 10_000
MAX_NOTES = 10_000

_encode_text = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


class PutDeployment(ServingFields, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT /v2/deployments/{key}`: what the deployment shall be.

    An optional field that is left out keeps its present value. `version_bump` says which number grows if this makes a
    new version, `notes` why it was made.
    """

    prompt_config: PromptConfig
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)] | UnsetType = UNSET
    variables: list[Variable] | UnsetType = UNSET
    version_bump: Bump = "minor"
    notes: Annotated[str, Meta(max_length=MAX_NOTES)] = ""


class PostDeployment(PutDeployment, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /v2/deployments`: a new deployment. `reason` goes into the history."""

    key: Annotated[str, Meta(pattern=KEY_PATTERN)]
    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET


def _permanent(value: Any, path: str, report: Report) -> Any:
    report.problem(path, "is permanent: applications call the deployment by it; create another and delete this one")
    return DROP


class PatchDeployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PATCH /v2/deployments/{keyOrID}`. `reason` goes into the history."""

    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)]
    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET
    key: Annotated[str, Meta(description="Refused: a key is permanent.", extra={"rewrite": _permanent})] | UnsetType = (
        UNSET
    )


class DeletedDeployment(msgspec.Struct, frozen=True):
    """What a deletion answers: until `final` the deployment can be restored."""

    id: str
    key: str
    deleted: Literal[True]
    deleted_at: str
    final: str


class DeploymentItem(msgspec.Struct, frozen=True):
    """A deployment as clients see it: an item of the list page. All fields are always there.

    `prompt_config` and `version` are those of the live version; `created` and `updated` are ISO 8601.
    """

    id: str
    created: str
    updated: str
    key: Annotated[str, Meta(pattern=KEY_PATTERN)]
    description: str
    prompt_config: PromptConfig
    version: str


class DeploymentPage(msgspec.Struct, frozen=True):
    """A page of deployments, newest first. `has_more` speaks of the direction that was asked for."""

    object: Literal["list"]
    data: list[DeploymentItem]
    has_more: bool


class Content(msgspec.Struct, frozen=True):
    """What a version keeps, as the JSON text it is stored and sent as, and the hash that tells one from another."""

    prompt_config: str
    variables: str
    serving: str
    sha256: str

    @classmethod
    def of(cls, prompt_config: PromptConfig, variables: list[Variable], serving: Serving = NOTHING) -> "Content":
        """Encode; the hash is over sorted keys, so that the order of fields in a file is no difference. What is not
        there is not in it, so versions from before there was a `Serving` have the hash they had."""
        hashed = [prompt_config, variables, *([] if serving == NOTHING else [serving])]
        digest = hashlib.sha256(_encode_sorted(hashed)).hexdigest()
        config, declared, served = (_encode_text(each).decode() for each in (prompt_config, variables, serving))
        return cls(config, declared, served, digest)

    @classmethod
    def read(cls, prompt_config: str, variables: str, serving: str) -> "Content":
        """What a version keeps, with the hash that it must have.

        Raises:
            msgspec.DecodeError: it is no JSON.
        """
        values = [msgspec.json.decode(text) for text in (prompt_config, variables, serving)]
        hashed = values if values[2] else values[:2]
        return cls(prompt_config, variables, serving, hashlib.sha256(_encode_sorted(hashed)).hexdigest())


def etag_of(rev: int, item: bytes) -> str:
    """The ETag of a deployment of that revision, whose JSON is `item`."""
    return f'"{rev}-{hashlib.sha256(item).hexdigest()[:16]}"'


def final_us(deleted_us: int) -> int:
    """Until when what was deleted at that time can be restored (microseconds since 1970)."""
    return deleted_us + RESTORE_DAYS * 86_400_000_000


def outlook(deleted_us: int, path: str, *, is_erased: bool) -> str:
    """What can be done for what was deleted at that time, and is restored at `path`."""
    return "It is gone for good" if is_erased else f"Until {iso(final_us(deleted_us))} it can be restored: POST {path}"


#: What is raised for a stored content that Moorage did not write.
UNREADABLE = (msgspec.DecodeError, RecursionError)


def unreadable(key: str, error: Exception) -> DeploymentUnreadable:
    """The error for a live version that cannot be decoded."""
    return DeploymentUnreadable(param="key", key=key, reason=str(error)[:500])


class Tombstone(msgspec.Struct, frozen=True):
    """What is known of a deleted deployment."""

    id: str
    key: str
    deleted_us: int
    is_erased: bool
    rev: int

    def error(self) -> DeploymentDeleted:
        """What to tell whoever asks for it."""
        what_now = outlook(self.deleted_us, f"/v2/deployments/{self.id}/restore", is_erased=self.is_erased)
        return DeploymentDeleted(param="key", key=self.key, deleted_at=iso(self.deleted_us), outlook=what_now)


class Live(msgspec.Struct, frozen=True, gc=False):
    """What calls of a deployment are answered from: its live version, as it is stored."""

    key: str
    id: str
    version_id: str
    version: str
    prompt_config: str
    variables: str
    serving: str


class VersionNumber(msgspec.Struct, frozen=True):
    """`1.0`, `1.1`, `2.0`: major, then minor."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def next(self, bump: Bump) -> "VersionNumber":
        """The number after this one."""
        return VersionNumber(self.major + 1, 0) if bump == "major" else VersionNumber(self.major, self.minor + 1)


FIRST_VERSION = VersionNumber(1, 0)


class Deployment(msgspec.Struct, frozen=True):
    """A deployment with its live version, as it is stored.

    `seq` is its place in creation order, the only order there is; `rev` the revision of its last change. A deleted one
    stays as a tombstone, so that a cursor to it still pages.
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
    prompt_config: str
    content_sha256: str
    rev: int
    live_version_id: str
    owner: Owner
    file: str | None
    variables: str
    serving: str

    @property
    def place(self) -> int:
        """Its place in the list."""
        return self.seq

    @property
    def tombstone(self) -> Tombstone:
        """What is left of it when it is deleted; without its content, when that is erased."""
        return Tombstone(self.id, self.key, self.deleted_us or 0, not self.prompt_config, self.rev)

    @property
    def etag(self) -> str:
        """Changes whenever the deployment does, and tells its revision, so that a 412 can say what happened since."""
        return etag_of(self.rev, self.item())

    def fault(self) -> DeploymentUnreadable | None:
        """Why its live version cannot be served; None if it can. What is written here always can, but a database may be
        changed by others."""
        try:
            decode_prompt_config(self.prompt_config)
            decode_variables(self.variables)
            decode_serving(self.serving)
        except UNREADABLE as error:
            return unreadable(self.key, error)
        return None

    def item(self) -> bytes:
        """The JSON of this deployment's `DeploymentItem`. The stored configuration is JSON already, and not parsed."""
        return b"".join((
            b'{"id":"', self.id.encode(), b'","created":"', iso(self.created_us).encode(),
            b'","updated":"', iso(self.updated_us).encode(), b'","key":"', self.key.encode(),
            b'","description":', _encode_text(self.description), b',"prompt_config":', self.prompt_config.encode(),
            b',"version":"', str(self.version).encode(), b'"}',
        ))  # fmt: skip
