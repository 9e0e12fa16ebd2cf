"""`/v2/api-keys`: a project's keys, by a key that may."""

import time

import msgspec
from starlette.responses import Response

from moorage.api.answer import of_revision
from moorage.api.call import Call
from moorage.core.access import ApiKey
from moorage.core.api_key_item import ApiKeyItem, ApiKeyPage
from moorage.core.errors import ApiKeyNotFound
from moorage.registry import api_keys
from moorage.store.store import Writable

_encode = msgspec.json.Encoder().encode


async def list_all(call: Call) -> Response:
    """All keys of the project, newest first; tokens are masked."""
    call.expect_parameters()
    keys = sorted(call.services.catalog.api_keys(call.project_id), key=lambda key: key.created_us, reverse=True)
    now_us = time.time_ns() // 1000
    return _answer(_encode(ApiKeyPage("list", [ApiKeyItem.of(key, now_us) for key in keys], has_more=False)))


async def get(call: Call) -> Response:
    """One key; its token is masked."""
    call.expect_parameters()
    return _answer(_encode(ApiKeyItem.of(_get(call), time.time_ns() // 1000)))


async def post(call: Call) -> Response:
    """Make a key that may do no more, and lasts no longer, than the one that asks. Its token is shown this once."""
    call.expect_parameters()
    body, asking = await call.body(), call.key

    def work(store: Writable) -> Response:
        key, token = api_keys.grant_api_key(store, asking, body)
        return of_revision(call, _encode(ApiKeyItem.of(key, key.created_us, token)), 201)

    return await call.once(body, work)


async def patch(call: Call) -> Response:
    """Give a key another name."""
    call.expect_parameters()
    key = _get(call)
    named = await call.write(api_keys.rename_api_key, key, await call.body())
    return _answer(_encode(ApiKeyItem.of(named, time.time_ns() // 1000)))


async def delete(call: Call) -> Response:
    """Revoke a key, at once on every worker and for good. The key that asks may revoke itself."""
    call.expect_parameters()
    revoked = await call.write(api_keys.revoke, _get(call))
    return _answer(_encode(ApiKeyItem.of(revoked, time.time_ns() // 1000)))


def _get(call: Call) -> ApiKey:
    key_id: str = call.request.path_params["api_key_id"]
    key = call.services.catalog.find_api_key(key_id)
    if key is None or key.project_id != call.project_id:
        raise ApiKeyNotFound(param="api_key_id", name=key_id[:200])
    return key


def _answer(body: bytes) -> Response:
    # No ETag: whether a key is expired follows from the time, not from the revision.
    return Response(body, headers={"Cache-Control": "no-store"}, media_type="application/json")
