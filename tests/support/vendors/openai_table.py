"""The vendors with the Chat Completions API: how each of them differs from OpenAI, as its documentation says.

A vendor that ignores unknown fields rejects them here, because a parameter without an effect would go unnoticed.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

_COMMON: Final = frozenset({
    "model", "messages", "stream", "tools", "tool_choice", "temperature", "top_p", "stop", "response_format", "user",
})  # fmt: skip
_PENALTIES: Final = frozenset({"frequency_penalty", "presence_penalty"})
_MOST: Final = _COMMON | _PENALTIES | {"stream_options", "seed", "n", "logprobs", "top_logprobs", "logit_bias"}
_OPENAI: Final = _MOST | {
    "max_tokens", "max_completion_tokens", "parallel_tool_calls", "reasoning_effort", "verbosity", "metadata",
    "service_tier", "store", "prediction", "modalities", "audio", "prompt_cache_key", "safety_identifier",
    "web_search_options",
}  # fmt: skip

#: How the usage is in a stream: as the last chunk if `stream_options` asks for it; in the chunk with the finish reason;
#: in each chunk; or in that chunk as `x_groq`.
UsageAt = Literal["last", "finish", "each", "x_groq"]


_FAILED: Final = {"error": {"message": "{message}", "type": "server_error", "param": None, "code": "error_{status}"}}


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor. `models` can chat, those in `seeing` see images as well, and `text_models` complete texts.

    `call_ids` is a pattern for the ids of calls of tools, if the vendor rejects others.
    `call_ids` is the pattern of ids of tool calls, if the vendor rejects others. In the bodies of errors, `{message}`,
    `{param}` and `{status}` are replaced.
    """

    id: str
    base: str
    models: tuple[str, ...]
    seeing: tuple[str, ...] = ()
    text_models: tuple[str, ...] = ()
    chat_path: str = "/chat/completions"
    text_path: str | None = None
    key_header: str = "authorization"
    fields: frozenset[str] = _MOST | {"max_tokens"}
    roles: frozenset[str] = frozenset({"system", "user", "assistant", "tool"})
    formats: frozenset[str] = frozenset({"text", "json_object", "json_schema"})
    call_ids: str | None = None
    takes_reasoning_back: bool = True
    reasoning: str | None = "reasoning_content"
    usage_at: UsageAt = "last"
    first_chunk: dict[str, Any] | None = None
    sends_whole_calls: bool = False
    finishes_with_text: bool = False
    has_null_reasons: bool = True
    has_index_in_calls: bool = True
    stop_reason: str = "stop"
    unauthorized: tuple[int, Any] = (401, {"error": {
        "message": "Incorrect API key provided: {message}.", "type": "invalid_request_error", "param": None,
        "code": "invalid_api_key",
    }})  # fmt: skip
    not_found: tuple[int, Any] = (404, {"error": {
        "message": "The model `{message}` does not exist or you do not have access to it.",
        "type": "invalid_request_error", "param": None, "code": "model_not_found",
    }})  # fmt: skip
    invalid: tuple[int, Any] = (400, {"error": {
        "message": "{message} ({param})", "type": "invalid_request_error", "param": "{param}",
        "code": "invalid_value",
    }})  # fmt: skip
    failed: Any = msgspec.field(default_factory=lambda: _FAILED)
    error_type: str = "application/json"


