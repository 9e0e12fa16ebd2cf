"""Save, publish, undo, delete, restore and compare versions, each in one transaction of the caller."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from moorage.core.deployments.deployment import Deployment, restore_deadline_us
from moorage.core.deployments.update import encoded_content
from moorage.core.deployments.version import PostVersion, Version
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import NotDeleted, NothingToUndo, Problem, VersionIsLive
from moorage.core.errors.environments import ProductionCannotFollow
from moorage.registry.breaking_changes import check_breaking
from moorage.registry.consumers import check_no_consumers
from moorage.registry.lookup import (
    check_publication,
    get_deployment,
    get_for_update,
    get_version,
    get_version_including_deleted,
    not_in_environment,
    version_deleted,
)
from moorage.registry.moves import Move, environment_of, move
from moorage.registry.ownership import check_ownership, transfer_ownership
from moorage.registry.publishing import add_version, publish, version_subject
from moorage.registry.results import VersionResult
from moorage.registry.stale_proposals import close_naming
from moorage.registry.write_context import WriteContext
from moorage.store.reader import Reader
from moorage.store.transaction import Transaction


def save_version(tx: Transaction, ctx: WriteContext, key_or_id: str, body: PostVersion) -> VersionResult:
    """Add a version to a deployment, as a draft or live.

    A draft changes nothing that is served, so both owners may save one.

    Raises:
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed, OwnedByFiles, BreakingChange, InvalidBody
    """
    deployment = get_for_update(tx, ctx, key_or_id)
    content, sha256 = ctx.calculate(encoded_content, body, deployment)
    last = tx.last_version(deployment.id)
    version_id, breaking = add_version(tx, ctx.with_reason(body.reason), deployment, body, content, sha256, last)
    return _result(tx, deployment, version_id, breaking, ctx.warnings(tx, content))


def publish_version(tx: Transaction, ctx: WriteContext, key_or_id: str, id_or_number: str) -> VersionResult:
    """Make a version the live one, newer or older. Publishing the live version records nothing.

    Raises:
        DeploymentNotFound, DeploymentDeleted, VersionNotFound, VersionDeleted, PreconditionFailed, OwnedByFiles,
        JinjaNotEnabled, InvalidTemplate, BreakingChange
    """
    deployment = get_deployment(tx, ctx.project_id, key_or_id, ctx.environment_id)
    check_publication(tx, deployment, ctx.options)
    version, breaking = get_version(tx, deployment, id_or_number), list[str]()
    if version.id != deployment.own_version_id:
        breaking = publish(tx, ctx, deployment, version.id, version.content, version.content_sha256)
    elif not transfer_ownership(tx, ctx, deployment):
        tx.discard()
    return _result(tx, deployment, version.id, breaking, ctx.warnings(tx, version.content))


def undo(tx: Transaction, ctx: WriteContext, key_or_id: str) -> VersionResult:
    """Undo the last change of the live version in the environment, so that the deployment may follow production again.

    Breaking changes are not checked: a mistake must be undone at once.

    Raises:
        NothingToUndo: the live version never changed.
        VersionDeleted: the previous live version was deleted since.
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed, OwnedByFiles
    """
    deployment = get_for_update(tx, ctx, key_or_id)
    last = tx.last_move(deployment)
    if last is None or (last.before is None and deployment.environment_id is None):
        raise NothingToUndo(key=deployment.key)
    return _move_back(tx, ctx, deployment, "undo", last.before)


def unpublish(tx: Transaction, ctx: WriteContext, key_or_id: str) -> VersionResult:
    """Let a deployment follow production again.

    Raises:
        ProductionCannotFollow
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed, OwnedByFiles, BreakingChange
    """
    deployment = get_for_update(tx, ctx, key_or_id)
    if deployment.environment_id is None:
        raise ProductionCannotFollow(key=deployment.key)
    if deployment.is_following:
        tx.discard()
        return _after(tx, ctx, deployment)
    return _move_back(tx, ctx, deployment, "unpublish", None)


def _move_back(
    tx: Transaction,
    ctx: WriteContext,
    deployment: Deployment,
    kind: Literal["undo", "unpublish"],
    version_id: str | None,
) -> VersionResult:
    """Make a previous version live, or let the deployment follow production."""
    owner, sha256, breaking = check_ownership(ctx, deployment), deployment.content_sha256, list[str]()
    if version_id is not None:
        sha256 = get_version(tx, deployment, version_id).content_sha256
    elif kind == "unpublish":
        production = get_deployment(tx, ctx.project_id, deployment.id)
        if production.live_version_id is not None:
            breaking = check_breaking(tx, ctx, deployment, production.content)
    change = Move(
        deployment=deployment, kind=kind, version_id=version_id, content_sha256=sha256, owner=owner, breaking=breaking
    )
    move(tx, ctx, change)
    return _after(tx, ctx, deployment, breaking)


def _after(tx: Transaction, ctx: WriteContext, before: Deployment, breaking: Sequence[str] = ()) -> VersionResult:
    """Return the version that is live after a move, or the one before if there is none."""
    after = get_deployment(tx, ctx.project_id, before.id, before.environment_id)
    name = after.live_version_id or before.live_version_id
    if name is None:
        raise not_in_environment(tx, before, environment_of(tx, ctx).name)
    return _result(tx, after, name, breaking)


def delete_version(tx: Transaction, ctx: WriteContext, key_or_id: str, id_or_number: str) -> VersionResult:
    """Delete a version that is not live; it can be restored for 30 days. Its number is never used again.

    Raises:
        VersionIsLive: the version is live.
        DeploymentInUse: it was served lately, and `force` is not set.
        DeploymentNotFound, DeploymentDeleted, VersionNotFound, VersionDeleted, PreconditionFailed
    """
    deployment = get_for_update(tx, ctx, key_or_id)
    version = get_version(tx, deployment, id_or_number)
    names = [each.name for each in tx.own_pointers(deployment.id) if each.version_id == version.id]
    if get_deployment(tx, ctx.project_id, deployment.id).live_version_id == version.id:
        names = [PRODUCTION, *names]
    if names:
        where = "" if names == [PRODUCTION] else f" in {', '.join(names)}"
        raise VersionIsLive(param="version", version=version.number, key=deployment.key, where=where)
    check_no_consumers(tx, ctx, deployment, version)
    close_naming(tx, ctx, deployment, version.id, f"version {version.number} was deleted")
    tx.delete_version(version.id)
    tx.touch_deployment(deployment.id)
    tx.record("deleted", ctx.actor, version_subject(deployment, version.id, version.id, version.content_sha256))
    return VersionResult(msgspec.structs.replace(version, deleted_us=tx.clock_us), _etag(tx, deployment))


def restore_version(tx: Transaction, ctx: WriteContext, key_or_id: str, id_or_number: str) -> VersionResult:
    """Restore a deleted version with its number and status.

    Raises:
        NotDeleted: it is not deleted.
        VersionDeleted: it cannot be restored any more.
        DeploymentNotFound, DeploymentDeleted, VersionNotFound, PreconditionFailed
    """
    deployment = get_for_update(tx, ctx, key_or_id)
    version = get_version_including_deleted(tx, deployment, id_or_number)
    if version.deleted_us is None:
        raise NotDeleted(param="version", subject=f"Version {version.number} of deployment {deployment.key!r}")
    if version.is_purged or restore_deadline_us(version.deleted_us) <= tx.clock_us:
        raise version_deleted(deployment, version, is_purged=True)
    tx.restore_version(version.id)
    tx.touch_deployment(deployment.id)
    tx.record("restored", ctx.actor, version_subject(deployment, version.id, version.id, version.content_sha256))
    return _result(tx, deployment, version.id)


def compare(
    reader: Reader, project_id: str, environment_id: str | None, key_or_id: str, names: tuple[str, str]
) -> tuple[Version, Version]:
    """Return two versions of a deployment by their ids, numbers or environments; `live` is that of the environment.

    Raises:
        DeploymentNotFound, DeploymentDeleted, VersionNotFound, VersionDeleted
    """
    from_name, to_name = names
    deployment = get_deployment(reader, project_id, key_or_id, environment_id)
    return get_version(reader, deployment, from_name), get_version(reader, deployment, to_name)


def _result(
    tx: Transaction,
    deployment: Deployment,
    version_id: str,
    breaking: Sequence[str] = (),
    warnings: Sequence[Problem] = (),
) -> VersionResult:
    after = get_deployment(tx, deployment.project_id, deployment.id, deployment.environment_id)
    return VersionResult(get_version(tx, after, version_id), after.etag, breaking, warnings, after.is_following)


def _etag(tx: Transaction, deployment: Deployment) -> str:
    return get_deployment(tx, deployment.project_id, deployment.id, deployment.environment_id).etag
