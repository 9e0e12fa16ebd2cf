"""Signatures of requests to Amazon Web Services (version 4), by botocore.

The import of botocore takes 0.2 seconds: a server does it in a thread.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec


class AwsKeys(msgspec.Struct, frozen=True):
    """An access key; `session_token` belongs to a temporary one."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return "AwsKeys(…)"


def sign(
    method: str, url: str, headers: Mapping[str, str], body: bytes, keys: AwsKeys, region: str, now: datetime,
    service: str = "bedrock",
) -> dict[str, str]:  # fmt: skip
    """Return the headers with those of a signature.

    Only the type of the content, the host and the headers of AWS are signed: a proxy can change others. The path is
    encoded once more for the signature, as AWS requires, so the URL must be the one that is sent.

    Raises:
        ImportError: botocore is not installed.
    """
    from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth  # noqa: PLC0415 -- an extra
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 -- an extra
    from botocore.credentials import ReadOnlyCredentials  # noqa: PLC0415 -- an extra

    timestamp = now.strftime(SIGV4_TIMESTAMP)
    found = {name: value for name, value in headers.items() if name.lower() not in _REPLACED}
    found["X-Amz-Date"] = timestamp
    if keys.session_token:
        found["X-Amz-Security-Token"] = keys.session_token
    signed = {name: value for name, value in found.items() if name.lower().startswith(_SIGNED)}
    request = AWSRequest(method, url, signed, body)
    request.context["timestamp"] = timestamp
    auth = SigV4Auth(ReadOnlyCredentials(*msgspec.structs.astuple(keys)), service, region)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    names = auth.signed_headers(auth.headers_to_sign(request))
    found["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders={names},"
        f" Signature={auth.signature(text, request)}"
    )
    return found


_REPLACED = frozenset({"authorization", "x-amz-date", "x-amz-security-token", "date"})
_SIGNED = ("content-type", "host", "x-amz-")
