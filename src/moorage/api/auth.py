"""Authentication: the API key of a request."""

import hmac

from moorage import clock
from moorage.catalog.catalog import Catalog
from moorage.core.access import ApiKey, find_key_id, hash_token
from moorage.core.errors.api_keys import AuthenticationRequired, InvalidApiKey


def authenticate(catalog: Catalog, authorization: str | None) -> ApiKey:
    """Return the API key of an Authorization header.

    An unknown, a mistyped and a revoked token get the same error; only who has the secret learns that a key expired.

    Raises:
        AuthenticationRequired: there is no header, or its scheme is not Bearer.
        InvalidApiKey, ExpiredApiKey
    """
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise AuthenticationRequired
    key_id = find_key_id(token)
    key = catalog.find_api_key(key_id) if key_id else None
    if key is None or not hmac.compare_digest(hash_token(token), key.token_sha256):
        raise InvalidApiKey
    key.check_valid(clock.now_us())
    return key


def authenticate_again(catalog: Catalog, before: ApiKey) -> ApiKey:
    """Return the current state of an API key whose token was verified before.

    Raises:
        InvalidApiKey, ExpiredApiKey: it was revoked, or it has expired since.
    """
    key = catalog.find_api_key(before.id)
    if key is None or key.token_sha256 != before.token_sha256:
        raise InvalidApiKey
    key.check_valid(clock.now_us())
    return key
