"""Authorization of a write at the moment of its effect: in its transaction, and in every attempt.

Much time can pass between the headers of a request and its write: the body arrives late, the writer is busy, the write
is retried. In the meantime, the API key can be revoked or expire. What was allowed at the beginning does not count.
"""

from moorage import clock
from moorage.core.access import ApiKey, Scope
from moorage.core.errors.api_keys import InvalidApiKey
from moorage.core.errors.environments import EnvironmentGone
from moorage.core.errors.rows import ApiKeyUnreadable
from moorage.registry.write_context import WriteContext
from moorage.store.transaction import Transaction


def authorize(tx: Transaction, ctx: WriteContext) -> ApiKey | None:
    """Return the API key of a write if it may make it now. The operator needs none: the database is theirs.

    Raises:
        InvalidApiKey, ExpiredApiKey, InsufficientScope, EnvironmentGone
    """
    if ctx.actor.api_key_id is None:
        return None
    try:
        key = tx.find_api_key(ctx.actor.api_key_id)
    except ApiKeyUnreadable as error:
        raise InvalidApiKey from error
    if key is None or key.project_id != ctx.project_id:
        raise InvalidApiKey
    if ctx.token_sha256 is not None and ctx.token_sha256 != key.token_sha256:  # it was rotated
        raise InvalidApiKey
    key.check_valid(clock.now_us())
    key.check_scopes(_needed_scopes(tx, ctx))
    if key.environment_id is not None:
        bound = tx.find_environment(key.environment_id)
        if bound is None or bound.deleted_us is not None:
            raise EnvironmentGone
    return key


def _needed_scopes(tx: Transaction, ctx: WriteContext) -> frozenset[Scope]:
    """Return the scopes for the environment of a write, by its protection now."""
    if ctx.unprotected_scopes is None or ctx.environment is None or ctx.environment.is_production:
        return ctx.scopes
    found = tx.find_environment(ctx.environment.id)
    return ctx.scopes if found is None or found.settings.protected else ctx.unprotected_scopes
