"""Versions: save, publish, undo, look back."""

import re

import msgspec
from msgspec import UNSET

from moorage.core import strict_json
from moorage.core.access import Scope
from moorage.core.deployment import Content, Deployment, deleted_error
from moorage.core.errors import (
    DeploymentNotFound,
    InsufficientScope,
    NotFound,
    NothingToUndo,
    PreconditionFailed,
    VersionNotFound,
)
from moorage.core.history import Actor
from moorage.core.ids import new_id
from moorage.core.version import PostVersion, Reason, Version
from moorage.registry.bodies import read_body, refuse_repeated_variables
from moorage.store.store import Store, Writable
from moorage.store.transaction import Transaction

#: How many entries of the history a 412 shows at most.
MAX_LISTED = 20


class Saved(msgspec.Struct, frozen=True):
    """A version that was saved. `normalized` are the paths of the body that were rewritten to an equivalent."""

    version: Version
    normalized: list[str]


def save_version(
    store: Writable,
    project_id: str,
    key_or_id: str,
    body: bytes,
    by: Actor,
    if_match: str | None = None,
    *,
    may_publish: bool = True,
) -> Saved:
    """Add a version to a deployment (`body`: JSON, `PostVersion`), as a draft or live.

    Raises:
        InsufficientScope: it shall be live, and whoever asks may not publish.
        DeploymentNotFound, InvalidJson, InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    wanted, normalized = read_body(strict_json.parse(body), PostVersion)
    refuse_repeated_variables(wanted.variables)
    is_draft = wanted.status == "draft"
    if not is_draft and not may_publish:
        raise InsufficientScope(required=Scope.PUBLISH, held="others; save it as a draft instead")
    by = by.because(wanted.reason)
    with store.write() as write:
        deployment = get_in(write, project_id, key_or_id, if_match)
        variables = write.live_variables(deployment.id) if wanted.variables is UNSET else wanted.variables
        content = Content.of(wanted.prompt_config, variables)
        number = write.last_version(deployment.id).next(wanted.version_bump)
        version_id = new_id()
        write.insert_version(
            version_id, deployment.id, number, content, by,
            notes=wanted.notes, description=wanted.description, made_as="draft" if is_draft else "published",
        )  # fmt: skip
        if is_draft:
            write.touch_deployment(deployment.id)
        else:
            move_pointer(write, deployment, version_id, by)
        return Saved(_get_version(write, deployment, version_id), normalized)


def publish_version(
    store: Writable,
    project_id: str,
    key_or_id: str,
    id_or_number: str,
    body: bytes,
    by: Actor,
    if_match: str | None = None,
) -> Version:
    """Make a version the live one, forwards or backwards. One that is live already stays so, and nothing is recorded.

    Raises:
        DeploymentNotFound, VersionNotFound, InvalidJson, InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    by = _with_reason(body, by)
    try:
        with store.write() as write:
            deployment = get_in(write, project_id, key_or_id, if_match)
            version = _get_version(write, deployment, id_or_number)
            if version.status == "live":
                raise _AlreadyLive(version)
            move_pointer(write, deployment, version.id, by)
            return _get_version(write, deployment, version.id)
    except _AlreadyLive as already:
        return already.version


