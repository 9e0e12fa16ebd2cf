"""The headers and query parameters of a write."""

import hashlib
import re
from contextlib import suppress

from starlette.requests import Request

from moorage.core.deployments.deployment import MAX_NOTES
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.errors.requests import InvalidFlag, InvalidIdempotencyKey, InvalidRequest

MAX_FILE = 1_000


def flag(request: Request, name: str) -> bool:
    """Return a query parameter that is `true`, `false`, or absent.

    Raises:
        InvalidFlag
    """
    value = request.query_params.get(name, "false")
    if value not in {"true", "false"}:
        raise InvalidFlag(param=name, value=value[:200])
    return value == "true"


def write_options(request: Request) -> WriteOptions:
    """Return the preconditions of the headers and the overrides of the query.

    Raises:
        InvalidFlag
        InvalidRequest: `file` is not printable.
    """
    file = request.query_params.get("file")
    if file is not None and not (file.strip() and len(file) <= MAX_FILE and file.isprintable()):
        raise InvalidRequest(param="file", reason=f"file must be 1 to {MAX_FILE} printable characters")
    etags = request.headers.getlist("if-match")  # of several lines, each one counts (RFC 9110 section 5.3)
    return WriteOptions(
        if_match=",".join(etags) if etags else None,
        must_not_exist=request.headers.get("if-none-match", "").strip() == "*",
        file=file,
        take_ownership=flag(request, "take_ownership"),
        allow_breaking=flag(request, "allow_breaking"),
        force=flag(request, "force"),
        emergency=flag(request, "emergency"),
    )


def change_reason(request: Request) -> str:
    """Return the reason of the header: UTF-8 if it is valid, else Latin-1 (RFC 9110 section 5.5: headers are bytes)."""
    header = request.headers.get("x-moorage-change-reason", "")
    with suppress(UnicodeDecodeError):
        header = header.encode("latin-1").decode()
    return header[:MAX_NOTES]


def idempotency_key(request: Request) -> str | None:
    """Return the idempotency key of a POST.

    Raises:
        InvalidIdempotencyKey
    """
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise InvalidIdempotencyKey(param="Idempotency-Key")
    return key


def request_sha256(request: Request, body: bytes, environment_id: str) -> str:
    """Return the hash of a request: an idempotency key belongs to one request.

    The same request by an API key that is bound to another environment is another one.
    """
    head = f"{request.method} {request.url.path}?{request.url.query}\n{environment_id}".encode()
    return hashlib.sha256(head + body).hexdigest()
