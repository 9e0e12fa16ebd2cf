"""Ownership in a write: check who manages a deployment, and change it."""

from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.history import Subject
from moorage.core.deployments.ownership import Owner, may_change
from moorage.core.errors.base import OwnedByApi, OwnedByFiles
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction


def require_ownership(tx: Transaction, ctx: WriteContext, current: Deployment) -> None:
    """Check that the write may change the deployment, and store the new owner.

    Raises:
        OwnedByFiles, OwnedByApi: the other side manages it, and the options do not take it over.
    """
    file = ctx.options.file
    if not may_change(current.owner, current.file, ctx.options):
        if file is None:
            raise OwnedByFiles(param="take_ownership", key=current.key, file=current.file)
        raise OwnedByApi(param="take_ownership", key=current.key, file=current.file, by=file)
    _set_owner(tx, ctx, current)


def transfer_ownership(tx: Transaction, ctx: WriteContext, current: Deployment) -> bool:
    """Store the new owner for a write that changes nothing else; return whether the owner changed."""
    options = ctx.options
    is_requested = options.file is not None or options.take_ownership
    if not is_requested or not _set_owner(tx, ctx, current):
        return False
    reason = ctx.actor.reason or f"managed by {options.file or 'the API'} from now on"
    record_change(tx, ctx.with_reason(reason), current)
    return True


def record_change(tx: Transaction, ctx: WriteContext, current: Deployment) -> None:
    """Record a change in the history that made no version."""
    live = current.live_version_id
    subject = Subject(
        ctx.project_id, current.id, from_version_id=live, to_version_id=live, content_sha256=current.content_sha256
    )
    tx.record("changed", ctx.actor, subject)


def _set_owner(tx: Transaction, ctx: WriteContext, current: Deployment) -> bool:
    owner: Owner = "api" if ctx.options.file is None else "files"
    file = current.file if ctx.options.file is None else ctx.options.file
    is_changed = (current.owner, current.file) != (owner, file)
    if is_changed:
        tx.set_owner(current.id, owner, file)
    return is_changed
