"""The parts of the API's responses about environments and proposals; see `moorage.cli.responses`."""

import msgspec

from moorage.cli.responses import Item
from moorage.core.deployments.history import KeyName
from moorage.core.deployments.ids import is_segment
from moorage.core.deployments.proposal import FOLLOWS
from moorage.core.environments import is_environment_name


def _check(*names: str | None) -> None:
    """Check names that become parts of commands to copy."""
    if not all(name is None or is_segment(name) for name in names):
        raise ValueError("not a deployment key or version")


class EnvironmentRow(Item, frozen=True):
    """An environment."""

    name: str
    display_name: str
    description: str
    protected: bool
    required_approvals: int
    approve_undo: bool = False
    unknown_names: str = "production"
    created_at: str = ""
    updated_at: str = ""


class EnvironmentList(msgspec.Struct, frozen=True):
    """All environments, and unknown names that calls sent."""

    data: list[EnvironmentRow]
    unknown_names: list[str] = []


class DeletedEnvironment(Item, frozen=True):
    """An environment after its deletion."""

    name: str


class DifferenceRow(msgspec.Struct, frozen=True):
    """A deployment whose live versions differ between two environments."""

    id: str
    key: str
    from_version: str | None
    to_version: str | None
    relation: str
    from_follows: bool = False
    to_follows: bool = False
    breaking: list[str] = []

    def __post_init__(self) -> None:
        """Check the key and the versions."""
        _check(self.id, self.key, self.from_version, self.to_version)

    @property
    def base(self) -> str | None:
        """The state of the target, for a promotion."""
        return FOLLOWS if self.to_follows else self.to_version


class PromotionRow(msgspec.Struct, frozen=True):
    """A deployment after a promotion."""

    key: str
    from_version: str | None
    version: str
    result: str
    breaking: list[str] = []

    def __post_init__(self) -> None:
        """Check the key and the versions."""
        _check(self.key, self.from_version, self.version)


class PromotionReply(msgspec.Struct, frozen=True):
    """A promotion."""

    deployments: list[PromotionRow]


class ProposedRow(msgspec.Struct, frozen=True):
    """A deployment that a proposal changes."""

    key: str
    base_version: str | None
    version: str | None
    breaking: list[str] = []

    def __post_init__(self) -> None:
        """Check the key and the versions."""
        _check(self.key, self.base_version, self.version)


class ApprovalRow(msgspec.Struct, frozen=True):
    """An approval."""

    api_key: KeyName
    at: str
    reason: str = ""


class ClosedRow(msgspec.Struct, frozen=True):
    """The end of a proposal."""

    at: str
    by: KeyName | None = None
    reason: str = ""


class ProposalReply(Item, frozen=True):
    """A proposal. `can_approve` is about the own API key; else `why_not` is the reason."""

    kind: str
    environment: str
    status: str
    reason: str
    created: str
    created_by: KeyName | None
    expires: str
    required_approvals: int
    approvals: list[ApprovalRow]
    can_approve: bool
    items: list[ProposedRow]
    why_not: str = ""
    from_: str = msgspec.field(name="from", default="")
    closed: ClosedRow | None = None

    def __post_init__(self) -> None:
        """Check the name of the environment."""
        super().__post_init__()
        if not is_environment_name(self.environment):
            raise ValueError("not the name of an environment")

    @property
    def by(self) -> str:
        """Who made the proposal."""
        return self.created_by.name if self.created_by else "the operator"

    @property
    def progress(self) -> str:
        """The number of approvals, of those that are required."""
        return f"{len(self.approvals)} of {self.required_approvals}"
