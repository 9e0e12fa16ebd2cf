"""A large response in parts that are passed on as the provider sent them: vectors, and pictures in base64."""

from collections.abc import Iterator, Sequence
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

#: The parts are sent in pieces of this size (bytes). One copy of the whole would be new memory for each response, which
#: the system must clear first; and while one piece is sent, the next one is made.
_PIECE: Final = 256 * 1024


class PiecesResponse(Response):
    """A response whose body is the parts, one after the other."""

    def __init__(self, parts: Sequence[bytes | memoryview], media_type: str = "application/json") -> None:
        super().__init__(media_type=media_type)
        self._parts = parts
        self.headers["content-length"] = str(sum(map(len, parts)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for piece in _pieces(self._parts):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _pieces(parts: Sequence[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the parts in pieces: small ones together, and slices of large ones."""
    waiting, size = list[bytes | memoryview](), 0
    for part in parts:
        for start in range(0, len(part), _PIECE):
            piece = memoryview(part)[start : start + _PIECE] if len(part) > _PIECE else part
            waiting.append(piece)
            size += len(piece)
            if size >= _PIECE:
                yield b"".join(waiting)
                waiting, size = [], 0
    yield b"".join(waiting)
