"""Moves of live versions: all of them pass `move`, which checks whether the environment requires approvals."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.history import EntryAction, Subject
from moorage.core.deployments.proposal import ProposalItem, ProposalKind
from moorage.core.environments import Environment, production_id, production_of
from moorage.core.errors.environments import EnvironmentNotFound, ReasonMissing
from moorage.registry.ownership import NewOwner
from moorage.registry.stale_proposals import close_outdated
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction

_ACTIONS: Mapping[ProposalKind, EntryAction] = {
    "publish": "published", "promote": "published", "undo": "undone", "unpublish": "unpublished",
}  # fmt: skip


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the live version of a deployment, which is as in the environment before.

    Without a `version_id`, it follows production afterwards. `breaking` lists the paths of allowed breaking changes.
    """

    deployment: Deployment
    kind: Literal["publish", "promote", "undo", "unpublish"]
    version_id: str | None
    content_sha256: str
    owner: NewOwner
    breaking: Sequence[str] = ()
    source: str | None = None


def environment_of(tx: Transaction, ctx: WriteContext) -> Environment:
    """Return the environment of a write as it is in this transaction.

    Raises:
        EnvironmentNotFound: it was deleted since the request began.
    """
    is_production = ctx.environment is None or ctx.environment.is_production
    environment_id = production_id(ctx.project_id) if is_production or ctx.environment is None else ctx.environment.id
    found = ctx.gate.known.get(environment_id) or tx.find_environment(environment_id)
    if is_production and found is None:
        found = production_of(ctx.project_id, tx.now_us, tx.rev)
    if found is None or found.deleted_us is not None:
        name, existing = "" if ctx.environment is None else ctx.environment.name, tx.environments(ctx.project_id)
        raise EnvironmentNotFound(param="environment", name=name, existing=", ".join(existing))
    ctx.gate.known[environment_id] = found
    return found


def move(tx: Transaction, ctx: WriteContext, change: Move) -> bool:
    """Change a live version, or propose it; return whether it is changed.

    Raises:
        EnvironmentNotFound: the environment was deleted.
        ReasonMissing: an emergency without a reason.
    """
    environment, deployment = environment_of(tx, ctx), change.deployment
    details = {} if _may_undo(tx, environment, change) else passed_gate(ctx, [environment])
    if details is None:
        item = ProposalItem(
            deployment_id=deployment.id, key=deployment.key, base=deployment.base, version_id=change.version_id,
            breaking=list(change.breaking), owner=change.owner.owner, file=change.owner.file,
            content_sha256=change.content_sha256,
        )  # fmt: skip
        ctx.gate.source = change.source
        _propose(ctx, environment, change.kind, item)
        return False
    tx.move_pointer(
        deployment.id, environment.pointer_id, change.version_id, owner=change.owner.owner, file=change.owner.file,
        is_new_owner=change.owner.is_new,
    )  # fmt: skip
    subject = Subject(
        deployment.project_id, deployment.id, from_version_id=deployment.own_version_id,
        to_version_id=change.version_id, content_sha256=change.content_sha256, environment_id=environment.pointer_id,
        proposal_id=ctx.proposal_id,
    )  # fmt: skip
    if change.source:
        details = {**details, "source": change.source}
    tx.record(_ACTIONS[change.kind], ctx.actor, subject, breaking=change.breaking, details=details)
    close_outdated(tx, ctx, deployment, environment.pointer_id)
    return True


def needs_approval(ctx: WriteContext, environment: Environment) -> bool:
    """Return whether a change in an environment is proposed. The operator's commands on the database are not."""
    is_decided = ctx.proposal_id is not None or ctx.actor.api_key_id is None
    return environment.settings.required_approvals > 0 and not is_decided


def passed_gate(ctx: WriteContext, environments: Iterable[Environment]) -> dict[str, Any] | None:
    """Return what the history says about the permission for a change in environments; None if it must be approved.

    Raises:
        ReasonMissing: an emergency without a reason.
    """
    strict = [each for each in environments if needs_approval(ctx, each)]
    if strict and not ctx.options.emergency:
        return None
    if strict and not ctx.actor.reason.strip():
        raise ReasonMissing(param="reason")
    ctx.gate.is_emergency = ctx.gate.is_emergency or bool(strict)
    details: dict[str, Any] = {"emergency": True} if strict else {}
    if ctx.approved_by:
        details |= {"approved_by": list(ctx.approved_by), "proposed_by": ctx.proposed_by}
    return details


def passed_gates(
    tx: Transaction, ctx: WriteContext, deployment: Deployment, kind: Literal["delete", "restore"]
) -> dict[str, Any] | None:
    """Return the same for a change of a whole deployment, which can be in production or a tombstone.

    If it must be approved, it is proposed in the environment that requires the most approvals, of those that show the
    deployment.

    Raises:
        ReasonMissing: an emergency without a reason.
    """
    shown = _shown_in(tx, deployment)
    details = passed_gate(ctx, shown)
    if details is None:
        environment = max(shown, key=lambda each: each.settings.required_approvals)
        find = tx.find_tombstone if kind == "restore" else tx.find_deployment
        view = find(deployment.project_id, deployment.id, environment.pointer_id) or deployment
        item = ProposalItem(
            deployment_id=view.id, key=view.key, base=view.base, breaking=[], owner=view.owner, file=view.file,
            version_id=view.live_version_id if kind == "restore" else None, content_sha256=view.content_sha256,
        )  # fmt: skip
        _propose(ctx, environment, kind, item)
    return details


def _propose(ctx: WriteContext, environment: Environment, kind: ProposalKind, item: ProposalItem) -> None:
    ctx.gate.propose(environment, kind, item, ctx.actor, allow_breaking=ctx.options.allow_breaking)


def _shown_in(tx: Transaction, deployment: Deployment) -> list[Environment]:
    """Return the environments in which a deployment is live, or will be when it is restored."""
    environments = tx.environments(deployment.project_id).values()
    own = {each.environment_id for each in tx.own_pointers(deployment.id)}
    return [each for each in environments if deployment.live_version_id is not None or each.id in own]


def _may_undo(tx: Transaction, environment: Environment, change: Move) -> bool:
    """Return whether an undo happens at once: the state before was in force, and no emergency set it."""
    if change.kind != "undo" or environment.settings.approve_undo or not environment.settings.required_approvals:
        return False
    last = tx.last_move(change.deployment)
    return last is not None and not tx.was_emergency(change.deployment, change.version_id, last.rev)
