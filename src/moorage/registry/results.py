"""Results of writes: what a response is made from, after the commit."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from moorage.core.access import ApiKey
from moorage.core.deployments.deployment import Deployment, VersionNumber
from moorage.core.deployments.promotion import Promotion
from moorage.core.deployments.proposal import ProposalDetail
from moorage.core.deployments.version import Version
from moorage.core.environments import Environment
from moorage.core.errors.base import Problem
from moorage.core.integrations import Credentials, Integration


class DeploymentResult(msgspec.Struct, frozen=True):
    """A deployment after a write.

    `previous_owner` is the owner before, a file or `api`, if the write changed it; `breaking` lists the paths of
    breaking changes that were allowed; `warnings` are about the content that was sent; `previous_version` is the live
    version before, if another one is live now.
    """

    deployment: Deployment
    result: Literal["created", "updated", "unchanged", "restored", "drafted"]
    previous_owner: str | None = None
    breaking: Sequence[str] = ()
    warnings: Sequence[Problem] = ()
    previous_version: VersionNumber | None = None


class VersionResult(msgspec.Struct, frozen=True):
    """A version after a write, and the new ETag of its deployment.

    `breaking` and `warnings` are as in `DeploymentResult`; the deployment `follows` production afterwards.
    """

    version: Version
    etag: str
    breaking: Sequence[str] = ()
    warnings: Sequence[Problem] = ()
    follows: bool = False


class PromotionResult(msgspec.Struct, frozen=True):
    """A promotion, and the environment that changed."""

    promotion: Promotion
    environment: str


class ApiKeyResult(msgspec.Struct, frozen=True):
    """An API key with its new token, which is stored nowhere: that of a replay is empty."""

    key: ApiKey
    token: str


class ProposalResult(msgspec.Struct, frozen=True):
    """A proposal after a write; `is_new` if the write made it."""

    proposal: ProposalDetail
    is_new: bool = False


class EnvironmentResult(msgspec.Struct, frozen=True):
    """An environment after a write; `approving_keys` is the number of valid API keys that may approve."""

    environment: Environment
    result: Literal["created", "updated", "unchanged"]
    approving_keys: int


class IntegrationResult(msgspec.Struct, frozen=True):
    """An integration after a write, with its decrypted credentials, which a response shows masked."""

    integration: Integration
    opened: Credentials
    result: Literal["created", "updated", "unchanged"]


#: The results that an idempotency key can replay.
WriteResult = DeploymentResult | VersionResult | ApiKeyResult | ProposalResult | PromotionResult | EnvironmentResult
