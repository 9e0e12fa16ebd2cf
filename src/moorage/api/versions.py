"""`/v2/deployments/{keyOrID}/versions` and what moves between them: publish, undo, history."""

import msgspec
from starlette.responses import Response

from moorage.api.answer import of_revision
from moorage.api.call import Call
from moorage.core.access import Scope
from moorage.core.deployment import final_us
from moorage.core.difference import Difference, changes, unified
from moorage.core.history import HistoryPage
from moorage.core.page import PageQuery
from moorage.core.request_errors import MissingParameter
from moorage.core.times import iso
from moorage.core.version import DeletedVersion, VersionPage
from moorage.registry import versions
from moorage.registry.lookup import get_deployment, get_known, get_version
from moorage.store.reading import Reading
from moorage.store.store import Writable

_encode = msgspec.json.Encoder().encode


async def list_page(call: Call) -> Response:
    """A page of a deployment's versions, drafts included, newest first. The cursor is a version's `_id`.

    `variant_id` leaves only the versions of one variant.
    """
    parameters = call.request.query_params.multi_items()
    variant_id = dict(parameters).get("variant_id")
    query = PageQuery.read((name, value) for name, value in parameters if name != "variant_id")

    def page(reading: Reading) -> bytes:
        deployment = get_deployment(reading, call.project_id, _key(call))
        if variant_id not in (None, "", deployment.id):
            return _encode(VersionPage("list", [], has_more=False))
        found, has_more = reading.versions(deployment.id, query)
        return _encode(VersionPage("list", [version.item() for version in found], has_more))

    body, rev = await call.read(page)
    return of_revision(call, body, rev=rev)


async def get(call: Call) -> Response:
    """One version, by its number or its id."""
    call.expect_parameters()

    def version(reading: Reading) -> bytes:
        deployment = get_deployment(reading, call.project_id, _key(call))
        return _encode(get_version(reading, deployment, _version(call)).item())

    body, rev = await call.read(version)
    return of_revision(call, body, rev=rev)


async def post(call: Call) -> Response:
    """Save a new version, as a draft or published at once."""
    call.expect_parameters("take_ownership", "allow_breaking")
    key, by, terms, body = _key(call), call.actor(), call.terms(), await call.body()
    may_publish = call.caller is not None and Scope.PUBLISH in call.caller.scopes

    def work(store: Writable) -> Response:
        project_id = call.project_id
        saved = versions.save_version(store, project_id, key, body, by, terms, may_publish=may_publish)
        return _done(call, saved, 201)

    return await call.with_contracts(lambda: call.once(body, work))


async def publish(call: Call) -> Response:
    """Make a version the live one, forwards or backwards (a roll-back)."""
    call.expect_parameters("take_ownership", "allow_breaking")
    name, key, by, terms, body = _version(call), _key(call), call.actor(), call.terms(), await call.body()

    def work(store: Writable) -> Response:
        return _done(call, versions.publish_version(store, call.project_id, key, name, body, by, terms))

    return await call.with_contracts(lambda: call.once(body, work))


async def delete(call: Call) -> Response:
    """Delete a version that is not live. It can be restored for 30 days; its number is never given again."""
    call.expect_parameters("force")
    await call.services.usage.flush()
    done = await call.write(
        versions.delete_version, call.project_id, _key(call), _version(call), call.actor(), call.terms()
    )
    gone, deleted_us = done.version, done.version.deleted_us or 0
    deleted = DeletedVersion(
        id=gone.id, deployment_id=gone.deployment_id, version=str(gone.number), deleted=True,
        deleted_at=iso(deleted_us), final=iso(final_us(deleted_us)),
    )  # fmt: skip
    return of_revision(call, _encode(deleted), etag=done.etag)


async def restore(call: Call) -> Response:
    """Take back the deletion of a version: it has its place, its number and its status again."""
    call.expect_parameters()
    name, key, by, terms, body = _version(call), _key(call), call.actor(), call.terms(), await call.body()

    def work(store: Writable) -> Response:
        return _done(call, versions.restore_version(store, call.project_id, key, name, by, terms, body))

    return await call.once(body, work)


async def undo(call: Call) -> Response:
    """Take back the last move of the live pointer; answers with the version that is live then."""
    call.expect_parameters("take_ownership")
    key, by, terms, body = _key(call), call.actor(), call.terms(), await call.body()

    def work(store: Writable) -> Response:
        return _done(call, versions.undo(store, call.project_id, key, body, by, terms))

    return await call.once(body, work)


async def history(call: Call) -> Response:
    """Everything that was done to a deployment, a deleted one too, newest first: what, by whom, and why."""
    query = PageQuery.read(call.request.query_params.multi_items())

    def page(reading: Reading) -> bytes:
        found, has_more = reading.history(get_known(reading, call.project_id, _key(call)).id, query)
        return _encode(HistoryPage("list", found, has_more))

    body, rev = await call.read(page)
    return of_revision(call, body, rev=rev)


async def diff(call: Call) -> Response:
    """What differs between two versions: `from` one (by default the live one) `to` another, by number or id.

    With `Accept: text/plain` it is a unified diff.
    """
    call.expect_parameters("from", "to")
    parameters = call.request.query_params
    to_name = parameters.get("to")
    if not to_name:
        raise MissingParameter(param="to", name="to", meaning="the number or id of a version, or `live`")
    from_name = parameters.get("from") or "live"
    is_text = "text/plain" in call.request.headers.get("accept", "")

    def difference(reading: Reading) -> str | bytes:
        before, after = versions.compare(reading, call.project_id, _key(call), from_name, to_name)
        names, contents = (str(before.number), str(after.number)), (before.content(), after.content())
        return unified(*contents, *names) if is_text else _encode(Difference(*names, list(changes(*contents))))

    # No ETag: what is remembered is remembered by path and query, and here the answer has two forms.
    body, _ = await call.read(difference)
    return Response(body, media_type="text/plain" if is_text else "application/json")


def _done(call: Call, done: versions.Changed, status: int = 200) -> Response:
    """The version, with the ETag of its deployment: that is what the next change can be conditional on."""
    return of_revision(
        call, _encode(done.version.item()), status, normalized=done.normalized, breaking=done.breaking, etag=done.etag
    )


def _key(call: Call) -> str:
    key: str = call.request.path_params["key_or_id"]
    return key


def _version(call: Call) -> str:
    name: str = call.request.path_params["version_or_id"]
    return name
