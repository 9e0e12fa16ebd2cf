"""API keys: create, list, revoke."""

from collections.abc import Iterable

from moorage.core.access import ApiKey, Scope, hash_token, new_token
from moorage.core.errors import ApiKeyNotFound, InvalidRequest
from moorage.registry.projects import check_name
from moorage.store.store import Store


def create_api_key(
    store: Store, project_id: str, name: str, scopes: Iterable[Scope], expires_us: int | None = None
) -> tuple[ApiKey, str]:
    """Make a key. Returns it, and its token, which nobody can be shown a second time.

    Raises:
        InvalidRequest: the name, or an expiry that has passed already.
    """
    check_name(name, "key")
    key_id, token = new_token()
    with store.write() as write:
        if expires_us is not None and expires_us <= write.now_us:
            raise InvalidRequest(param="expires", reason="the key would be expired from the start")
        key = ApiKey(key_id, project_id, name, frozenset(scopes), hash_token(token), write.now_us, expires_us)
        write.insert_api_key(key)
    return key, token


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
    with store.write() as write:
        write.revoke_api_key(found[0].id)
    return found[0]
