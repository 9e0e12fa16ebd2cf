"""PromptConfig: the arguments for a model. The shape is that of the orq.ai Deployments API, field by field.

JSON names follow the contract: camelCase for most model parameters, snake_case elsewhere. The enums contain the values
of the reference page and of newer SDKs, because a registry must store everything that its clients send.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.validation.bounds import Number
from moorage.core.validation.normalize import (
    arguments_as_text,
    complete_function,
    complete_message,
    id_as_number,
    number_as_text,
    tool_parameters,
)

ModelType = Literal[
    "chat", "completion", "embedding", "image", "tts", "stt", "rerank", "moderation", "vision", "ocr", "classify"
]  # fmt: skip

Provider = Literal[
    "openai", "groq", "cohere", "azure", "aws", "google", "google-ai", "huggingface", "togetherai", "perplexity",
    "anthropic", "leonardoai", "fal", "nvidia", "jina", "elevenlabs", "litellm", "cerebras", "openailike", "bytedance",
    "mistral", "deepseek", "contextualai", "moonshotai",
    "zai", "minimax", "xai", "alibaba", "tensorix", "scaleway", "hcompany", "inception", "inceptron", "wafer",
    "poolside", "tencent", "nebius", "fireworks", "baseten", "reson8", "meta", "greenpt", "liquid", "typesafe",
    "berget", "cloudflare", "slack", "orq",
]  # fmt: skip

Role = Literal[
    "system", "developer", "assistant", "user", "exception", "tool", "prompt", "correction", "expected_output"
]  # fmt: skip

_PARAMETERS_SCHEMA = {
    "type": "object",
    "required": ["type", "properties"],
    "properties": {
        "type": {"const": "object"},
        "properties": {"type": "object"},
        "required": {"type": "array", "items": {"type": "string"}},
        "additionalProperties": {"const": False},
    },
}


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A struct of the contract: the JSON omits unset fields, and unknown fields are rejected."""


class ToolFunction(_Strict, frozen=True):
    """A function the model may call; `parameters` is a JSON Schema of one object."""

    name: Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]
    parameters: Annotated[
        dict[str, Any], Meta(extra_json_schema=_PARAMETERS_SCHEMA, extra={"normalize": tool_parameters})
    ]
    description: str | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


class Tool(_Strict, frozen=True, tag_field="type", tag="function"):
    """A tool; the contract has only functions."""

    function: Annotated[ToolFunction, Meta(extra={"normalize": complete_function})]
    display_name: str | UnsetType = UNSET
    id: Annotated[Number, Meta(extra={"normalize": id_as_number})] | UnsetType = UNSET


class JsonSchema(_Strict, frozen=True):
    """The schema of the model's output."""

    name: Annotated[str, Meta(min_length=1)]
    schema: dict[str, Any]
    description: str | UnsetType | None = UNSET
    strict: bool | UnsetType = UNSET


class JsonSchemaFormat(_Strict, frozen=True, tag_field="type", tag="json_schema"):
    """Structured output."""

    json_schema: JsonSchema
    display_name: str | UnsetType = UNSET


class JsonObjectFormat(_Strict, frozen=True, tag_field="type", tag="json_object"):
    """Output that is a JSON object."""


class TextFormat(_Strict, frozen=True, tag_field="type", tag="text"):
    """Plain text output."""


class CacheControl(_Strict, frozen=True, tag_field="type", tag="ephemeral"):
    """Prompt caching, if the provider supports it."""

    ttl: Literal["5m", "1h"] | UnsetType = UNSET


ResponseFormatName = Literal[
    "mp3", "opus", "aac", "flac", "wav", "pcm", "url", "base64_json", "json", "text", "srt", "verbose_json", "vtt"
]  # fmt: skip


