"""Create, change, delete and restore deployments, each in one transaction of the caller."""

from typing import Literal

import msgspec
from msgspec import UNSET

from moorage.core.deployments.deployment import (
    FIRST_VERSION,
    Deployment,
    PatchDeployment,
    PostDeployment,
    PutDeployment,
    restore_deadline_us,
)
from moorage.core.deployments.history import Subject
from moorage.core.deployments.ids import check_key, new_id
from moorage.core.deployments.update import encoded_content
from moorage.core.errors.base import KeyTaken, NotDeleted
from moorage.registry.breaking_changes import check_jinja
from moorage.registry.consumers import check_no_consumers
from moorage.registry.lookup import check_preconditions, get_deployment, get_for_update
from moorage.registry.ownership import record_change, require_ownership, transfer_ownership
from moorage.registry.results import DeploymentResult
from moorage.registry.versions import add_version, find_equal, republish
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction


def put_deployment(
    tx: Transaction, ctx: WriteContext, key: str, body: PutDeployment, *, is_dry_run: bool = False
) -> DeploymentResult:
    """Create the deployment `key`, or publish a new version of it.

    A new version is made only if the content differs; a new description alone is stored in place. Content of
    the newest version, such as a draft, or of the one that an undo or a roll-back replaced, makes that version live,
    unless the body has notes or asks for a major number. A dry run returns the result and discards the write.

    Raises:
        InvalidKey, InvalidBody, JinjaNotEnabled, InvalidTemplate, PreconditionFailed, OwnedByFiles, OwnedByApi,
        BreakingChange
    """
    check_key(key)
    current = tx.find_deployment(ctx.project_id, key)
    if current is None:
        if ctx.options.if_match is not None:
            get_deployment(tx, ctx.project_id, key)  # raises: there is nothing that could match
        result = _create(tx, ctx, key, body)
    else:
        check_preconditions(tx, current, ctx.options)
        result = _update(tx, ctx, current, body)
    if is_dry_run:
        tx.discard()
    return result


def create_deployment(tx: Transaction, ctx: WriteContext, body: PostDeployment) -> DeploymentResult:
    """Create a deployment.

    Raises:
        KeyTaken: a deployment has the key.
        InvalidKey, InvalidBody, JinjaNotEnabled, InvalidTemplate
    """
    check_key(body.key)
    if tx.find_deployment(ctx.project_id, body.key) is not None:
        raise KeyTaken(param="key", key=body.key)
    return _create(tx, ctx.with_reason(body.reason), body.key, body)


def patch_deployment(tx: Transaction, ctx: WriteContext, key_or_id: str, body: PatchDeployment) -> DeploymentResult:
    """Change the description, which is not versioned.

    Raises:
        DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable, PreconditionFailed, OwnedByFiles
    """
    current = get_for_update(tx, ctx, key_or_id)
    if (error := ctx.calculate(Deployment.decode_error, current)) is not None:
        raise error
    ctx = ctx.with_reason(body.reason)
    if body.description != current.description:
        _set_description(tx, ctx, current, body.description)
        return _changed(tx, ctx, current, "updated")
    return _unchanged(tx, ctx, current)


def delete_deployment(tx: Transaction, ctx: WriteContext, key_or_id: str) -> Deployment:
    """Delete a deployment; it can be restored for 30 days. Its key is free at once, and cursors to it stay valid.

    Raises:
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed, OwnedByFiles, OwnedByApi
        DeploymentInUse: it was served lately, and `force` is not set.
    """
    current = get_for_update(tx, ctx, key_or_id)
    require_ownership(tx, ctx, current)
    check_no_consumers(tx, ctx, current)
    tx.delete_deployment(current.id)
    tx.record("deleted", ctx.actor, _subject(current, from_version_id=current.live_version_id))
    return msgspec.structs.replace(current, deleted_us=tx.clock_us, updated_us=tx.now_us, rev=tx.rev)


