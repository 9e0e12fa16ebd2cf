"""Create, change and delete integrations, and encrypt their credentials again."""

from collections.abc import Collection, Iterator
from itertools import islice

import msgspec
from msgspec import UNSET

from moorage.core.deployments.history import OPERATOR, Subject
from moorage.core.deployments.ids import check_integration_name, new_id
from moorage.core.errors.integrations import (
    CredentialsRequired,
    CredentialsUnreadable,
    IntegrationChanged,
    IntegrationExists,
    IntegrationFromEnvironment,
    IntegrationInUse,
    IntegrationNotFound,
)
from moorage.core.integrations import Credentials, Integration, PutIntegration
from moorage.core.lint.integrations import models_of
from moorage.providers.connection import Connection, check_has_credentials, origins, read_connection
from moorage.providers.table import PROVIDERS
from moorage.registry.results import IntegrationResult
from moorage.registry.write_context import WriteContext
from moorage.store.sealing import KeyRing
from moorage.store.transaction import Transaction
from moorage.store.unreadable import UnreadableRow

#: How many deployments an error lists.
_MAX_LISTED = 200


def put_integration(
    tx: Transaction, ctx: WriteContext, key_ring: KeyRing, name: str, body: PutIntegration
) -> IntegrationResult:
    """Create or replace an integration. Credentials and headers that the body does not have are kept.

    Raises:
        InvalidKey, InvalidBody, IntegrationChanged, IntegrationExists, IntegrationUnreadable
        IntegrationNotFound: there is none, and the request requires one (If-Match).
        CredentialsRequired: the kept credentials would be sent to another host.
        CredentialsUnreadable: the kept credentials cannot be decrypted.
        EncryptionKeyMissing, KeyFileUnusable
    """
    check_integration_name(name)
    connection, ctx = read_connection(body), ctx.with_reason(body.reason)
    current = tx.find_integration(ctx.project_id, name)
    if current is None and ctx.options.if_match is not None:
        raise IntegrationNotFound(param="name", name=name)
    if current is not None:
        _check_preconditions(ctx, current)
    opened = _opened(key_ring, current, connection)
    if current is not None and _is_equal(key_ring, current, connection, opened):
        tx.discard()
        return IntegrationResult(current, opened, "unchanged")
    integration_id = current.id if current else new_id()
    sealed = key_ring.seal(ctx.project_id, integration_id, opened)
    by = ctx.actor.api_key_id
    after = Integration(
        id=integration_id, project_id=ctx.project_id, name=name, provider=connection.provider,
        base_url=connection.base_url, options=connection.options, credentials=sealed.credentials,
        headers=sealed.headers, key_id=sealed.key_id, updated_us=tx.now_us, updated_by=by,
        created_us=current.created_us if current else tx.now_us, created_by=current.created_by if current else by,
    )  # fmt: skip
    after = tx.put_integration(after, is_new=current is None)
    tx.record("integration_set", ctx.actor, _subject(after))
    return IntegrationResult(after, opened, "created" if current is None else "updated")


def delete_integration(
    tx: Transaction, ctx: WriteContext, name: str, environment: Collection[tuple[str, str]]
) -> Integration:
    """Delete an integration with its credentials; return the tombstone.

    `environment` has the provider and the variables of each integration of the environment.

    Raises:
        IntegrationNotFound, IntegrationFromEnvironment, IntegrationChanged, IntegrationUnreadable
        IntegrationInUse: a live version uses it, and no other integration would take its place.
    """
    current = tx.find_integration(ctx.project_id, name)
    variables = dict(environment)
    if current is None:
        if name in variables:
            raise IntegrationFromEnvironment(param="name", name=name, variable=variables[name])
        raise IntegrationNotFound(param="name", name=name[:200])
    _check_preconditions(ctx, current)
    users = list(islice(_users(tx, current, is_replaced=name in variables), _MAX_LISTED + 1))
    if users:
        raise IntegrationInUse.of(name, users[:_MAX_LISTED], has_more=len(users) > _MAX_LISTED)
    tx.delete_integration(current.id, ctx.actor)
    tx.record("integration_deleted", ctx.actor, _subject(current))
    return msgspec.structs.replace(
        current, credentials="", headers="", key_id="", deleted_us=tx.now_us, updated_us=tx.now_us, rev=tx.rev
    )


