"""Results of writes: what a response is made from, after the commit."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from moorage.core.access import ApiKey
from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.version import Version


class DeploymentResult(msgspec.Struct, frozen=True):
    """A deployment after a write.

    `previous_owner` is the owner before, a file or `api`, if the write changed it; `breaking` lists the paths of
    breaking changes that were allowed.
    """

    deployment: Deployment
    result: Literal["created", "updated", "unchanged", "restored"]
    previous_owner: str | None = None
    breaking: Sequence[str] = ()


class VersionResult(msgspec.Struct, frozen=True):
    """A version after a write, and the new ETag of its deployment; `breaking` as in `DeploymentResult`."""

    version: Version
    etag: str
    breaking: Sequence[str] = ()


class ApiKeyResult(msgspec.Struct, frozen=True):
    """A new API key with its token, which is stored nowhere: that of a replay is empty."""

    key: ApiKey
    token: str


#: The results that an idempotency key can replay.
WriteResult = DeploymentResult | VersionResult | ApiKeyResult
