"""The data of images and files: data URIs, and URLs."""

from urllib.parse import unquote_to_bytes

import msgspec

from moorage.core.resolution.config import Object


class Data(msgspec.Struct, frozen=True):
    """The base64 of a file and its media type."""

    media_type: str
    base64: str


def read_data_uri(uri: str) -> Data | None:
    """Return the data of a data URI with base64, or None."""
    if uri[:5].lower() != "data:":
        return None
    head, comma, data = uri[5:].partition(",")
    media_type, *options = [option.strip().lower() for option in head.split(";")]
    if not comma or "base64" not in options:
        return None
    if "%" in data or not data.isascii():  # nearly no data, and a copy of a picture takes long
        data = unquote_to_bytes(data).decode("ascii", "replace")
    return Data(media_type or "text/plain", data)


def data_of(file: Object) -> Data | None:
    """Return the data in a file part: in `file_data`, as a data URI or as base64, or in a `uri`."""
    text, media_type = file.get("file_data"), file.get("mimeType")
    if text and (data := read_data_uri(text)):
        return data
    if text and media_type:
        return Data(media_type.lower(), text)
    return read_data_uri(file.get("uri") or "")


def url_of(uri: str | None) -> str | None:
    """Return a URL that a provider can fetch, or None."""
    return uri if uri and uri.lower().startswith(("https://", "http://")) else None


def is_image(file: Object) -> bool:
    """Return whether the media type of a file part is that of an image."""
    data = data_of(file)
    return (data.media_type if data else (file.get("mimeType") or "").lower()).startswith("image/")
