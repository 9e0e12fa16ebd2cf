"""Create and change deployments."""

import msgspec
from msgspec import UNSET

from moorage.core import strict_json
from moorage.core.deployment import (
    FIRST_VERSION,
    Content,
    Deployment,
    PatchDeployment,
    PostDeployment,
    PutDeployment,
    Result,
)
from moorage.core.errors import DeploymentNotFound, KeyTaken, NotDeleted
from moorage.core.history import Actor
from moorage.core.ids import check_key, new_id
from moorage.registry.bodies import read_body, refuse_repeated_variables
from moorage.registry.versions import check_match, get_in, move_pointer
from moorage.store.store import Writable
from moorage.store.transaction import Transaction


class Put(msgspec.Struct, frozen=True):
    """What a put did. `normalized` are the paths of the body that were rewritten to an equivalent."""

    result: Result
    deployment: Deployment
    normalized: list[str]


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
    if_match: str | None = None,
    *,
    is_dry_run: bool = False,
) -> Put:
    """Make the deployment `key` what `body` (JSON, `PutDeployment`) says: create it, or give it a new live version.

    A version is made only where the content differs; a description alone is changed in place. A dry run finds out what
    would be done, and does not.

    Raises:
        InvalidKey, InvalidJson, InvalidBody, PreconditionFailed: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    check_key(key)
    wanted, normalized = read_body(strict_json.parse(body), PutDeployment)
    refuse_repeated_variables(wanted.variables)
    result: Result
    try:
        with store.write() as write:
            present = write.find_deployment(project_id, key)
            if present is None:
                if if_match is not None:
                    get_in(write, project_id, key, if_match)  # raises: what should be matched is not there
                result = "created"
                _create(write, project_id, key, wanted, by)
            else:
                check_match(write, present, if_match)
                if not _update(write, present, wanted, by):
                    raise _Undo("unchanged", present)
                result = "updated"
            stored = _stored(write, project_id, key)
            if is_dry_run:
                raise _Undo(result, stored)
    except _Undo as undo:
        return Put(undo.result, undo.deployment, normalized)
    return Put(result, stored, normalized)


def create_deployment(store: Writable, project_id: str, body: bytes, by: Actor) -> Put:
    """Create a deployment (`body`: JSON, `PostDeployment`).

    Raises:
        KeyTaken: there is one of that key.
        InvalidKey, InvalidJson, InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    wanted, normalized = read_body(strict_json.parse(body), PostDeployment)
    check_key(wanted.key)
    refuse_repeated_variables(wanted.variables)
    with store.write() as write:
        if write.find_deployment(project_id, wanted.key) is not None:
            raise KeyTaken(param="key", key=wanted.key)
        _create(write, project_id, wanted.key, wanted, by.because(wanted.reason))
        return Put("created", _stored(write, project_id, wanted.key), normalized)


def patch_deployment(
    store: Writable, project_id: str, key_or_id: str, body: bytes, by: Actor, if_match: str | None = None
) -> Put:
    """Change what is not versioned (`body`: JSON, `PatchDeployment`).

    Raises:
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed, InvalidJson, InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    wanted, normalized = read_body(strict_json.parse(body), PatchDeployment)
    try:
        with store.write() as write:
            present = get_in(write, project_id, key_or_id, if_match)
            if wanted.description == present.description:
                raise _Undo("unchanged", present)
            _describe(write, present, wanted.description, by.because(wanted.reason))
            return Put("updated", _stored(write, project_id, present.id), normalized)
    except _Undo as undo:
        return Put(undo.result, undo.deployment, normalized)


def delete_deployment(
    store: Writable, project_id: str, key_or_id: str, by: Actor, if_match: str | None = None
) -> Deployment:
    """Delete a deployment, for 30 days not for good. Its key is free at once; cursors to it still page.

    Raises:
        DeploymentNotFound, DeploymentDeleted, PreconditionFailed: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    with store.write() as write:
        present = get_in(write, project_id, key_or_id, if_match)
        write.delete_deployment(present.id)
        write.record(project_id, present.id, "deleted", by, present.live_version_id, None)
        return msgspec.structs.replace(present, deleted_us=write.now_us, rev=write.rev)


def restore_deployment(store: Writable, project_id: str, key_or_id: str, by: Actor) -> Deployment:
    """Take back a deletion: the deployment has its place, its versions and its live version again.

    Raises:
        NotDeleted: it is there.
        KeyTaken: another deployment has its key by now.
        DeploymentNotFound: there never was one, or it is final.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    with store.write() as write:
        tombstone = write.find_tombstone(project_id, key_or_id)
        present = write.find_deployment(project_id, key_or_id if tombstone is None else tombstone.key)
        if tombstone is None:
            raise NotDeleted(key=present.key) if present else DeploymentNotFound(param="key", key=key_or_id[:200])
        if present is not None:
            raise KeyTaken(param="key", key=tombstone.key)
        if tombstone.final_us <= write.now_us:
            raise DeploymentNotFound(param="key", key=key_or_id[:200])
        write.restore_deployment(tombstone.id)
        write.record(project_id, tombstone.id, "restored", by, None, tombstone.live_version_id)
        return _stored(write, project_id, tombstone.id)


def _create(write: Transaction, project_id: str, key: str, wanted: PutDeployment, by: Actor) -> None:
    version_id = new_id()
    description = "" if wanted.description is UNSET else wanted.description
    variables = [] if wanted.variables is UNSET else wanted.variables
    deployment_id = write.insert_deployment(project_id, key, description, version_id)
    content = Content.of(wanted.prompt_config, variables)
    write.insert_version(version_id, deployment_id, FIRST_VERSION, content, by, notes=wanted.notes)
    write.record(project_id, deployment_id, "created", by, None, version_id)


def _update(write: Transaction, present: Deployment, wanted: PutDeployment, by: Actor) -> bool:
    variables = write.live_variables(present.id) if wanted.variables is UNSET else wanted.variables
    content = Content.of(wanted.prompt_config, variables)
    is_new_content = content.sha256 != present.content_sha256
    if is_new_content:
        version_id = new_id()
        number = write.last_version(present.id).next(wanted.version_bump)
        write.insert_version(version_id, present.id, number, content, by, notes=wanted.notes)
        move_pointer(write, present, version_id, by)
    description = present.description if wanted.description is UNSET else wanted.description
    is_new_description = description != present.description
    if is_new_description and is_new_content:
        write.describe_deployment(present.id, description)
    elif is_new_description:
        _describe(write, present, description, by)
    return is_new_content or is_new_description


def _describe(write: Transaction, present: Deployment, description: str, by: Actor) -> None:
    write.describe_deployment(present.id, description)
    write.record(present.project_id, present.id, "changed", by, present.live_version_id, present.live_version_id)


def _stored(write: Transaction, project_id: str, key_or_id: str) -> Deployment:
    stored = write.find_deployment(project_id, key_or_id)
    assert stored is not None  # noqa: S101 -- written in this transaction
    return stored
