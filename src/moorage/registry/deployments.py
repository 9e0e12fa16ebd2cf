"""Create, change, delete and restore deployments, each in one transaction of the caller."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET

from moorage.core.access import Scope
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import (
    FIRST_VERSION,
    Deployment,
    PatchDeployment,
    PostDeployment,
    PutDeployment,
    VersionNumber,
    restore_deadline_us,
)
from moorage.core.deployments.history import Subject
from moorage.core.deployments.ids import check_key, new_id
from moorage.core.deployments.update import encoded_content
from moorage.core.deployments.version import Version
from moorage.core.errors.base import NotDeleted, Problem
from moorage.core.errors.requests import InvalidBody
from moorage.registry.authorization import authorize
from moorage.registry.breaking_changes import check_jinja
from moorage.registry.consumers import check_no_consumers
from moorage.registry.lookup import check_preconditions, get_deployment, get_for_update, get_version
from moorage.registry.moves import Move, environment_of, move, needs_approval, passed_gate, passed_gates
from moorage.registry.ownership import NewOwner, check_ownership, store_owner, transfer_ownership
from moorage.registry.publishing import add_version, find_equal, republish
from moorage.registry.results import DeploymentResult
from moorage.registry.shared import (
    NOT_CHANGED,
    change_shared,
    check_aliases_are_free,
    check_key_is_free,
    new_shared,
    set_aliases,
    set_shared,
)
from moorage.registry.stale_proposals import close_all
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import NO_DETAILS, Transaction


def put_deployment(
    tx: Transaction,
    ctx: WriteContext,
    key: str,
    body: PutDeployment,
    *,
    is_dry_run: bool = False,
    is_draft: bool = False,
) -> DeploymentResult:
    """Create the deployment `key`, or publish a new version of it.

    A new version is made only if the content differs; new description or aliases alone are stored in place. Content of
    the newest version, such as a draft, or of the one that an undo or a roll-back replaced, makes that version live,
    unless the body has notes or asks for a major number; so does content that is live in another environment. A dry run
    returns the result and discards the write. With `is_draft` the version is stored, and not made live.

    Raises:
        InvalidKey, InvalidBody, JinjaNotEnabled, InvalidTemplate, PreconditionFailed, OwnedByFiles, OwnedByApi,
        BreakingChange
    """
    check_key(key)
    current = tx.find_deployment(ctx.project_id, key, ctx.environment_id)
    if current is None:
        if ctx.options.if_match is not None:
            get_deployment(tx, ctx.project_id, key)  # raises: there is nothing that could match
        result = _create(tx, ctx, key, body, is_draft=is_draft)
    else:
        check_preconditions(tx, current, ctx.options)
        result = _update(tx, ctx, current, body, is_draft=is_draft)
    if is_dry_run:
        tx.discard()
    return result


def create_deployment(tx: Transaction, ctx: WriteContext, body: PostDeployment) -> DeploymentResult:
    """Create a deployment.

    Raises:
        KeyTaken, AliasTaken: a deployment has the key, or has it as an alias.
        InvalidKey, InvalidBody, JinjaNotEnabled, InvalidTemplate
    """
    check_key(body.key)
    check_key_is_free(tx, ctx.project_id, body.key)
    return _create(tx, ctx.with_reason(body.reason), body.key, body)


def patch_deployment(tx: Transaction, ctx: WriteContext, key_or_id: str, body: PatchDeployment) -> DeploymentResult:
    """Change the description and the aliases, which are not versioned.

    Raises:
        InvalidBody, AliasTaken
        InsufficientScope: other aliases need the scope to publish.
        DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable, PreconditionFailed, OwnedByFiles
    """
    if body.description is UNSET and body.aliases is UNSET:
        raise InvalidBody.of([Problem("", "it has neither description nor aliases; send at least one")])
    current = get_for_update(tx, ctx, key_or_id)
    if (error := ctx.calculate(Deployment.decode_error, current)) is not None:
        raise error
    ctx = ctx.with_reason(body.reason)
    if shared := new_shared(current, body):
        if "aliases" in shared:  # callers use them, so they are as public as a live version
            authorize(tx, msgspec.structs.replace(ctx, scopes=ctx.scopes | {Scope.PUBLISH}))
        change_shared(tx, ctx, current, shared)
        return _changed(tx, ctx, current, "updated")
    return _unchanged(tx, ctx, current)


def delete_deployment(tx: Transaction, ctx: WriteContext, key_or_id: str) -> Deployment:
    """Delete a deployment, in all environments; it can be restored for 30 days.

    Its key is free at once, and cursors to it stay valid.

    Raises:
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed, OwnedByFiles, OwnedByApi
        DeploymentInUse: it was served lately, and `force` is not set.
    """
    current = get_for_update(tx, ctx, key_or_id)
    for each in tx.own_pointers(current.id):
        check_ownership(ctx, get_deployment(tx, ctx.project_id, current.id, each.environment_id))
    check_ownership(ctx, current)
    check_no_consumers(tx, ctx, current)
    details = passed_gates(tx, ctx, current, "delete")
    if details is None:
        return current
    store_owner(tx, current, check_ownership(ctx, current))
    close_all(tx, ctx, current, f"deployment {current.key!r} was deleted")
    tx.delete_deployment(current.id)
    tx.touch_pointers(current.id)
    subject = _subject(ctx, current, from_version_id=current.live_version_id)
    tx.record("deleted", ctx.actor, subject, details=details)
    return msgspec.structs.replace(current, deleted_us=tx.clock_us, updated_us=tx.now_us, rev=tx.rev)


def restore_deployment(tx: Transaction, ctx: WriteContext, key_or_id: str) -> DeploymentResult:
    """Restore a deleted deployment with its versions, its live versions and its place in the list.

    Raises:
        NotDeleted: it is not deleted.
        KeyTaken, AliasTaken: another deployment has its key or one of its aliases.
        DeploymentDeleted: it cannot be restored any more.
        DeploymentNotFound, DeploymentUnreadable, PreconditionFailed
    """
    deleted = tx.find_tombstone(ctx.project_id, key_or_id)
    if deleted is None:
        raise NotDeleted(subject=f"Deployment {get_deployment(tx, ctx.project_id, key_or_id).key!r}")
    tombstone = deleted.tombstone
    if tombstone.is_purged or restore_deadline_us(tombstone.deleted_us) <= tx.clock_us:
        raise msgspec.structs.replace(tombstone, is_purged=True).error()
    check_key_is_free(tx, ctx.project_id, tombstone.key)
    check_aliases_are_free(tx, ctx.project_id, tombstone.id, deleted.aliases)
    check_preconditions(tx, deleted, ctx.options)
    if (error := ctx.calculate(Deployment.decode_error, deleted)) is not None:
        raise error
    details = passed_gates(tx, ctx, deleted, "restore")
    if details is None:
        return DeploymentResult(deleted, "restored")
    close_all(tx, ctx, deleted, f"deployment {deleted.key!r} was restored")
    tx.restore_deployment(tombstone.id)
    tx.touch_pointers(tombstone.id)
    subject = _subject(ctx, deleted, to_version_id=deleted.live_version_id)
    tx.record("restored", ctx.actor, subject, details=details)
    return DeploymentResult(_stored(tx, ctx, tombstone.id), "restored")


def _create(
    tx: Transaction, ctx: WriteContext, key: str, body: PutDeployment, *, is_draft: bool = False
) -> DeploymentResult:
    version_id, environment = new_id(), environment_of(tx, ctx)
    content, sha256 = ctx.calculate(encoded_content, body)
    check_jinja(ctx, content)
    details = None if is_draft else passed_gate(ctx, [environment])
    is_live = details is not None
    pointer_id, file = environment.pointer_id, ctx.options.file
    is_in_production = is_live and pointer_id is None
    deployment_id = tx.insert_deployment(
        ctx.project_id, key, body.description or "", version_id if is_in_production else None,
        file if is_in_production else None,
    )  # fmt: skip
    if body.aliases:
        set_aliases(tx, ctx.project_id, deployment_id, key, body.aliases)
    where = pointer_id if is_live else environment.id
    subject = Subject(ctx.project_id, deployment_id, environment_id=where)
    made = msgspec.structs.replace(subject, to_version_id=version_id, content_sha256=sha256)
    owner = NewOwner("api" if file is None else "files", file, is_new=file is not None)
    if not is_live:  # of the deployment alone: its version is a draft
        tx.record("created", ctx.actor, subject)
    tx.insert_version(
        version_id, deployment_id, FIRST_VERSION, content, ctx.actor, sha256=sha256, notes=body.notes,
        made_as="published" if is_live else "draft",
    )  # fmt: skip
    if is_live:
        if pointer_id is not None:
            tx.move_pointer(
                deployment_id, pointer_id, version_id, owner=owner.owner, file=file, is_new_owner=owner.is_new
            )
        tx.record("created", ctx.actor, made, details=details or NO_DETAILS)
    else:
        tx.record("drafted", ctx.actor, made)
    stored = _stored(tx, ctx, key)
    if not is_live and not is_draft:
        move(
            tx, ctx, Move(deployment=stored, kind="publish", version_id=version_id, content_sha256=sha256, owner=owner)
        )
    return DeploymentResult(stored, "created", warnings=ctx.warnings(tx, content))


def _subject(
    ctx: WriteContext, deployment: Deployment, *, from_version_id: str | None = None, to_version_id: str | None = None
) -> Subject:
    """Return the subject of an entry about the deployment with its live version."""
    has_version = from_version_id is not None or to_version_id is not None
    return Subject(
        deployment.project_id, deployment.id, from_version_id=from_version_id, to_version_id=to_version_id,
        content_sha256=deployment.content_sha256 if has_version else "", proposal_id=ctx.proposal_id,
    )  # fmt: skip


def _update(
    tx: Transaction, ctx: WriteContext, current: Deployment, body: PutDeployment, *, is_draft: bool
) -> DeploymentResult:
    (content, sha256), breaking = ctx.calculate(encoded_content, body, current), list[str]()
    warnings = ctx.warnings(tx, content)
    is_new_content = sha256 != current.content_sha256 or ctx.calculate(Deployment.decode_error, current) is not None
    is_new_here = current.own_version_id is None and not is_draft  # it follows production, or is not here
    can_describe = ctx.environment_id is None and not is_draft and (
        not needs_approval(ctx, environment_of(tx, ctx)) or ctx.options.emergency or not (is_new_content or is_new_here)
    )  # fmt: skip
    shared = new_shared(current, body)
    if shared and not can_describe:
        warnings, shared = [*warnings, *(Problem(name, NOT_CHANGED[name]) for name in shared)], {}
    if is_new_content or is_new_here:
        last = tx.last_version(current.id)
        is_plain = not body.notes and body.version_bump == "minor"
        equal = find_equal(tx, current, content, sha256, last) if is_plain else None
        if is_draft:
            return _drafted(tx, ctx, current, equal, (body, content, sha256, last), warnings)
        set_shared(tx, current, shared)
        if equal is not None:
            breaking = republish(tx, ctx, current, equal)
        else:
            _, breaking = add_version(tx, ctx, current, body, content, sha256, last)
    elif shared:
        change_shared(tx, ctx, current, shared)
    else:
        return msgspec.structs.replace(_unchanged(tx, ctx, current), warnings=warnings)
    return msgspec.structs.replace(_changed(tx, ctx, current, "updated"), breaking=breaking, warnings=warnings)


def _drafted(
    tx: Transaction,
    ctx: WriteContext,
    current: Deployment,
    equal: Version | None,
    made: tuple[PutDeployment, StoredContent, str, VersionNumber],
    warnings: Sequence[Problem],
) -> DeploymentResult:
    """Return the result of a put that only stores a version, unless there is one with its content."""
    if equal is None:
        version_id, _ = add_version(tx, ctx, current, *made, is_draft=True)
        equal = get_version(tx, current, version_id)
    else:
        tx.discard()
    as_drafted = msgspec.structs.replace(current, version=equal.number, content=equal.content)
    return DeploymentResult(as_drafted, "drafted", warnings=warnings)


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
    is_other = before.live_version_id is not None and current.live_version_id != before.live_version_id
    previous_version = before.version if is_other else None
    return DeploymentResult(current, result, previous_owner, previous_version=previous_version)


def _stored(tx: Transaction, ctx: WriteContext, key_or_id: str) -> Deployment:
    stored = tx.find_deployment(ctx.project_id, key_or_id, ctx.environment_id)
    assert stored is not None  # noqa: S101 -- written in this transaction
    return stored
