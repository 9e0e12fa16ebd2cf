"""Propose, approve, reject and withdraw changes, each in one transaction of the caller."""

import msgspec
from msgspec import UNSET

from moorage.core.access import ApiKey, Scope
from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.history import KeyName
from moorage.core.deployments.ids import new_id
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.deployments.proposal import Proposal, ProposalItem, ProposalReason
from moorage.core.errors.api_keys import InsufficientScope
from moorage.core.errors.environments import (
    OwnProposal,
    ProposalClosed,
    ProposalNotFound,
    WrongEnvironment,
)
from moorage.registry.approval_rules import blocking_reason, describe, environment_of_proposal
from moorage.registry.authorization import authorize
from moorage.registry.deployments import delete_deployment, restore_deployment
from moorage.registry.moves import Move, move
from moorage.registry.ownership import NewOwner
from moorage.registry.results import ProposalResult
from moorage.registry.stale_proposals import record_proposal
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction


def propose_changes(tx: Transaction, ctx: WriteContext) -> ProposalResult | None:
    """Store the changes in the gate of a write as a proposal; return None if there are none.

    The same open proposal of this API key is returned and not stored again.
    """
    environment, items = ctx.gate.environment, ctx.gate.items
    if environment is None or tx.is_discarded:
        return None
    for each in tx.open_proposals_of_deployment(items[0].deployment_id):
        known = tx.find_proposal(ctx.project_id, each.proposal_id)
        if known is None or known.created_by != ctx.actor.api_key_id or known.status_at(tx.clock_us) != "open":
            continue
        is_same = known.environment_id == environment.id and known.kind == ctx.gate.kind
        if is_same and _keys(tx.items_of_proposal(known.id)) == _keys(items):
            tx.discard()
            return result_of(tx, ctx, known.id)
    proposal = Proposal(
        id=new_id(), project_id=ctx.project_id, environment_id=environment.id, kind=ctx.gate.kind,
        source=ctx.gate.source, status="open", reason=ctx.gate.actor.reason, allow_breaking=ctx.gate.allow_breaking,
        created_us=tx.now_us, created_by=ctx.actor.api_key_id, created_name=ctx.actor.api_key_name,
    )  # fmt: skip
    stored = tx.insert_proposal(proposal, items)
    ctx = msgspec.structs.replace(ctx, actor=ctx.gate.actor)
    record_proposal(tx, ctx, "proposed", stored, items)
    return result_of(tx, ctx, stored.id, is_new=True)


def approve(tx: Transaction, ctx: WriteContext, proposal_id: str, body: ProposalReason) -> ProposalResult:
    """Approve a proposal; the last approval that its environment requires publishes it.

    Raises:
        ProposalNotFound
        ProposalClosed: it was published, rejected or withdrawn, or it is stale or expired.
        OwnProposal: the API key made it, wrote a version of it, or made a key that did.
        WrongEnvironment: the API key is bound to another environment.
    """
    ctx, proposal, caller = _get_open(tx, ctx, proposal_id, body)
    items, approvals = tx.items_of_proposal(proposal.id), tx.approvals_of_proposal(proposal.id)
    if any(each.api_key.id == caller.id for each in approvals):
        tx.discard()
        return result_of(tx, ctx, proposal.id)
    if (reason := blocking_reason(tx, proposal, items, caller)) is not None:
        raise OwnProposal(id=proposal.id, reason=reason)
    views = [_current(tx, proposal, item) for item in items]
    tx.insert_approval(proposal.id, ctx.actor)
    record_proposal(tx, ctx, "approved", proposal, items)
    valid = [each for each in tx.approvals_of_proposal(proposal.id) if each.counts_at(tx.clock_us)]
    environment = environment_of_proposal(tx, proposal)
    if len(valid) >= environment.settings.required_approvals:
        decided = msgspec.structs.replace(
            ctx, environment=environment, proposal_id=proposal.id, approved_by=tuple(each.api_key for each in valid),
            proposed_by=_proposer(proposal), actor=ctx.actor.with_reason(proposal.reason or ctx.actor.reason),
            options=WriteOptions(allow_breaking=True, force=True, take_ownership=True),
        )  # fmt: skip
        for item, view in zip(items, views, strict=True):
            _publish(tx, decided, proposal, item, view)
        tx.close_proposal(proposal.id, "published", decided.actor, decided.actor.reason)
    return result_of(tx, ctx, proposal.id)


def reject(tx: Transaction, ctx: WriteContext, proposal_id: str, body: ProposalReason) -> ProposalResult:
    """Reject an open proposal, also one with approvals.

    Raises:
        ProposalNotFound, ProposalClosed, WrongEnvironment
    """
    ctx, proposal, _ = _get_open(tx, ctx, proposal_id, body)
    tx.close_proposal(proposal.id, "rejected", ctx.actor, ctx.actor.reason)
    record_proposal(tx, ctx, "rejected", proposal, tx.items_of_proposal(proposal.id))
    return result_of(tx, ctx, proposal.id)


