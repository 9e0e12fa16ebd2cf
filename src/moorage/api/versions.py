"""`/v2/deployments/{keyOrID}/versions` and what moves between them: publish, undo, history."""

import msgspec
from starlette.responses import Response

from moorage.api.answer import of_revision
from moorage.api.call import Call
from moorage.core.access import Scope
from moorage.core.history import HistoryPage
from moorage.core.page import PageQuery
from moorage.core.version import VersionPage
from moorage.registry import versions

_encode = msgspec.json.Encoder().encode


async def list_page(call: Call) -> Response:
    """A page of a deployment's versions, drafts included, newest first. The cursor is a version's `_id`.

    `variant_id` leaves only the versions of one variant.
    """
    parameters = call.request.query_params.multi_items()
    variant_id = dict(parameters).get("variant_id")
    query = PageQuery.read((name, value) for name, value in parameters if name != "variant_id")
    deployment = versions.get_deployment(call.services.store, call.project_id, _key(call))
    if variant_id not in (None, "", deployment.id):
        return of_revision(call, _encode(VersionPage("list", [], has_more=False)))
    page, has_more = call.services.store.versions(deployment.id, query)
    return of_revision(call, _encode(VersionPage("list", [version.item() for version in page], has_more)))


async def get(call: Call) -> Response:
    """One version, by its number or its id."""
    call.expect_parameters()
    name = call.request.path_params["version_or_id"]
    version = versions.get_version(call.services.store, call.project_id, _key(call), name)
    return of_revision(call, _encode(version.item()))


async def post(call: Call) -> Response:
    """Save a new version, as a draft or published at once."""
    call.expect_parameters()
    body = await call.body()
    may_publish = call.caller is not None and Scope.PUBLISH in call.caller.scopes
    saved = await call.services.write(
        versions.save_version, call.project_id, _key(call), body, call.actor(), may_publish=may_publish
    )
    return of_revision(call, _encode(saved.version.item()), 201, saved.normalized)


async def publish(call: Call) -> Response:
    """Make a version the live one, forwards or backwards (a roll-back)."""
    call.expect_parameters()
    name, body = call.request.path_params["version_or_id"], await call.body()
    work = versions.publish_version
    version = await call.services.write(work, call.project_id, _key(call), name, body, call.actor())
    return of_revision(call, _encode(version.item()))


async def undo(call: Call) -> Response:
    """Take back the last move of the live pointer; answers with the version that is live then."""
    call.expect_parameters()
    body = await call.body()
    version = await call.services.write(versions.undo, call.project_id, _key(call), body, call.actor())
    return of_revision(call, _encode(version.item()))


async def history(call: Call) -> Response:
    """Everything that was done to a deployment, newest first: what, by whom, and why."""
    query = PageQuery.read(call.request.query_params.multi_items())
    deployment = versions.get_deployment(call.services.store, call.project_id, _key(call))
    page, has_more = call.services.store.history(deployment.id, query)
    return of_revision(call, _encode(HistoryPage("list", page, has_more)))


def _key(call: Call) -> str:
    key: str = call.request.path_params["key_or_id"]
    return key
