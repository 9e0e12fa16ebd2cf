"""The request headers that the pipeline reads, and the errors of headers with two meanings."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import uuid_utils
from starlette.types import Scope

from moorage.api.responses import RawHeaders
from moorage.core.deployments.ids import accepts_request_id
from moorage.core.errors.requests import InvalidHost, InvalidRequest, RepeatedHeader

#: Headers that a proxy and this server could read differently if they were sent twice.
_SINGLE: Final = {b"authorization": "Authorization", b"idempotency-key": "Idempotency-Key"}

#: The longest Host: a name of 253 characters and a port.
_MAX_HOST: Final = 260
_HOST: Final = re.compile(rb"([A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Za-z:.%]+\])(:[0-9]*)?")


class RequestHeaders(NamedTuple):
    """The headers of a request; `problem` is the reason to reject it."""

    authorization: bytes | None
    if_none_match: bytes | None
    request_id: bytes
    min_revision: bytes | None
    content_length: bytes | None
    expects_continue: bool
    problem: InvalidRequest | None


def read_headers(scope: Scope) -> RequestHeaders:
    """Return the headers of a request."""
    headers: RawHeaders = scope["headers"]
    found = dict(reversed(headers))  # of two headers with one name, the first counts
    if_none_match = found.get(b"if-none-match")
    if if_none_match is not None:
        if_none_match = b",".join([value for name, value in headers if name == b"if-none-match"])
    request_id = found.get(b"x-request-id")
    if request_id is None or not accepts_request_id(request_id):
        request_id = str(uuid_utils.uuid7()).encode()
    host = found.get(b"host", b"")
    is_usual = len(found) == len(headers) and 0 < len(host) <= _MAX_HOST and _is_host(host)
    return RequestHeaders(
        found.get(b"authorization"),
        if_none_match,
        request_id,
        found.get(b"x-moorage-min-revision"),
        found.get(b"content-length"),
        b"expect" in found,
        None if is_usual else _problem(scope.get("http_version"), host, [name for name, _ in headers]),
    )


@lru_cache(maxsize=64)  # a server has few names
def _is_host(host: bytes) -> bool:
    return _HOST.fullmatch(host) is not None


def _problem(http_version: str | None, host: bytes, names: Sequence[bytes]) -> InvalidRequest | None:
    """Return the error of a request without one valid Host (RFC 9112 section 3.2), or with a repeated header."""
    if names.count(b"host") > 1:
        return InvalidHost(value="more than one")
    for name, written in _SINGLE.items():
        if names.count(name) > 1:
            return RepeatedHeader(name=written)
    if not host:  # granian adds an empty one
        return InvalidHost(value="none") if http_version == "1.1" else None
    is_valid = len(host) <= _MAX_HOST and _is_host(host)
    return None if is_valid else InvalidHost(value=repr(host[:200].decode("latin-1")))
