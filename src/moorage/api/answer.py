"""An answer that follows from the revision alone: with the ETag that lets it be remembered, and compared."""

import hashlib
from collections.abc import Sequence
from urllib.parse import quote

from starlette.responses import Response

from moorage.api.call import Call

#: How many characters a header that lists paths has at most.
_MAX_LIST = 4_000


def of_revision(
    call: Call,
    body: bytes,
    status: int = 200,
    *,
    normalized: Sequence[str] = (),
    breaking: Sequence[str] = (),
    etag: str | None = None,
    rev: int | None = None,
) -> Response:
    """JSON with its ETag (of the bytes, unless it has one of its own) and revision (the catalog's, unless it was read
    from the database in another); `normalized` are the paths of the request's body that were rewritten,
    `breaking` those of what it breaks for programs."""
    headers = {
        "ETag": etag or f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Cache-Control": "private, no-cache",
        "X-Moorage-Revision": str(call.services.catalog.revision if rev is None else rev),
    }
    if normalized:
        headers["X-Moorage-Normalized"] = _listed(normalized)
    if breaking:
        headers["X-Moorage-Breaking"] = _listed([quote(path, safe='."[]') for path in breaking])
    return Response(body, status, headers, media_type="application/json")


def _listed(paths: Sequence[str]) -> str:
    """As many of them as fit; dots at the end stand for more."""
    listed = ", ".join(paths)
    return listed if len(listed) <= _MAX_LIST else ", ".join([*listed[:_MAX_LIST].split(", ")[:-1], "..."])
