"""Request bodies with every field of a deployment."""

from collections.abc import Iterator
from typing import Any

FULL_TOOL = {
    "type": "function",
    "id": 42,
    "display_name": "Find an order",
    "function": {
        "name": "find_order",
        "description": "Finds an order by its number.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "number": {"type": "string", "minLength": 1},
                "window": {"type": "object", "properties": {"days": {"type": "integer"}}, "additionalProperties": True},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            },
            "required": ["number"],
            "additionalProperties": False,
        },
    },
}

FULL_MESSAGES = [
    {"role": "system", "content": "You help {{customer}}. ✓ 👋 \u2028"},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Where is this?"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "id": "img_1", "detail": "high"}},
            {
                "type": "file",
                "file": {
                    "file_data": "data:application/pdf;base64,JVBERi0=",
                    "uri": "https://example.com/a.pdf",
                    "mimeType": "application/pdf",
                    "filename": "a.pdf",
                },
            },
        ],
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "type": "function",
                "id": "call_1",
                "index": 0,
                "function": {"name": "find_order", "arguments": '{"number": "7"}'},
            }
        ],
        "tool_call_id": None,
    },
    {"role": "tool", "content": "On its way.", "tool_call_id": "call_1"},
]

FULL_PARAMETERS = {
    "temperature": 0.2,
    "maxTokens": 512,
    "topK": 40,
    "topP": 0.95,
    "frequencyPenalty": -0.5,
    "presencePenalty": 1.5,
    "numImages": 2,
    "seed": 42.5,
    "format": "b64_json",
    "dimensions": "1024x1024",
    "quality": "hd",
    "style": "vivid",
    "responseFormat": None,
    "cacheControl": {"type": "ephemeral", "ttl": "1h"},
    "photoRealVersion": "v2",
    "encoding_format": "float",
    "reasoningEffort": "high",
    "budgetTokens": 2048,
    "verbosity": "low",
    "thinkingLevel": "low",
}

#: A value of each parameter of providers.
PROVIDER_VALUES: dict[str, Any] = {
    "stop": ["\n", "END"], "stop_token_ids": [2], "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": False, "n": 3, "best_of": 4, "logit_bias": {"50256": -100, "7": 1.5}, "logprobs": True,
    "top_logprobs": 5, "min_p": 0.05, "top_a": 0.1, "repetition_penalty": 1.1, "min_tokens": 2,
    "service_tier": "flex", "user": "ada", "safety_identifier": "s-1", "metadata": {"team": "billing"}, "store": True,
    "prompt_cache_key": "k", "prompt_cache_retention": "24h", "prediction": {"type": "content", "content": "x"},
    "modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "mp3"},
    "web_search_options": {"search_context_size": "low"}, "reasoning": {"summary": "auto"},
    "thinking": {"type": "adaptive"}, "reasoning_format": "parsed", "include_reasoning": False,
    "chat_template_kwargs": {"enable_thinking": False}, "suffix": "}", "echo": True, "preset": "fast-search",
    "prompt_mode": "reasoning", "safe_prompt": True, "safety_mode": "STRICT", "safety_model": "meta/guard",
    "safety_settings": [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_NONE"}],
    "guardrail_config": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    "performance_config": {"latency": "optimized"},
    "voice": "nova",
    "speed": 1.25,
    "instructions": "Speak slowly.",
    "language": "en",
    "timestamp_granularities": ["segment", "word"],
    "input_type": "passage",
    "task": "retrieval.query",
    "truncate": "END",
    "top_n": 3,
    "background": "transparent",
    "moderation": "low",
    "output_format": "webp",
    "output_compression": 80,
    "negative_prompt": "text",
    "steps": 4,
    "guidance_scale": 3.5,
}  # fmt: skip

JSON_SCHEMA_FORMAT = {
    "type": "json_schema",
    "display_name": "Order",
    "json_schema": {
        "name": "order",
        "description": "An order.",
        "strict": True,
        "schema": {"type": "object", "properties": {"number": {"type": "string"}}, "additionalProperties": True},
    },
}

RESPONSE_FORMATS: dict[str, Any] = {
    "json-schema": JSON_SCHEMA_FORMAT,
    "json-schema-without-description": {
        "type": "json_schema",
        "json_schema": {"name": "anything", "schema": {}, "description": None},
    },
    "json-object": {"type": "json_object"},
    "text": {"type": "text"},
    "null": None,
    **{f"the-name-{name}": name for name in ("mp3", "opus", "aac", "flac", "wav", "pcm")},
    **{f"the-name-{name}": name for name in ("url", "base64_json")},
    **{f"the-name-{name}": name for name in ("json", "text", "srt", "verbose_json", "vtt")},
}

MINIMAL_BODY = {
    "description": "",
    "prompt_config": {
        "tools": [],
        "model": "m",
        "model_type": "chat",
        "model_parameters": {},
        "provider": "openai",
        "messages": [],
    },
}


def full_body(response_format: Any) -> dict[str, Any]:
    """Return a body with every field and the given response format."""
    return {
        "description": "Answers refunds",
        "prompt_config": {
            "tools": [FULL_TOOL],
            "model": "openai/my-gpt",
            "model_type": "chat",
            "model_parameters": {**FULL_PARAMETERS, "responseFormat": response_format},
            "provider": "openai",
            "messages": FULL_MESSAGES,
        },
    }


def full_bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a key and a body with every field for each response format."""
    for key, response_format in RESPONSE_FORMATS.items():
        yield key, full_body(response_format)
