"""Create and change deployments."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from moorage.core import strict_json
from moorage.core.body import read_body
from moorage.core.deployment import (
    FIRST_VERSION,
    Deployment,
    PatchDeployment,
    PostDeployment,
    PutDeployment,
    Result,
    final_us,
)
from moorage.core.errors import KeyTaken, NotDeleted
from moorage.core.history import Actor
from moorage.core.ids import check_key, new_id
from moorage.core.ownership import FREE, Terms
from moorage.registry.bodies import content_of, with_reason
from moorage.registry.contracts import check_jinja
from moorage.registry.lookup import check_match, get_deployment, get_to_change
from moorage.registry.ownership import claim, is_handed_over, record_change
from moorage.registry.usage import check_unused
from moorage.registry.versions import add_version
from moorage.store.store import Writable
from moorage.store.transaction import Transaction


class Put(msgspec.Struct, frozen=True):
    """What a put did. `normalized` are the paths of the body that were rewritten to an equivalent; `taken_from` is who
    kept the deployment before, a file or `api`, if somebody else does since; `breaking` is what programs rely on and is
    broken, as it was allowed to be."""

    result: Result
    deployment: Deployment
    normalized: list[str]
    taken_from: str | None = None
    breaking: Sequence[str] = ()


class _Undo(Exception):
    def __init__(self, result: Result, deployment: Deployment) -> None:
        self.result = result
        self.deployment = deployment


def put_deployment(
    store: Writable,
    project_id: str,
    key: str,
    body: bytes,
    by: Actor,
    terms: Terms = FREE,
    *,
    is_dry_run: bool = False,
) -> Put:
    """Make the deployment `key` what `body` (JSON, `PutDeployment`) says: create it, or give it a new live version.

    A version is made only where the content differs; a description alone is changed in place. A dry run finds out what
    would be done, and does not.

    Raises:
        InvalidKey, InvalidJson, InvalidBody, JinjaNotEnabled, InvalidTemplate, PreconditionFailed, OwnedByFiles,
        OwnedByApi, BreakingChange: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    check_key(key)
    wanted, normalized = read_body(strict_json.parse(body), PutDeployment)
    result: Result
    taken_from, breaking = None, list[str]()
    try:
        with store.write() as write:
            present = write.find_deployment(project_id, key)
            if present is None:
                if terms.if_match is not None:
                    get_deployment(write, project_id, key)  # raises: what should be matched is not there
                result = "created"
                _create(write, project_id, key, wanted, by, terms)
            else:
                check_match(write, present, terms)
                result, breaking = _update(write, present, wanted, by, terms)
                if result == "unchanged" and not is_handed_over(write, present, by, terms):
                    raise _Undo("unchanged", present)
            stored = _stored(write, project_id, key)
            taken_from = _taken_from(present, stored)
            if is_dry_run:
                raise _Undo(result, stored)
    except _Undo as undo:
        return Put(undo.result, undo.deployment, normalized, taken_from, breaking)
    return Put(result, stored, normalized, taken_from, breaking)


def create_deployment(store: Writable, project_id: str, body: bytes, by: Actor, terms: Terms = FREE) -> Put:
    """Create a deployment (`body`: JSON, `PostDeployment`).

    Raises:
        KeyTaken: there is one of that key.
        InvalidKey, InvalidJson, InvalidBody, JinjaNotEnabled, InvalidTemplate: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    wanted, normalized = read_body(strict_json.parse(body), PostDeployment)
    check_key(wanted.key)
    with store.write() as write:
        if write.find_deployment(project_id, wanted.key) is not None:
            raise KeyTaken(param="key", key=wanted.key)
        _create(write, project_id, wanted.key, wanted, by.because(wanted.reason), terms)
        return Put("created", _stored(write, project_id, wanted.key), normalized)


def patch_deployment(
    store: Writable, project_id: str, key_or_id: str, body: bytes, by: Actor, terms: Terms = FREE
) -> Put:
    """Change what is not versioned (`body`: JSON, `PatchDeployment`).

    Raises:
        DeploymentNotFound, DeploymentDeleted, DeploymentUnreadable, PreconditionFailed, OwnedByFiles, InvalidJson,
        InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    wanted, normalized = read_body(strict_json.parse(body), PatchDeployment)
    try:
        with store.write() as write:
            present = get_to_change(write, project_id, key_or_id, terms)
            if (fault := present.fault()) is not None:
                raise fault
            by = by.because(wanted.reason)
            result: Result = "updated" if wanted.description != present.description else "unchanged"
            if result == "updated":
                _describe(write, present, wanted.description, by, terms)
            elif not is_handed_over(write, present, by, terms):
                raise _Undo("unchanged", present)
            stored = _stored(write, project_id, present.id)
            return Put(result, stored, normalized, _taken_from(present, stored))
    except _Undo as undo:
        return Put(undo.result, undo.deployment, normalized)