class ModelParameters(_Strict, frozen=True, rename="camel"):
    """The contract's twenty parameters, all optional; an unset parameter is omitted, not null."""

    temperature: Number | UnsetType = UNSET
    max_tokens: Number | UnsetType = UNSET
    top_k: Number | UnsetType = UNSET
    top_p: Number | UnsetType = UNSET
    frequency_penalty: Number | UnsetType = UNSET
    presence_penalty: Number | UnsetType = UNSET
    num_images: Number | UnsetType = UNSET
    seed: Number | UnsetType = UNSET
    format: Literal["url", "b64_json", "text", "json_object"] | UnsetType = UNSET
    dimensions: Annotated[str, Meta(extra={"normalize": number_as_text})] | UnsetType = UNSET
    quality: str | UnsetType = UNSET
    style: str | UnsetType = UNSET
    response_format: ResponseFormatName | JsonSchemaFormat | JsonObjectFormat | TextFormat | UnsetType | None = UNSET
    cache_control: CacheControl | UnsetType | None = UNSET
    photo_real_version: Literal["v1", "v2"] | UnsetType = UNSET
    encoding_format: Literal["float", "base64"] | UnsetType = msgspec.field(default=UNSET, name="encoding_format")
    reasoning_effort: Literal["none", "disable", "minimal", "low", "medium", "high", "xhigh", "max"] | UnsetType = UNSET
    budget_tokens: Number | UnsetType = UNSET
    verbosity: Literal["low", "medium", "high"] | UnsetType = UNSET
    thinking_level: Literal["minimal", "low", "medium", "high"] | UnsetType = UNSET


class TextPart(_Strict, frozen=True, tag_field="type", tag="text"):
    """A text in a message with several parts."""

    text: str


class ImageUrl(_Strict, frozen=True):
    """The URL of an image, or a data URI. Moorage never fetches it."""

    url: Annotated[str, Meta(min_length=1)]
    id: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET


class ImagePart(_Strict, frozen=True, tag_field="type", tag="image_url"):
    """An image in a message."""

    image_url: ImageUrl


class FileContent(_Strict, frozen=True):
    """A file: its data as a data URI, or its URI."""

    file_data: str | UnsetType = UNSET
    uri: str | UnsetType = UNSET
    mime_type: str | UnsetType = msgspec.field(default=UNSET, name="mimeType")
    filename: str | UnsetType = UNSET


class FilePart(_Strict, frozen=True, tag_field="type", tag="file"):
    """A file in a message."""

    file: FileContent


class FunctionCall(_Strict, frozen=True):
    """A function call of the model; `arguments` is a string with JSON."""

    name: str
    arguments: Annotated[str, Meta(extra={"normalize": arguments_as_text})]


class ToolCall(_Strict, frozen=True, tag_field="type", tag="function"):
    """A tool call in a message."""

    function: FunctionCall
    id: str | UnsetType = UNSET
    index: Number | UnsetType = UNSET


class Message(_Strict, frozen=True):
    """A message of the prompt; `content` can be null if there are tool calls."""

    role: Role
    content: str | list[TextPart | ImagePart | FilePart] | None
    tool_calls: list[ToolCall] | UnsetType = UNSET
    tool_call_id: str | UnsetType | None = UNSET


class PromptConfig(_Strict, frozen=True, kw_only=True):
    """The arguments for a model."""

    tools: list[Tool] = msgspec.field(default_factory=list)
    model: Annotated[str, Meta(min_length=1, max_length=256)]
    model_type: ModelType
    model_parameters: ModelParameters = msgspec.field(default_factory=ModelParameters)
    provider: Provider
    messages: list[Annotated[Message, Meta(extra={"normalize": complete_message})]] = msgspec.field(
        default_factory=list
    )


#: The maximum number of characters of a variable's key.
MAX_VARIABLE_KEY = 256


class Variable(_Strict, frozen=True):
    """A variable that messages use as `{{key}}`, with its default value."""

    key: Annotated[str, Meta(min_length=1, max_length=MAX_VARIABLE_KEY)]
    value: Any | UnsetType = UNSET
    is_pii: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET


#: Decoders of the stored JSON.
decode_prompt_config = msgspec.json.Decoder(PromptConfig).decode
decode_variables = msgspec.json.Decoder(list[Variable]).decode
