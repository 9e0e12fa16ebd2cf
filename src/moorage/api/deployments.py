"""`/v2/deployments`: list, get, put."""

from starlette.responses import Response

from moorage.api.answer import of_revision
from moorage.api.call import Call
from moorage.core.page import PageQuery
from moorage.registry.deployments import put_deployment


async def list_page(call: Call) -> Response:
    """A page of the project's deployments, newest first."""
    query = PageQuery.read(call.request.query_params.multi_items())
    return of_revision(call, call.services.catalog.project(call.project_id).page(query))


async def get(call: Call) -> Response:
    """One deployment, by its key or its id."""
    call.expect_parameters()
    return of_revision(call, call.services.catalog.project(call.project_id).get(call.request.path_params["key_or_id"]))


async def put(call: Call) -> Response:
    """Create a deployment, or give it a new live version where the content differs."""
    is_dry_run = call.flag("dry_run")
    key, body = call.request.path_params["key_or_id"], await call.body()
    done = await call.services.write(put_deployment, call.project_id, key, body, call.actor(), is_dry_run=is_dry_run)
    status = 201 if done.result == "created" and not is_dry_run else 200
    answer = of_revision(call, done.deployment.item(), status, done.normalized)
    answer.headers["X-Moorage-Result"] = done.result
    return answer
