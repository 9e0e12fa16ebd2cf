"""Create, change and delete environments, each in one transaction of the caller."""

from typing import Any

import msgspec
from msgspec import UNSET

from moorage.core.compatibility.consumers import IN_USE_DAYS
from moorage.core.deployments.history import Subject
from moorage.core.deployments.ids import new_ulid
from moorage.core.environments import (
    MAX_ENVIRONMENTS,
    PRODUCTION,
    Environment,
    EnvironmentSettings,
    PutEnvironment,
    check_environment_name,
    environment_not_found,
    find_environment,
)
from moorage.core.errors.base import NameTaken
from moorage.core.errors.environments import (
    EnvironmentChanged,
    EnvironmentExists,
    EnvironmentInUse,
    KeysBound,
    ProductionIsPermanent,
    TooManyEnvironments,
)
from moorage.registry.api_keys import revoke_api_key
from moorage.registry.results import EnvironmentResult
from moorage.registry.stale_proposals import close_stale
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction

_DAY_US = 86_400_000_000

#: How many API keys an error names.
_MAX_NAMES = 20


def put_environment(tx: Transaction, ctx: WriteContext, name: str, body: PutEnvironment) -> EnvironmentResult:
    """Create an environment, or change the settings that the body has.

    Raises:
        InvalidEnvironmentName, EnvironmentChanged, EnvironmentExists, EnvironmentNotFound
        TooManyEnvironments: the project has the maximum number.
        ProductionIsPermanent: it would lose its protection.
    """
    check_environment_name(name)
    ctx, environments = ctx.with_reason(body.reason), tx.environments(ctx.project_id)
    current, approving_keys = environments.get(name), len(tx.approving_keys(ctx.project_id))
    if current is None:
        if ctx.options.if_match is not None:
            raise environment_not_found(environments, name, "name")
        if len(environments) >= MAX_ENVIRONMENTS:
            raise TooManyEnvironments(param="name", maximum=MAX_ENVIRONMENTS)
        settings = _updated(EnvironmentSettings(name.replace("-", " ").capitalize()), body)
        created = Environment(
            id=f"env_{new_ulid()}", project_id=ctx.project_id, name=name, settings=settings, created_us=tx.now_us,
            created_by=ctx.actor.api_key_id, updated_us=tx.now_us, updated_by=ctx.actor.api_key_id,
        )  # fmt: skip
        return EnvironmentResult(_stored(tx, ctx, created, is_new=True), "created", approving_keys)
    check_environment_preconditions(ctx, current)
    settings = _updated(current.settings, body)
    if name == PRODUCTION and not settings.protected:
        raise ProductionIsPermanent(param="protected")
    if settings == current.settings:
        tx.discard()
        return EnvironmentResult(current, "unchanged", approving_keys)
    after = msgspec.structs.replace(current, settings=settings, updated_us=tx.now_us, updated_by=ctx.actor.api_key_id)
    return EnvironmentResult(_stored(tx, ctx, after, is_new=False), "updated", approving_keys)


def create_environment(tx: Transaction, ctx: WriteContext, name: str, body: PutEnvironment) -> EnvironmentResult:
    """Create an environment.

    Raises:
        NameTaken: there is one with this name.
        As `put_environment`.
    """
    if name in tx.environments(ctx.project_id):
        raise NameTaken(param="slug", kind="environment", name=name)
    return put_environment(tx, ctx, name, body)


def delete_environment(tx: Transaction, ctx: WriteContext, name_or_id: str) -> Environment:
    """Delete an environment; its name can be used again, for another one.

    With `force`, the API keys that are bound to it are revoked.

    Raises:
        EnvironmentNotFound, EnvironmentChanged, ProductionIsPermanent
        KeysBound: valid API keys are bound to it, and `force` is not set.
        EnvironmentInUse: calls used it lately, and `force` is not set.
    """
    current = get_environment(tx, ctx.project_id, name_or_id)
    check_environment_preconditions(ctx, current)
    if current.is_production:
        raise ProductionIsPermanent(param="name")
    keys = [key for key in tx.keys_of_environment(current.id) if not key.is_expired_at(tx.clock_us)]
    if not ctx.options.force:
        if keys:
            raise KeysBound(param="name", name=current.name, count=len(keys), keys=_listed([key.name for key in keys]))
        callers = tx.callers_of_environment(current.id, tx.clock_us - IN_USE_DAYS * _DAY_US)
        if callers:
            raise EnvironmentInUse(param="name", name=current.name, keys=_listed(callers))
    for key in keys:
        revoke_api_key(tx, ctx, key.id)
    for pointer in tx.pointers_of_environment(current.id):
        tx.move_pointer(
            pointer.deployment_id, current.id, None, owner="api", file=None, is_new_owner=pointer.is_managed
        )
        subject = Subject(
            ctx.project_id, pointer.deployment_id, from_version_id=pointer.version_id,
            content_sha256=pointer.content_sha256, environment_id=current.id,
        )  # fmt: skip
        tx.record("unpublished", ctx.actor, subject)
    for proposal_id in tx.open_proposals_of_environment(current.id):
        if (proposal := tx.find_proposal(ctx.project_id, proposal_id)) is not None:
            close_stale(tx, ctx, proposal, f"environment {current.name!r} was deleted")
    tx.delete_environment(current.id, ctx.actor)
    tx.record("environment_deleted", ctx.actor, Subject(ctx.project_id, environment_id=current.id))
    return msgspec.structs.replace(
        current, deleted_us=tx.now_us, updated_us=tx.now_us, updated_by=ctx.actor.api_key_id, rev=tx.rev
    )


def get_environment(tx: Transaction, project_id: str, name_or_id: str) -> Environment:
    """Return the environment with a name or an id; a name never has the form of an id.

    Raises:
        EnvironmentNotFound
    """
    environments = tx.environments(project_id)
    by_id = {each.id: each for each in environments.values()}
    return by_id.get(name_or_id) or find_environment(environments, name_or_id)


def check_environment_preconditions(ctx: WriteContext, current: Environment) -> None:
    """Raise an error unless the environment meets the preconditions of a write.

    Raises:
        EnvironmentChanged, EnvironmentExists
    """
    given = ctx.options.if_match
    if ctx.options.must_not_exist:
        raise EnvironmentExists(param="If-None-Match", name=current.name, etag=current.etag)
    if given is None or given.strip() == "*":
        return
    if current.etag not in {tag.strip() for tag in given.split(",")}:
        raise EnvironmentChanged(param="If-Match", name=current.name, given=given[:200], etag=current.etag)


def _updated(settings: EnvironmentSettings, body: PutEnvironment) -> EnvironmentSettings:
    sent: dict[str, Any] = {
        name: value
        for name in EnvironmentSettings.__struct_fields__
        if (value := getattr(body, name)) is not UNSET
    }  # fmt: skip
    if body.required_approvals is not UNSET:
        sent["required_approvals"] = int(body.required_approvals)  # 1.0 is a whole number, too
    return msgspec.structs.replace(settings, **sent)


def _stored(tx: Transaction, ctx: WriteContext, environment: Environment, *, is_new: bool) -> Environment:
    stored = tx.put_environment(environment, is_new=is_new)
    tx.record("environment_set", ctx.actor, Subject(ctx.project_id, environment_id=stored.id))
    return stored


def _listed(names: list[str]) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join(sorted(names)[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
