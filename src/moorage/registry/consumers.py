"""Consumers: content that was served recently is deleted only with force."""

from moorage.core.compatibility.consumers import IN_USE_DAYS, Consumer, ConsumerRecord
from moorage.core.compatibility.errors import DeploymentInUse
from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.version import Version
from moorage.registry.lookup import get_deployment
from moorage.registry.write_context import WriteContext
from moorage.store.reader import Reader
from moorage.store.transaction import Transaction

_DAY_US = 86_400_000_000

#: How many consumers an error lists.
_MAX_LISTED = 200


def check_no_consumers(tx: Transaction, ctx: WriteContext, current: Deployment, version: Version | None = None) -> None:
    """Raise `DeploymentInUse` if the deployment, or one version of it, was served lately, unless `force` is set."""
    if ctx.options.force:
        return
    since_us = tx.clock_us - IN_USE_DAYS * _DAY_US
    if version is None:
        subject, found = f"Deployment {current.key!r}", tx.consumers_of_deployment(current.id, since_us)
    else:
        subject = f"Version {version.number} of deployment {current.key!r}"
        found = tx.consumers_of_version(version.id, since_us)
    if found:
        by_last_use = sorted(found, key=lambda record: record.last_us)
        last = {(record.api_key.id, record.version): record for record in by_last_use}  # in whatever environment
        newest = sorted(last.values(), key=lambda record: -record.last_us)[:_MAX_LISTED]
        raise DeploymentInUse.of(subject, [Consumer.of(record) for record in newest])


def consumers_since(project_id: str, key_or_id: str, since_us: int, reader: Reader) -> list[ConsumerRecord]:
    """Return the consumers of a deployment after a time.

    Raises:
        DeploymentNotFound, DeploymentDeleted
    """
    deployment = get_deployment(reader, project_id, key_or_id)
    return reader.consumers_of_deployment(deployment.id, since_us)
