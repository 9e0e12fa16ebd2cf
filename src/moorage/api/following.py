"""`/v2/deployments/snapshot` and `…/changes`: what applications follow, to go on when this server is away."""

import re
from contextlib import suppress

from starlette.responses import Response

from moorage.api.call import Call
from moorage.api.change_stream import ChangeStream, Position
from moorage.api.etags import matches
from moorage.core.bundle import sign
from moorage.core.errors import TooManyStreams
from moorage.core.request_errors import InvalidSince
from moorage.core.storage_errors import Stale

_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def snapshot(call: Call) -> Response:
    """The live versions of all deployments of the project in one piece.

    `X-Moorage-Signature` is `hmac-sha256=` and the HMAC-SHA256, in hexadecimal digits, of the SHA-256 of the
    uncompressed body; its key is the SHA-256 of the API key. So whoever has the API key can tell that the bundle is
    the server's.
    """
    call.expect_parameters()
    made = await call.services.bundles.get(call.project_id)
    headers = {
        "ETag": made.etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding",
        "X-Moorage-Signature": sign(call.key.token_sha256, made.digest),
        "X-Moorage-Revision": str(call.services.catalog.revision),
    }
    if_none_match = call.request.headers.get("if-none-match")
    if if_none_match is not None and matches(if_none_match.encode("latin-1"), made.etag.encode()):
        return Response(status_code=304, headers=headers)
    if not _takes_gzip(call.request.headers.get("accept-encoding", "")):
        return Response(made.body, headers=headers, media_type="application/json")
    return Response(made.gzipped, headers=headers | {"Content-Encoding": "gzip"}, media_type="application/json")


async def changes(call: Call) -> Response:
    """The deployments that change after a revision, as server-sent events, until the client leaves.

    Each deployment that changed comes once, as it is now, in the order of the changes. `Last-Event-ID`, or else
    `since`, says after which event or revision; without them it begins now.
    """
    call.expect_parameters("since")
    services = call.services
    last, since = call.request.headers.get("last-event-id"), call.request.query_params.get("since")
    position = _position("Last-Event-ID", last) if last else None if since is None else _position("since", since)
    if position is not None and position.epoch in {None, services.catalog.contents.state.epoch}:
        with suppress(Stale):  # then it is told that it is ahead
            await services.follower.wait_for(position.rev)
    if call.request.method == "HEAD":
        return Response(headers=_HEADERS)
    if services.streams.are_too_many():
        raise TooManyStreams
    return ChangeStream(services.streams, call.key, position, _HEADERS)


def _takes_gzip(accept_encoding: str) -> bool:
    for each in accept_encoding.lower().split(","):
        name, _, weight = each.replace(" ", "").partition(";q=")
        if name == "gzip":
            return weight.strip("0.") != "" or not weight
    return False


def _position(param: str, said: str) -> Position:
    match = re.fullmatch(r"([0-9]{1,18})(?:\.([0-9A-Za-z-]{0,64}))?", said)
    if match is None:
        raise InvalidSince(param=param, value=said[:200])
    return Position(int(match[1]), match[2])
