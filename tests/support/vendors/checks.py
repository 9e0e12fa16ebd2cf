"""What the fakes of all vendors check in the same way: paths, credentials, content types, images."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any

from tests.support.vendors.model import Medium
from tests.support.vendors.server import Received, Refused, Reply

#: Returns the error for a path and a reason, in the form of the vendor.
Refuse = Callable[[str, str], Reply]


def body_of(request: Received, refuse: Refuse) -> dict[str, Any]:
    """Return the body of a request, which must be JSON and say so."""
    if request.method != "POST":
        raise Refused(refuse("", f"Method {request.method} is not allowed."))
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refused(refuse("", "The content type must be application/json."))
    found = json.loads(request.body)
    if not isinstance(found, dict):
        raise Refused(refuse("", "The body must be an object."))
    return found


def check_fields(value: Any, path: str, known: Iterable[str], refuse: Refuse) -> None:
    """Raise an error for a field that the API does not have."""
    if not isinstance(value, dict):
        raise Refused(refuse(path, "Expected an object."))
    for name in value:
        if name not in known:
            raise Refused(refuse(f"{path}.{name}" if path else name, "Unknown parameter."))


def check_types(value: dict[str, Any], types: dict[str, type | tuple[type, ...]], refuse: Refuse) -> None:
    """Raise an error for a field with a value of another type; a bool is no number."""
    for name, kind in types.items():
        if name in value and (
            not isinstance(value[name], kind) or (isinstance(value[name], bool) and kind is not bool)
        ):
            raise Refused(refuse(name, f"Invalid type: {type(value[name]).__name__}."))


def medium_of_url(url: str, path: str, refuse: Refuse) -> Medium:
    """Return what an image URL shows; a data URI must be complete."""
    if not url.startswith("data:"):
        if not url.startswith("https://"):
            raise Refused(refuse(path, "Invalid URL."))
        return Medium(url)
    head, _, data = url.removeprefix("data:").partition(",")
    media_type, _, encoding = head.rpartition(";")
    if encoding != "base64":
        raise Refused(refuse(path, "Expected base64."))
    return medium(media_type, data, path, refuse)


def medium(media_type: str, data: str, path: str, refuse: Refuse) -> Medium:
    """Return the description of an image or a file that is sent as base64."""
    try:
        size = len(base64.b64decode(data, validate=True))
    except binascii.Error:
        raise Refused(refuse(path, "Invalid base64.")) from None
    return Medium(f"{media_type} of {size} bytes")
