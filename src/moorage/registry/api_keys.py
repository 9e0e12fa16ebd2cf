"""API keys: create, grant, rename, revoke."""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET

from moorage.core import strict_json
from moorage.core.access import DEFAULT_SCOPES, ApiKey, Scope, hash_token, new_token
from moorage.core.api_key_item import PatchApiKey, PostApiKey, read_time
from moorage.core.body import read_body
from moorage.core.errors import ApiKeyNotFound, InsufficientScope
from moorage.core.request_errors import InvalidRequest
from moorage.core.times import LAST_US, iso
from moorage.registry.projects import DEFAULT_PROJECT, check_name, get_project
from moorage.store.store import Store, Writable
from moorage.store.transaction import Transaction


def create_api_key(
    store: Writable, project_id: str, name: str, scopes: Iterable[Scope], expires_us: int | None = None
) -> tuple[ApiKey, str]:
    """Make a key. Returns it, and its token, which nobody can be shown a second time.

    Raises:
        InvalidRequest: the name, or an expiry that has passed already or that no date can tell.
    """
    check_name(name, "key")
    with store.write() as write:
        return _create(write, project_id, name, scopes, expires_us)


def create_first_api_key(store: Store) -> str | None:
    """The token of a key for the default project of a database that has none; nothing if there is one, be it made by
    another node at this very moment."""
    if store.api_keys():
        return None
    project = get_project(store, DEFAULT_PROJECT)
    with store.write() as write:
        return None if write.api_keys() else _create(write, project.id, "first", DEFAULT_SCOPES)[1]


def _create(
    write: Transaction, project_id: str, name: str, scopes: Iterable[Scope], expires_us: int | None = None
) -> tuple[ApiKey, str]:
    if expires_us is not None and expires_us <= write.now_us:
        raise InvalidRequest(param="expires", reason="the key would be expired from the start")
    if expires_us is not None and expires_us > LAST_US:
        raise InvalidRequest(param="expires", reason=f"a key ends by {iso(LAST_US)}; without an expiry it never does")
    key_id, token = new_token()
    key = ApiKey(key_id, project_id, name, frozenset(scopes), hash_token(token), write.now_us, expires_us)
    write.insert_api_key(key)
    return key, token


def grant_api_key(store: Writable, asking: ApiKey, body: bytes) -> tuple[ApiKey, str]:
    """Make a key (`body`: JSON, `PostApiKey`) that may do no more, and lasts no longer, than the key that asks.

    Raises:
        InsufficientScope: it would have a scope that the asking key has not.
        InvalidRequest: it would outlive the asking key, or be expired from the start; or its name.
        InvalidJson, InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    wanted, _ = read_body(strict_json.parse(body), PostApiKey)
    scopes = asking.scopes - {Scope.KEYS_ADMIN} if wanted.scopes is UNSET else frozenset(map(Scope, wanted.scopes))
    if not scopes or not scopes <= asking.scopes:
        missing = ", ".join(sorted(scopes - asking.scopes)) or "of something it could give"
        raise InsufficientScope(required=missing, held=", ".join(sorted(asking.scopes)))
    expires_us = asking.expires_us
    if wanted.expires_at is not UNSET:
        expires_us = read_time(wanted.expires_at)
        if expires_us is None:
            raise InvalidRequest(param="expires_at", reason="expires_at is no time like 2027-01-31T12:00:00Z")
        if asking.expires_us is not None and expires_us > asking.expires_us:
            raise InvalidRequest(param="expires_at", reason="a key cannot outlive the one that makes it")
    return create_api_key(store, asking.project_id, wanted.name, scopes, expires_us)


def rename_api_key(store: Writable, key: ApiKey, body: bytes) -> ApiKey:
    """Give a key another name (`body`: JSON, `PatchApiKey`).

    Raises:
        InvalidRequest: the name.
        InvalidJson, InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    wanted, _ = read_body(strict_json.parse(body), PatchApiKey)
    check_name(wanted.name, "key")
    with store.write() as write:
        write.rename_api_key(key.id, wanted.name)
    return msgspec.structs.replace(key, name=wanted.name)


def revoke(store: Writable, key: ApiKey) -> ApiKey:
    """Revoke a key, at once and for good.

    Raises:
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    with store.write() as write:
        write.revoke_api_key(key.id)
        return msgspec.structs.replace(key, revoked_us=key.revoked_us or write.now_us)


def revoke_api_key(store: Store, id_or_name: str) -> ApiKey:
    """Revoke a key, at once and for good.

    Raises:
        ApiKeyNotFound: there is none of that id or name.
        InvalidRequest: several keys have that name.
    """
    keys = store.api_keys()
    found = [key for key in keys if key.id == id_or_name] or [key for key in keys if key.name == id_or_name]
    if not found:
        raise ApiKeyNotFound(name=id_or_name)
    if len(found) > 1:
        ids = ", ".join(key.id for key in found)
        raise InvalidRequest(param="name", reason=f"{len(found)} keys are named {id_or_name!r}; give one's id: {ids}")
    return revoke(store, found[0])
