"""ModelParameters: the contract's twenty parameters, and those of providers under their own names."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.validation.bounds import Number, bounded
from moorage.core.validation.normalize import number_as_text


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A struct of the contract: the JSON omits unset fields, and unknown fields are rejected."""


class JsonSchema(Strict, frozen=True):
    """The schema of the model's output."""

    name: Annotated[str, Meta(min_length=1)]
    schema: dict[str, Any]
    description: str | UnsetType | None = UNSET
    strict: bool | UnsetType = UNSET


class JsonSchemaFormat(Strict, frozen=True, tag_field="type", tag="json_schema"):
    """Structured output."""

    json_schema: JsonSchema
    display_name: str | UnsetType = UNSET


class JsonObjectFormat(Strict, frozen=True, tag_field="type", tag="json_object"):
    """Output that is a JSON object."""


class TextFormat(Strict, frozen=True, tag_field="type", tag="text"):
    """Plain text output."""


class CacheControl(Strict, frozen=True, tag_field="type", tag="ephemeral"):
    """Prompt caching, if the provider supports it."""

    ttl: Literal["5m", "1h"] | UnsetType = UNSET


ResponseFormatName = Literal[
    "mp3", "opus", "aac", "flac", "wav", "pcm", "url", "base64_json", "json", "text", "srt", "verbose_json", "vtt"
]  # fmt: skip


class ContractParameters(Strict, frozen=True, rename="camel"):
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


class NamedFunction(Strict, frozen=True):
    """The name of a function."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]


class NamedTool(Strict, frozen=True, tag_field="type", tag="function"):
    """The tool that the model must call."""

    function: NamedFunction


ToolChoice = Literal["none", "auto", "required"] | NamedTool

_Text = Annotated[str, Meta(min_length=1, max_length=512)]
_Id = Annotated[str, Meta(min_length=1, max_length=64)]
_Object = dict[str, Any]
_Bias = Annotated[Number, bounded(-100, 100, decimals=3, description="The bias of a token.")]


class ModelParameters(ContractParameters, frozen=True, rename=None):
    """All parameters of a model; `provider_parameters` has the providers that take those after the contract's."""

    stop: _Text | Annotated[list[_Text], Meta(min_length=1, max_length=16)] | UnsetType = UNSET
    stop_token_ids: Annotated[list[int], Meta(min_length=1, max_length=256)] | UnsetType = UNSET
    tool_choice: ToolChoice | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    n: Annotated[Number, bounded(1, 128, decimals=0, description="The number of responses.")] | UnsetType = UNSET
    best_of: Annotated[Number, bounded(1, 20, decimals=0, description="The best of so many.")] | UnsetType = UNSET
    logit_bias: Annotated[dict[str, _Bias], Meta(max_length=1_024)] | UnsetType = UNSET
    logprobs: bool | Number | UnsetType = UNSET
    top_logprobs: (
        Annotated[Number, bounded(0, 20, decimals=0, description="The likeliest tokens to report.")] | UnsetType
    ) = UNSET
    min_p: Number | UnsetType = UNSET
    top_a: Number | UnsetType = UNSET
    repetition_penalty: Number | UnsetType = UNSET
    min_tokens: Annotated[Number, bounded(0, 10_000_000, decimals=0, description="The least tokens.")] | UnsetType = (
        UNSET
    )
    service_tier: _Id | UnsetType = UNSET
    user: _Text | UnsetType = UNSET
    safety_identifier: _Text | UnsetType = UNSET
    metadata: Annotated[dict[_Id, Annotated[str, Meta(max_length=512)]], Meta(max_length=16)] | UnsetType = UNSET
    store: bool | UnsetType = UNSET
    prompt_cache_key: _Text | UnsetType = UNSET
    prompt_cache_retention: _Id | UnsetType = UNSET
    prediction: _Object | UnsetType = UNSET
    modalities: Annotated[list[Literal["text", "audio", "image"]], Meta(min_length=1, max_length=3)] | UnsetType = UNSET
    audio: _Object | UnsetType = UNSET
    web_search_options: _Object | UnsetType = UNSET
    reasoning: _Object | UnsetType = UNSET
    thinking: _Object | UnsetType = UNSET
    reasoning_format: _Id | UnsetType = UNSET
    include_reasoning: bool | UnsetType = UNSET
    chat_template_kwargs: _Object | UnsetType = UNSET
    suffix: str | UnsetType = UNSET
    echo: bool | UnsetType = UNSET
    preset: _Id | UnsetType = UNSET
    prompt_mode: _Id | UnsetType = UNSET
    safe_prompt: bool | UnsetType = UNSET
    safety_mode: _Id | UnsetType = UNSET
    safety_model: _Text | UnsetType = UNSET
    safety_settings: Annotated[list[_Object], Meta(min_length=1, max_length=16)] | UnsetType = UNSET
    guardrail_config: _Object | UnsetType = UNSET
    performance_config: _Object | UnsetType = UNSET
    voice: _Text | UnsetType = UNSET
    speed: Annotated[Number, bounded(0.1, 10, decimals=3, description="The speed of speech.")] | UnsetType = UNSET
    instructions: Annotated[str, Meta(min_length=1, max_length=4_096)] | UnsetType = UNSET
    language: _Id | UnsetType = UNSET
    timestamp_granularities: Annotated[list[Literal["segment", "word"]], Meta(max_length=2)] | UnsetType = UNSET
    input_type: _Id | UnsetType = UNSET
    task: _Id | UnsetType = UNSET
    truncate: _Id | bool | UnsetType = UNSET
    top_n: Annotated[Number, bounded(1, 10_000, decimals=0, description="The best documents only.")] | UnsetType = UNSET
    background: _Id | UnsetType = UNSET
    moderation: _Id | UnsetType = UNSET
    output_format: _Id | UnsetType = UNSET
    output_compression: (
        Annotated[Number, bounded(0, 100, decimals=0, description="The compression of an image.")] | UnsetType
    ) = UNSET
    negative_prompt: Annotated[str, Meta(min_length=1, max_length=8_192)] | UnsetType = UNSET
    steps: Annotated[Number, bounded(1, 1_000, decimals=0, description="The steps of an image.")] | UnsetType = UNSET
    guidance_scale: Number | UnsetType = UNSET
