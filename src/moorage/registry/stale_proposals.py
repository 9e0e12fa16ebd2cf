"""Proposals become stale, for good, when what they were made against changes."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.history import Subject
from moorage.core.deployments.proposal import FOLLOWS, OpenItem, Proposal, ProposalItem
from moorage.core.environments import production_id
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction

ProposalAction = Literal["proposed", "approved", "rejected", "withdrawn", "stale"]


def close_outdated(tx: Transaction, ctx: WriteContext, deployment: Deployment, pointer_id: str | None) -> None:
    """Close the open proposals about a live version that moved: those of the environment, and of its followers.

    `pointer_id` is the environment's, None for production, which other environments can follow.
    """
    where = pointer_id or production_id(deployment.project_id)
    for proposal, item in _open_items(tx, ctx, deployment):
        follows = pointer_id is None and item.base == FOLLOWS
        if proposal.environment_id == where or follows:
            moved = "production, which it follows," if follows and proposal.environment_id != where else "it"
            close_stale(tx, ctx, proposal, f"deployment {deployment.key!r}: {moved} changed since")


def close_all(tx: Transaction, ctx: WriteContext, deployment: Deployment, reason: str) -> None:
    """Close the open proposals about a deployment, in all environments."""
    for proposal, _ in _open_items(tx, ctx, deployment):
        close_stale(tx, ctx, proposal, reason)


def close_naming(tx: Transaction, ctx: WriteContext, deployment: Deployment, version_id: str, reason: str) -> None:
    """Close the open proposals that would publish a version."""
    for proposal, item in _open_items(tx, ctx, deployment):
        if item.version_id == version_id:
            close_stale(tx, ctx, proposal, reason)


def close_stale(tx: Transaction, ctx: WriteContext, proposal: Proposal, reason: str) -> None:
    """Close a proposal that cannot be published any more."""
    tx.close_proposal(proposal.id, "stale", ctx.actor, reason)
    record_proposal(tx, ctx, "stale", proposal, tx.items_of_proposal(proposal.id), reason)


def record_proposal(
    tx: Transaction,
    ctx: WriteContext,
    action: ProposalAction,
    proposal: Proposal,
    items: Sequence[ProposalItem],
    reason: str | None = None,
) -> None:
    """Record what happened to a proposal, in the history of each of its deployments."""
    by = ctx.actor if reason is None else ctx.actor.with_reason(reason)
    for number, item in enumerate(items):
        subject = Subject(
            proposal.project_id, item.deployment_id, from_version_id=None if item.base == FOLLOWS else item.base,
            to_version_id=item.version_id, content_sha256=item.content_sha256,
            environment_id=proposal.environment_id, proposal_id=proposal.id,
        )  # fmt: skip
        details: dict[str, Any] = {}
        if action == "proposed":
            details = {
                "item": number, "kind": proposal.kind, "source": proposal.source, "base": item.base,
                "allow_breaking": proposal.allow_breaking, "owner": item.owner, "file": item.file,
            }  # fmt: skip
        tx.record(action, by, subject, breaking=item.breaking if action == "proposed" else (), details=details)


def _open_items(tx: Transaction, ctx: WriteContext, deployment: Deployment) -> Iterator[tuple[Proposal, OpenItem]]:
    """Yield the open proposals about a deployment, except the one that is published now."""
    for item in tx.open_proposals_of_deployment(deployment.id):
        if item.proposal_id == ctx.proposal_id:
            continue
        proposal = tx.find_proposal(deployment.project_id, item.proposal_id)
        if proposal is not None and proposal.status_at(tx.clock_us) == "open":
            yield proposal, item
