"""A form with a file, which is stored on disk beyond its first megabyte."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, cast

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from moorage.api.memory_budget import Lease
from moorage.core.errors.requests import BodyTooLarge, BodyTooSlow, InvalidRequest, MalformedBody, UnsupportedEncoding
from moorage.core.resolution.config import Object

#: A file up to this size stays in memory (bytes).
IN_MEMORY: Final = 1024 * 1024

#: The most fields of a form, and the bytes of all of them together with their names.
_MAX_FIELDS: Final = 200
_MAX_FIELD_BYTES: Final = 1024 * 1024

#: How long nothing can arrive, and the whole form can take (seconds).
_SILENT_SECONDS: Final = 30
_TOTAL_SECONDS: Final = 900

_PIECE: Final = 65_536
_BRACKETS: Final = re.compile(r"(inputs|context)((?:\[[^\[\]]{1,200}\]){1,16})")


class UploadedFile:
    """A file of a form. Closing it deletes it from the disk."""

    def __init__(self) -> None:
        self.name = "file"
        self.media_type = "application/octet-stream"
        self.size = 0
        self._file = tempfile.SpooledTemporaryFile[bytes](max_size=IN_MEMORY)

    def write(self, piece: bytes) -> None:
        """Append to the file."""
        self.size += len(piece)
        self._file.write(piece)

    def pieces(self) -> Iterator[bytes]:
        """Return the content from its start, in pieces of at most 64 KiB."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Delete the file."""
        self._file.close()


class Upload(msgspec.Struct, frozen=True):
    """The fields of a form, and its file; None if it has none."""

    fields: Object
    file: UploadedFile | None


