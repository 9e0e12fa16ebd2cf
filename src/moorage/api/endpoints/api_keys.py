"""`/v2/api-keys`: the API keys of a project, for keys with the scope `keys:admin`."""

from functools import partial

import msgspec
from starlette.responses import Response

from moorage import clock
from moorage.api.environment import bound_environment
from moorage.api.request import RequestContext
from moorage.api.responses import json_response
from moorage.core.access import ApiKey, ApiKeyItem, ApiKeyPage, PatchApiKey, PostApiKey
from moorage.core.compatibility.consumers import oldest_us, usage_of_key
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.api_keys import ApiKeyNotFound
from moorage.core.errors.environments import WrongEnvironment
from moorage.core.errors.storage import StorageUnavailable
from moorage.registry.api_keys import grant_api_key, rename_api_key, revoke_api_key, rotate_api_key
from moorage.registry.results import ApiKeyResult
from moorage.store.reader import Reader

_encode = msgspec.json.Encoder().encode


async def list_page(ctx: RequestContext) -> Response:
    """List the keys of the project, newest first, a page at a time; tokens are masked. The cursor is a key's `id`.

    A key that is bound to an environment lists only keys with the same binding.
    """
    query = PageQuery.read(ctx.request.query_params.multi_items())
    keys, has_more = ctx.services.catalog.api_keys(ctx.project_id, query, ctx.key.environment_id)
    now_us, last_us = clock.now_us(), await _last_uses(ctx)
    items = [ApiKeyItem.of(key, now_us, None, last_us.get(key.id), _environment(ctx, key)) for key in keys]
    return _response(_encode(ApiKeyPage("list", items, has_more)))


async def get(ctx: RequestContext) -> Response:
    """Get a key; its token is masked."""
    ctx.allow_query_params()
    key = _get(ctx)
    return _item(ctx, key, (await _last_uses(ctx)).get(key.id))


async def usage(ctx: RequestContext) -> Response:
    """List the deployments that a key used in the last 30 days, with their versions, the most recent one first.

    Another worker or server stores its records every ten seconds.
    """
    ctx.allow_query_params()
    key = _get(ctx)
    await ctx.services.consumers.flush()
    uses, _ = await ctx.read(partial(Reader.uses_of_key, api_key_id=key.id, since_us=oldest_us(clock.now_us())))
    environments = ctx.services.catalog.environments(ctx.project_id).values()
    return _response(_encode(usage_of_key(uses, {each.id: each.name for each in environments})))


async def post(ctx: RequestContext) -> Response:
    """Create a key with at most the scopes and the expiry of your own key. Its token is in this response only."""
    ctx.allow_query_params()
    body, _ = await ctx.parse(PostApiKey)
    return _with_token(ctx, await ctx.write(grant_api_key, body), 201)


async def rotate(ctx: RequestContext) -> Response:
    """Replace the token of a key, at once on every worker. The new token is in this response only.

    Your own key needs all scopes of the key, and must be valid as long. A key with `keys:admin` may rotate itself.
    """
    ctx.allow_query_params()
    await ctx.parse_reason()
    return _with_token(ctx, await ctx.write(rotate_api_key, ctx.path("api_key_id")), 200)


async def patch(ctx: RequestContext) -> Response:
    """Rename a key."""
    ctx.allow_query_params()
    key = _get(ctx)
    body, _ = await ctx.parse(PatchApiKey)
    return _item(ctx, await ctx.write(rename_api_key, key.id, body))


async def delete(ctx: RequestContext) -> Response:
    """Revoke a key, permanently and at once on every worker. A key may revoke itself."""
    ctx.allow_query_params()
    return _item(ctx, await ctx.write(revoke_api_key, ctx.path("api_key_id")))


def _get(ctx: RequestContext) -> ApiKey:
    key_id = ctx.path("api_key_id")
    ctx.services.catalog.check_readable(ctx.project_id, key_id)
    key = ctx.services.catalog.find_api_key(key_id)
    if key is None or key.project_id != ctx.project_id:
        raise ApiKeyNotFound(param="api_key_id", name=key_id[:200])
    bound = bound_environment(ctx.services.catalog, ctx.key)
    if bound is not None and bound.id != key.environment_id:
        raise WrongEnvironment(param="api_key_id", bound=bound.name, requested=f"the key {key.name!r} of another one")
    return key


async def _last_uses(ctx: RequestContext) -> dict[str, int]:
    """Return when keys were last used; nothing while the database is unreachable."""
    try:
        return (await ctx.read(partial(Reader.last_uses, since_us=oldest_us(clock.now_us()))))[0]
    except StorageUnavailable:
        return {}


def _with_token(ctx: RequestContext, result: ApiKeyResult, status: int) -> Response:
    # A repeated request gets the same response, and a creation that was dated in the future is not an expiry.
    created_us = min(result.key.created_us, clock.now_us())
    item = ApiKeyItem.of(result.key, created_us, result.token, environment=_environment(ctx, result.key))
    response = json_response(ctx, _encode(item), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _item(ctx: RequestContext, key: ApiKey, last_us: int | None = None) -> Response:
    return _response(_encode(ApiKeyItem.of(key, clock.now_us(), None, last_us, _environment(ctx, key))))


def _environment(ctx: RequestContext, key: ApiKey) -> str | None:
    """Return the name of the environment that a key is bound to."""
    found = None if key.environment_id is None else ctx.services.catalog.find_environment(key.environment_id)
    return None if found is None else found.name


def _response(body: bytes) -> Response:
    # No ETag: whether a key is expired follows from the time, not from the revision.
    return Response(body, headers={"Cache-Control": "no-store"}, media_type="application/json")
