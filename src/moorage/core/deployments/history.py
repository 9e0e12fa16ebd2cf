"""History: every change with its author and reason; each entry is chained to the previous one.

The rows of all tables follow from the entries, except consumers and stored results:
`moorage.diagnostics.replay` computes them. So an entry has every value that its write set, and the hashes of long
texts and of credentials. A purge deletes the texts, and the entries stay.
"""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, Literal, cast, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.ownership import Owner
from moorage.core.environments import PRODUCTION, EnvironmentSettings
from moorage.core.times import iso

#: The actions that the history of a deployment lists.
Action = Literal[
    "created", "published", "undone", "unpublished", "changed", "deleted", "restored", "proposed", "approved",
    "rejected", "withdrawn", "stale",
]  # fmt: skip

ACTIONS: Final = get_args(Action)

#: All actions. `authenticated`: the operator has verified the database, and the secret key applies from here on.
#: `clock_reset`: all rows with times in the future got the time `Changes.clock_us`; the entries before keep theirs.
EntryAction = Literal[
    Action,
    "drafted",
    "project_created",
    "key_created",
    "key_renamed",
    "key_rotated",
    "key_revoked",
    "integration_set",
    "integration_deleted",
    "integrations_rotated",
    "environment_set",
    "environment_deleted",
    "purged",
    "authenticated",
    "clock_reset",
]

#: The actions about a live version, or a proposal for one.
_MOVES = frozenset(
    {"created", "published", "undone", "unpublished", "proposed", "approved", "rejected", "withdrawn", "stale"}
)

#: What a write of a deployment changes besides its live version and its deletion.
Changed = Literal["description", "aliases", "owner"]

_encode = msgspec.json.Encoder().encode

#: How many fields of an entry its hash always covers: those that the first version had.
_FIRST_FIELDS = 16


class Actor(msgspec.Struct, frozen=True):
    """The author, request and reason of a change. No API key means the operator, on the database."""

    api_key_id: str | None = None
    api_key_name: str | None = None
    request_id: str | None = None
    reason: str = ""

    def with_reason(self, reason: str | UnsetType) -> "Actor":
        """Return a copy with the reason of a body, if it has one."""
        return self if reason is UNSET else msgspec.structs.replace(self, reason=reason)


#: The actor of a command on the database.
OPERATOR = Actor()


class KeyName(msgspec.Struct, frozen=True):
    """An API key, and its name at the time."""

    id: str
    name: str


