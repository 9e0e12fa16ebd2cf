"""The fields and files of a form, as a browser sends them."""

import re
from base64 import b64encode
from collections.abc import Iterator, Sized
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from moorage.core.errors.requests import InvalidRequest

#: The largest form, in bytes: a deployment of 1 MiB takes three times as much when it is percent-encoded.
MAX_FORM: Final = 8 * 1024 * 1024

_MAX_FIELDS: Final = 5_000


class UploadedFile(NamedTuple):
    """A file of a form; the name is that of the visitor's machine."""

    name: str
    content: bytes
    media_type: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the file as a body of the API has it."""
        fields = {"content": b64encode(self.content).decode(), "name": self.name[:200]}
        is_type = re.fullmatch(r"[a-zA-Z0-9.+-]{1,40}/[a-zA-Z0-9.+-]{1,50}", self.media_type)
        return {**fields, "media_type": self.media_type} if is_type else fields


class Form:
    """The fields of a form in their order. Their texts have LF as line ends: browsers send CRLF."""

    def __init__(self, fields: list[tuple[str, str]], files: list[tuple[str, UploadedFile]]) -> None:
        self.fields = [(name, value.replace("\r\n", "\n")) for name, value in fields]
        self._files = files
        self._first = dict(reversed(self.fields))

    def __contains__(self, name: str) -> bool:
        """Return whether the form has a field; boxes that are not ticked are absent."""
        return name in self._first

    def get(self, name: str) -> str:
        """Return the first value of a field; nothing if the field is absent."""
        return self._first.get(name, "")

    def all(self, name: str) -> list[str]:
        """Return all values of a field."""
        return [value for each, value in self.fields if each == name]

    @property
    def has_files(self) -> bool:
        """Whether a file was chosen in any field."""
        return any(file.name for _, file in self._files)

    def without(self, *names: str) -> "Form":
        """Return the form without some fields."""
        return Form([(name, value) for name, value in self.fields if name not in names], self._files)

    def files(self, name: str) -> Iterator[UploadedFile]:
        """Yield the files that were chosen in a field."""
        return (file for each, file in self._files if each == name and file.name)


def parse_form(content_type: str, body: bytes) -> Form:
    """Return a form of either encoding.

    Raises:
        InvalidRequest: it is malformed, of another type, or has too many fields.
    """
    try:
        if content_type.startswith("multipart/form-data"):
            return _multipart(content_type, body)
        if content_type.startswith("application/x-www-form-urlencoded"):
            text = body.decode("ascii")
            return Form(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS), [])
    except (ValueError, FormParserError):
        raise InvalidRequest(
            param="form", reason=f"the form is malformed, or has over {_MAX_FIELDS:,} fields"
        ) from None
    raise InvalidRequest(param="form", reason=f"the form is of the type {content_type[:100]!r}")


def _multipart(content_type: str, body: bytes) -> Form:
    fields, files, ends = list[tuple[str, str]](), list[tuple[str, UploadedFile]](), list[bool]()

    def add_field(field: Field) -> None:
        _check_count(fields)
        fields.append(((field.field_name or b"").decode(), (field.value or b"").decode()))

    def add_file(file: File) -> None:
        _check_count(files)
        file.file_object.seek(0)
        name = (file.file_name or b"").decode(errors="replace")
        files.append(
            (
                (file.field_name or b"").decode(),
                UploadedFile(name, file.file_object.read(), (file.content_type or "").partition(";")[0].strip()),
            )
        )
        file.close()

    kind, options = parse_options_header(content_type)
    # Files stay in memory: the size of the body is limited, and counted.
    parser = FormParser(
        kind.decode(), add_field, add_file, lambda: ends.append(True), options.get(b"boundary"),
        config={"MAX_MEMORY_FILE_SIZE": 2 * MAX_FORM},
    )  # fmt: skip
    parser.write(body)
    parser.finalize()
    if not ends:  # the parser does not report a body that was cut off
        raise ValueError
    return Form(fields, files)


def _check_count(found: Sized) -> None:
    if len(found) >= _MAX_FIELDS:
        raise ValueError
