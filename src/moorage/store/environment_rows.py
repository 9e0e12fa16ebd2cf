"""Rows of environments, proposals and approvals as typed values, see `moorage.store.rows`."""

import msgspec

from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.history import KeyName
from moorage.core.deployments.proposal import Approval, Proposal, ProposalItem
from moorage.core.environments import Environment, EnvironmentSettings
from moorage.core.errors.rows import ProposalUnreadable
from moorage.store import deployment_rows
from moorage.store.column_problems import type_problem
from moorage.store.columns import DeploymentRow, EnvironmentRow, ProposalRow
from moorage.store.engine import Row
from moorage.store.rows import names
from moorage.store.unreadable import UnreadableRow, as_name

_LIVE_VERSION = DeploymentRow.__struct_fields__.index("live_version_id")
_FIRST_VERSION = len(DeploymentRow.__struct_fields__)
_FIRST_POINTER = deployment_rows.COLUMNS

#: Instead of the columns of a version: a deployment that follows production has none of its own.
_FOLLOWS = (0, 0, "", "", "", "")


class MovedDeployment(msgspec.Struct, frozen=True):
    """A deployment with a pointer in an environment other than production, as it is there.

    One that follows production has no content.
    """

    environment_id: str
    deployment: Deployment | UnreadableRow

    @property
    def project_id(self) -> str:
        """The project of the deployment."""
        return self.deployment.project_id


def moved_deployment(row: Row) -> MovedDeployment:
    """Return a row of `changed_pointers` or `pointers_of_changed_deployments`."""
    *columns, environment_id = row
    version_id = columns[_FIRST_POINTER]
    if version_id is None:
        columns[_FIRST_VERSION:_FIRST_POINTER] = _FOLLOWS
    else:
        columns[_LIVE_VERSION] = version_id
    return MovedDeployment(
        as_name(environment_id), deployment_rows.deployment_in(as_name(environment_id), tuple(columns))
    )


def environment(row: Row) -> Environment | UnreadableRow:
    """Return a row of a query for environments."""
    problem = type_problem(EnvironmentRow, row)
    if problem is not None:
        return UnreadableRow("environment", as_name(row[0]), problem, as_name(row[1]), as_name(row[2]))
    id_, project_id, name, display_name, description, is_protected, required, approve_undo, unknown_names, *others = row
    created_us, created_by, updated_us, updated_by, deleted_us, rev = others
    settings = EnvironmentSettings(
        display_name, description, bool(is_protected), required, bool(approve_undo), unknown_names
    )
    return Environment(
        id=id_, project_id=project_id, name=name, settings=settings, created_us=created_us, created_by=created_by,
        updated_us=updated_us, updated_by=updated_by, deleted_us=deleted_us, rev=rev,
    )  # fmt: skip


def proposal(row: Row) -> Proposal:
    """Return a row of a query for proposals.

    Raises:
        ProposalUnreadable
    """
    problem = type_problem(ProposalRow, row)
    if problem is not None:
        raise ProposalUnreadable(id=as_name(row[0]), reason=problem)
    names = ProposalRow.__struct_fields__
    columns = dict(zip(names, row, strict=True))
    return Proposal(**columns | {"allow_breaking": bool(columns["allow_breaking"])})


def proposal_item(row: Row) -> ProposalItem:
    """Return a row of `items_of_proposal`."""
    _, deployment_id, key, base, version_id, breaking, owner, file, *numbers, author, sha256 = row
    base_major, base_minor, major, minor = numbers
    return ProposalItem(
        deployment_id=deployment_id, key=key, base=base, version_id=version_id, breaking=names(breaking), owner=owner,
        file=file, base_number=None if base_major is None else f"{base_major}.{base_minor}",
        number=None if major is None else f"{major}.{minor}", author=author,
        content_sha256=sha256 or "",
    )  # fmt: skip


def approval(row: Row) -> Approval:
    """Return a row of `approvals_of_proposal`."""
    key_id, name, at_us, reason, expires_us, revoked_us = row
    return Approval(KeyName(as_name(key_id), as_name(name)), at_us, as_name(reason), expires_us, revoked_us)
