"""`/v2/deployments/get_config`, and why it answers what it does."""

from starlette.responses import Response

from moorage.api.call import Call
from moorage.api.front import matches
from moorage.core.configuration import read_request


async def get_config(call: Call) -> Response:
    """What to send to the model for a deployment, a context and inputs."""
    call.expect_parameters()
    request = read_request(await call.body())
    resolved = await call.services.gateway.resolve(call.project_id, request)
    live, body = resolved.live, resolved.configuration
    call.services.usage.note(live.version_id, call.key.id, request.inputs)
    etag = f'"{body[7:33].decode()}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "X-Moorage-Deployment": live.key,
        "X-Moorage-Version": live.version,
        "X-Moorage-Variant": resolved.resolution.variant,
        "X-Moorage-Reason": resolved.resolution.reason,
        "X-Moorage-Revision": str(call.services.catalog.revision),
    }
    if_none_match = call.request.headers.get("if-none-match")
    if if_none_match is not None and matches(if_none_match.encode("latin-1"), etag.encode()):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
