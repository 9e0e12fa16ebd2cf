"""Promote deployments from one environment to another, or propose versions, in one transaction of the caller."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.access import Scope
from moorage.core.compatibility.contract import Templates
from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.page import PageQuery
from moorage.core.deployments.promotion import (
    PostPromotion,
    PostProposal,
    PromotedDeployment,
    Promotion,
    PromotionItem,
    ProposedDeployment,
)
from moorage.core.deployments.proposal import FOLLOWS
from moorage.core.deployments.version import Version
from moorage.core.environments import Environment, find_environment
from moorage.core.errors.base import MoorageError, Problem
from moorage.core.errors.environments import NothingToPropose, ProductionCannotFollow, PromotionOutdated
from moorage.core.errors.requests import InvalidBody, InvalidRequest
from moorage.core.validation.validate import MAX_PROBLEMS
from moorage.registry.authorization import authorize
from moorage.registry.breaking_changes import check_breaking, check_jinja
from moorage.registry.calculations import NotCalculated
from moorage.registry.lookup import MAX_LISTED, get_deployment, get_version, not_in_environment
from moorage.registry.moves import Move, move, needs_approval
from moorage.registry.ownership import check_ownership
from moorage.registry.results import PromotionResult
from moorage.registry.write_context import WriteContext
from moorage.rendering.variables import VariablesNotCached
from moorage.store.transaction import Transaction

#: The scopes for a move of a live version: in a protected environment, and in others.
PROTECTED_SCOPES, UNPROTECTED_SCOPES = frozenset({Scope.PUBLISH}), frozenset({Scope.WRITE})

ResultT = TypeVar("ResultT")
ItemT = TypeVar("ItemT", PromotedDeployment, ProposedDeployment)


def promote(tx: Transaction, ctx: WriteContext, body: PostPromotion, *, is_dry_run: bool = False) -> PromotionResult:
    """Make the live versions of one environment live in another: the same versions, all or none.

    A deployment that has the version already is unchanged. A dry run discards the write.

    Raises:
        EnvironmentNotFound, InsufficientScope, InvalidBody
        PromotionOutdated: a deployment is not in the state that the body says.
        Of one deployment as `publish_version`; of several the first error, with all of them as its problems.
    """
    environments = tx.environments(ctx.project_id)
    source, target = (find_environment(environments, name) for name in (body.from_, body.to))
    if source.id == target.id:
        raise InvalidRequest(param="to", reason=f"from and to are the same environment, {source.name!r}")
    ctx = _for_target(tx, ctx, target, body.reason, allow_breaking=body.allow_breaking)

    found = _each(body.deployments, lambda item: _checked(tx, ctx, source, target, item))
    _check_once([item.key for item, _ in found])
    for _, change in found:
        if change is not None:
            move(tx, ctx, change)
    if is_dry_run or not any(change for _, change in found):
        tx.discard()
    revision = tx.rev - 1 if tx.is_discarded else tx.rev
    return PromotionResult(Promotion(revision, [item for item, _ in found]), target.name)


def propose(tx: Transaction, ctx: WriteContext, body: PostProposal) -> None:
    """Propose that stored versions become live together. The gate of `ctx` has the changes afterwards.

    Raises:
        EnvironmentNotFound, InsufficientScope, InvalidBody
        NothingToPropose: the environment requires no approvals, or nothing would change.
        As `promote`.
    """
    target = find_environment(tx.environments(ctx.project_id), body.environment)
    ctx = _for_target(tx, ctx, target, body.reason, allow_breaking=body.allow_breaking)
    if not needs_approval(ctx, target):
        raise NothingToPropose(
            param="environment", name=target.name, reason="it requires no approvals, so publish the versions"
        )
    changes = _each(body.deployments, lambda item: _proposed(tx, ctx, target, item))
    _check_once([key for key, _ in changes])
    if not any(change for _, change in changes):
        raise NothingToPropose(param="deployments", name=target.name, reason="all of these versions are live there")
    for _, change in changes:
        if change is not None:
            move(tx, ctx, change)


def _for_target(
    tx: Transaction, ctx: WriteContext, target: Environment, reason: str | UnsetType, *, allow_breaking: bool
) -> WriteContext:
    """Return the context of a write to an environment, if the API key may make it."""
    options = msgspec.structs.replace(ctx.options, allow_breaking=allow_breaking or ctx.options.allow_breaking)
    ctx = msgspec.structs.replace(
        ctx.with_reason(reason), environment=target, options=options, scopes=ctx.scopes | PROTECTED_SCOPES,
        unprotected_scopes=ctx.scopes | UNPROTECTED_SCOPES,
    )  # fmt: skip
    authorize(tx, ctx)
    return ctx


def _each(items: Sequence[ItemT], function: Callable[[ItemT], ResultT]) -> list[ResultT]:
    """Apply a function to the items of a body; of several items, an error lists those of all.

    Raises:
        InvalidBody: a deployment occurs twice.
        MoorageError
    """
    _check_once([item.key for item in items])
    found, errors = list[ResultT](), list[tuple[int, MoorageError]]()
    missing, templates = list[Callable[[], None]](), list[Templates]()
    for index, item in enumerate(items):
        try:
            found.append(function(item))
        except MoorageError as error:
            errors.append((index, error.with_traceback(None)))
        except NotCalculated as error:
            missing += error.runs
        except VariablesNotCached as error:
            templates += error.templates
    if missing:  # all at once: each of them repeats the write
        raise NotCalculated(missing)
    if templates:
        raise VariablesNotCached(templates)
    if not errors:
        return found
    raise _combined(errors, is_one=len(items) == 1)


def _combined(errors: list[tuple[int, MoorageError]], *, is_one: bool) -> MoorageError:
    """Return the error of a body; afterwards, the list is empty.

    The traceback of an error has the frames in which the list is a variable, so all errors would be in a cycle.
    """
    first = next((error for _, error in errors if isinstance(error, PromotionOutdated)), errors[0][1])
    if not is_one:
        first.problems = tuple(Problem(f"deployments[{index}]", str(error)) for index, error in errors[:MAX_PROBLEMS])
    errors.clear()
    return first


def _check_once(keys: Sequence[str]) -> None:
    """Raise `InvalidBody` if a deployment occurs twice; a body can name it by its key and by its id."""
    twice = {key for key, count in Counter(keys).items() if count > 1}
    if twice:
        paths = [f"deployments[{index}].key" for index, key in enumerate(keys) if key in twice]
        raise InvalidBody.of([Problem(path, "must occur once") for path in paths[:MAX_PROBLEMS]])


def _checked(
    tx: Transaction, ctx: WriteContext, source: Environment, target: Environment, item: PromotedDeployment
) -> tuple[PromotionItem, Move | None]:
    """Return what a promotion does to a deployment."""
    before = get_deployment(tx, ctx.project_id, item.key, source.pointer_id)
    if before.live_version_id is None:
        raise not_in_environment(tx, before, source.name)
    if item.version is not UNSET and item.version not in (str(before.version), before.live_version_id):
        raise _outdated(tx, before, source, str(before.version), item.version)
    current = get_deployment(tx, ctx.project_id, before.id, target.pointer_id)
    _check_base(tx, current, target, item.base)
    number = str(current.version) if current.live_version_id is not None else None
    if current.live_version_id == before.live_version_id:
        return PromotionItem(before.key, number, str(before.version), "unchanged", []), None
    file = before.file if before.owner == "files" else None
    ctx = msgspec.structs.replace(ctx, options=msgspec.structs.replace(ctx.options, file=file))
    owner = check_ownership(ctx, current)
    check_jinja(ctx, before.content)
    breaking = check_breaking(tx, ctx, current, before.content)
    change = Move(
        deployment=current.without_content(), kind="promote", version_id=before.live_version_id,
        content_sha256=before.content_sha256, owner=owner, breaking=breaking, source=source.name,
    )  # fmt: skip
    return PromotionItem(before.key, number, str(before.version), "promoted", breaking), change


def _proposed(
    tx: Transaction, ctx: WriteContext, target: Environment, item: ProposedDeployment
) -> tuple[str, Move | None]:
    """Return the key of a deployment, and the change that a proposal asks for; None if there is none."""
    current = get_deployment(tx, ctx.project_id, item.key, target.pointer_id)
    _check_base(tx, current, target, item.base)
    version: Version | None = None if item.version is None else get_version(tx, current, item.version)
    if version is None and target.is_production:
        raise ProductionCannotFollow(key=current.key)
    if current.base == (FOLLOWS if version is None else version.id):
        return current.key, None
    file = None if item.file is UNSET else item.file
    ctx = msgspec.structs.replace(ctx, options=msgspec.structs.replace(ctx.options, file=file))
    owner, breaking = check_ownership(ctx, current), list[str]()
    if version is not None:
        check_jinja(ctx, version.content)
        breaking = check_breaking(tx, ctx, current, version.content)
    change = Move(
        deployment=current.without_content(), kind="publish" if version is not None else "unpublish",
        version_id=None if version is None else version.id,
        content_sha256=current.content_sha256 if version is None else version.content_sha256,
        owner=owner, breaking=breaking,
    )  # fmt: skip
    return current.key, change


def _check_base(tx: Transaction, current: Deployment, target: Environment, base: str | UnsetType | None) -> None:
    """Raise `PromotionOutdated` unless a deployment in the target is in the state that the body says."""
    if base is UNSET or base == current.base or (current.own_version_id and base == str(current.version)):
        return
    state = FOLLOWS if current.is_following else str(current.version) if current.live_version_id else "none"
    raise _outdated(tx, current, target, state, "none" if base is None else base)


def _outdated(
    tx: Transaction, deployment: Deployment, environment: Environment, current: str, given: str
) -> PromotionOutdated:
    history, _ = tx.history(deployment.id, PageQuery(MAX_LISTED))
    return PromotionOutdated(
        param="deployments", key=deployment.key, environment=environment.name, state=current, given=given[:200],
        history=tuple(history),
    )  # fmt: skip
