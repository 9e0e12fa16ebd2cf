"""Usage: what was served lately is not deleted unasked."""

from moorage.core.deployment import Deployment
from moorage.core.ownership import Terms
from moorage.core.usage import IN_USE_DAYS, UsedBy
from moorage.core.usage_errors import InUse
from moorage.core.version import Version
from moorage.store.transaction import Transaction

_DAY_US = 86_400_000_000

#: How many users an error lists.
_MAX_LISTED = 200


def check_unused(write: Transaction, deployment: Deployment, terms: Terms, version: Version | None = None) -> None:
    """Raise `InUse` if the deployment, or one version of it, was served lately, unless `terms` have force."""
    if terms.force:
        return
    since_us = write.now_us - IN_USE_DAYS * _DAY_US
    if version is None:
        what, served = f"The deployment {deployment.key!r}", write.usage_of_deployment(deployment.id, since_us)
    else:
        what = f"Version {version.number} of the deployment {deployment.key!r}"
        served = write.usage_of_version(version.id, since_us)
    if served:
        newest = sorted(served, key=lambda each: -each.last_us)[:_MAX_LISTED]
        raise InUse.of(what, [UsedBy.of(each) for each in newest])
