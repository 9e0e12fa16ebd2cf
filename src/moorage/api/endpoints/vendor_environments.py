"""`/v3/environments`: environments in the shape of the official SDK.

It raises an error for another status than 200, and for a required field that is null.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from moorage.api.endpoints.environments import find_visible, visible_environments
from moorage.api.request import RequestContext
from moorage.core.deployments.page import PageQuery
from moorage.core.environments import Environment, PutEnvironment
from moorage.core.errors.requests import InvalidCursor, InvalidRequest
from moorage.core.times import iso
from moorage.registry.environments import create_environment, delete_environment, put_environment

_encode = msgspec.json.Encoder().encode


class VendorEnvironment(msgspec.Struct, frozen=True):
    """An environment; the operator has no id."""

    id: str
    slug: str
    display_name: str
    description: str
    created_at: str
    created_by_id: str
    updated_at: str
    updated_by_id: str

    @classmethod
    def of(cls, environment: Environment) -> "VendorEnvironment":
        """Return the representation in responses."""
        return cls(
            environment.id, environment.name, environment.settings.display_name, environment.settings.description,
            iso(environment.created_us), environment.created_by or "", iso(environment.updated_us),
            environment.updated_by or "",
        )  # fmt: skip


class VendorEnvironmentReply(msgspec.Struct, frozen=True):
    """The response with one environment."""

    environment: VendorEnvironment


class EmptyReply(msgspec.Struct, frozen=True):
    """The response to a deletion: an empty object."""


class VendorEnvironmentPage(msgspec.Struct, frozen=True):
    """A page of environments."""

    object: str
    data: list[VendorEnvironment]
    has_more: bool


class PostVendorEnvironment(msgspec.Struct, frozen=True):
    """The body of `POST /v3/environments`."""

    slug: str
    display_name: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    project_id: str | UnsetType | None = UNSET
    sharing: Any = UNSET


class PatchVendorEnvironment(msgspec.Struct, frozen=True):
    """The body of `PATCH /v3/environments/{environment_id}`. A slug cannot change."""

    slug: str | UnsetType | None = UNSET
    display_name: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    project_id: str | UnsetType | None = UNSET
    sharing: Any = UNSET


async def list_page(ctx: RequestContext) -> Response:
    """List the environments, production first; `search` is a part of the slug or of the display name."""
    parameters = ctx.request.query_params
    query = PageQuery.read(parameters.multi_items(), ("search", "project_id"))
    _check_project(ctx, parameters.get("project_id"))
    search = parameters.get("search", "").casefold()
    found = [
        each
        for each in visible_environments(ctx)
        if search in each.name or search in each.settings.display_name.casefold()
    ]
    cursor, is_newer = query.ending_before or query.starting_after, query.ending_before is not None
    if cursor is not None:
        places = [place for place, each in enumerate(found) if cursor in (each.id, each.name)]
        if not places:
            raise InvalidCursor(param="ending_before" if is_newer else "starting_after", value=cursor[:200])
        found = found[: places[0]] if is_newer else found[places[0] + 1 :]
    page = found[-query.limit :] if is_newer else found[: query.limit]
    items = list(map(VendorEnvironment.of, page))
    return _response(VendorEnvironmentPage("list", items, len(found) > query.limit))


async def get(ctx: RequestContext) -> Response:
    """Get an environment by its id or slug."""
    ctx.allow_query_params()
    return _one(find_visible(ctx, ctx.path("environment_id")))


async def post(ctx: RequestContext) -> Response:
    """Create an environment."""
    ctx.allow_query_params()
    body, _ = await ctx.parse(PostVendorEnvironment)
    _check_fields(ctx, body)
    result = await ctx.write(create_environment, body.slug, _settings(body))
    return _one(result.environment)


async def patch(ctx: RequestContext) -> Response:
    """Change the display name or the description; other settings are unchanged."""
    ctx.allow_query_params()
    body, _ = await ctx.parse(PatchVendorEnvironment)
    _check_fields(ctx, body)
    current = find_visible(ctx, ctx.path("environment_id"))
    if body.slug not in (UNSET, None, current.name):
        raise InvalidRequest(param="slug", reason=f"the slug {current.name!r} cannot be changed")
    return _one((await ctx.write(put_environment, current.name, _settings(body))).environment)


async def delete(ctx: RequestContext) -> Response:
    """Delete an environment."""
    ctx.allow_query_params()
    await ctx.services.consumers.flush()
    await ctx.write(delete_environment, ctx.path("environment_id"))
    return _response(EmptyReply())


def _settings(body: PostVendorEnvironment | PatchVendorEnvironment) -> PutEnvironment:
    return PutEnvironment(
        display_name=UNSET if body.display_name is None else body.display_name,
        description=UNSET if body.description is None else body.description,
    )


def _check_fields(ctx: RequestContext, body: PostVendorEnvironment | PatchVendorEnvironment) -> None:
    if body.sharing not in (UNSET, None):
        raise InvalidRequest(param="sharing", reason="environments are not shared between projects; omit sharing")
    _check_project(ctx, None if body.project_id is UNSET else body.project_id)


def _check_project(ctx: RequestContext, project_id: str | None) -> None:
    if project_id and project_id != ctx.project_id:
        reason = f"project_id must be that of the API key, {ctx.project_id}; got {project_id[:200]!r}"
        raise InvalidRequest(param="project_id", reason=reason)


def _one(environment: Environment) -> Response:
    return _response(VendorEnvironmentReply(VendorEnvironment.of(environment)))


def _response(value: object) -> Response:
    return Response(_encode(value), headers={"Cache-Control": "no-store"}, media_type="application/json")
