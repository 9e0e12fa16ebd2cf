"""Store versions, and make them live: what puts and versions have in common."""

from contextlib import suppress

import msgspec

from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import Deployment, PutDeployment, VersionNumber
from moorage.core.deployments.history import Subject
from moorage.core.deployments.ids import new_id
from moorage.core.deployments.version import PostVersion, Version
from moorage.core.errors.base import VersionUnreadable
from moorage.core.errors.rows import HistoryUnreadable
from moorage.registry.breaking_changes import check_breaking, check_jinja
from moorage.registry.moves import Move, environment_of, move, needs_approval
from moorage.registry.ownership import check_ownership
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction


def add_version(
    tx: Transaction,
    ctx: WriteContext,
    deployment: Deployment,
    body: PutDeployment | PostVersion,
    content: StoredContent,
    sha256: str,
    last: VersionNumber,
    *,
    is_draft: bool = False,
) -> tuple[str, list[str]]:
    """Add a version under the number after `last`, live unless it is a draft; return its id and its breaking changes.

    Raises:
        OwnedByFiles, OwnedByApi, JinjaNotEnabled, InvalidTemplate, BreakingChange
    """
    version_id, number = new_id(), last.next(body.version_bump)
    is_draft = is_draft or (isinstance(body, PostVersion) and body.status == "draft")
    environment = environment_of(tx, ctx)
    is_proposed = not is_draft and needs_approval(ctx, environment) and not ctx.options.emergency
    tx.insert_version(
        version_id, deployment.id, number, content, ctx.actor, sha256=sha256, notes=body.notes,
        description=body.description if isinstance(body, PostVersion) else "",  # else it is the deployment's
        made_as="draft" if is_draft or is_proposed else "published",
    )  # fmt: skip
    if is_draft or is_proposed:
        # Neither a proposal nor a draft of another environment changes what production serves, and so its revision.
        where = environment.id if is_proposed else environment.pointer_id
        if where is None:
            tx.touch_deployment(deployment.id)
        subject = msgspec.structs.replace(version_subject(deployment, None, version_id, sha256), environment_id=where)
        tx.record("drafted", ctx.actor, subject)
    if is_draft:
        return version_id, []
    return version_id, publish(tx, ctx, deployment, version_id, content, sha256)


def find_equal(
    tx: Transaction, deployment: Deployment, content: StoredContent, sha256: str, last: VersionNumber
) -> Version | None:
    """Return the version with this content that a put makes live instead of adding another.

    It is the newest one, which can be a draft, or the one that an undo or a roll-back replaced: both are newer than the
    live version, if there is one. Otherwise it is one that is live in another environment. It is not deleted, and not
    damaged: the texts are compared, not only their stored hash.
    """
    elsewhere = tx.live_elsewhere(deployment.id, sha256)
    names = [elsewhere]
    if deployment.live_version_id is None or last > deployment.version:
        with suppress(HistoryUnreadable):
            before = tx.last_move(deployment)
            names = [None if before is None else before.before, *names]
        names = [str(last), *names]
    for name in names:
        with suppress(VersionUnreadable):  # what cannot be decoded is not equal
            version = None if name is None else tx.find_version(deployment.id, name, deployment)
            if version is None or version.deleted_us is not None or version.content != content:
                continue
            is_older = deployment.live_version_id is not None and version.number <= deployment.version
            if not is_older or version.id == elsewhere:
                return version
    return None


def republish(tx: Transaction, ctx: WriteContext, deployment: Deployment, version: Version) -> list[str]:
    """Make a stored version the live one; return its breaking changes.

    Raises:
        OwnedByFiles, OwnedByApi, JinjaNotEnabled, InvalidTemplate, BreakingChange
    """
    return publish(tx, ctx, deployment, version.id, version.content, version.content_sha256)


def publish(
    tx: Transaction,
    ctx: WriteContext,
    deployment: Deployment,
    version_id: str,
    content: StoredContent,
    content_sha256: str,
) -> list[str]:
    """Make a version live, or propose it; return its breaking changes.

    Raises:
        OwnedByFiles, OwnedByApi, JinjaNotEnabled, InvalidTemplate, BreakingChange
    """
    owner = check_ownership(ctx, deployment)
    check_jinja(ctx, content)
    breaking = check_breaking(tx, ctx, deployment, content)
    change = Move(
        deployment=deployment, kind="publish", version_id=version_id, content_sha256=content_sha256, owner=owner,
        breaking=breaking,
    )  # fmt: skip
    move(tx, ctx, change)
    return breaking


def version_subject(deployment: Deployment, before: str | None, after: str, content_sha256: str) -> Subject:
    """Return the subject of an entry about the version `after`."""
    return Subject(
        deployment.project_id, deployment.id, from_version_id=before, to_version_id=after,
        content_sha256=content_sha256,
    )  # fmt: skip
