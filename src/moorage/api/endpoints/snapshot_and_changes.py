"""`/v2/deployments/snapshot` and `…/changes`: what `moorage.client` caches, to resolve requests without the server."""

from contextlib import suppress
from urllib.parse import quote

from starlette.responses import Response

from moorage.api.event_stream import ChangeStream
from moorage.api.request import RequestContext
from moorage.api.responses import etag_matches, join_list
from moorage.core.errors.base import TooManyStreams
from moorage.core.errors.requests import InvalidSince
from moorage.core.errors.storage import Stale
from moorage.core.position import Position
from moorage.core.resolution.snapshot import sign

_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def snapshot(ctx: RequestContext) -> Response:
    """Get the live versions of all deployments of an environment in one document.

    `X-Moorage-Signature` is `hmac-sha256=` and the HMAC-SHA256, in hexadecimal digits, of the SHA-256 of the
    uncompressed body. Its key is the SHA-256 of the API key, so a client with the API key can verify the snapshot.
    `X-Moorage-Unreadable` lists the deployments whose current version cannot be decoded.
    """
    ctx.allow_query_params()
    encoded = await ctx.services.snapshots.get(ctx.project_id, ctx.environment)
    headers = {
        "ETag": encoded.etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding",
        "X-Moorage-Signature": sign(ctx.key.token_sha256, encoded.digest),
        "X-Moorage-Revision": str(ctx.services.catalog.revision),
    }
    if unreadable := ctx.services.catalog.view(ctx.project_id, ctx.environment).unreadable:
        headers["X-Moorage-Unreadable"] = join_list(
            sorted(quote(str(each.fields["key"])) for each in unreadable.values())
        )
    if_none_match = ctx.request.headers.get("if-none-match")
    if if_none_match is not None and etag_matches(if_none_match.encode("latin-1"), encoded.etag.encode()):
        return Response(status_code=304, headers=headers)
    if not _accepts_gzip(ctx.request.headers.get("accept-encoding", "")):
        return Response(encoded.body, headers=headers, media_type="application/json")
    return Response(encoded.gzipped, headers=headers | {"Content-Encoding": "gzip"}, media_type="application/json")


async def changes(ctx: RequestContext) -> Response:
    """Stream the deployments of an environment that change after a revision, as server-sent events.

    The stream ends when the client disconnects.

    Each changed deployment is sent once, in its current state, in the order of the changes. `Last-Event-ID`, or else
    `since`, is the event or revision to start after; without them, the stream starts at the current revision.
    """
    ctx.allow_query_params("since")
    services = ctx.services
    last, since = ctx.request.headers.get("last-event-id"), ctx.request.query_params.get("since")
    position = _position("Last-Event-ID", last) if last else None if since is None else _position("since", since)
    if position is not None and position.epoch in {None, services.catalog.state.position.epoch}:
        with suppress(Stale):  # then the stream starts with a reset
            await services.follower.wait_for(position.rev)
    if ctx.request.method == "HEAD":
        return Response(headers=_HEADERS)
    if services.streams.at_capacity():
        raise TooManyStreams
    return ChangeStream(services.streams, ctx.key, position, _HEADERS, ctx.environment)


def _accepts_gzip(accept_encoding: str) -> bool:
    for coding in accept_encoding.lower().split(","):
        name, _, weight = coding.replace(" ", "").partition(";q=")
        if name == "gzip":
            return weight.strip("0.") != "" or not weight
    return False


def _position(param: str, value: str) -> Position:
    try:
        return Position.parse(value)
    except ValueError:
        raise InvalidSince(param=param, value=value[:200]) from None
