"""Results of writes: what a response is made from, after the commit, and what an idempotency key stores."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from moorage.core.access import ApiKey
from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.version import Version


class DeploymentResult(msgspec.Struct, frozen=True, tag=True):
    """A deployment after a write.

    `previous_owner` is the owner before, a file or `api`, if the write changed it; `breaking` lists the paths of
    breaking changes that were allowed.
    """

    deployment: Deployment
    result: Literal["created", "updated", "unchanged", "restored"]
    previous_owner: str | None = None
    breaking: Sequence[str] = ()


class VersionResult(msgspec.Struct, frozen=True, tag=True):
    """A version after a write, and the new ETag of its deployment; `breaking` as in `DeploymentResult`."""

    version: Version
    etag: str
    breaking: Sequence[str] = ()


class ApiKeyResult(msgspec.Struct, frozen=True, tag=True):
    """A new API key with its token, which is masked where it is stored."""

    key: ApiKey
    token: str


#: The results that can be stored under an idempotency key.
WriteResult = DeploymentResult | VersionResult | ApiKeyResult

encode_result = msgspec.json.Encoder().encode
decode_result = msgspec.json.Decoder(WriteResult).decode