def undo(
    store: Writable, project_id: str, key_or_id: str, body: bytes, by: Actor, if_match: str | None = None
) -> Version:
    """Take back the last move of the live pointer, whatever it was; a second undo takes back the first.

    Raises:
        NothingToUndo: the deployment was created and nothing else.
        DeploymentNotFound, InvalidJson, InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    by = _with_reason(body, by)
    with store.write() as write:
        deployment = get_in(write, project_id, key_or_id, if_match)
        before, after = write.last_move(deployment.id) or (None, "")
        if before is None:
            raise NothingToUndo(key=deployment.key)
        write.publish_version(deployment.id, before)
        write.record(project_id, deployment.id, "undone", by, after, before)
        return _get_version(write, deployment, before)


def move_pointer(write: Transaction, deployment: Deployment, version_id: str, by: Actor) -> None:
    """Publish: move the live pointer, and say so in the ledger."""
    write.publish_version(deployment.id, version_id)
    write.record(deployment.project_id, deployment.id, "published", by, deployment.live_version_id, version_id)


def get_deployment(store: Store, project_id: str, key_or_id: str) -> Deployment:
    """The deployment that has a key or an id now.

    Raises:
        DeploymentNotFound
    """
    deployment = store.find_deployment(project_id, key_or_id)
    if deployment is None:
        raise _missing(store.find_tombstone(project_id, key_or_id), key_or_id)
    return deployment


def get_version(store: Store, project_id: str, key_or_id: str, id_or_number: str) -> Version:
    """A version of a deployment, by its id or its number.

    Raises:
        DeploymentNotFound, VersionNotFound
    """
    deployment = get_deployment(store, project_id, key_or_id)
    return _found(store.find_version(deployment.id, id_or_number), deployment, id_or_number)


def compare(store: Store, project_id: str, key_or_id: str, from_name: str, to_name: str) -> tuple[Version, Version]:
    """Two versions of a deployment, by their ids or numbers; `live` is the one that is served.

    Raises:
        DeploymentNotFound, DeploymentDeleted, VersionNotFound
    """
    deployment = get_deployment(store, project_id, key_or_id)
    live = deployment.live_version_id
    before, after = (
        get_version(store, project_id, deployment.id, live if name == "live" else name) for name in (from_name, to_name)
    )
    return before, after


class _AlreadyLive(Exception):  # no error: leaves the transaction with no revision
    def __init__(self, version: Version) -> None:
        self.version = version


def _with_reason(body: bytes, by: Actor) -> Actor:
    if not body.strip():
        return by
    return by.because(read_body(strict_json.parse(body), Reason)[0].reason)


def get_in(write: Transaction, project_id: str, key_or_id: str, if_match: str | None) -> Deployment:
    """The deployment that has a key or an id, inside a write, and as `if_match` says (its ETag, or None for any).

    Raises:
        DeploymentNotFound, DeploymentDeleted
        PreconditionFailed: it changed since; with how it is, and what was done.
    """
    deployment = write.find_deployment(project_id, key_or_id)
    if deployment is None:
        raise _missing(write.find_tombstone(project_id, key_or_id), key_or_id)
    check_match(write, deployment, if_match)
    return deployment


def check_match(write: Transaction, deployment: Deployment, if_match: str | None) -> None:
    """Raise `PreconditionFailed` unless the deployment still is what `if_match` says (ETags, `*`, or None for any)."""
    if if_match is None or if_match.strip() == "*" or deployment.etag in {tag.strip() for tag in if_match.split(",")}:
        return
    seen = re.match(r'\s*"(\d{1,18})-', if_match)
    since = write.history_since(deployment.id, int(seen[1]), MAX_LISTED) if seen else []
    raise PreconditionFailed(
        param="If-Match", key=deployment.key, sent=if_match[:200], etag=deployment.etag,
        current=deployment.item(), history=tuple(since),
    )  # fmt: skip


def _missing(tombstone: Deployment | None, key_or_id: str) -> NotFound:
    if tombstone is None:
        return DeploymentNotFound(param="key", key=key_or_id[:200])
    return deleted_error(tombstone.id, tombstone.key, tombstone.deleted_us or 0)


def _get_version(write: Transaction, deployment: Deployment, id_or_number: str) -> Version:
    return _found(write.find_version(deployment.id, id_or_number), deployment, id_or_number)


def _found(version: Version | None, deployment: Deployment, id_or_number: str) -> Version:
    if version is None:
        raise VersionNotFound(param="version", version=id_or_number[:200], key=deployment.key)
    return version
