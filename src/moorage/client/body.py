"""Bodies of responses, with a maximum size before and after decompression."""

import zlib
from http.client import HTTPResponse

from moorage.client.errors import InvalidResponse

#: The largest snapshot that a client accepts (bytes, uncompressed).
MAX_SNAPSHOT = 256 * 1024 * 1024

#: The part of an error's body that is read (bytes).
_MAX_ERROR = 65_536

_PIECE = 65_536
_GZIP = 31


def read_body(response: HTTPResponse) -> bytes:
    """Return a whole body, decompressed in parts, so that a small one cannot fill the memory.

    Raises:
        InvalidResponse: the body is too large, incomplete, or not the gzip that it is declared to be.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"gzip", "identity"}:
        raise InvalidResponse(reason=f"the encoding {encoding[:40]!r} was not requested")
    decompressor = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    body, received = bytearray(), 0
    while piece := response.read(_PIECE):
        received += len(piece)
        try:
            body += piece if decompressor is None else decompressor.decompress(piece, MAX_SNAPSHOT + 1 - len(body))
        except zlib.error as error:
            raise InvalidResponse(reason="the body is not gzip") from error
        if max(received, len(body)) > MAX_SNAPSHOT:
            raise InvalidResponse(reason=f"the body is larger than {MAX_SNAPSHOT} bytes")
    if response.length or (decompressor is not None and not decompressor.eof):
        raise InvalidResponse(reason="the body is incomplete")
    return bytes(body)


def read_start(response: HTTPResponse) -> bytes:
    """Return the start of the body of an error."""
    body = bytearray()
    while len(body) < _MAX_ERROR and (piece := response.read(_MAX_ERROR - len(body))):
        body += piece
    return bytes(body)
