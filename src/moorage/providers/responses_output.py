"""Responses of the Responses API: lists of items, of which other types than these are ignored."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from moorage.providers.completion import Choice, Completion, FinishReason, ToolCall, Usage, new_call_id
from moorage.providers.decoding import MAX_ITEMS, Number, known, read
from moorage.providers.errors import MalformedResponse, ProviderFailed

_REASONS: Final[Mapping[str, FinishReason]] = {"max_output_tokens": "length", "content_filter": "content_filter"}


class Kind(msgspec.Struct):
    """The type of an item."""

    type: str = ""


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: Sequence[Any] | None = None


class Message(msgspec.Struct):
    """An item with texts."""

    content: list[_Part] = []


class Call(msgspec.Struct):
    """An item with a tool call."""

    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class _Reasoning(msgspec.Struct):
    summary: list[_Part] | None = None


class Error(msgspec.Struct):
    """An error in a response, or in a stream."""

    message: str | None = None
    code: str | int | None = None
    type: str | None = None


class _Incomplete(msgspec.Struct):
    reason: str | None = None


class _InputDetails(msgspec.Struct):
    cached_tokens: Number = None
    cache_write_tokens: Number = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: Number = None


class _Usage(msgspec.Struct):
    input_tokens: Number = None
    output_tokens: Number = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


class Response(msgspec.Struct):
    """A response, complete or in an event."""

    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[msgspec.Raw] | None = None
    error: Error | str | None = None
    incomplete_details: _Incomplete | None = None
    usage: _Usage | None = None


_decode_response = msgspec.json.Decoder(Response).decode
decode_kind = msgspec.json.Decoder(Kind).decode
decode_message = msgspec.json.Decoder(Message).decode
decode_call = msgspec.json.Decoder(Call).decode
_decode_reasoning = msgspec.json.Decoder(_Reasoning).decode


def decode(body: bytes) -> Completion:
    """Return the response in a body.

    Raises:
        MalformedResponse
        ProviderFailed: the response failed, although the status is a success.
    """
    response = read(_decode_response, body)
    if response.error is not None:
        raise failed(response.error)
    if response.output is None:
        raise MalformedResponse("it has no output")
    if len(response.output) > MAX_ITEMS:
        raise MalformedResponse(f"it has more than {MAX_ITEMS} items")
    texts, refusals, thoughts, calls, citations = list[str](), list[str](), list[str](), list[ToolCall](), list[Any]()
    for raw in response.output:
        match read(decode_kind, bytes(raw)).type:
            case "message":
                for part in read(decode_message, bytes(raw)).content:
                    texts += [part.text] if part.type == "output_text" and part.text is not None else []
                    refusals += [part.refusal] if part.refusal else []
                    citations += citations_of(part.annotations)
            case "function_call":
                calls.append(call_of(len(calls), read(decode_call, bytes(raw))))
            case "reasoning":
                thoughts += _thoughts(raw)
    choice = Choice(
        content="".join(texts) if texts else None, reasoning="\n\n".join(thoughts) or None,
        refusal="".join(refusals) or None, tool_calls=calls, annotations=citations or None,
        finish_reason=reason_of(response, has_calls=bool(calls)),
    )  # fmt: skip
    return Completion([choice], usage_of(response.usage), response.id, response.model)


def call_of(index: int, call: Call, default: str = "{}") -> ToolCall:
    """Return the tool call of an item."""
    return ToolCall(index, call.call_id or new_call_id(), call.name or "", call.arguments or default)


def _thoughts(raw: msgspec.Raw) -> list[str]:
    return [part.text for part in read(_decode_reasoning, bytes(raw)).summary or () if part.text]


def citations_of(annotations: Sequence[Any] | None) -> list[Any]:
    """Return the citations of web pages in the form of the API for chats."""
    return [
        {"type": "url_citation", "url_citation": {
            name: each[name] for name in ("start_index", "end_index", "title", "url") if name in each
        }}
        for each in annotations or () if isinstance(each, dict) and each.get("type") in ("citation", "url_citation")
    ]  # fmt: skip


def reason_of(response: Response, *, has_calls: bool) -> FinishReason:
    """Return the reason for the end of a response.

    Raises:
        MalformedResponse: it has not ended.
        ProviderFailed
    """
    match response.status:
        case "completed" | None:
            return "tool_calls" if has_calls else "stop"
        case "incomplete":
            details = response.incomplete_details or _Incomplete()
            return _REASONS.get(details.reason or "", "stop")
        case "failed" | "cancelled":
            raise failed(response.error or Error())
    raise MalformedResponse("it is not complete")


def failed(error: Error | str) -> ProviderFailed:
    """Return the failure for an error."""
    found = Error(error) if isinstance(error, str) else error
    code = found.code if found.code is not None else found.type
    status = code if isinstance(code, int) else 500
    return ProviderFailed(found.message or "no message", status, None if code is None else str(code))


def usage_of(usage: _Usage | None) -> Usage | None:
    """Return the usage, if it was reported."""
    if usage is None or usage.input_tokens is None:
        return None
    prompt, completion = usage.input_tokens_details or _InputDetails(), usage.output_tokens_details or _OutputDetails()
    return Usage(
        known(usage.input_tokens) or 0, known(usage.output_tokens) or 0, known(prompt.cached_tokens),
        known(prompt.cache_write_tokens), known(completion.reasoning_tokens),
    )  # fmt: skip
