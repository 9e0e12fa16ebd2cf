"""Deployments as the catalog stores them. Decoding takes long, so a thread prepares them."""

import sys

import msgspec

from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.filter import FilterFields
from moorage.core.errors.base import DeploymentUnreadable
from moorage.core.times import iso
from moorage.store.unreadable import UnreadableRow


class LiveFields(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of a live version that the item of the deployment does not have."""

    version_id: str
    variables: str
    runtime_config: str

    @classmethod
    def of(cls, deployment: Deployment) -> "LiveFields":
        """Return the fields of a deployment. Equal texts of many deployments share one string."""
        content = deployment.content
        return cls(deployment.live_version_id, sys.intern(content.variables), sys.intern(content.runtime_config))


class Listed(msgspec.Struct, frozen=True):
    """The parts of a deployment in a list: its JSON, and the fields that are not in it or that filters use."""

    item: bytes
    live_fields: LiveFields
    filter_fields: FilterFields


class PreparedDeployment(msgspec.Struct, frozen=True):
    """A stored deployment, and what the catalog stores of it.

    `error` is set if it cannot be decoded. `listed` is None then, and if it is deleted.
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
        if deployment.deleted_us is not None:
            return cls(deployment, None, None)
        try:
            config = deployment.decode().prompt_config
        except DeploymentUnreadable as error:
            return cls(deployment, error, None)
        fields = FilterFields.make(deployment.key, deployment.description, config, iso(deployment.updated_us))
        return cls(deployment, None, Listed(deployment.item(), LiveFields.of(deployment), fields))


def prepare(row: Deployment | UnreadableRow) -> PreparedDeployment | UnreadableRow:
    """Return a stored row as the catalog applies it."""
    return row if isinstance(row, UnreadableRow) else PreparedDeployment.of(row)