def delete_deployment(store: Writable, project_id: str, key_or_id: str, by: Actor, terms: Terms = FREE) -> Deployment:
    """Delete a deployment, for 30 days not for good. Its key is free at once; cursors to it still page.

    Raises:
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed, OwnedByFiles, OwnedByApi: nothing was
            changed.
        InUse: it was served lately, and `terms` have no force.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    with store.write() as write:
        present = get_to_change(write, project_id, key_or_id, terms)
        claim(write, present, terms)
        check_unused(write, present, terms)
        write.delete_deployment(present.id)
        write.record(project_id, present.id, "deleted", by, present.live_version_id, None)
        return msgspec.structs.replace(present, deleted_us=write.now_us, updated_us=write.now_us, rev=write.rev)


def restore_deployment(
    store: Writable, project_id: str, key_or_id: str, by: Actor, terms: Terms = FREE, body: bytes = b""
) -> Deployment:
    """Take back a deletion (`body`: JSON, `Reason`, or nothing): all is as it was, its place in the list too.

    Raises:
        NotDeleted: it is there.
        KeyTaken: another deployment has its key by now.
        DeploymentDeleted: it is gone for good.
        PreconditionFailed: it is not the deletion that `terms` know of.
        DeploymentUnreadable
        DeploymentNotFound: there never was one.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    by = with_reason(body, by)
    with store.write() as write:
        deleted = write.find_tombstone(project_id, key_or_id)
        if deleted is None:
            raise NotDeleted(what=f"The deployment {get_deployment(write, project_id, key_or_id).key!r}")
        stone = deleted.tombstone
        if stone.is_erased or final_us(stone.deleted_us) <= write.now_us:
            raise msgspec.structs.replace(stone, is_erased=True).error()
        if write.find_deployment(project_id, stone.key) is not None:
            raise KeyTaken(param="key", key=stone.key)
        check_match(write, deleted, terms)
        if (fault := deleted.fault()) is not None:
            raise fault
        write.restore_deployment(stone.id)
        write.record(project_id, stone.id, "restored", by, None, deleted.live_version_id)
        return _stored(write, project_id, stone.id)


def _create(write: Transaction, project_id: str, key: str, wanted: PutDeployment, by: Actor, terms: Terms) -> None:
    version_id = new_id()
    description = "" if wanted.description is UNSET else wanted.description
    content = content_of(wanted)
    check_jinja(content, terms)
    deployment_id = write.insert_deployment(project_id, key, description, version_id, terms.file)
    write.insert_version(version_id, deployment_id, FIRST_VERSION, content, by, notes=wanted.notes)
    write.record(project_id, deployment_id, "created", by, None, version_id)


def _update(
    write: Transaction, present: Deployment, wanted: PutDeployment, by: Actor, terms: Terms
) -> tuple[Result, list[str]]:
    content, breaking = content_of(wanted, present), list[str]()
    is_new_content = content.sha256 != present.content_sha256 or present.fault() is not None
    if is_new_content:
        _, breaking = add_version(write, present, wanted, content, by, terms)
    description = present.description if wanted.description is UNSET else wanted.description
    is_new_description = description != present.description
    if is_new_description and is_new_content:
        write.describe_deployment(present.id, description)
    elif is_new_description:
        _describe(write, present, description, by, terms)
    return "updated" if is_new_content or is_new_description else "unchanged", breaking


def _describe(write: Transaction, present: Deployment, description: str, by: Actor, terms: Terms) -> None:
    claim(write, present, terms)
    write.describe_deployment(present.id, description)
    record_change(write, present, by)


def _taken_from(present: Deployment | None, stored: Deployment) -> str | None:
    if present is None or (present.owner, present.file) == (stored.owner, stored.file):
        return None
    return present.file if present.owner == "files" else "api"


def _stored(write: Transaction, project_id: str, key_or_id: str) -> Deployment:
    stored = write.find_deployment(project_id, key_or_id)
    assert stored is not None  # noqa: S101 -- written in this transaction
    return stored
