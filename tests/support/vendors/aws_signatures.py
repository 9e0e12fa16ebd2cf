"""Signature Version 4 of AWS, as the service checks it."""

import hashlib
import hmac
import re
from urllib.parse import quote

from tests.support.vendors.server import Received

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/bedrock/aws4_request, ?SignedHeaders=([\w;-]+), ?"
    r"Signature=([0-9a-f]{64})"
)


def is_signed(request: Received, prefix: str, access_key: str, secret_key: str) -> bool:
    """Return whether a request has the signature of a key. `prefix` is the part of its path before `request.path`."""
    found = _AUTHORIZATION.fullmatch(request.headers["authorization"])
    if found is None or found[1] != access_key:
        return False
    _, day, region, names, signature = found.groups()
    signed = names.split(";")
    if not {"host", "x-amz-date"}.issubset(signed) or "x-amz-date" not in request.headers:
        return False
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed)
    path = quote(prefix + request.path, safe="/~")  # all services but S3 encode an encoded path once more
    digest = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join([request.method, path, "", headers, names, digest])
    scope = f"{day}/{region}/bedrock/aws4_request"
    text = "\n".join(
        ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "bedrock", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), signature)
