"""`/v2/deployments`: list, get, put."""

import hashlib

from starlette.responses import Response

from moorage.api.call import Call
from moorage.core.page import PageQuery
from moorage.registry.deployments import put_deployment


async def list_page(call: Call) -> Response:
    """A page of the project's deployments, newest first."""
    query = PageQuery.read(call.request.query_params.multi_items())
    return _answer(call, call.services.catalog.project(call.project_id).page(query))


async def get(call: Call) -> Response:
    """One deployment, by its key or its id."""
    call.expect_parameters()
    return _answer(call, call.services.catalog.project(call.project_id).get(call.request.path_params["key_or_id"]))


async def put(call: Call) -> Response:
    """Create a deployment, or give it a new live version where the content differs."""
    is_dry_run = call.flag("dry_run")
    key, body = call.request.path_params["key_or_id"], await call.body()
    by = call.caller.id if call.caller else None
    done = await call.services.write(put_deployment, call.project_id, key, body, by, is_dry_run=is_dry_run)
    status = 201 if done.result == "created" and not is_dry_run else 200
    answer = _answer(call, done.deployment.item(), status)
    answer.headers["X-Moorage-Result"] = done.result
    if done.normalized:
        answer.headers["X-Moorage-Normalized"] = ", ".join(done.normalized)[:4_000]
    return answer


def _answer(call: Call, body: bytes, status: int = 200) -> Response:
    headers = {
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Cache-Control": "private, no-cache",
        "X-Moorage-Revision": str(call.services.catalog.revision),
    }
    return Response(body, status, headers, media_type="application/json")
