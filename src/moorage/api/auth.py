"""From a header to the API key it carries."""

import hmac
import time

from moorage.catalog.catalog import Catalog
from moorage.core.access import ApiKey, Scope, find_key_id, hash_token
from moorage.core.errors import AuthenticationRequired, InsufficientScope, InvalidApiKey


def authenticate(catalog: Catalog, authorization: str | None) -> ApiKey:
    """The API key of a request.

    An unknown token, a mistyped one and a revoked one get the same answer; that a key expired is told to whoever has
    its secret.

    Raises:
        AuthenticationRequired: no header, or not the Bearer scheme.
        InvalidApiKey, ExpiredApiKey
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationRequired
    token = token.strip()
    key_id = find_key_id(token)
    key = catalog.find_api_key(key_id) if key_id else None
    if key is None or not hmac.compare_digest(hash_token(token), key.token_sha256) or key.revoked_us is not None:
        raise InvalidApiKey
    key.check_expiry(time.time_ns() // 1000)
    return key


def authorize(key: ApiKey, needed: frozenset[Scope]) -> None:
    """Raise `InsufficientScope` unless the key has every scope that is needed."""
    if not needed <= key.scopes:
        missing = ", ".join(sorted(needed - key.scopes))
        raise InsufficientScope(required=missing, held=", ".join(sorted(key.scopes)) or "none")
