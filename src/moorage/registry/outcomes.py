"""Outcomes: what an idempotency key stores of a write, from which its result can be made again.

An outcome names the objects of a result, and holds what can change in them later. Content is not part of it: a version
never changes, so its content is read where it is stored.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from moorage.core.access import scopes_to_grant
from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.promotion import Promotion
from moorage.core.deployments.version import Status, Version
from moorage.core.environments import Environment
from moorage.core.errors.api_keys import ApiKeyNotFound
from moorage.registry.authorization import authorize
from moorage.registry.lookup import get_including_deleted, get_version_including_deleted, version_deleted
from moorage.registry.proposals import result_of as proposal_result
from moorage.registry.results import (
    ApiKeyResult,
    DeploymentResult,
    EnvironmentResult,
    PromotionResult,
    ProposalResult,
    VersionResult,
    WriteResult,
)
from moorage.registry.write_context import WriteContext
from moorage.store.reader import Reader
from moorage.store.transaction import Transaction

#: How many characters of breaking changes are stored: a response shows no more.
MAX_BREAKING: Final = 4_000


class DeploymentOutcome(msgspec.Struct, frozen=True, tag="deployment", array_like=True):
    """The outcome of a POST that returns a deployment: it changes no owner, and breaks nothing."""

    deployment_id: str
    version_id: str | None
    description: str
    updated_us: int
    rev: int
    result: Literal["created", "updated", "unchanged", "restored", "drafted"]
    aliases: tuple[str, ...] = ()


class VersionOutcome(msgspec.Struct, frozen=True, tag="version", array_like=True):
    """The outcome of a POST that returns a version; `has_warnings` says whether to find warnings about its content."""

    deployment_id: str
    version_id: str
    status: Status
    etag: str
    breaking: Sequence[str]
    has_warnings: bool = False
    follows: bool = False


class ApiKeyOutcome(msgspec.Struct, frozen=True, tag="api_key", array_like=True):
    """The outcome of the creation or rotation of an API key, without its token."""

    key_id: str
    name: str


class ProposalOutcome(msgspec.Struct, frozen=True, tag="proposal", array_like=True):
    """The outcome of a POST that made a proposal, or decided about one."""

    proposal_id: str
    is_new: bool


class PromotionOutcome(msgspec.Struct, frozen=True, tag="promotion", array_like=True):
    """The outcome of a promotion."""

    promotion: Promotion
    environment: str


class EnvironmentOutcome(msgspec.Struct, frozen=True, tag="environment", array_like=True):
    """The outcome of a POST that creates an environment."""

    environment: Environment


Outcome = DeploymentOutcome | VersionOutcome | ApiKeyOutcome | ProposalOutcome | PromotionOutcome | EnvironmentOutcome

encode_outcome = msgspec.json.Encoder().encode
decode_outcome = msgspec.json.Decoder(Outcome).decode


def outcome_of(result: WriteResult) -> Outcome:
    """Return the outcome of a result."""
    if isinstance(result, DeploymentResult):
        after = result.deployment
        return DeploymentOutcome(
            after.id, after.live_version_id, after.description, after.updated_us, after.rev, result.result,
            after.aliases,
        )  # fmt: skip
    if isinstance(result, VersionResult):
        version = result.version
        return VersionOutcome(
            version.deployment_id, version.id, version.status, result.etag, _shown(result.breaking),
            bool(result.warnings), result.follows,
        )  # fmt: skip
    if isinstance(result, ProposalResult):
        return ProposalOutcome(result.proposal.id, result.is_new)
    if isinstance(result, PromotionResult):
        return PromotionOutcome(result.promotion, result.environment)
    if isinstance(result, EnvironmentResult):
        return EnvironmentOutcome(result.environment)
    return ApiKeyOutcome(result.key.id, result.key.name)


def result_of(tx: Transaction, ctx: WriteContext, outcome: Outcome) -> WriteResult:
    """Return the result of an outcome, as it was when it was stored.

    Raises:
        InsufficientScope: the outcome is an API key with a scope that the caller's key does not have.
        DeploymentNotFound, VersionNotFound, VersionDeleted, ApiKeyNotFound: it does not exist any more.
    """
    if isinstance(outcome, DeploymentOutcome):
        return _deployment_result(tx, ctx, outcome)
    if isinstance(outcome, VersionOutcome):
        _, version = _stored(tx, ctx, outcome.deployment_id, outcome.version_id)
        as_then = msgspec.structs.replace(version, status=outcome.status, deleted_us=None)
        warnings = ctx.warnings(tx, version.content) if outcome.has_warnings else ()
        return VersionResult(as_then, outcome.etag, outcome.breaking, warnings, outcome.follows)
    if isinstance(outcome, ProposalOutcome):
        return proposal_result(tx, ctx, outcome.proposal_id, is_new=outcome.is_new)
    if isinstance(outcome, PromotionOutcome):
        return PromotionResult(outcome.promotion, outcome.environment)
    if isinstance(outcome, EnvironmentOutcome):
        return EnvironmentResult(outcome.environment, "created", len(tx.approving_keys(ctx.project_id)))
    key = tx.find_api_key(outcome.key_id)
    if key is None:
        raise ApiKeyNotFound(name=outcome.key_id)
    scopes = key.scopes if key.id == ctx.actor.api_key_id else scopes_to_grant(key.scopes)
    authorize(tx, msgspec.structs.replace(ctx, scopes=scopes))
    return ApiKeyResult(msgspec.structs.replace(key, name=outcome.name, revoked_us=None), token="")


def _deployment_result(tx: Transaction, ctx: WriteContext, outcome: DeploymentOutcome) -> DeploymentResult:
    if outcome.version_id is None:  # restored, and not in production
        current = get_including_deleted(tx, ctx.project_id, outcome.deployment_id, ctx.environment_id)
        then = msgspec.structs.replace(current, deleted_us=None, rev=outcome.rev, aliases=outcome.aliases)
        return DeploymentResult(then, outcome.result)
    deployment, version = _stored(tx, ctx, outcome.deployment_id, outcome.version_id)
    then = msgspec.structs.replace(
        deployment, live_version_id=version.id, version=version.number, content=version.content,
        content_sha256=version.content_sha256, description=outcome.description, updated_us=outcome.updated_us,
        deleted_us=None, rev=outcome.rev, aliases=outcome.aliases,
    )  # fmt: skip
    warnings = ctx.warnings(tx, version.content) if outcome.result == "created" else ()
    return DeploymentResult(then, outcome.result, warnings=warnings)


def _stored(reader: Reader, ctx: WriteContext, deployment_id: str, version_id: str) -> tuple[Deployment, Version]:
    deployment = get_including_deleted(reader, ctx.project_id, deployment_id, ctx.environment_id)
    version = get_version_including_deleted(reader, deployment, version_id)
    if version.is_purged:
        raise version_deleted(deployment, version, is_purged=True)
    return deployment, version


def _shown(breaking: Iterable[str]) -> list[str]:
    """Return the first paths, `MAX_BREAKING` characters and one more, so that a response says that there are more."""
    shown, left = list[str](), MAX_BREAKING + 1
    for path in breaking:
        if left <= 0:
            break
        shown.append(path[:left])
        left -= len(path)
    return shown
