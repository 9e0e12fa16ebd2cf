"""Save, publish, undo, delete, restore and compare versions, each in one transaction of the caller."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import Deployment, PutDeployment, VersionNumber, restore_deadline_us
from moorage.core.deployments.history import Subject
from moorage.core.deployments.ids import new_id
from moorage.core.deployments.update import encoded_content
from moorage.core.deployments.version import PostVersion, Version
from moorage.core.errors.base import NotDeleted, NothingToUndo, Problem, VersionIsLive, VersionUnreadable
from moorage.core.errors.rows import HistoryUnreadable
from moorage.registry.breaking_changes import check_breaking, check_jinja
from moorage.registry.consumers import check_no_consumers
from moorage.registry.lookup import (
    get_deployment,
    get_for_update,
    get_version,
    get_version_including_deleted,
    version_deleted,
)
from moorage.registry.ownership import require_ownership, transfer_ownership
from moorage.registry.results import VersionResult
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
    deployment = get_for_update(tx, ctx, key_or_id)
    version, breaking = get_version(tx, deployment, id_or_number), list[str]()
    if version.status != "live":
        breaking = _publish(tx, ctx, deployment, version.id, version.content, version.content_sha256)
    elif not transfer_ownership(tx, ctx, deployment):
        tx.discard()
    return _result(tx, deployment, version.id, breaking, ctx.warnings(tx, version.content))


def undo(tx: Transaction, ctx: WriteContext, key_or_id: str) -> VersionResult:
    """Undo the last publish, roll-back or undo. Breaking changes are not checked: a mistake must be undone at once.

    Raises:
        NothingToUndo: the live version never changed.
        VersionDeleted: the previous live version was deleted since.
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed, OwnedByFiles
    """
    deployment = get_for_update(tx, ctx, key_or_id)
    before, after = tx.last_move(deployment.id) or (None, "")
    if before is None:
        raise NothingToUndo(key=deployment.key)
    version = get_version(tx, deployment, before)
    require_ownership(tx, ctx, deployment)
    tx.publish_version(deployment.id, before)
    tx.record("undone", ctx.actor, _subject(deployment, after, version.id, version.content_sha256))
    return _result(tx, deployment, before)


def delete_version(tx: Transaction, ctx: WriteContext, key_or_id: str, id_or_number: str) -> VersionResult:
    """Delete a version that is not live; it can be restored for 30 days. Its number is never used again.

    Raises:
        VersionIsLive: the version is live.
        DeploymentInUse: it was served lately, and `force` is not set.
        DeploymentNotFound, DeploymentDeleted, VersionNotFound, VersionDeleted, PreconditionFailed
    """
    deployment = get_for_update(tx, ctx, key_or_id)
    version = get_version(tx, deployment, id_or_number)
    if version.status == "live":
        raise VersionIsLive(param="version", version=version.number, key=deployment.key)
    check_no_consumers(tx, ctx, deployment, version)
    tx.delete_version(version.id)
    tx.touch_deployment(deployment.id)
    tx.record("deleted", ctx.actor, _subject(deployment, version.id, version.id, version.content_sha256))
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
    tx.record("restored", ctx.actor, _subject(deployment, version.id, version.id, version.content_sha256))
    return _result(tx, deployment, version.id)


def compare(reader: Reader, project_id: str, key_or_id: str, from_name: str, to_name: str) -> tuple[Version, Version]:
    """Return two versions of a deployment by their ids or numbers; `live` names the live version.

    Raises:
        DeploymentNotFound, DeploymentDeleted, VersionNotFound, VersionDeleted
    """
    deployment = get_deployment(reader, project_id, key_or_id)
    return get_version(reader, deployment, from_name), get_version(reader, deployment, to_name)


def add_version(
    tx: Transaction,
    ctx: WriteContext,
    deployment: Deployment,
    body: PutDeployment | PostVersion,
    content: StoredContent,
    sha256: str,
    last: VersionNumber,
) -> tuple[str, list[str]]:
    """Add a version under the number after `last`, live unless it is a draft; return its id and its breaking changes.

    Raises:
        OwnedByFiles, OwnedByApi, JinjaNotEnabled, InvalidTemplate, BreakingChange
    """
    version_id, number = new_id(), last.next(body.version_bump)
    is_draft = isinstance(body, PostVersion) and body.status == "draft"
    tx.insert_version(
        version_id, deployment.id, number, content, ctx.actor, sha256=sha256, notes=body.notes,
        description=body.description if isinstance(body, PostVersion) else "",  # else it is the deployment's
        made_as="draft" if is_draft else "published",
    )  # fmt: skip
    if is_draft:
        tx.touch_deployment(deployment.id)
        tx.record("drafted", ctx.actor, _subject(deployment, None, version_id, sha256))
        return version_id, []
    return version_id, _publish(tx, ctx, deployment, version_id, content, sha256)


def find_equal(tx: Transaction, deployment: Deployment, content_sha256: str, last: VersionNumber) -> Version | None:
    """Return the version with this content that a put makes live instead of adding another.

    It is the newest one, which can be a draft, or the one that an undo or a roll-back replaced. It is newer than the
    live version, and not deleted.
    """
    before: str | None = None
    with suppress(HistoryUnreadable):
        before, _ = tx.last_move(deployment.id) or (None, "")
    for name in (str(last), before):
        with suppress(VersionUnreadable):  # what cannot be decoded is not equal
            version = None if name is None else tx.find_version(deployment.id, name)
            if version is None or version.deleted_us is not None or version.number <= deployment.version:
                continue
            if version.content_sha256 == content_sha256:
                return version
    return None


def republish(tx: Transaction, ctx: WriteContext, deployment: Deployment, version: Version) -> list[str]:
    """Make a stored version the live one; return its breaking changes.

    Raises:
        OwnedByFiles, OwnedByApi, JinjaNotEnabled, InvalidTemplate, BreakingChange
    """
    return _publish(tx, ctx, deployment, version.id, version.content, version.content_sha256)


def _publish(
    tx: Transaction,
    ctx: WriteContext,
    deployment: Deployment,
    version_id: str,
    content: StoredContent,
    content_sha256: str,
) -> list[str]:
    require_ownership(tx, ctx, deployment)
    check_jinja(ctx, content)
    breaking = check_breaking(tx, ctx, deployment, content)
    tx.publish_version(deployment.id, version_id)
    subject = _subject(deployment, deployment.live_version_id, version_id, content_sha256)
    tx.record("published", ctx.actor, subject, breaking=breaking)
    return breaking


def _subject(deployment: Deployment, before: str | None, after: str, content_sha256: str) -> Subject:
    """Return the subject of an entry about the version `after`."""
    return Subject(
        deployment.project_id, deployment.id, from_version_id=before, to_version_id=after,
        content_sha256=content_sha256,
    )  # fmt: skip


def _result(
    tx: Transaction,
    deployment: Deployment,
    version_id: str,
    breaking: Sequence[str] = (),
    warnings: Sequence[Problem] = (),
) -> VersionResult:
    return VersionResult(get_version(tx, deployment, version_id), _etag(tx, deployment), breaking, warnings)


def _etag(tx: Transaction, deployment: Deployment) -> str:
    return get_deployment(tx, deployment.project_id, deployment.id).etag
