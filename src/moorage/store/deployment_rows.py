"""Rows of the queries for deployments. They are decoded for each deployment at a start."""

import re

import msgspec

from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import Deployment, VersionNumber
from moorage.core.deployments.ownership import Owner
from moorage.core.environments import Pointer
from moorage.store.column_problems import type_problem
from moorage.store.column_types import Count, Id, Part, Time
from moorage.store.columns import DeploymentRow, LiveRow
from moorage.store.engine import Row
from moorage.store.unreadable import UnreadableRow, as_name

_is_key = re.compile(r"[A-Za-z0-9_.\-]{1,128}").fullmatch
_are_aliases = re.compile(r"[A-Za-z0-9_.\-]{1,128}( [A-Za-z0-9_.\-]{1,128})*").fullmatch
_is_id = re.compile(r"[!#-\[\]-~]{1,128}").fullmatch

#: What `StoredContent` has instead of a text that is none: it is not JSON, so the content cannot be decoded.
_NO_TEXT = "?"

_FIRST_LIVE = len(DeploymentRow.__struct_fields__)
_NO_VERSION = (None,) * len(LiveRow.__struct_fields__)

#: The number of columns of a deployment with its version; those of a pointer follow.
COLUMNS = _FIRST_LIVE + len(_NO_VERSION)
_NO_POINTER = (None,) * 5


class _JoinedRow(msgspec.Struct, frozen=True, array_like=True):
    """A row of a query for deployments. It has no patterns, which take longer than all other checks."""

    id: str
    project_id: str
    key: str
    description: str
    seq: Count
    created_us: Time
    updated_us: Time
    deleted_us: Time | None
    live_version_id: str | None
    rev: Count
    owner: Owner
    file: str | None
    aliases: str
    major: Part
    minor: Part
    prompt_config: str
    variables: str
    runtime_config: str
    content_sha256: str


def deployment(row: Row) -> Deployment | UnreadableRow:
    """Return a row of a query for deployments.

    If only the live version cannot be decoded, it is a `Deployment` with a `problem`, which another version replaces.
    """
    try:
        msgspec.convert(row, _JoinedRow)
    except msgspec.ValidationError:
        return _damaged_deployment(row)
    (
        id_, project_id, key, description, seq, created_us, updated_us, deleted_us, live_version_id, rev, owner, file,
        aliases, major, minor, prompt_config, variables, runtime_config, content_sha256,
    ) = row  # fmt: skip
    # An identifier needs no further check, and this is the fastest way to recognize one.
    words = f"k{id_}{live_version_id}{key}".replace("-", "_")
    if not (words.isascii() and words.isidentifier() and key) and not _are_plain(key, id_, live_version_id or "-"):
        return _damaged_deployment(row)
    if aliases and not _are_aliases(aliases):
        return _damaged_deployment(row)
    return Deployment(
        id_, project_id, key, description, seq, created_us, updated_us, deleted_us, VersionNumber(major, minor),
        StoredContent(prompt_config, variables, runtime_config), content_sha256, rev, live_version_id, owner, file,
        aliases=tuple(aliases.split()),
    )  # fmt: skip


class _PointerColumns(msgspec.Struct, frozen=True, array_like=True):
    version_id: Id | None
    updated_us: Time
    owner: Owner
    file: str | None
    rev: Count


def deployment_in(environment_id: str | None, row: Row) -> Deployment | UnreadableRow:
    """Return a row of a query for deployments in an environment, which ends with the columns of the pointer."""
    found, columns = deployment(row[:COLUMNS]), row[COLUMNS:]
    if environment_id is None or isinstance(found, UnreadableRow):
        return found
    if columns == _NO_POINTER:
        return found.in_environment(environment_id, None)
    try:
        msgspec.convert(columns, _PointerColumns)
    except msgspec.ValidationError as error:
        reason = f"of its pointer in the environment {environment_id}, {error}"
        return UnreadableRow("pointer", found.id, reason, found.project_id, found.key, found.seq)
    return found.in_environment(environment_id, Pointer(*columns))


def get_deployment(environment_id: str | None, row: Row) -> Deployment:
    """Return a row of a query for deployments in an environment.

    Raises:
        DeploymentUnreadable
    """
    found = deployment_in(environment_id, row)
    if isinstance(found, UnreadableRow):
        raise found.deployment_error()
    return found


def _damaged_deployment(row: Row) -> Deployment | UnreadableRow:
    columns, live = row[:_FIRST_LIVE], row[_FIRST_LIVE:]
    problem = type_problem(DeploymentRow, columns)
    (
        id_, project_id, key, description, seq, created_us, updated_us, deleted_us, live_version_id, rev, owner, file,
        aliases,
    ) = columns  # fmt: skip
    if problem is not None:
        place = seq if isinstance(seq, int) else None
        is_deleted = isinstance(deleted_us, int)
        name = key if isinstance(key, str) else ""
        return UnreadableRow("deployment", as_name(id_), problem, as_name(project_id), name, place, is_deleted)
    if live == _NO_VERSION:
        problem = f"its live version {live_version_id} does not exist"
    else:
        problem = f"of its live version, {type_problem(LiveRow, live)}"
    major, minor, *texts, content_sha256 = live
    number = VersionNumber(major, minor) if isinstance(major, int) and isinstance(minor, int) else VersionNumber(0, 0)
    content = StoredContent(*(text if isinstance(text, str) else _NO_TEXT for text in texts))
    return Deployment(
        id_, project_id, key, description, seq, created_us, updated_us, deleted_us, number, content,
        as_name(content_sha256), rev, live_version_id, owner, file, problem,
        aliases=tuple(aliases.split()),
    )  # fmt: skip


def _are_plain(key: str, *ids: str) -> bool:
    """Return whether a key and ids can be part of a JSON text as they are."""
    return bool(_is_key(key)) and all(map(_is_id, ids))
