"""Lookup: what a key, an id or a number names, or the error that says why it names nothing."""

import re

from moorage.core.deployment import Deployment, outlook
from moorage.core.errors import DeploymentNotFound, PreconditionFailed, VersionDeleted, VersionNotFound
from moorage.core.ownership import Terms
from moorage.core.times import iso
from moorage.core.version import Version
from moorage.store.reading import Reading

#: How many entries of the history a 412 shows at most.
MAX_LISTED = 20


def get_deployment(reading: Reading, project_id: str, key_or_id: str) -> Deployment:
    """The deployment that has a key or an id now.

    Raises:
        DeploymentNotFound, DeploymentDeleted
    """
    found = get_known(reading, project_id, key_or_id)
    if found.deleted_us is not None:
        raise found.tombstone.error()
    return found


def find_known(reading: Reading, project_id: str, key_or_id: str) -> Deployment | None:
    """The deployment that has a key or an id, or had it and was deleted last."""
    return reading.find_deployment(project_id, key_or_id) or reading.find_tombstone(project_id, key_or_id)


def get_known(reading: Reading, project_id: str, key_or_id: str) -> Deployment:
    """The same.

    Raises:
        DeploymentNotFound
    """
    found = find_known(reading, project_id, key_or_id)
    if found is None:
        raise DeploymentNotFound(param="key", key=key_or_id[:200])
    return found


def get_to_change(reading: Reading, project_id: str, key_or_id: str, terms: Terms) -> Deployment:
    """The deployment that has a key or an id now, if it still is what `terms` say.

    Raises:
        DeploymentNotFound, DeploymentDeleted
        PreconditionFailed: it changed since; with how it is, and what was done.
    """
    deployment = get_deployment(reading, project_id, key_or_id)
    check_match(reading, deployment, terms)
    return deployment


def check_match(reading: Reading, deployment: Deployment, terms: Terms) -> None:
    """Raise `PreconditionFailed` unless the deployment still is what `terms` say."""
    if terms.is_new:
        raise _failed(reading, deployment, "If-None-Match", "*", "is there already")
    sent = terms.if_match
    if sent is None or sent.strip() == "*":
        return
    if deployment.etag not in {tag.strip().removeprefix("W/") for tag in sent.split(",")}:
        what = f"changed since you read it: If-Match has {sent[:200]}"
        raise _failed(reading, deployment, "If-Match", sent, what)


def _failed(reading: Reading, deployment: Deployment, header: str, sent: str, what: str) -> PreconditionFailed:
    current = deployment.item() if deployment.fault() is None else None
    seen = re.match(r'\s*"(\d{1,18})-', sent)
    since = reading.history_since(deployment.id, int(seen[1]), MAX_LISTED) if seen else []
    return PreconditionFailed(
        param=header, key=deployment.key, what=what, etag=deployment.etag,
        current=current, history=tuple(since[::-1]),
    )  # fmt: skip


def get_version(reading: Reading, deployment: Deployment, id_or_number: str) -> Version:
    """A version of a deployment, by its id or its number; `live` is the one that is served.

    Raises:
        VersionNotFound, VersionDeleted
    """
    version = get_kept_version(reading, deployment, id_or_number)
    if version.deleted_us is not None:
        raise version_deleted(deployment, version, is_erased=version.is_erased)
    return version


def version_deleted(deployment: Deployment, version: Version, *, is_erased: bool) -> VersionDeleted:
    """The error for a version that was deleted."""
    deleted_us = version.deleted_us or 0
    path = f"/v2/deployments/{deployment.key}/versions/{version.number}/restore"
    return VersionDeleted(
        param="version", version=version.number, key=deployment.key, deleted_at=iso(deleted_us),
        outlook=outlook(deleted_us, path, is_erased=is_erased),
    )  # fmt: skip


def get_kept_version(reading: Reading, deployment: Deployment, id_or_number: str) -> Version:
    """The same, deleted ones too.

    Raises:
        VersionNotFound
    """
    name = deployment.live_version_id if id_or_number == "live" else id_or_number
    version = reading.find_version(deployment.id, name)
    if version is None:
        raise VersionNotFound(param="version", version=id_or_number[:200], key=deployment.key)
    return version
