"""Snapshot: the live versions of a project's deployments, for clients whose server may be unreachable.

The same deployments at the same revision have the same bytes on every server. The signature key is the stored form of
an API key: the SHA-256 of its token, which the holder of the token can compute.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.access import hash_token
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.deployments.prompt_config import PromptConfig, Variable
from moorage.core.deployments.runtime_config import RuntimeConfig
from moorage.core.environments import PRODUCTION

FORMAT = 1

#: The format of a snapshot of another environment than production, which earlier clients reject.
ENVIRONMENT_FORMAT = 2

#: Fields of a snapshot that change although no live version does.
_NOT_LOCKED = frozenset({"epoch", "revision", "environments"})

_SIGNATURE = "hmac-sha256="


class SnapshotDeployment(msgspec.Struct, frozen=True):
    """A deployment and its live version."""

    id: str
    key: str
    version_id: str
    version: str
    prompt_config: PromptConfig
    variables: list[Variable]
    runtime_config: RuntimeConfig
    aliases: list[str] | UnsetType = UNSET


class SnapshotItem(msgspec.Struct, frozen=True):
    """The response of `GET /v2/deployments/snapshot`: the deployments of a project, ordered by key.

    The last change of the environment was at `revision` of `epoch`. `format` is 1 in production, and 2 elsewhere. In a
    project that has only production, `environment` and `environments` are omitted.
    """

    format: Literal[1, 2]
    project: str
    epoch: str
    revision: int
    deployments: list[SnapshotDeployment]
    environment: str | UnsetType = UNSET
    environments: list[str] | UnsetType = UNSET


class GoneDeployment(msgspec.Struct, frozen=True):
    """A deployment that was deleted, or is not in the environment any more."""

    id: str
    key: str


class Snapshot(msgspec.Struct, frozen=True):
    """A decoded snapshot of an environment; `environments` has the names of all environments, if it has more."""

    project: str
    epoch: str
    revision: int
    lives: list[LiveVersion]
    environment: str = PRODUCTION
    environments: tuple[str, ...] = ()


class InvalidSnapshot(ValueError):
    """The bytes are not a valid snapshot. No server returns this error."""


class _Raw(msgspec.Struct, frozen=True):
    id: str
    key: str
    version_id: str
    version: str
    prompt_config: msgspec.Raw
    variables: msgspec.Raw
    runtime_config: msgspec.Raw
    aliases: tuple[str, ...] = ()

    def live(self) -> LiveVersion:
        texts = (bytes(raw).decode() for raw in (self.prompt_config, self.variables, self.runtime_config))
        return LiveVersion(self.key, self.id, self.version_id, self.version, StoredContent(*texts), self.aliases)


class _RawSnapshot(msgspec.Struct, frozen=True):
    format: int
    project: str
    deployments: list[_Raw]
    epoch: str = ""
    revision: int = 0
    environment: str = ""
    environments: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(_RawSnapshot).decode
_decode_one = msgspec.json.Decoder(_Raw).decode
_decode_gone = msgspec.json.Decoder(GoneDeployment).decode
_encode = msgspec.json.Encoder().encode

#: For example, a value that is skipped can have bytes that are not UTF-8, or be nested too deep.
_DECODE_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def encode_live(live: LiveVersion) -> bytes:
    """Return the JSON of a `SnapshotDeployment`. The stored JSON is not parsed."""
    content = live.content
    aliases = f',"aliases":{_encode(live.aliases).decode()}' if live.aliases else ""
    return (
        f'{{"id":"{live.id}","key":"{live.key}","version_id":"{live.version_id}","version":"{live.version}",'
        f'"prompt_config":{content.prompt_config},"variables":{content.variables},'
        f'"runtime_config":{content.runtime_config}{aliases}}}'
    ).encode()


def encode_snapshot(
    project: str,
    epoch: str,
    revision: int,
    lives: Iterable[LiveVersion],
    environment: str = PRODUCTION,
    environments: Sequence[str] = (),
) -> bytes:
    """Return the JSON of a `SnapshotItem`; `environments` has the names of all environments of the project."""
    is_production = environment == PRODUCTION
    head = b'{"format":%d,"project":%b,"epoch":%b,"revision":%d,' % (
        FORMAT if is_production else ENVIRONMENT_FORMAT, _encode(project), _encode(epoch), revision,
    )  # fmt: skip
    if not is_production or len(environments) > 1:
        head += b'"environment":%b,"environments":%b,' % (_encode(environment), _encode(environments))
    return (
        head
        + b'"deployments":['
        + b",".join([encode_live(live) for live in sorted(lives, key=attrgetter("key"))])
        + b"]}"
    )


def encode_lockfile(snapshot: Mapping[str, Any]) -> bytes:
    """Return the lockfile of a snapshot, which is decoded from JSON. That of production names no environment."""
    is_production = snapshot.get("environment") == PRODUCTION
    omitted = _NOT_LOCKED | {"environment"} if is_production else _NOT_LOCKED
    fields = {name: value for name, value in snapshot.items() if name not in omitted}
    return msgspec.json.format(_encode(fields), indent=2) + b"\n"


def read_snapshot(data: bytes) -> Snapshot:
    """Decode the output of `encode_snapshot`, or a lockfile, which has neither epoch nor revision.

    Raises:
        InvalidSnapshot
    """
    try:
        raw = _decode(data)
        environment = raw.environment or (PRODUCTION if raw.format == FORMAT else "")
        if (raw.format == ENVIRONMENT_FORMAT and environment) or (raw.format, environment) == (FORMAT, PRODUCTION):
            lives = [deployment.live() for deployment in raw.deployments]
            return Snapshot(raw.project, raw.epoch, raw.revision, lives, environment, raw.environments)
    except _DECODE_ERRORS as error:
        raise InvalidSnapshot(f"it is not a snapshot: {error}") from None
    if raw.format in {FORMAT, ENVIRONMENT_FORMAT}:
        raise InvalidSnapshot(f"it has format {raw.format}, and the environment {environment!r}")
    known = f"the formats {FORMAT} and {ENVIRONMENT_FORMAT}"
    raise InvalidSnapshot(f"it has format {raw.format}, and this Moorage reads {known}")


def read_live(data: bytes) -> LiveVersion:
    """Decode the output of `encode_live`.

    Raises:
        InvalidSnapshot
    """
    try:
        return _decode_one(data).live()
    except _DECODE_ERRORS as error:
        raise InvalidSnapshot(f"it is not a deployment: {error}") from None


def read_gone(data: bytes) -> GoneDeployment:
    """Decode the JSON of a `GoneDeployment`.

    Raises:
        InvalidSnapshot
    """
    try:
        return _decode_gone(data)
    except _DECODE_ERRORS as error:
        raise InvalidSnapshot(f"it is not a deployment: {error}") from None


def digest_of(data: bytes) -> bytes:
    """Return the SHA-256 of a snapshot."""
    return hashlib.sha256(data).digest()


def etag_of_digest(digest: bytes) -> str:
    """Return the ETag of the snapshot with this SHA-256."""
    return f'"{digest.hex()[:32]}"'


def sign(token_sha256: str, digest: bytes) -> str:
    """Return the signature of a snapshot, by its SHA-256; `token_sha256` is the stored form of the API key's token."""
    return _SIGNATURE + hmac.new(bytes.fromhex(token_sha256), digest, hashlib.sha256).hexdigest()


def is_signed(data: bytes, token: str, signature: str) -> bool:
    """Return whether a snapshot was signed with the API key."""
    return is_digest_signed(digest_of(data), token, signature)


def is_digest_signed(digest: bytes, token: str, signature: str) -> bool:
    """Return whether the snapshot with this SHA-256 was signed with the API key."""
    return hmac.compare_digest(sign(hash_token(token), digest).encode(), signature.encode())