async def receive_form(request: Request, lease: Lease, maximum: int) -> Upload:
    """Return a form with at most one file, in the field `file`; the lease holds the bytes of the file.

    Raises:
        BodyTooLarge, BodyTooSlow, MalformedBody, UnsupportedEncoding, InvalidRequest
        ApiKeyQueueFull, WriteQueueFull: other files take too much of the disk.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedEncoding(encoding=encoding[:40])
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary or len(boundary) > 70:
        found = request.headers.get("content-type", "")[:100]
        raise InvalidRequest(
            param="Content-Type", reason=f"the request must be a form (multipart/form-data), not {found!r}"
        )
    form = _Form(boundary)
    total = 0
    try:
        async with asyncio.timeout(_TOTAL_SECONDS):
            async for piece in _pieces(request):
                total += len(piece)
                if total > maximum:
                    raise BodyTooLarge(maximum=maximum)
                lease.take(len(piece))
                if total > IN_MEMORY:
                    await asyncio.to_thread(form.feed, piece)
                else:
                    form.feed(piece)
        return form.end()
    except BaseException as error:  # raised again: the file must be deleted
        form.file.close()
        if isinstance(error, TimeoutError):
            raise BodyTooSlow(seconds=_SILENT_SECONDS) from None
        if isinstance(error, ClientDisconnect):  # also for malformed chunks
            raise MalformedBody from None
        raise


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    complete: bytes | None = request.scope.get("moorage.body")
    if complete is not None:  # the pipeline has received it already
        yield complete
        return
    stream = request.stream()
    while True:
        async with asyncio.timeout(_SILENT_SECONDS):
            piece = await anext(stream, None)
        if piece is None:
            return
        yield piece


class _Form:
    """A form while it arrives."""

    def __init__(self, boundary: bytes) -> None:
        self.file = UploadedFile()
        self._has_file = self._has_ended = self._is_file = False
        self._fields = list[tuple[str, str]]()
        self._field_bytes = 0
        self._header, self._value = bytearray(), bytearray()
        self._headers = dict[str, bytes]()
        self._name = ""
        self._problem: InvalidRequest | None = None
        callbacks: dict[str, Callable[..., None]] = {
            "on_part_begin": self._begin, "on_header_field": self._add_header, "on_header_value": self._add_value,
            "on_header_end": self._end_header, "on_headers_finished": self._end_headers, "on_part_data": self._data,
            "on_part_end": self._end, "on_end": self._finish,
        }  # fmt: skip
        self._parser = MultipartParser(boundary, cast(Any, callbacks))

    def feed(self, piece: bytes) -> None:
        """Parse the next piece.

        Raises:
            InvalidRequest
        """
        try:
            self._parser.write(piece)
        except FormParserError:
            raise _malformed() from None
        if self._problem is not None:
            raise self._problem

    def end(self) -> Upload:
        """Return the form.

        Raises:
            InvalidRequest: it was cut off, or a field is invalid.
        """
        if not self._has_ended:
            raise _malformed()
        return Upload(_nested(self._fields), self.file if self._has_file else None)

    def _begin(self) -> None:
        self._headers, self._name, self._is_file, self._value = {}, "", False, bytearray()
        self._count(1)

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._count(end - start)

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._count(end - start)

    def _end_header(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._name = options.get(b"name", b"").decode(errors="replace")
        self._is_file = b"filename" in options
        if not self._is_file:
            return
        if self._name != "file" or self._has_file:
            reason = f"the form has a file {self._name[:80]!r}; send one file, in the field `file`"
            self._problem = self._problem or InvalidRequest(param="file", reason=reason)
        self._has_file = True
        name = options[b"filename"].decode(errors="replace")
        self.file.name = "".join(letter for letter in name if letter.isprintable())[:200] or "file"
        kind = self._headers.get("content-type", b"").decode("latin-1").strip()
        if re.fullmatch(r"[a-zA-Z0-9.+-]{1,60}/[a-zA-Z0-9.+-]{1,60}(; ?[a-zA-Z0-9]+=[a-zA-Z0-9.,]+)*", kind):
            self.file.media_type = kind

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.file.write(data[start:end])
        else:
            self._value += data[start:end]
            self._count(end - start)

    def _end(self) -> None:
        if not self._is_file:
            try:
                self._fields.append((self._name, self._value.decode()))
            except UnicodeDecodeError:
                reason = f"the field {self._name[:80]!r} is not UTF-8"
                self._problem = self._problem or InvalidRequest(param=self._name[:80], reason=reason)
        self._value = bytearray()

    def _finish(self) -> None:
        self._has_ended = True

    def _count(self, size: int) -> None:
        self._field_bytes += size
        if self._field_bytes > _MAX_FIELD_BYTES or len(self._fields) > _MAX_FIELDS:
            reason = f"the form has more than {_MAX_FIELDS} fields, or {_MAX_FIELD_BYTES:,} bytes beside its file"
            raise InvalidRequest(param="form", reason=reason)


def _malformed() -> InvalidRequest:
    return InvalidRequest(param="form", reason="the form is malformed, or was cut off")


def _nested(fields: list[tuple[str, str]]) -> Object:
    """Return the fields by name: SDKs write `inputs[a][b]` for objects, and repeat `name[]` for lists.

    `inputs` and `context` can be JSON texts, too.

    Raises:
        InvalidRequest
    """
    found: Object = {}
    for name, value in fields:
        if name in ("inputs", "context", "orq", "variables"):
            try:
                found[name] = msgspec.json.decode(value)
            except (msgspec.DecodeError, RecursionError):
                raise InvalidRequest(param=name, reason=f"the field {name} is no JSON object") from None
        elif (brackets := _BRACKETS.fullmatch(name)) is not None:
            *path, last = [brackets[1], *re.findall(r"\[([^\[\]]+)\]", brackets[2])]
            place: Any = found
            for step in path:
                place = place.setdefault(step, {})
                if not isinstance(place, dict):
                    raise InvalidRequest(param=name[:80], reason=f"{name[:80]!r} contradicts another field of the form")
            place[last] = value
        elif name.endswith("[]"):
            listed = found.setdefault(name[:-2], [])
            if isinstance(listed, list):
                listed.append(value)
        else:
            found[name] = value
    return found
