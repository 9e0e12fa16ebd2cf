"""What the protocols share in reading responses: JSON, usage, and failures in the body of a success."""

import base64
import binascii
from array import array
from collections.abc import Iterator, Sequence
from sys import byteorder
from typing import Any, Final, TypeVar

import msgspec

from moorage.providers.completion import Usage
from moorage.providers.decoding import MAX_OBJECTS, Number, known, read
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.media.steps import Reply, Request, Send
from moorage.providers.media.tasks import Embed

T = TypeVar("T")

#: Bodies of fewer bytes have few values in any case.
_SMALL: Final = 64 * 1024
#: The most quotes: each text has two. The numbers of vectors are not parsed, so they need no limit.
_MAX_QUOTES: Final = 20 * MAX_OBJECTS

#: A body of at most so many bytes and objects is parsed on the event loop: that takes less than a thread (1 ms).
_QUICK_BYTES: Final = 1024 * 1024
_QUICK_OBJECTS: Final = 2_000

#: So many characters are found one after the other, before all are counted.
_FEW: Final = 4_000

_encode = msgspec.json.Encoder().encode


class Tokens(msgspec.Struct):
    """Numbers of tokens, under all names that providers use."""

    prompt_tokens: Number = None
    input_tokens: Number = None
    completion_tokens: Number = None
    output_tokens: Number = None
    total_tokens: Number = None

    def usage(self) -> Usage:
        """Return the usage: if only the total is known, all of it is that of the input."""
        prompt, output, total = (
            known(self.prompt_tokens if self.input_tokens is None else self.input_tokens),
            known(self.completion_tokens if self.output_tokens is None else self.output_tokens) or 0,
            known(self.total_tokens) or 0,
        )
        return Usage(max(total - output, 0) if prompt is None else prompt, output)


