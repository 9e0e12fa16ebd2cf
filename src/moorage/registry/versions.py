"""Versions: save, publish, undo, delete, restore, compare."""

from collections.abc import Sequence

import msgspec

from moorage.core import strict_json
from moorage.core.access import Scope
from moorage.core.body import read_body
from moorage.core.deployment import Content, Deployment, PutDeployment, final_us
from moorage.core.errors import InsufficientScope, NotDeleted, NothingToUndo, VersionIsLive
from moorage.core.history import Actor
from moorage.core.ids import new_id
from moorage.core.ownership import FREE, Terms
from moorage.core.version import PostVersion, Version
from moorage.registry.bodies import content_of, with_reason
from moorage.registry.contracts import Contracted, check_contract, check_jinja
from moorage.registry.lookup import (
    get_deployment,
    get_kept_version,
    get_to_change,
    get_version,
    version_deleted,
)
from moorage.registry.ownership import claim, is_handed_over
from moorage.registry.usage import check_unused
from moorage.store.reading import Reading
from moorage.store.store import Writable
from moorage.store.transaction import Transaction


class Changed(msgspec.Struct, frozen=True):
    """A version as it is after a change, and the ETag that its deployment has since. `normalized` are the paths of the
    body that were rewritten to an equivalent; `breaking` is what programs rely on and is broken, as it was allowed to
    be."""

    version: Version
    etag: str
    normalized: Sequence[str] = ()
    breaking: Sequence[str] = ()


class _Already(Exception):  # no error: leaves the transaction with no revision
    def __init__(self, changed: Changed) -> None:
        self.changed = changed


def save_version(
    store: Writable,
    project_id: str,
    key_or_id: str,
    body: bytes,
    by: Actor,
    terms: Terms = FREE,
    *,
    may_publish: bool = True,
) -> Changed:
    """Add a version to a deployment (`body`: JSON, `PostVersion`), as a draft or live. A draft changes nothing that is
    served, so it may be saved whoever keeps the deployment.

    Raises:
        InsufficientScope: it shall be live, and whoever asks may not publish.
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed, OwnedByFiles, BreakingChange, InvalidJson,
            InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    wanted, normalized = read_body(strict_json.parse(body), PostVersion)
    if wanted.status != "draft" and not may_publish:
        raise InsufficientScope(required=Scope.PUBLISH, held="others; save it as a draft instead")
    with store.write() as write:
        deployment = get_to_change(write, project_id, key_or_id, terms)
        by, content = by.because(wanted.reason), content_of(wanted, deployment)
        version_id, breaking = add_version(write, deployment, wanted, content, by, terms)
        return _changed(write, deployment, version_id, normalized, breaking)


def publish_version(
    store: Writable,
    project_id: str,
    key_or_id: str,
    id_or_number: str,
    body: bytes,
    by: Actor,
    terms: Terms = FREE,
) -> Changed:
    """Make a version the live one, forwards or backwards. One that is live already stays so, and nothing is recorded.

    Raises:
        DeploymentNotFound, DeploymentDeleted, VersionNotFound, VersionDeleted, PreconditionFailed, OwnedByFiles,
            JinjaNotEnabled, InvalidTemplate, BreakingChange, InvalidJson, InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    by = with_reason(body, by)
    try:
        with store.write() as write:
            deployment = get_to_change(write, project_id, key_or_id, terms)
            version, breaking = get_version(write, deployment, id_or_number), list[str]()
            if version.status != "live":
                breaking = _move_pointer(write, deployment, version.id, version, by, terms)
            elif not is_handed_over(write, deployment, by, terms):
                raise _Already(Changed(version, deployment.etag))
            return _changed(write, deployment, version.id, breaking=breaking)
    except _Already as already:
        return already.changed