class Changes(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The values that a write set, except those that are in the entry itself."""

    # Of a deployment.
    key: str | UnsetType = UNSET
    description_sha256: str | UnsetType = UNSET
    owner: Owner | UnsetType = UNSET
    file: str | UnsetType | None = UNSET
    aliases: Sequence[str] | UnsetType = UNSET
    # Of a new version: its number, and the hash of its texts.
    version: str | UnsetType = UNSET
    text_sha256: str | UnsetType = UNSET
    # Of a project or an API key.
    name: str | UnsetType = UNSET
    scopes: str | UnsetType = UNSET
    token_sha256: str | UnsetType = UNSET
    expires_us: int | UnsetType | None = UNSET
    created_us: int | UnsetType = UNSET
    revoked_us: int | UnsetType = UNSET
    # Of an integration: its provider, and the hashes of its settings and of its encrypted credentials.
    provider: str | UnsetType = UNSET
    settings_sha256: str | UnsetType = UNSET
    sealed_sha256: str | UnsetType = UNSET
    # Of an environment.
    environment: EnvironmentSettings | UnsetType = UNSET
    bound_to: str | UnsetType | None = UNSET
    # Of a move of a live version: the environment that was promoted, who proposed and approved it, and
    # whether it was an emergency.
    source: str | UnsetType | None = UNSET
    proposed_by: KeyName | UnsetType | None = UNSET
    approved_by: list[KeyName] | UnsetType = UNSET
    emergency: bool | UnsetType = UNSET
    # Of a proposal: what it changes, and what it was made against.
    kind: str | UnsetType = UNSET
    allow_breaking: bool | UnsetType = UNSET
    base: str | UnsetType | None = UNSET
    item: int | UnsetType = UNSET
    # Of a rotation: the new hash of the encrypted credentials of each integration, by its id.
    rotated: dict[str, str] | UnsetType = UNSET
    # Of a deletion.
    deleted_us: int | UnsetType = UNSET
    # Of a purge: the number and the fingerprint of the deployments and versions that lost their texts.
    purged: int | UnsetType = UNSET
    purged_sum: str | UnsetType = UNSET
    # Of `clock_reset`: the time that replaced all times after it.
    clock_us: int | UnsetType = UNSET

    def encode(self) -> str:
        """Return the stored form: a JSON object, or an empty text."""
        return "" if self == NO_CHANGES else _encode(self).decode()


NO_CHANGES = Changes()

#: Decodes a stored, non-empty `Entry.changes`.
decode_changes = msgspec.json.Decoder(Changes).decode


class Subject(msgspec.Struct, frozen=True):
    """The subject of an entry: a project, and in it a deployment, its versions, an API key, or an integration.

    `content_sha256` is that of the version to which the entry leads, or else from which it comes.
    """

    project_id: str | None = None
    deployment_id: str | None = None
    subject_key_id: str | None = None
    from_version_id: str | None = None
    to_version_id: str | None = None
    content_sha256: str = ""
    integration_id: str | None = None
    environment_id: str | None = None
    proposal_id: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """A stored entry. `changes` is an encoded `Changes`; `breaking` a JSON array of allowed breaking changes or empty.

    `api_key_id` is the author's; `subject_key_id` that of the API key that was created, renamed, rotated or
    revoked.
    """

    rev: int
    id: str
    project_id: str | None
    deployment_id: str | None
    subject_key_id: str | None
    action: EntryAction
    from_version_id: str | None
    to_version_id: str | None
    content_sha256: str
    changes: str
    reason: str
    api_key_id: str | None
    api_key_name: str | None
    request_id: str | None
    at_us: int
    breaking: str = ""
    integration_id: str | None = None
    environment_id: str | None = None
    proposal_id: str | None = None
    n: int = 0

    def hash(self, before: str) -> str:
        """Return the SHA-256 of the previous entry's hash and the fields up to the last one with a value.

        So entries from before there were integrations or environments have the same hash as then.
        """
        fields = list(msgspec.structs.astuple(self))
        while len(fields) > _FIRST_FIELDS and not fields[-1]:
            fields.pop()
        return hashlib.sha256(_encode([before, *fields])).hexdigest()

    @property
    def concerns_version(self) -> bool:
        """Whether a deletion or restoration is that of a version, not of the deployment."""
        return self.from_version_id == self.to_version_id is not None


def text_sha256(content: StoredContent, notes: str, description: str) -> str:
    """Return the hash of all texts of a version, byte by byte; `StoredContent.sha256` ignores the order of fields."""
    texts = [content.prompt_config, content.variables, content.runtime_config, notes, description]
    return hashlib.sha256(_encode(texts)).hexdigest()


def description_sha256(description: str) -> str:
    """Return the hash of a description: the history holds no text that a purge has to delete."""
    return hashlib.sha256(description.encode()).hexdigest()


class HistoryEntry(msgspec.Struct, frozen=True):
    """An entry in responses. Versions are their numbers, or null for none."""

    id: str
    action: Action
    from_version: str | None
    to_version: str | None
    reason: str
    api_key: KeyName | None
    request_id: str | None
    at: str
    content_sha256: Annotated[
        str, Meta(description="The hash of the content of `to_version`, or else of `from_version`.")
    ]
    hash: str
    changed: Annotated[
        list[Changed] | UnsetType,
        Meta(description="What the write changed besides the live version; `owner` includes the owner's file."),
    ] = UNSET
    breaking: Annotated[
        list[str] | UnsetType, Meta(description="The breaking changes that `allow_breaking=true` allowed.")
    ] = UNSET
    environment: Annotated[
        str | UnsetType, Meta(description="The environment of the live version, for an entry about one.")
    ] = UNSET
    from_environment: Annotated[str | UnsetType, Meta(description="The environment that was promoted.")] = UNSET
    proposal_id: str | UnsetType = UNSET
    proposed_by: KeyName | UnsetType = UNSET
    approved_by: list[KeyName] | UnsetType = UNSET
    emergency: bool | UnsetType = UNSET

    @classmethod
    def of(
        cls, entry: Entry, from_version: str | None, to_version: str | None, digest: str, environment: str | None = None
    ) -> "HistoryEntry":
        """Return the representation of an entry in responses; `environment` is the name of its environment."""
        changes = decode_changes(entry.changes) if entry.changes else NO_CHANGES
        return cls(
            id=entry.id,
            action=cast("Action", entry.action),  # the queries select these
            from_version=from_version,
            to_version=to_version,
            reason=entry.reason,
            api_key=KeyName(entry.api_key_id, entry.api_key_name or "") if entry.api_key_id else None,
            request_id=entry.request_id,
            at=iso(entry.at_us),
            content_sha256=entry.content_sha256,
            hash=digest,
            changed=_changed(entry.action, changes) or UNSET,
            breaking=msgspec.json.decode(entry.breaking, type=list[str]) if entry.breaking else UNSET,
            environment=environment or (PRODUCTION if entry.action in _MOVES else UNSET),
            from_environment=changes.source or UNSET,
            proposal_id=entry.proposal_id or UNSET,
            proposed_by=changes.proposed_by or UNSET,
            approved_by=changes.approved_by,
            emergency=changes.emergency,
        )


def _changed(action: EntryAction, changes: Changes) -> list[Changed]:
    if action in ("created", "proposed"):  # a proposal has what will change
        return []
    found: dict[Changed, object] = {
        "description": changes.description_sha256, "aliases": changes.aliases, "owner": changes.owner
    }  # fmt: skip
    return [name for name, value in found.items() if value is not UNSET]


class HistoryPage(msgspec.Struct, frozen=True):
    """A page of the history, newest first."""

    object: Literal["list"]
    data: list[HistoryEntry]
    has_more: bool