def withdraw(tx: Transaction, ctx: WriteContext, proposal_id: str, body: ProposalReason) -> ProposalResult:
    """Withdraw an open proposal of this API key; one with `environments:admin` may withdraw any.

    Raises:
        ProposalNotFound, ProposalClosed, InsufficientScope, WrongEnvironment
    """
    ctx, proposal, caller = _get_open(tx, ctx, proposal_id, body)
    if proposal.created_by != caller.id and Scope.ENVIRONMENTS_ADMIN not in caller.scopes:
        raise InsufficientScope(required=Scope.ENVIRONMENTS_ADMIN, held=", ".join(sorted(caller.scopes)) or "none")
    tx.close_proposal(proposal.id, "withdrawn", ctx.actor, ctx.actor.reason)
    record_proposal(tx, ctx, "withdrawn", proposal, tx.items_of_proposal(proposal.id))
    return result_of(tx, ctx, proposal.id)


def result_of(tx: Transaction, ctx: WriteContext, proposal_id: str, *, is_new: bool = False) -> ProposalResult:
    """Return a proposal after a write.

    Raises:
        ProposalNotFound
    """
    proposal = tx.find_proposal(ctx.project_id, proposal_id)
    if proposal is None:
        raise ProposalNotFound(param="proposal_id", id=proposal_id[:200])
    key = None if ctx.actor.api_key_id is None else tx.find_api_key(ctx.actor.api_key_id)
    return ProposalResult(describe(tx, proposal, key, tx.clock_us), is_new)


def _get_open(
    tx: Transaction, ctx: WriteContext, proposal_id: str, body: ProposalReason
) -> tuple[WriteContext, Proposal, ApiKey]:
    """Return the context with the reason of the body, an open proposal, and the API key of the request."""
    caller = authorize(tx, ctx)
    assert caller is not None  # noqa: S101 -- the command line decides about proposals over HTTP
    proposal = tx.find_proposal(ctx.project_id, proposal_id)
    if proposal is None:
        raise ProposalNotFound(param="proposal_id", id=proposal_id[:200])
    if caller.environment_id not in (None, proposal.environment_id):
        bound, other = environment_of_proposal(tx, proposal), tx.find_environment(caller.environment_id or "")
        name = "another one" if other is None else other.name
        raise WrongEnvironment(param="proposal_id", bound=name, requested=repr(bound.name))
    status = proposal.status_at(tx.clock_us)
    if status != "open":
        reason = f": {proposal.closed_reason}" if proposal.closed_reason else ""
        raise ProposalClosed(param="proposal_id", id=proposal.id, status=status, reason=reason)
    return ctx.with_reason(UNSET if body.reason is UNSET else body.reason), proposal, caller


def _current(tx: Transaction, proposal: Proposal, item: ProposalItem) -> Deployment:
    """Return the deployment of an item as it is in the environment, if it is as the proposal says."""
    pointer_id = environment_of_proposal(tx, proposal).pointer_id
    find = tx.find_tombstone if proposal.kind == "restore" else tx.find_deployment
    view = find(proposal.project_id, item.deployment_id, pointer_id)
    version = None if item.version_id is None else tx.find_version(item.deployment_id, item.version_id)
    is_missing = item.version_id is not None and (version is None or version.deleted_us is not None)
    if view is None or view.base != item.base or is_missing:
        raise ProposalClosed(id=proposal.id, status="stale", reason=f": deployment {item.key!r} changed since")
    return view


def _publish(tx: Transaction, ctx: WriteContext, proposal: Proposal, item: ProposalItem, view: Deployment) -> None:
    """Make the change of an item."""
    kind = proposal.kind
    if kind == "delete":
        delete_deployment(tx, msgspec.structs.replace(ctx, environment=None), item.deployment_id)
    elif kind == "restore":
        restore_deployment(tx, msgspec.structs.replace(ctx, environment=None), item.deployment_id)
    else:
        owner = NewOwner(item.owner, item.file, (view.owner, view.file) != (item.owner, item.file))
        if item.version_id is None and kind == "publish":
            kind = "unpublish"
        change = Move(
            deployment=view, kind=kind, version_id=item.version_id, content_sha256=item.content_sha256, owner=owner,
            breaking=item.breaking, source=proposal.source,
        )  # fmt: skip
        move(tx, ctx, change)


def _keys(items: list[ProposalItem]) -> list[tuple[str, str | None, str | None]]:
    return [(item.deployment_id, item.base, item.version_id) for item in items]


def _proposer(proposal: Proposal) -> KeyName | None:
    return None if proposal.created_by is None else KeyName(proposal.created_by, proposal.created_name or "")
