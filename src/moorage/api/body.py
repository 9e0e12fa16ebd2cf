"""The body of a request as it arrives."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from moorage.api.memory_budget import Lease
from moorage.core.errors.requests import BodyTooLarge, BodyTooSlow, MalformedBody, UnsupportedEncoding

BODY_SECONDS = 30


async def receive_body(request: Request, lease: Lease, maximum: int) -> bytes:
    """Return the body, at most `maximum` bytes; the request holds their memory.

    Raises:
        BodyTooLarge: as soon as that is known; the rest is not read.
        BodyTooSlow: it did not arrive within `BODY_SECONDS`.
        MalformedBody: its chunks are malformed.
        UnsupportedEncoding: it is compressed.
        ApiKeyQueueFull, WriteQueueFull: before the body is read, or as soon as that is known.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedEncoding(encoding=encoding[:40])
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal():
        if int(declared[:20]) > maximum:
            raise BodyTooLarge(maximum=maximum)
        lease.check(int(declared))
    complete: bytes | None = request.scope.get("moorage.body")
    if complete is not None:  # the pipeline has received it already
        lease.take(len(complete))
        return complete
    pieces, size = list[bytes](), 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > maximum:
                    raise BodyTooLarge(maximum=maximum)
                lease.take(len(piece))
                pieces.append(piece)
    except TimeoutError:
        raise BodyTooSlow(seconds=BODY_SECONDS) from None
    except ClientDisconnect:  # also for malformed chunks, after which the client still gets the response
        raise MalformedBody from None
    return b"".join(pieces)
