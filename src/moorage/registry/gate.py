"""Gate: what a write wants to change in an environment that requires approvals, until it becomes a proposal."""

from moorage.core.deployments.history import OPERATOR, Actor
from moorage.core.deployments.proposal import MAX_ITEMS, ProposalItem, ProposalKind
from moorage.core.environments import Environment


class Gate:
    """The changes of one attempt of a write that wait for approval: `environment` is None if there are none."""

    __slots__ = ("actor", "allow_breaking", "environment", "is_emergency", "items", "kind", "known", "source")

    def __init__(self) -> None:
        self.environment: Environment | None = None
        self.kind: ProposalKind = "publish"
        self.source: str | None = None
        self.actor: Actor = OPERATOR
        self.allow_breaking = False
        self.is_emergency = False  # whether a change was made that otherwise waits for approval
        self.items: list[ProposalItem] = []
        self.known: dict[str, Environment] = {}  # those that this attempt has read, by id

    def propose(
        self, environment: Environment, kind: ProposalKind, item: ProposalItem, actor: Actor, *, allow_breaking: bool
    ) -> None:
        """Add a change of a deployment in an environment; changes of different kinds are a `publish`."""
        assert len(self.items) < MAX_ITEMS  # noqa: S101 -- a promotion has at most so many
        self.kind = kind if not self.items or kind == self.kind else "publish"
        self.environment, self.actor, self.allow_breaking = environment, actor, allow_breaking
        self.items.append(item)