def rotate_key(tx: Transaction, key_ring: KeyRing) -> tuple[int, int]:
    """Encrypt the credentials of all integrations of all projects with the first secret key.

    Return how many were encrypted again, and how many already had that key.

    Raises:
        CredentialsUnreadable, IntegrationUnreadable: nothing was changed.
        EncryptionKeyMissing, KeyFileUnusable
    """
    found, rotated = tx.sealed_integrations(), list[Integration]()
    current_id = key_ring.writing_key_id() if found else ""
    for each in found:
        if isinstance(each, UnreadableRow):
            raise each.integration_error()
        opened = key_ring.open(each)  # also one with that key: it must be readable
        if each.key_id != current_id:
            sealed = key_ring.seal(each.project_id, each.id, opened)
            rotated.append(msgspec.structs.replace(each, **msgspec.structs.asdict(sealed)))
    if rotated:
        tx.reseal_integrations(rotated)
        tx.record("integrations_rotated", OPERATOR, Subject())
    else:
        tx.discard()
    return len(rotated), len(found) - len(rotated)


def _opened(key_ring: KeyRing, current: Integration | None, connection: Connection) -> Credentials:
    """Return the credentials and headers after a write: those that were sent, and else the stored ones.

    A key must not get to a host that the caller chose, unless the caller knows the key.
    """
    values, headers = connection.credentials, connection.headers
    if current is None:
        check_has_credentials(connection)
        return Credentials(values or {}, headers or {})
    if values is not UNSET and headers is not UNSET:
        return Credentials(values, headers)
    is_kept = (values is UNSET and current.credentials) or (headers is UNSET and current.headers)
    before = origins(current.provider, current.base_url, current.options)
    others = [origin for origin in connection.origins if origin not in before]
    if is_kept and (others or connection.provider != current.provider):
        raise CredentialsRequired(
            param="credentials", name=current.name, before=", ".join(before),
            after=", ".join(others) or connection.provider,
        )  # fmt: skip
    stored = key_ring.open(current) if is_kept else Credentials()
    if not current.credentials:
        check_has_credentials(connection)
    return Credentials(stored.values if values is UNSET else values, stored.headers if headers is UNSET else headers)


def _is_equal(key_ring: KeyRing, current: Integration, connection: Connection, opened: Credentials) -> bool:
    settings = connection.provider, connection.base_url, connection.options
    if settings != (current.provider, current.base_url, current.options):
        return False
    try:
        return key_ring.open(current) == opened
    except CredentialsUnreadable:
        return False


def _users(tx: Transaction, current: Integration, *, is_replaced: bool) -> Iterator[str]:
    """Yield the keys of the deployments whose live version uses an integration."""
    names = {current.name, current.id}
    found = dict[str, None]()
    for text in (f'"integration_id":"{current.name}"', f'"integration_id":"{current.id}"'):
        for key, content in islice(tx.live_contents_with(current.project_id, text), _MAX_LISTED + 1):
            if any(model.integration_id in names for model in models_of(content)):
                found[key] = None
    yield from found
    if current.name not in PROVIDERS or is_replaced:
        return
    for key, content in tx.live_contents_with(current.project_id, f'"provider":"{current.name}"'):
        is_user = any(model.provider == current.name and model.integration_id is None for model in models_of(content))
        if is_user and key not in found:
            found[key] = None
            yield key


def _check_preconditions(ctx: WriteContext, current: Integration) -> None:
    given, name, etag = ctx.options.if_match, current.name, current.etag
    if ctx.options.must_not_exist:
        raise IntegrationExists(param="If-None-Match", name=name, etag=etag)
    if given is not None and given.strip() != "*" and etag not in {tag.strip() for tag in given.split(",")}:
        raise IntegrationChanged(param="If-Match", name=name, given=given[:200], etag=etag)


def _subject(integration: Integration) -> Subject:
    return Subject(integration.project_id, integration_id=integration.id)