DIALECTS: Final[tuple[Dialect, ...]] = (
    Dialect(
        id="openai", base="/v1", models=("my-gpt", "gpt-5"), seeing=("my-gpt", "gpt-5"),
        text_models=("gpt-3.5-turbo-instruct",), text_path="/completions", fields=_OPENAI, reasoning=None,
        roles=frozenset({"system", "developer", "user", "assistant", "tool"}), takes_reasoning_back=False,
        call_ids=".{1,40}",
    ),
    Dialect(
        id="azure", base="/openai/v1", models=("my-gpt", "gpt-5"), seeing=("my-gpt",), key_header="api-key",
        text_models=("gpt-35-turbo-instruct",), text_path="/completions", fields=_OPENAI, reasoning=None,
        roles=frozenset({"system", "developer", "user", "assistant", "tool"}), takes_reasoning_back=False,
        call_ids=".{1,40}",
        first_chunk={"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": [
            {"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}},
        ]},
        unauthorized=(401, {"error": {"code": "401", "message":
            "Access denied due to invalid subscription key or wrong API endpoint. {message}"}}),
        not_found=(404, {"error": {"code": "DeploymentNotFound", "message":
            "The API deployment for this resource does not exist: {message}."}}),
    ),
    Dialect(
        id="groq", base="/openai/v1", models=("openai/gpt-oss-120b", "llama-3.3-70b-versatile"),
        seeing=("meta-llama/llama-4-scout",), reasoning="reasoning", usage_at="x_groq",
        fields=_MOST | {
            "max_tokens", "max_completion_tokens", "parallel_tool_calls", "reasoning_effort", "reasoning_format",
            "include_reasoning", "service_tier",
        },
        unauthorized=(401, {"error": {
            "message": "Invalid API Key", "type": "invalid_request_error", "code": "invalid_api_key",
        }}),
    ),
    Dialect(
        id="huggingface", base="", chat_path="/v1/chat/completions", models=("meta-llama/Llama-3.1-8B-Instruct",),
        seeing=("Qwen/Qwen3-VL-8B-Instruct",), fields=_MOST | {"max_tokens", "top_k", "reasoning_effort"},
        unauthorized=(401, {"error": "Invalid username or password."}),
        not_found=(400, {"error": {
            "message": "The requested model '{message}' does not exist", "type": "invalid_request_error",
            "param": "model", "code": "model_not_found",
        }}),
    ),
    Dialect(
        id="togetherai", base="/v1", models=("meta-llama/Llama-3.3-70B-Instruct-Turbo",), seeing=("Qwen/Qwen3-VL",),
        text_models=("mistralai/Mixtral-8x7B-v0.1",), text_path="/completions", reasoning="reasoning",
        fields=_MOST | {
            "max_tokens", "top_k", "min_p", "repetition_penalty", "reasoning_effort", "reasoning", "safety_model",
            "echo", "parallel_tool_calls",
        },
        usage_at="finish", stop_reason="eos",
        not_found=(404, {"id": "oV", "error": {
            "message": "Unable to access model {message}. Please visit https://api.together.ai/models.",
            "type": "invalid_request_error", "param": None, "code": "model_not_available",
        }}),
    ),
    Dialect(
        id="nvidia", base="/v1", models=("meta/llama-3.1-8b-instruct",), seeing=("meta/llama-3.2-90b-vision-instruct",),
        text_models=("bigcode/starcoder2-15b",), text_path="/completions",
        fields=_MOST | {
            "max_tokens", "top_k", "chat_template_kwargs", "reasoning_effort", "min_p", "parallel_tool_calls",
        },
        usage_at="each",
        sends_whole_calls=True, error_type="application/problem+json",
        unauthorized=(401, {"status": 401, "title": "Unauthorized", "detail": "Authentication failed"}),
        not_found=(404, {"status": 404, "title": "Not Found", "detail": "Function '{message}': Not found for account"}),
        invalid=(400, {"status": 400, "title": "Bad Request", "detail": "{param}: {message}"}),
        failed={"status": "{status}", "title": "Error", "detail": "{message}"},
    ),
    Dialect(
        id="litellm", base="", models=("claude-sonnet", "my-gpt"), seeing=("my-gpt",), text_models=("davinci",),
        text_path="/completions", fields=_OPENAI | {"top_k", "thinking", "cache_control", "echo"},
        unauthorized=(401, {"error": {
            "message": "Authentication Error, Invalid proxy server token passed.", "type": "token_not_found_in_db",
            "param": "key", "code": "401",
        }}),
        not_found=(400, {"error": {
            "message": "/chat/completions: Invalid model name passed in model={message}.", "type": "None",
            "param": "None", "code": "400",
        }}),
    ),
    Dialect(
        id="cerebras", base="/v1", models=("llama-3.3-70b", "gpt-oss-120b"), text_models=("llama3.1-8b",),
        text_path="/completions", reasoning="reasoning", usage_at="finish", has_null_reasons=False,
        fields=_MOST | {"max_completion_tokens", "parallel_tool_calls", "reasoning_effort", "service_tier"},
        unauthorized=(401, {
            "message": "Wrong API Key", "type": "invalid_request_error", "param": "api_key", "code": "wrong_api_key",
        }),
        not_found=(404, {
            "message": "Model {message} does not exist or you do not have access to it.", "type": "not_found_error",
            "param": "model", "code": "model_not_found",
        }),
        invalid=(400, {
            "message": "{param}: {message}", "type": "invalid_request_error", "param": "{param}",
            "code": "wrong_api_format",
        }),
        failed={"message": "{message}", "type": "server_error", "param": "", "code": "error_{status}"},
    ),
    Dialect(
        id="openailike", base="/serving", models=("qwen",), seeing=("qwen-vl",), text_models=("base",),
        text_path="/completions", fields=_OPENAI | {"top_k", "echo"}, has_index_in_calls=False,
        unauthorized=(401, {"error": "Unauthorized"}),
        not_found=(404, {"error": {
            "message": "The model `{message}` does not exist.", "type": "NotFoundError", "param": "model", "code": 404,
        }}),
    ),
    Dialect(
        id="bytedance", base="/api/v3", models=("seed-1-6-250915",), seeing=("seed-1-6-vision",),
        fields=_MOST | {
            "max_tokens", "max_completion_tokens", "thinking", "reasoning_effort", "parallel_tool_calls",
            "service_tier",
        },
        unauthorized=(401, {"error": {
            "code": "AuthenticationError", "param": "", "type": "Unauthorized",
            "message": "The API key or AK/SK in the request is missing or invalid.",
        }}),
        not_found=(404, {"error": {
            "code": "InvalidEndpointOrModel.NotFound", "param": "", "type": "NotFound",
            "message": "The model or endpoint {message} does not exist or you do not have access to it.",
        }}),
    ),
    Dialect(
        id="mistral", base="/v1", models=("mistral-small-latest", "magistral-medium-latest"),
        seeing=("pixtral-large-latest",), text_models=("codestral-latest",), text_path="/fim/completions",
        reasoning=None, usage_at="finish", finishes_with_text=True, sends_whole_calls=True,
        fields=(_COMMON - {"user"}) | _PENALTIES | {
            "max_tokens", "random_seed", "n", "safe_prompt", "prompt_mode", "parallel_tool_calls", "prediction",
            "reasoning_effort", "top_k", "metadata", "logprobs", "top_logprobs", "repetition_penalty", "min_tokens",
        },
        takes_reasoning_back=False, call_ids="[a-zA-Z0-9]{9}",
        unauthorized=(401, {"detail": "Unauthorized"}),
        not_found=(400, {
            "object": "error", "message": "Invalid model: {message}", "type": "invalid_model", "param": None,
            "code": "1500",
        }),
        invalid=(422, {"detail": [{
            "type": "extra_forbidden", "loc": ["body", "{param}"], "msg": "{message}", "input": None,
        }]}),
        failed={"object": "error", "message": "{message}", "type": "server_error", "param": None, "code": "3000"},
    ),
    Dialect(
        id="deepseek", base="", models=("deepseek-v4-flash",), seeing=("deepseek-v4-vision",),
        text_models=("deepseek-v4-flash",),
        text_path="/beta/completions", usage_at="finish", formats=frozenset({"text", "json_object"}),
        fields=(_MOST - {"n", "seed", "logit_bias", "user"}) | {
            "max_tokens", "thinking", "reasoning_effort", "echo", "suffix",
        },
        error_type="application/octet-stream",
        unauthorized=(401, {"error": {
            "message": "Authentication Fails, Your api key: {message} is invalid", "type": "authentication_error",
            "param": None, "code": "invalid_request_error",
        }}),
        not_found=(400, {"error": {
            "message": "Model Not Exist: {message}", "type": "invalid_request_error", "param": None,
            "code": "invalid_request_error",
        }}),
    ),
    Dialect(
        id="moonshotai", base="/v1", models=("kimi-k3",), seeing=("kimi-k2.5",), usage_at="finish",
        finishes_with_text=True,
        fields=_COMMON | _PENALTIES | {
            "max_tokens", "max_completion_tokens", "n", "stream_options", "reasoning_effort", "thinking",
            "prompt_cache_key", "safety_identifier",
        },
        unauthorized=(401, {"error": {"message": "Invalid Authentication", "type": "invalid_authentication_error"}}),
        not_found=(404, {"error": {
            "message": "Not found the model {message} or Permission denied", "type": "resource_not_found_error",
        }}),
    ),
)  # fmt: skip

#: The values that Kimi models take for parameters that others can choose.
KIMI_FIXED: Final[Mapping[str, float]] = {
    "temperature": 1, "top_p": 0.95, "n": 1, "frequency_penalty": 0, "presence_penalty": 0,
}  # fmt: skip

#: Vendors that have other models only.
WITHOUT_CHATS: Final = (
    Dialect(id="jina", base="/v1", models=(), invalid=(422, {"detail": "{message} ({param})"})),
    Dialect(id="contextualai", base="/v1", models=(), invalid=(422, {"detail": "{message} ({param})"})),
)
