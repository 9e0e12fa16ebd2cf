"""Messages of a request, in addition to those of the deployment.

They are validated and passed on unchanged. Unknown fields are accepted, because providers add fields.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.validation.validate import Report, validate

Object = dict[str, Any]


class _CacheControl(msgspec.Struct, frozen=True):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | UnsetType | None = UNSET


class _Text(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    text: str
    cache_control: _CacheControl | UnsetType | None = UNSET


class _ImageUrl(msgspec.Struct, frozen=True):
    url: Annotated[str, Meta(min_length=1)]
    detail: Literal["low", "high", "auto"] | UnsetType | None = UNSET


class _Image(msgspec.Struct, frozen=True, tag_field="type", tag="image_url"):
    image_url: _ImageUrl
    cache_control: _CacheControl | UnsetType | None = UNSET


class _InputAudio(msgspec.Struct, frozen=True):
    data: str
    format: Literal["mp3", "wav"]


class _Audio(msgspec.Struct, frozen=True, tag_field="type", tag="input_audio"):
    input_audio: _InputAudio


class _FileContent(msgspec.Struct, frozen=True):
    file_data: str | UnsetType | None = UNSET
    uri: str | UnsetType | None = UNSET
    mime_type: str | UnsetType | None = msgspec.field(default=UNSET, name="mimeType")
    file_id: str | UnsetType | None = UNSET
    filename: str | UnsetType | None = UNSET


class _File(msgspec.Struct, frozen=True, tag_field="type", tag="file"):
    file: _FileContent
    cache_control: _CacheControl | UnsetType | None = UNSET


class _Refusal(msgspec.Struct, frozen=True, tag_field="type", tag="refusal"):
    refusal: str | UnsetType | None = UNSET


class _Reasoning(msgspec.Struct, frozen=True, tag_field="type", tag="reasoning"):
    reasoning: str
    signature: str | UnsetType | None = UNSET


class _RedactedReasoning(msgspec.Struct, frozen=True, tag_field="type", tag="redacted_reasoning"):
    data: str


class _Function(msgspec.Struct, frozen=True):
    name: str | UnsetType | None = UNSET
    arguments: str | UnsetType | None = UNSET


class _ToolCall(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    id: str
    function: _Function
    thought_signature: str | UnsetType | None = UNSET
    extra_content: Object | UnsetType | None = UNSET


class _AudioId(msgspec.Struct, frozen=True):
    id: str


class _System(msgspec.Struct, frozen=True, tag_field="role", tag="system"):
    content: str | list[_Text]
    name: str | UnsetType | None = UNSET


class _Developer(_System, frozen=True, tag_field="role", tag="developer"):
    pass


class _User(msgspec.Struct, frozen=True, tag_field="role", tag="user"):
    content: str | list[_Text | _Image | _Audio | _File]
    name: str | UnsetType | None = UNSET


class _Assistant(msgspec.Struct, frozen=True, tag_field="role", tag="assistant"):
    content: str | list[_Text | _Refusal | _Reasoning | _RedactedReasoning] | None = None
    refusal: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    audio: _AudioId | UnsetType | None = UNSET
    reasoning_content: str | UnsetType | None = UNSET
    tool_calls: list[_ToolCall] | UnsetType | None = UNSET


class _Tool(msgspec.Struct, frozen=True, tag_field="role", tag="tool"):
    content: str | list[_Text]
    tool_call_id: str | None
    cache_control: _CacheControl | UnsetType | None = UNSET


RequestMessage = _System | _Developer | _User | _Assistant | _Tool


def check_messages(messages: list[Object], report: Report, path: str) -> None:
    """Report all problems of the messages at `path` in a body."""
    try:
        msgspec.convert(messages, list[RequestMessage])
    except msgspec.ValidationError:
        for problem in validate(messages, list[RequestMessage])[1].problems:
            report.problem(f"{path}{problem.path}", problem.message)


def with_content(message: Object) -> Object:
    """Return a message with `content`, which clients require in a response; messages of a model may omit it."""
    return message if "content" in message else {**message, "content": None}
