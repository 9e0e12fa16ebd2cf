"""Create, grant, rename, rotate and revoke API keys."""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET

from moorage.core.access import (
    ADMIN_SCOPES,
    ApiKey,
    PatchApiKey,
    PostApiKey,
    Scope,
    hash_token,
    new_token,
    read_time,
    scopes_to_grant,
)
from moorage.core.deployments.history import OPERATOR, Actor, Subject
from moorage.core.environments import find_environment
from moorage.core.errors.api_keys import ApiKeyNotActive, ApiKeyNotFound, NoScopeToGrant
from moorage.core.errors.environments import WrongEnvironment
from moorage.core.errors.requests import InvalidRequest
from moorage.core.errors.rows import ApiKeyUnreadable
from moorage.core.times import LAST_US, iso
from moorage.registry.authorization import authorize
from moorage.registry.projects import DEFAULT_PROJECT, check_name, get_project
from moorage.registry.results import ApiKeyResult
from moorage.registry.write_context import WriteContext
from moorage.store.store import Store
from moorage.store.transaction import Transaction


def create_api_key(
    tx: Transaction,
    project_id: str,
    name: str,
    scopes: Iterable[Scope],
    expires_us: int | None = None,
    by: Actor = OPERATOR,
    environment_id: str | None = None,
) -> ApiKeyResult:
    """Create an API key; its token cannot be read a second time. With an `environment_id`, it is bound to that one.

    Raises:
        InvalidRequest: the name, or an expiry in the past or beyond the calendar.
    """
    check_name(name, "key")
    if expires_us is not None and expires_us <= tx.clock_us:
        raise InvalidRequest(param="expires", reason=f"the expiry {iso(expires_us)} is in the past")
    if expires_us is not None and expires_us > LAST_US:
        raise InvalidRequest(
            param="expires", reason=f"the latest expiry is {iso(LAST_US)}; for a key without an expiry, omit it"
        )
    key_id, token = new_token()
    key = ApiKey(
        key_id, project_id, name, frozenset(scopes), hash_token(token), tx.now_us, expires_us,
        environment_id=environment_id, created_by=by.api_key_id,
    )  # fmt: skip
    tx.insert_api_key(key)
    tx.record("key_created", by, _subject(key))
    return ApiKeyResult(key, token)


def create_first_api_key(store: Store) -> str | None:
    """Create a key for the default project of a database without keys; return its token, or None if there is a key.

    It has all scopes, so that a new installation needs no other key. Another node may create the first key at the same
    time: one of them does.
    """
    with store.read() as reader:
        if reader.has_api_keys():
            return None
    project = get_project(store, DEFAULT_PROJECT)
    with store.write() as tx:
        if tx.has_api_keys():
            tx.discard()
            return None
        return create_api_key(tx, project.id, "first", Scope).token


def grant_api_key(tx: Transaction, ctx: WriteContext, body: PostApiKey) -> ApiKeyResult:
    """Create a key with at most the scopes and the expiry that the caller's key has now.

    Raises:
        InvalidApiKey, ExpiredApiKey: the caller's key.
        InsufficientScope: the caller's key does not have a requested scope.
        NoScopeToGrant: no scopes were requested, and the caller's key has none that it can grant.
        InvalidRequest: the name, or an expiry that is in the past or later than the caller's.
        EnvironmentNotFound
        WrongEnvironment: the caller's key is bound to another environment.
    """
    caller = authorize(tx, ctx)
    assert caller is not None  # noqa: S101 -- the operator creates keys without a caller, see `create_api_key`
    scopes = caller.scopes - ADMIN_SCOPES if body.scopes is UNSET else frozenset(map(Scope, body.scopes))
    if not scopes:
        raise NoScopeToGrant(held=", ".join(sorted(caller.scopes)))
    caller.check_scopes(scopes_to_grant(scopes))
    expires_us = caller.expires_us
    if body.expires_at is not UNSET:
        expires_us = read_time(body.expires_at)
        if expires_us is None:
            reason = f"expires_at must be a time such as 2027-01-31T12:00:00Z; got {body.expires_at!r}"
            raise InvalidRequest(param="expires_at", reason=reason)
        if caller.expires_us is not None and expires_us > caller.expires_us:
            reason = f"expires_at must not be later than the expiry of your own key, {iso(caller.expires_us)}"
            raise InvalidRequest(param="expires_at", reason=reason)
    environment_id = caller.environment_id
    if body.environment is not UNSET:
        environment = find_environment(tx.environments(ctx.project_id), body.environment)
        if environment_id not in (None, environment.id):
            bound = tx.find_environment(environment_id or "")
            name = "another one" if bound is None else bound.name
            raise WrongEnvironment(param="environment", bound=name, requested=repr(environment.name))
        environment_id = environment.id
    return create_api_key(tx, ctx.project_id, body.name, scopes, expires_us, ctx.actor, environment_id)