class _Failure(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None


class _Failed(msgspec.Struct):
    error: _Failure | str | None = None


_failed = msgspec.json.Decoder(_Failed)


def is_quick(body: bytes) -> bool:
    """Return whether a body is parsed so quickly that it needs no thread."""
    return len(body) <= _SMALL or (len(body) <= _QUICK_BYTES and not has_more(body, b"{", _QUICK_OBJECTS))


def has_more(body: bytes, character: bytes, maximum: int) -> bool:
    """Return whether a body has a character more than `maximum` times.

    To find one is many times faster than to count: most large bodies have few, because they are vectors or a picture.
    """
    position = -1
    for _ in range(min(maximum + 1, _FEW)):
        position = body.find(character, position + 1)
        if position < 0:
            return False
    return body.count(character) > maximum


def parse(reply: Reply, kind: type[T]) -> T:
    """Return the body of a response as a value of a type.

    Raises:
        MalformedResponse
        ProviderFailed: the body is an error, although its status is a success.
    """
    body = reply.body
    if not body.isascii():
        read(bytes.decode, body)  # values that are passed on as they are (`msgspec.Raw`) are not checked otherwise
    if len(body) > _SMALL and (has_more(body, b"{", MAX_OBJECTS) or has_more(body, b'"', _MAX_QUOTES)):
        raise MalformedResponse(f"it has more than {MAX_OBJECTS} objects, or {_MAX_QUOTES} quotes")
    try:
        return read(msgspec.json.Decoder(kind).decode, body)
    except MalformedResponse:
        if body[:2048].find(b'"error"') >= 0:
            error = read(_failed.decode, body).error
            if isinstance(error, str):
                raise ProviderFailed(error) from None
            if error is not None:
                code = None if error.code is None else str(error.code)
                raise ProviderFailed(error.message or "no message", 500, code) from None
        raise


def texts_of(request: Request) -> Sequence[str]:
    """Return the texts of a request for vectors, for providers that take no tokens.

    Raises:
        NotSupportedByProvider
    """
    task: Embed = request.task
    texts: Sequence[Any] = task.texts
    if texts and not isinstance(texts[0], str):
        reason = "it takes texts, and no tokens; in LangChain, set check_embedding_ctx_length=False"
        raise request.reject("input", reason)
    return texts


def form_text(value: Any) -> str:
    """Return a parameter as the text of a field of a form."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def post(path: str, body: Any, **fields: Any) -> Send:
    """Return a POST with a JSON body."""
    return Send(path=path, body=_encode(body), **fields)


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Return the items in lists of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def add(first: Usage | None, second: Usage | None) -> Usage | None:
    """Return the sum of two usages."""
    if first is None or second is None:
        return first or second
    return Usage(first.prompt_tokens + second.prompt_tokens, first.completion_tokens + second.completion_tokens)


def in_order(found: Sequence[tuple[int | None, T]], count: int) -> list[T]:
    """Return the items of a response in the order of the request; an index that is None is the position.

    Raises:
        MalformedResponse: they are not one for each item of the request.
    """
    placed = {position if index is None else index: item for position, (index, item) in enumerate(found)}
    if len(found) != count or len(placed) != count or not all(0 <= index < count for index in placed):
        raise MalformedResponse(f"it has {len(found)} results for {count} inputs, or their indexes are wrong")
    return [placed[index] for index in range(count)]


def inside(raw: msgspec.Raw) -> bytes | memoryview | None:
    """Return the inside of a text in JSON, without a copy; None for null.

    Raises:
        MalformedResponse: it is neither.
    """
    view = memoryview(raw)
    start = bytes(view[:1])
    if start == b"n":
        return None
    if start != b'"':
        raise MalformedResponse("the content of an image is no text")
    return view[1:-1]


def inside_of(text: str) -> bytes:
    """Return the inside of a text as JSON."""
    return _encode(text)[1:-1]


def audio_of(reply: Reply) -> Any:
    """Return the stream of a response, which is audio.

    Raises:
        MalformedResponse: it is a page or an error, although the status is a success.
    """
    if reply.media_type in ("application/json", "text/html"):
        raise MalformedResponse(f"it is {reply.media_type}, and no audio")
    return reply.stream


def encoding_of(request: Request) -> str:
    """Return the encoding of vectors that a call asks for, `float` or `base64`.

    Raises:
        NotSupportedByProvider
    """
    encoding = request.take("encoding_format")
    if encoding in (None, "float", "base64"):
        return encoding or "float"
    raise request.reject("encoding_format", f"it must be float or base64, not {encoding!r:.40}")


def vector(raw: bytes, encoding: str) -> bytes:
    """Return a vector in an encoding, `float` or `base64`, as JSON; `raw` is JSON in either of them.

    Raises:
        MalformedResponse
    """
    if (raw[:1] == b'"') == (encoding == "base64"):
        if raw[:1] not in (b'"', b"["):
            raise MalformedResponse("a vector is neither a list nor base64")
        return raw
    if encoding == "base64":
        return encoded_vector(read(_floats.decode, raw))
    try:
        numbers = array("f", base64.b64decode(read(_text.decode, raw), validate=True))
    except (binascii.Error, ValueError):
        raise MalformedResponse("a vector is no base64 of 32-bit numbers") from None
    if byteorder == "big":
        numbers.byteswap()
    return _encode([_rounded(number) for number in numbers])


def encoded_vector(numbers: list[float]) -> bytes:
    """Return a vector as base64 of 32-bit numbers in little-endian order, as JSON.

    Raises:
        MalformedResponse
    """
    try:
        packed = array("f", numbers)
    except OverflowError:
        raise MalformedResponse("a number of a vector is too large") from None
    if byteorder == "big":
        packed.byteswap()
    return b'"%b"' % base64.b64encode(packed.tobytes())


def _rounded(number: float) -> float:
    """Return a 32-bit number with no more digits than it has."""
    return float(f"{number:.9g}")


_floats = msgspec.json.Decoder(list[float])
_text = msgspec.json.Decoder(str)
