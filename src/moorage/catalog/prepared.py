"""Deployments as the catalog stores them. Decoding takes long, so a thread prepares them."""

import sys

import msgspec

from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.filter import FilterFields
from moorage.core.deployments.ownership import Owner
from moorage.core.errors.base import DeploymentUnreadable
from moorage.core.times import iso
from moorage.store.environment_rows import MovedDeployment
from moorage.store.unreadable import UnreadableRow


class LiveFields(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of a live version that the item of the deployment does not have, and the owner of the deployment."""

    version_id: str
    variables: str
    runtime_config: str
    owner: Owner

    @classmethod
    def of(cls, deployment: Deployment) -> "LiveFields":
        """Return the fields of a deployment. Equal texts of many deployments share one string."""
        content = deployment.content
        shared = sys.intern(content.variables), sys.intern(content.runtime_config)
        return cls(deployment.live_version_id or "", *shared, deployment.owner)


class Listed(msgspec.Struct, frozen=True):
    """The parts of a deployment in a list: its JSON, and the fields that are not in it or that filters use."""

    item: bytes
    live_fields: LiveFields
    filter_fields: FilterFields


class PreparedDeployment(msgspec.Struct, frozen=True):
    """A stored deployment, and what the catalog stores of it.

    `error` is set if it cannot be decoded. `listed` is None then, and if it is deleted or not in production.
    """

    deployment: Deployment
    error: DeploymentUnreadable | None
    listed: Listed | None

    @property
    def project_id(self) -> str:
        """The project of the deployment."""
        return self.deployment.project_id

    @classmethod
    def of(cls, deployment: Deployment) -> "PreparedDeployment":
        """Decode and encode a stored deployment."""
        if deployment.deleted_us is not None or deployment.live_version_id is None:
            return cls(deployment, None, None)
        try:
            config = deployment.decode().prompt_config
        except DeploymentUnreadable as error:
            return cls(deployment, error, None)
        updated = iso(deployment.updated_us)
        fields = FilterFields.make(
            (deployment.key, *deployment.aliases),
            deployment.description,
            config,
            updated,
            deployment.owner,
            deployment.content.runtime_config,
        )
        listed = Listed(deployment.item(), LiveFields.of(deployment), fields)
        return cls(deployment.without_content(), None, listed)  # a promotion can have 1,000 large ones


def prepare(row: Deployment | UnreadableRow) -> PreparedDeployment | UnreadableRow:
    """Return a stored row as the catalog applies it."""
    return row if isinstance(row, UnreadableRow) else PreparedDeployment.of(row)


class PreparedPointer(msgspec.Struct, frozen=True):
    """A pointer of a deployment in an environment other than production, and what the catalog stores of it.

    `listed` is None if the deployment follows production there, or is deleted.
    """

    environment_id: str
    deployment: Deployment
    listed: Listed | None

    @property
    def project_id(self) -> str:
        """The project of the deployment."""
        return self.deployment.project_id


class UnreadablePointer(msgspec.Struct, frozen=True):
    """A pointer that cannot be decoded, or whose version cannot."""

    environment_id: str
    row: UnreadableRow

    @property
    def project_id(self) -> str:
        """The project of the deployment."""
        return self.row.project_id


def prepare_pointer(moved: MovedDeployment) -> PreparedPointer | UnreadablePointer:
    """Return a stored pointer as the catalog applies it."""
    deployment = moved.deployment
    if isinstance(deployment, UnreadableRow):
        return UnreadablePointer(moved.environment_id, deployment)
    if deployment.is_following:
        return PreparedPointer(moved.environment_id, deployment, None)
    prepared = PreparedDeployment.of(deployment)
    if prepared.error is None:
        return PreparedPointer(moved.environment_id, prepared.deployment, prepared.listed)
    reason = str(prepared.error.fields["reason"])
    row = UnreadableRow("pointer", deployment.id, reason, deployment.project_id, deployment.key, deployment.seq)
    return UnreadablePointer(moved.environment_id, row)
