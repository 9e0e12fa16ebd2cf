"""Proposal: a change of live versions of one environment that needs approvals. It cannot be edited."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.deployment import MAX_NOTES
from moorage.core.deployments.history import KeyName
from moorage.core.deployments.ownership import Owner
from moorage.core.times import iso

ProposalKind = Literal["publish", "unpublish", "undo", "promote", "delete", "restore"]

#: The status in the database; the time decides whether an open proposal is expired.
StoredStatus = Literal["open", "published", "rejected", "withdrawn", "stale"]

ProposalStatus = Literal["open", "published", "rejected", "withdrawn", "stale", "expired"]

#: The days after which an open proposal expires.
PROPOSAL_DAYS: Final = 30

PROPOSAL_US: Final = PROPOSAL_DAYS * 86_400_000_000

#: `base` of an item whose deployment follows production.
FOLLOWS: Final = "follows"

#: The number of items of a promotion or a proposal.
MAX_ITEMS: Final = 1_000


class ProposalItem(msgspec.Struct, frozen=True, kw_only=True):
    """A stored item: the deployment, the state that the change was made against, and the version that becomes live.

    `base` is the id of a version, `follows`, or None for none. Without a `version_id`, the deployment follows
    production afterwards, or is deleted. The numbers are those of both versions, and `author` is the API key of the
    second one.
    """

    deployment_id: str
    key: str
    base: str | None
    version_id: str | None
    breaking: list[str]
    owner: Owner
    file: str | None
    base_number: str | None = None
    number: str | None = None
    author: str | None = None
    content_sha256: str = ""


class OpenItem(msgspec.Struct, frozen=True):
    """What an open proposal changes of a deployment, see `ProposalItem`."""

    proposal_id: str
    base: str | None
    version_id: str | None


class Approval(msgspec.Struct, frozen=True):
    """A stored approval, and the end of its API key: an approval by a key that is not valid any more does not count."""

    api_key: KeyName
    at_us: int
    reason: str
    expires_us: int | None
    revoked_us: int | None

    def counts_at(self, now_us: int) -> bool:
        """Return whether the API key is still valid."""
        return self.revoked_us is None and (self.expires_us is None or now_us < self.expires_us)


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A stored proposal without its items and approvals."""

    id: str
    project_id: str
    environment_id: str
    kind: ProposalKind
    source: str | None
    status: StoredStatus
    reason: str
    allow_breaking: bool
    created_us: int
    created_by: str | None
    created_name: str | None
    closed_us: int | None = None
    closed_by: str | None = None
    closed_name: str | None = None
    closed_reason: str = ""
    rev: int = 0

    @property
    def place(self) -> int:
        """The position in the list."""
        return self.created_us

    @property
    def expires_us(self) -> int:
        """The time at which it expires."""
        return self.created_us + PROPOSAL_US

    def status_at(self, now_us: int) -> ProposalStatus:
        """Return the status at a time."""
        return "expired" if self.status == "open" and self.expires_us <= now_us else self.status


class ProposedItem(msgspec.Struct, frozen=True):
    """An item in responses. `base_version` is a number, `follows`, or null for none; `version` is a number or null."""

    key: str
    base_version: str | None
    version: str | None
    breaking: list[str]

    @classmethod
    def of(cls, item: ProposalItem) -> "ProposedItem":
        """Return the representation of an item in responses."""
        base = FOLLOWS if item.base == FOLLOWS else item.base_number
        return cls(item.key, base, item.number, item.breaking)


class ApprovalItem(msgspec.Struct, frozen=True):
    """An approval in responses; one that does not count any more is omitted."""

    api_key: KeyName
    at: str
    reason: str


class Closed(msgspec.Struct, frozen=True):
    """The end of a proposal. A change that made it stale has no author here: the history has it."""

    at: str
    by: KeyName | None
    reason: str
    revision: int


class ProposalDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal in responses. `can_approve` is about the API key of the request; `why_not` is the reason."""

    id: str
    kind: ProposalKind
    environment: str
    from_: str | UnsetType = msgspec.field(name="from", default=UNSET)
    status: ProposalStatus
    reason: str
    created: str
    created_by: KeyName | None
    expires: str
    required_approvals: int
    approvals: list[ApprovalItem]
    can_approve: bool
    why_not: str | UnsetType = UNSET
    items: list[ProposedItem]
    closed: Closed | UnsetType = UNSET


class ProposalPage(msgspec.Struct, frozen=True):
    """A page of proposals, newest first."""

    object: Literal["list"]
    data: list[ProposalDetail]
    has_more: bool


class ProposalReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The optional body of `approve`, `reject` and `withdraw`."""

    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET


def closed_of(proposal: Proposal) -> Closed | UnsetType:
    """Return the end of a proposal in responses."""
    if proposal.closed_us is None:
        return UNSET
    by = None if proposal.closed_by is None else KeyName(proposal.closed_by, proposal.closed_name or "")
    return Closed(iso(proposal.closed_us), by, proposal.closed_reason, proposal.rev)
