"""Ownership in a write: check who manages a deployment in an environment, and change it."""

import msgspec

from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.history import Subject
from moorage.core.deployments.ownership import Owner, may_change
from moorage.core.errors.base import OwnedByApi, OwnedByFiles
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction


class NewOwner(msgspec.Struct, frozen=True):
    """The owner of a deployment after a write, with the file, and whether it is a new one."""

    owner: Owner
    file: str | None
    is_new: bool


def check_ownership(ctx: WriteContext, current: Deployment) -> NewOwner:
    """Return the owner after a write, if the write may change the deployment.

    Raises:
        OwnedByFiles, OwnedByApi: the other side manages it, and the options do not take it over.
    """
    file = ctx.options.file
    if not may_change(current.owner, current.file, ctx.options):
        if file is None:
            raise OwnedByFiles(param="take_ownership", key=current.key, file=current.file)
        raise OwnedByApi(param="take_ownership", key=current.key, file=current.file, by=file)
    return _new_owner(ctx, current)


def transfer_ownership(tx: Transaction, ctx: WriteContext, current: Deployment) -> bool:
    """Store the new owner for a write that changes nothing else; return whether the owner changed."""
    options = ctx.options
    is_requested = options.file is not None or options.take_ownership
    if not is_requested or not store_owner(tx, current, _new_owner(ctx, current)):
        return False
    reason = ctx.actor.reason or f"managed by {options.file or 'the API'} from now on"
    record_change(tx, ctx.with_reason(reason), current)
    return True


def store_owner(tx: Transaction, current: Deployment, owner: NewOwner) -> bool:
    """Store the owner of a deployment, unless it follows production; return whether it is a new one."""
    if not owner.is_new or current.is_following:
        return False
    tx.set_owner(current.id, current.environment_id, owner.owner, owner.file)
    return True


def record_change(tx: Transaction, ctx: WriteContext, current: Deployment) -> None:
    """Record a change in the history that made no version."""
    live = current.own_version_id
    subject = Subject(
        ctx.project_id, current.id, from_version_id=live, to_version_id=live, content_sha256=current.content_sha256,
        environment_id=current.environment_id,
    )  # fmt: skip
    tx.record("changed", ctx.actor, subject)


def _new_owner(ctx: WriteContext, current: Deployment) -> NewOwner:
    owner: Owner = "api" if ctx.options.file is None else "files"
    file = current.file if ctx.options.file is None else ctx.options.file
    return NewOwner(owner, file, (current.owner, current.file) != (owner, file))
