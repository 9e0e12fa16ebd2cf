"""Lookup: the deployment or version that a key, an id or a number names."""

import re

from moorage.core.deployments.deployment import Deployment, restore_hint
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.deployments.page import PageQuery
from moorage.core.deployments.version import Version
from moorage.core.environments import PRODUCTION, Environment, is_environment_name
from moorage.core.errors.base import (
    DeploymentExists,
    DeploymentIsLive,
    DeploymentNotFound,
    PreconditionFailed,
    VersionDeleted,
    VersionNotFound,
)
from moorage.core.errors.environments import NotInEnvironment
from moorage.core.times import iso
from moorage.registry.write_context import WriteContext
from moorage.store.reader import Reader

#: How many entries of the history a 412 lists at most.
MAX_LISTED = 20


def get_deployment(reader: Reader, project_id: str, key_or_id: str, environment_id: str | None = None) -> Deployment:
    """Return the deployment that has a key or an id, as it is in an environment, also if it is not live there.

    Raises:
        DeploymentNotFound, DeploymentDeleted
    """
    found = get_including_deleted(reader, project_id, key_or_id, environment_id)
    if found.deleted_us is not None:
        raise found.tombstone.error()
    return found


def get_live_deployment(
    reader: Reader, project_id: str, key_or_id: str, environment: Environment | None = None
) -> Deployment:
    """Return the deployment that has a key or an id, as it is in an environment.

    Raises:
        DeploymentNotFound, DeploymentDeleted
        NotInEnvironment: it has no live version there.
    """
    found = get_deployment(reader, project_id, key_or_id, None if environment is None else environment.pointer_id)
    if found.live_version_id is None:
        raise not_in_environment(reader, found, PRODUCTION if environment is None else environment.name)
    return found


def not_in_environment(reader: Reader, deployment: Deployment, environment: str) -> NotInEnvironment:
    """Return the error for a deployment without a live version in an environment."""
    names = [each.name for each in reader.own_pointers(deployment.id)]
    return NotInEnvironment(
        param="key", key=deployment.key, environment=environment, existing=", ".join(names) or "none"
    )


def find_including_deleted(
    reader: Reader, project_id: str, key_or_id: str, environment_id: str | None = None
) -> Deployment | None:
    """Return the deployment that has a key or an id, else the one with it that was deleted last."""
    names = project_id, key_or_id, environment_id
    return reader.find_deployment(*names) or reader.find_tombstone(*names)


def get_including_deleted(
    reader: Reader, project_id: str, key_or_id: str, environment_id: str | None = None
) -> Deployment:
    """Return the same, or raise.

    Raises:
        DeploymentNotFound
    """
    found = find_including_deleted(reader, project_id, key_or_id, environment_id)
    if found is None:
        raise DeploymentNotFound(param="key", key=key_or_id[:200])
    return found


def get_for_update(reader: Reader, ctx: WriteContext, key_or_id: str) -> Deployment:
    """Return the deployment that has a key or an id, as it is in the environment, if it meets the preconditions.

    Raises:
        DeploymentNotFound, DeploymentDeleted
        PreconditionFailed: it changed since; with its current state and history.
    """
    deployment = get_deployment(reader, ctx.project_id, key_or_id, ctx.environment_id)
    check_preconditions(reader, deployment, ctx.options)
    return deployment


def check_preconditions(reader: Reader, current: Deployment, options: WriteOptions) -> None:
    """Raise `PreconditionFailed` unless the deployment meets the preconditions.

    A weak ETag never matches (RFC 9110 section 13.1.1): it says that two states are similar, not that they are equal.
    """
    if options.must_not_exist:
        item = current.item() if current.decode_error() is None else None
        raise DeploymentExists(param="If-None-Match", key=current.key, etag=current.etag, current=item)
    given = options.if_match
    if given is None or given.strip() == "*":
        return
    if current.etag not in {tag.strip() for tag in given.split(",")}:
        item = current.item() if current.decode_error() is None else None
        read = re.match(r'\s*"(\d{1,18})-', given)  # an ETag starts with its revision
        since = reader.history_since(current.id, int(read[1]), MAX_LISTED) if read else []
        raise PreconditionFailed(
            param="If-Match", key=current.key, given=given[:200], etag=current.etag, current=item,
            history=tuple(since[::-1]),
        )  # fmt: skip


def check_publication(reader: Reader, current: Deployment, options: WriteOptions) -> None:
    """Raise `PreconditionFailed` unless a deployment meets the preconditions of a publication.

    There, `If-None-Match: *` requires that it has no live version in the environment, because a GET finds none then.
    """
    if not options.must_not_exist:
        check_preconditions(reader, current, options)
    elif current.live_version_id is not None:
        item, version = current.item() if current.decode_error() is None else None, str(current.version)
        history, _ = reader.history(current.id, PageQuery(MAX_LISTED))
        raise DeploymentIsLive(
            param="If-None-Match", key=current.key, version=version, etag=current.etag, current=item,
            history=tuple(entry for entry in history if entry.to_version == version),
        )  # fmt: skip


def get_version(reader: Reader, deployment: Deployment, id_or_number: str) -> Version:
    """Return a version of a deployment by its id or number; `live` names that of the deployment's environment.

    The name of another environment names the live version there.

    Raises:
        VersionNotFound, VersionDeleted
    """
    version = get_version_including_deleted(reader, deployment, id_or_number)
    if version.deleted_us is not None:
        raise version_deleted(deployment, version, is_purged=version.is_purged)
    return version


def version_deleted(deployment: Deployment, version: Version, *, is_purged: bool) -> VersionDeleted:
    """Return the error for a version that was deleted."""
    deleted_us = version.deleted_us or 0
    path = f"/v2/deployments/{deployment.key}/versions/{version.number}/restore"
    return VersionDeleted(
        param="version", version=version.number, key=deployment.key, deleted_at=iso(deleted_us),
        restore_hint=restore_hint(deleted_us, path, is_purged=is_purged),
    )  # fmt: skip


def get_version_including_deleted(reader: Reader, deployment: Deployment, id_or_number: str) -> Version:
    """Return the same, deleted versions included.

    Raises:
        VersionNotFound
    """
    name = id_or_number
    if name == "live":
        name = deployment.live_version_id or ""
    elif is_environment_name(name) and (environment := reader.environments(deployment.project_id).get(name)):
        view = reader.find_deployment(deployment.project_id, deployment.id, environment.pointer_id)
        name = "" if view is None else view.live_version_id or ""
        if not name:
            raise not_in_environment(reader, deployment, environment.name)
    version = reader.find_version(deployment.id, name, deployment)
    if version is None:
        raise VersionNotFound(param="version", version=id_or_number[:200], key=deployment.key)
    return version
