"""The columns of each table.

A text that is not UTF-8 is read as bytes, see `Engine.read`.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from moorage.core.deployments.history import EntryAction
from moorage.core.deployments.ownership import Owner
from moorage.core.deployments.proposal import ProposalKind, StoredStatus
from moorage.core.environments import UnknownNames
from moorage.core.integrations import IntegrationProvider
from moorage.core.times import LAST_US
from moorage.store.column_types import (
    Aliases,
    Caller,
    Count,
    EnvironmentName,
    Flag,
    Id,
    Key,
    KeyId,
    Mac,
    Name,
    Part,
    Sha256,
    Time,
)


class TableRow(msgspec.Struct, frozen=True, array_like=True):
    """A row of a table; the fields are its columns in their order."""


class ProjectRow(TableRow, frozen=True, array_like=True):
    """A row of `project`."""

    id: Id
    name: Name
    created_us: Time
    rev: Count


class ApiKeyRow(TableRow, frozen=True, array_like=True):
    """A row of `api_key`."""

    id: Id
    project_id: Id
    name: Name
    scopes: str
    token_sha256: Sha256
    created_us: Time
    expires_us: Time | None
    revoked_us: Time | None
    environment_id: Id | None
    created_by: str | None
    rev: Count


class EnvironmentRow(TableRow, frozen=True, array_like=True):
    """A row of `environment`."""

    id: Id
    project_id: Id
    name: EnvironmentName
    display_name: str
    description: str
    is_protected: Flag
    required_approvals: Count
    approve_undo: Flag
    unknown_names: UnknownNames
    created_us: Time
    created_by: str | None
    updated_us: Time
    updated_by: str | None
    deleted_us: Time | None
    rev: Count


class PointerRow(TableRow, frozen=True, array_like=True):
    """A row of `pointer`."""

    deployment_id: Id
    environment_id: Id
    version_id: Id | None
    updated_us: Time
    owner: Owner
    file: str | None
    rev: Count


class ProposalRow(TableRow, frozen=True, array_like=True):
    """A row of `proposal`."""

    id: Id
    project_id: Id
    environment_id: Id
    kind: ProposalKind
    source: str | None
    status: StoredStatus
    reason: str
    allow_breaking: Flag
    created_us: Time
    created_by: str | None
    created_name: str | None
    closed_us: Time | None
    closed_by: str | None
    closed_name: str | None
    closed_reason: str
    rev: Count


class ProposalItemRow(TableRow, frozen=True, array_like=True):
    """A row of `proposal_item`."""

    proposal_id: Id
    n: Count
    deployment_id: Id
    base: str | None
    version_id: Id | None
    breaking: str
    owner: Owner
    file: str | None


class ApprovalRow(TableRow, frozen=True, array_like=True):
    """A row of `approval`."""

    proposal_id: Id
    api_key_id: Id
    at_us: Time
    reason: str


class IntegrationRow(TableRow, frozen=True, array_like=True):
    """A row of `integration`."""

    id: Id
    project_id: Id
    name: Key
    provider: IntegrationProvider
    base_url: str | None
    options: str
    credentials: str
    headers: str
    key_id: KeyId
    created_us: Time
    created_by: str | None
    updated_us: Time
    updated_by: str | None
    deleted_us: Time | None
    rev: Count


class DeploymentRow(TableRow, frozen=True, array_like=True):
    """A row of `deployment`."""

    id: Id
    project_id: Id
    key: Key
    description: str
    seq: Count
    created_us: Time
    updated_us: Time
    deleted_us: Time | None
    live_version_id: Id | None
    rev: Count
    owner: Owner
    file: str | None
    aliases: Aliases


class LiveRow(TableRow, frozen=True, array_like=True):
    """The columns of a live version in a query for deployments."""

    major: Part
    minor: Part
    prompt_config: str
    variables: str
    runtime_config: str
    content_sha256: str


class VersionRow(TableRow, frozen=True, array_like=True):
    """A row of `version`."""

    id: Id
    deployment_id: Id
    major: Part
    minor: Part
    prompt_config: str
    variables: str
    notes: str
    content_sha256: str
    created_us: Time
    api_key_id: str | None
    rev: Count
    made_as: Literal["published", "draft"]
    description: str
    deleted_us: Time | None
    runtime_config: str


class HistoryRow(TableRow, frozen=True, array_like=True):
    """A row of `history`."""

    rev: Count
    id: Id
    project_id: Id | None
    deployment_id: Id | None
    subject_key_id: Id | None
    action: EntryAction
    from_version_id: str | None
    to_version_id: str | None
    content_sha256: str
    changes: str
    reason: str
    api_key_id: str | None
    api_key_name: str | None
    request_id: str | None
    at_us: Time
    breaking: str
    integration_id: Id | None
    environment_id: Id | None
    proposal_id: Id | None
    n: Count
    hash: str
    mac: Mac


class ResultRow(TableRow, frozen=True, array_like=True):
    """A row of `idempotency`."""

    project_id: Id
    key: str
    request_sha256: str
    result: str
    created_us: Time
    api_key_id: Caller
    total_bytes: Count


class ConsumerRow(TableRow, frozen=True, array_like=True):
    """A row of `consumer`."""

    version_id: Id
    api_key_id: Id
    environment_id: Caller
    first_us: Time
    last_us: Time
    inputs: str


class CaseRow(TableRow, frozen=True, array_like=True):
    """A row of `try_case`."""

    deployment_id: Id
    name: str
    body: str


class AliasRow(TableRow, frozen=True, array_like=True):
    """A row of `alias`."""

    project_id: Id
    name: Key
    deployment_id: Id


#: Table -> its columns, in the order of the queries `every_…` and `history`.
COLUMNS: Mapping[str, type[TableRow]] = {
    "project": ProjectRow, "environment": EnvironmentRow, "api_key": ApiKeyRow, "deployment": DeploymentRow,
    "version": VersionRow, "pointer": PointerRow, "integration": IntegrationRow, "proposal": ProposalRow,
    "proposal_item": ProposalItemRow, "approval": ApprovalRow, "history": HistoryRow, "idempotency": ResultRow,
    "consumer": ConsumerRow, "try_case": CaseRow, "alias": AliasRow,
}  # fmt: skip


def is_time(value: object) -> bool:
    """Return whether a value is a time that can be shown."""
    return isinstance(value, int) and 0 <= value <= LAST_US
