"""`/v1/models`: the deployments, in the shape of the models of OpenAI."""

from datetime import datetime
from typing import Final

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.api.responses import json_response
from moorage.catalog.view import View
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.requests import InvalidCursor, InvalidLimit

#: The largest page, which is the default too: the SDK of OpenAI does not ask for a second one.
MAX_LIMIT: Final = 1_000

#: A larger page is made in a thread.
_SMALL: Final = 50


class Model(msgspec.Struct, frozen=True):
    """A deployment as a model; `created` is in seconds since 1970, and `owned_by` is the provider."""

    id: str
    object: str
    created: int
    owned_by: str


class ModelList(msgspec.Struct, frozen=True):
    """Deployments as models, newest first. The next page is that `after` the `last_id`."""

    object: str
    data: list[Model]
    has_more: bool
    first_id: str | None
    last_id: str | None


class _Config(msgspec.Struct):
    provider: str


class _Item(msgspec.Struct):
    key: str
    created: str
    prompt_config: _Config


class _Page(msgspec.Struct):
    data: list[_Item]
    has_more: bool


async def list_page(ctx: RequestContext) -> Response:
    """List the deployments of the project as models, newest first."""
    ctx.allow_query_params("limit", "after")
    parameters = ctx.request.query_params
    limit, after = parameters.get("limit", ""), parameters.get("after", "")
    if limit and not (limit.isascii() and limit.isdigit() and len(limit) < 6 and 1 <= int(limit) <= MAX_LIMIT):
        raise InvalidLimit(param="limit", maximum=MAX_LIMIT, value=limit[:200])
    project, revision = ctx.services.catalog.view(ctx.project_id, ctx.environment), ctx.services.catalog.revision
    cursor = project.id_of(after) if after else None
    if after and cursor is None:
        raise InvalidCursor(param="after", value=after[:200])
    query = PageQuery(int(limit or MAX_LIMIT), cursor)
    if min(len(project), query.limit) <= _SMALL:
        return json_response(ctx, _encoded(project, query))
    return json_response(ctx, await ctx.compute(_encoded, project.for_scan(), query), rev=revision)


async def get(ctx: RequestContext) -> Response:
    """Get a deployment as a model."""
    ctx.allow_query_params()
    view, name = ctx.services.catalog.view(ctx.project_id, ctx.environment), ctx.path("key_or_id")
    item, etag = view.get(name)
    ctx.follows = view.follows(name)
    return json_response(ctx, msgspec.json.encode(_model(msgspec.json.decode(item, type=_Item))), etag=etag)


def _encoded(project: View, query: PageQuery) -> bytes:
    page = msgspec.json.decode(project.page(query), type=_Page)
    models = [_model(item) for item in page.data]
    first, last = (models[0].id, models[-1].id) if models else (None, None)
    return msgspec.json.encode(ModelList("list", models, page.has_more, first, last))


def _model(item: _Item) -> Model:
    created = int(datetime.fromisoformat(item.created).timestamp())
    return Model(item.key, "model", created, item.prompt_config.provider)