def undo(store: Writable, project_id: str, key_or_id: str, body: bytes, by: Actor, terms: Terms = FREE) -> Changed:
    """Take back the last move of the live pointer, whatever it was; a second undo takes back the first. What that
    breaks is not asked: a mistake must go away at once.

    Raises:
        NothingToUndo: the deployment was created and nothing else.
        VersionDeleted: the version that was live before was deleted since.
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed, OwnedByFiles, InvalidJson, InvalidBody: nothing was
            changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    by = with_reason(body, by)
    with store.write() as write:
        deployment = get_to_change(write, project_id, key_or_id, terms)
        before, after = write.last_move(deployment.id) or (None, "")
        if before is None:
            raise NothingToUndo(key=deployment.key)
        get_version(write, deployment, before)
        claim(write, deployment, terms)
        write.publish_version(deployment.id, before)
        write.record(project_id, deployment.id, "undone", by, after, before)
        return _changed(write, deployment, before)


def delete_version(
    store: Writable, project_id: str, key_or_id: str, id_or_number: str, by: Actor, terms: Terms = FREE
) -> Changed:
    """Delete a version that is not live, for 30 days not for good. Its number is never given again.

    Raises:
        VersionIsLive: it is what is served.
        InUse: it was served lately, and `terms` have no force.
        DeploymentNotFound, DeploymentDeleted, VersionNotFound, VersionDeleted, PreconditionFailed: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    with store.write() as write:
        deployment = get_to_change(write, project_id, key_or_id, terms)
        version = get_version(write, deployment, id_or_number)
        if version.status == "live":
            raise VersionIsLive(param="version", version=version.number, key=deployment.key)
        check_unused(write, deployment, terms, version)
        write.delete_version(version.id)
        write.touch_deployment(deployment.id)
        write.record(project_id, deployment.id, "deleted", by, version.id, version.id)
        return Changed(msgspec.structs.replace(version, deleted_us=write.now_us), _etag(write, deployment))


def restore_version(
    store: Writable,
    project_id: str,
    key_or_id: str,
    id_or_number: str,
    by: Actor,
    terms: Terms = FREE,
    body: bytes = b"",
) -> Changed:
    """Take back the deletion of a version (`body`: JSON, `Reason`, or nothing); it is again what it was.

    Raises:
        NotDeleted: it is there.
        VersionDeleted: it is gone for good.
        DeploymentNotFound, DeploymentDeleted, VersionNotFound, PreconditionFailed: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    by = with_reason(body, by)
    with store.write() as write:
        deployment = get_to_change(write, project_id, key_or_id, terms)
        version = get_kept_version(write, deployment, id_or_number)
        if version.deleted_us is None:
            raise NotDeleted(param="version", what=f"Version {version.number} of the deployment {deployment.key!r}")
        if version.is_erased or final_us(version.deleted_us) <= write.now_us:
            raise version_deleted(deployment, version, is_erased=True)
        write.restore_version(version.id)
        write.touch_deployment(deployment.id)
        write.record(project_id, deployment.id, "restored", by, version.id, version.id)
        return _changed(write, deployment, version.id)


def compare(reading: Reading, project_id: str, key_or_id: str, from_name: str, to_name: str) -> tuple[Version, Version]:
    """Two versions of a deployment, by their ids or numbers; `live` is the one that is served.

    Raises:
        DeploymentNotFound, DeploymentDeleted, VersionNotFound, VersionDeleted
    """
    deployment = get_deployment(reading, project_id, key_or_id)
    return get_version(reading, deployment, from_name), get_version(reading, deployment, to_name)


def add_version(
    write: Transaction,
    deployment: Deployment,
    wanted: PutDeployment | PostVersion,
    content: Content,
    by: Actor,
    terms: Terms,
) -> tuple[str, list[str]]:
    """Add what was `wanted`, encoded as `content`, under the next number, live unless it is a draft; returns its id,
    and what it breaks.

    Raises:
        OwnedByFiles, OwnedByApi, JinjaNotEnabled, InvalidTemplate, BreakingChange
    """
    version_id, number = new_id(), write.last_version(deployment.id).next(wanted.version_bump)
    is_draft = isinstance(wanted, PostVersion) and wanted.status == "draft"
    write.insert_version(
        version_id, deployment.id, number, content, by, notes=wanted.notes,
        description=wanted.description if isinstance(wanted, PostVersion) else "",  # else it is the deployment's
        made_as="draft" if is_draft else "published",
    )  # fmt: skip
    if is_draft:
        write.touch_deployment(deployment.id)
        return version_id, []
    return version_id, _move_pointer(write, deployment, version_id, content, by, terms)


def _move_pointer(
    write: Transaction,
    deployment: Deployment,
    version_id: str,
    content: Contracted,
    by: Actor,
    terms: Terms,
) -> list[str]:
    claim(write, deployment, terms)
    check_jinja(content, terms)
    breaking = check_contract(write, deployment, content, terms)
    write.publish_version(deployment.id, version_id)
    before = deployment.live_version_id
    write.record(deployment.project_id, deployment.id, "published", by, before, version_id, breaking=breaking)
    return breaking


def _changed(
    write: Transaction,
    deployment: Deployment,
    version_id: str,
    normalized: Sequence[str] = (),
    breaking: Sequence[str] = (),
) -> Changed:
    version = get_version(write, deployment, version_id)
    return Changed(version, _etag(write, deployment), normalized, breaking)


def _etag(write: Transaction, deployment: Deployment) -> str:
    return get_deployment(write, deployment.project_id, deployment.id).etag