def restore_deployment(tx: Transaction, ctx: WriteContext, key_or_id: str) -> DeploymentResult:
    """Restore a deleted deployment with its versions, its live version and its place in the list.

    Raises:
        NotDeleted: it is not deleted.
        KeyTaken: another deployment has its key.
        DeploymentDeleted: it cannot be restored any more.
        DeploymentNotFound, DeploymentUnreadable, PreconditionFailed
    """
    deleted = tx.find_tombstone(ctx.project_id, key_or_id)
    if deleted is None:
        raise NotDeleted(subject=f"Deployment {get_deployment(tx, ctx.project_id, key_or_id).key!r}")
    tombstone = deleted.tombstone
    if tombstone.is_purged or restore_deadline_us(tombstone.deleted_us) <= tx.clock_us:
        raise msgspec.structs.replace(tombstone, is_purged=True).error()
    if tx.find_deployment(ctx.project_id, tombstone.key) is not None:
        raise KeyTaken(param="key", key=tombstone.key)
    check_preconditions(tx, deleted, ctx.options)
    if (error := ctx.calculate(Deployment.decode_error, deleted)) is not None:
        raise error
    tx.restore_deployment(tombstone.id)
    tx.record("restored", ctx.actor, _subject(deleted, to_version_id=deleted.live_version_id))
    return DeploymentResult(_stored(tx, ctx, tombstone.id), "restored")


def _create(tx: Transaction, ctx: WriteContext, key: str, body: PutDeployment) -> DeploymentResult:
    version_id = new_id()
    content, sha256 = ctx.calculate(encoded_content, body)
    check_jinja(ctx, content)
    deployment_id = tx.insert_deployment(ctx.project_id, key, body.description or "", version_id, ctx.options.file)
    tx.insert_version(version_id, deployment_id, FIRST_VERSION, content, ctx.actor, sha256=sha256, notes=body.notes)
    subject = Subject(ctx.project_id, deployment_id, to_version_id=version_id, content_sha256=sha256)
    tx.record("created", ctx.actor, subject)
    return DeploymentResult(_stored(tx, ctx, key), "created", warnings=ctx.warnings(tx, content))


def _subject(
    deployment: Deployment, *, from_version_id: str | None = None, to_version_id: str | None = None
) -> Subject:
    """Return the subject of an entry about the deployment with its live version."""
    return Subject(
        deployment.project_id, deployment.id, from_version_id=from_version_id, to_version_id=to_version_id,
        content_sha256=deployment.content_sha256,
    )  # fmt: skip


def _update(tx: Transaction, ctx: WriteContext, current: Deployment, body: PutDeployment) -> DeploymentResult:
    (content, sha256), breaking = ctx.calculate(encoded_content, body, current), list[str]()
    warnings = ctx.warnings(tx, content)
    is_new_content = sha256 != current.content_sha256 or ctx.calculate(Deployment.decode_error, current) is not None
    description = current.description if body.description is UNSET else body.description
    is_new_description = description != current.description
    if is_new_content:
        if is_new_description:
            tx.set_description(current.id, description)
        last = tx.last_version(current.id)
        is_plain = not body.notes and body.version_bump == "minor"
        equal = find_equal(tx, current, sha256, last) if is_plain and last > current.version else None
        if equal is not None:
            breaking = republish(tx, ctx, current, equal)
        else:
            _, breaking = add_version(tx, ctx, current, body, content, sha256, last)
    elif is_new_description:
        _set_description(tx, ctx, current, description)
    else:
        return msgspec.structs.replace(_unchanged(tx, ctx, current), warnings=warnings)
    return msgspec.structs.replace(_changed(tx, ctx, current, "updated"), breaking=breaking, warnings=warnings)


def _set_description(tx: Transaction, ctx: WriteContext, current: Deployment, description: str) -> None:
    require_ownership(tx, ctx, current)
    tx.set_description(current.id, description)
    record_change(tx, ctx, current)


def _unchanged(tx: Transaction, ctx: WriteContext, current: Deployment) -> DeploymentResult:
    """Return the result of a write that changes at most the owner."""
    if not transfer_ownership(tx, ctx, current):
        tx.discard()
    return _changed(tx, ctx, current, "unchanged")


def _changed(
    tx: Transaction, ctx: WriteContext, before: Deployment, result: Literal["updated", "unchanged"]
) -> DeploymentResult:
    current = _stored(tx, ctx, before.id)
    previous_owner = None
    if (before.owner, before.file) != (current.owner, current.file):
        previous_owner = before.file if before.owner == "files" else "api"
    previous_version = before.version if current.live_version_id != before.live_version_id else None
    return DeploymentResult(current, result, previous_owner, previous_version=previous_version)


def _stored(tx: Transaction, ctx: WriteContext, key_or_id: str) -> Deployment:
    stored = tx.find_deployment(ctx.project_id, key_or_id)
    assert stored is not None  # noqa: S101 -- written in this transaction
    return stored
