"""PromptConfig: the arguments for a model. The shape is that of the orq.ai Deployments API, field by field.

JSON names follow the contract: camelCase for most model parameters, snake_case elsewhere. The enums contain the values
of the reference page and of newer SDKs, because a registry must store everything that its clients send.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.model_parameters import ModelParameters, Strict
from moorage.core.validation.bounds import Number
from moorage.core.validation.normalize import (
    arguments_as_text,
    complete_function,
    complete_message,
    id_as_number,
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


class ToolFunction(Strict, frozen=True):
    """A function the model may call; `parameters` is a JSON Schema of one object."""

    name: Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]
    parameters: Annotated[
        dict[str, Any], Meta(extra_json_schema=_PARAMETERS_SCHEMA, extra={"normalize": tool_parameters})
    ]
    description: str | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


class Tool(Strict, frozen=True, tag_field="type", tag="function"):
    """A tool; the contract has only functions."""

    function: Annotated[ToolFunction, Meta(extra={"normalize": complete_function})]
    display_name: str | UnsetType = UNSET
    id: Annotated[Number, Meta(extra={"normalize": id_as_number})] | UnsetType = UNSET


class TextPart(Strict, frozen=True, tag_field="type", tag="text"):
    """A text in a message with several parts."""

    text: str


class ImageUrl(Strict, frozen=True):
    """The URL of an image, or a data URI. Moorage never fetches it."""

    url: Annotated[str, Meta(min_length=1)]
    id: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET


class ImagePart(Strict, frozen=True, tag_field="type", tag="image_url"):
    """An image in a message."""

    image_url: ImageUrl


class FileContent(Strict, frozen=True):
    """A file: its data as a data URI, or its URI."""

    file_data: str | UnsetType = UNSET
    uri: str | UnsetType = UNSET
    mime_type: str | UnsetType = msgspec.field(default=UNSET, name="mimeType")
    filename: str | UnsetType = UNSET


class FilePart(Strict, frozen=True, tag_field="type", tag="file"):
    """A file in a message."""

    file: FileContent


class FunctionCall(Strict, frozen=True):
    """A function call of the model; `arguments` is a string with JSON."""

    name: str
    arguments: Annotated[str, Meta(extra={"normalize": arguments_as_text})]


class ToolCall(Strict, frozen=True, tag_field="type", tag="function"):
    """A tool call in a message."""

    function: FunctionCall
    id: str | UnsetType = UNSET
    index: Number | UnsetType = UNSET


class Message(Strict, frozen=True):
    """A message of the prompt; `content` can be null if there are tool calls."""

    role: Role
    content: str | list[TextPart | ImagePart | FilePart] | None
    tool_calls: list[ToolCall] | UnsetType = UNSET
    tool_call_id: str | UnsetType | None = UNSET


#: The integration that calls the model.
IntegrationId = Annotated[
    str,
    Meta(
        min_length=1, max_length=128,
        description="The name or id of the integration that calls the model. By default, the one with the name of the"
        " provider.",
    ),
]  # fmt: skip


class PromptConfig(Strict, frozen=True, kw_only=True):
    """The arguments for a model."""

    tools: list[Tool] = msgspec.field(default_factory=list)
    model: Annotated[str, Meta(min_length=1, max_length=256)]
    model_type: ModelType
    model_parameters: ModelParameters = msgspec.field(default_factory=ModelParameters)
    provider: Provider
    messages: list[Annotated[Message, Meta(extra={"normalize": complete_message})]] = msgspec.field(
        default_factory=list
    )
    integration_id: IntegrationId | UnsetType = UNSET


#: The maximum number of characters of a variable's key.
MAX_VARIABLE_KEY = 256


class Variable(Strict, frozen=True):
    """A variable that messages use as `{{key}}`, with its default value."""

    key: Annotated[str, Meta(min_length=1, max_length=MAX_VARIABLE_KEY)]
    value: Any | UnsetType = UNSET
    is_pii: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET


#: Decoders of the stored JSON.
decode_prompt_config = msgspec.json.Decoder(PromptConfig).decode
decode_variables = msgspec.json.Decoder(list[Variable]).decode