def rename_api_key(tx: Transaction, ctx: WriteContext, key_id: str, body: PatchApiKey) -> ApiKey:
    """Rename a key of the project.

    Raises:
        ApiKeyNotFound, ApiKeyUnreadable
        InvalidRequest: the name.
    """
    check_name(body.name, "key")
    key = _get_api_key(tx, ctx, key_id)
    tx.rename_api_key(key.id, body.name)
    tx.record("key_renamed", ctx.actor, _subject(key))
    return msgspec.structs.replace(key, name=body.name)


def rotate_api_key(tx: Transaction, ctx: WriteContext, key_id: str) -> ApiKeyResult:
    """Replace the token of a key of the project, at once.

    The caller gets the token, so the caller's key must be able to grant all that the key has.

    Raises:
        ApiKeyNotFound, ApiKeyUnreadable
        InvalidApiKey, ExpiredApiKey: the caller's key.
        InsufficientScope: the caller's key does not have a scope of the key.
        InvalidRequest: the key expires later than the caller's.
        ApiKeyNotActive: it was revoked, or has expired.
    """
    caller, key = authorize(tx, ctx), _get_api_key(tx, ctx, key_id)
    if caller is not None:
        caller.check_scopes(key.scopes if key.id == caller.id else scopes_to_grant(key.scopes))
        if caller.expires_us is not None and (key.expires_us is None or key.expires_us > caller.expires_us):
            reason = f"the key is valid longer than your own key, which expires at {iso(caller.expires_us)}"
            raise InvalidRequest(param="api_key_id", reason=reason)
    if key.revoked_us is not None or (key.expires_us is not None and key.expires_us <= tx.clock_us):
        raise ApiKeyNotActive(name=key.name, status="expired" if key.revoked_us is None else "revoked")
    _, token = new_token(key.id)
    tx.rotate_api_key(key.id, hash_token(token))
    tx.record("key_rotated", ctx.actor, _subject(key))
    return ApiKeyResult(msgspec.structs.replace(key, token_sha256=hash_token(token)), token)


def revoke_api_key(tx: Transaction, ctx: WriteContext, key_id: str) -> ApiKey:
    """Revoke a key of the project, at once and permanently. A revoked key does not change.

    Raises:
        ApiKeyNotFound, ApiKeyUnreadable
    """
    key = _get_api_key(tx, ctx, key_id)
    if key.revoked_us is not None:
        tx.discard()
        return key
    tx.revoke_api_key(key.id)
    tx.record("key_revoked", ctx.actor, _subject(key))
    return msgspec.structs.replace(key, revoked_us=tx.now_us)


def get_api_key(store: Store, id_or_name: str) -> ApiKey:
    """Return the key with an id or a name, in any project.

    Raises:
        ApiKeyNotFound, ApiKeyUnreadable
        InvalidRequest: several keys have that name.
    """
    with store.read() as reader:
        reader.find_api_key(id_or_name)  # raises if it is the id of a key that cannot be decoded
        keys = reader.api_keys()
    found = [key for key in keys if key.id == id_or_name] or [key for key in keys if key.name == id_or_name]
    if not found:
        raise ApiKeyNotFound(name=id_or_name)
    if len(found) > 1:
        ids = ", ".join(key.id for key in found)
        reason = f"{len(found)} keys are named {id_or_name!r}; use one of their ids: {ids}"
        raise InvalidRequest(param="name", reason=reason)
    return found[0]


def _subject(key: ApiKey) -> Subject:
    return Subject(key.project_id, subject_key_id=key.id)


def _get_api_key(tx: Transaction, ctx: WriteContext, key_id: str) -> ApiKey:
    try:
        key = tx.find_api_key(key_id)
    except ApiKeyUnreadable as error:
        if error.fields["project_id"] == ctx.project_id:
            raise
        key = None
    if key is None or key.project_id != ctx.project_id:
        raise ApiKeyNotFound(param="api_key_id", name=key_id[:200])
    caller = None if ctx.actor.api_key_id is None else tx.find_api_key(ctx.actor.api_key_id)
    if caller is not None and caller.environment_id not in (None, key.environment_id):
        bound = tx.find_environment(caller.environment_id or "")
        name = "another one" if bound is None else bound.name
        raise WrongEnvironment(param="api_key_id", bound=name, requested=f"the key {key.name!r} of another one")
    return key
