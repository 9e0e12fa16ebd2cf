"""`/v2/deployments`: list, get, create, change, delete, restore."""

from urllib.parse import quote

import msgspec
from starlette.responses import Response

from moorage.api.answer import of_revision
from moorage.api.call import Call
from moorage.core.deployment import DeletedDeployment, final_us
from moorage.core.filter import FILTERS, Filter
from moorage.core.page import PageQuery
from moorage.core.times import iso
from moorage.registry.deployments import (
    Put,
    create_deployment,
    delete_deployment,
    patch_deployment,
    put_deployment,
    restore_deployment,
)
from moorage.store.store import Writable


async def list_page(call: Call) -> Response:
    """A page of the project's deployments, newest first; of those that all filters hold for, if there are any."""
    parameters = call.request.query_params.multi_items()
    query, wanted = PageQuery.read(parameters, FILTERS), Filter.read(parameters)
    return of_revision(call, call.services.catalog.project(call.project_id).page(query, wanted))


async def get(call: Call) -> Response:
    """One deployment, by its key or its id."""
    call.expect_parameters()
    item, etag = call.services.catalog.project(call.project_id).get(call.request.path_params["key_or_id"])
    return of_revision(call, item, etag=etag)


async def put(call: Call) -> Response:
    """Create a deployment, or give it a new live version where the content differs."""
    call.expect_parameters("dry_run", "file", "take_ownership", "allow_breaking")
    is_dry_run, terms, by = call.flag("dry_run"), call.terms(), call.actor()
    key, body = call.request.path_params["key_or_id"], await call.body()
    done = await call.with_contracts(
        lambda: call.write(put_deployment, call.project_id, key, body, by, terms, is_dry_run=is_dry_run)
    )
    return _done(call, done, 201 if done.result == "created" and not is_dry_run else 200)


async def post(call: Call) -> Response:
    """Create a deployment; its key must be free."""
    call.expect_parameters()
    body, by, terms = await call.body(), call.actor(), call.terms()

    def work(store: Writable) -> Response:
        return _done(call, create_deployment(store, call.project_id, body, by, terms), 201)

    return await call.with_contracts(lambda: call.once(body, work))


async def patch(call: Call) -> Response:
    """Change what is not versioned: the description."""
    call.expect_parameters("take_ownership")
    key, terms, body = call.request.path_params["key_or_id"], call.terms(), await call.body()
    done = await call.write(patch_deployment, call.project_id, key, body, call.actor(), terms)
    return _done(call, done, 200)


async def delete(call: Call) -> Response:
    """Delete a deployment. It can be restored for 30 days; its key is free at once."""
    call.expect_parameters("take_ownership", "force")
    key = call.request.path_params["key_or_id"]
    await call.services.usage.flush()
    gone = await call.write(delete_deployment, call.project_id, key, call.actor(), call.terms())
    deleted_us = gone.deleted_us or 0
    deleted = DeletedDeployment(
        id=gone.id, key=gone.key, deleted=True, deleted_at=iso(deleted_us), final=iso(final_us(deleted_us))
    )
    return of_revision(call, msgspec.json.encode(deleted), etag=gone.etag)


async def restore(call: Call) -> Response:
    """Take back a deletion: the deployment has its place, its versions and its live version again."""
    call.expect_parameters()
    key, by, terms, body = call.request.path_params["key_or_id"], call.actor(), call.terms(), await call.body()

    def work(store: Writable) -> Response:
        deployment = restore_deployment(store, call.project_id, key, by, terms, body)
        return of_revision(call, deployment.item(), etag=deployment.etag)

    return await call.once(body, work)


def _done(call: Call, done: Put, status: int) -> Response:
    deployment = done.deployment
    answer = of_revision(
        call, deployment.item(), status, normalized=done.normalized, breaking=done.breaking, etag=deployment.etag
    )
    answer.headers["X-Moorage-Result"] = done.result
    if done.taken_from is not None:
        answer.headers["X-Moorage-Owner"] = deployment.owner
        answer.headers["X-Moorage-Taken-From"] = quote(done.taken_from)
    return answer
