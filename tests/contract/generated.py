"""Hypothesis strategies for prompt configs that the server accepts without normalizing them."""

from typing import Any, get_args

from hypothesis import strategies as st

from moorage.core.deployments.prompt_config import ModelType, Provider, Role
from tests.contract.full_items import FULL_TOOL, RESPONSE_FORMATS

_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.sampled_from(
    ["{{a}}", "Hi {{ a }}, {{b.c}}!", "{{#a}}", "{% if a %}"]
)
_NAMES = st.text("abcXYZ019_-", min_size=1, max_size=8)
_PARTS = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": _TEXTS}),
    st.fixed_dictionaries({
        "type": st.just("image_url"),
        "image_url": st.fixed_dictionaries(
            {"url": _TEXTS.filter(bool)}, optional={"id": _TEXTS, "detail": st.sampled_from(["low", "high"])}
        ),
    }),
    st.fixed_dictionaries({
        "type": st.just("file"),
        "file": st.fixed_dictionaries(
            {}, optional={"file_data": _TEXTS, "uri": _TEXTS, "mimeType": _TEXTS, "filename": _TEXTS}
        ),
    }),
)  # fmt: skip
_TOOL_CALLS = st.lists(
    st.fixed_dictionaries(
        {"type": st.just("function"), "function": st.fixed_dictionaries({"name": _NAMES, "arguments": _TEXTS})},
        optional={"id": _TEXTS, "index": st.integers(0, 9)},
    ),
    min_size=1,
    max_size=2,
)


def _name_of_tool(tool: Any) -> str:
    name: str = tool["function"]["name"]
    return name


_TOOLS = st.just(FULL_TOOL) | st.fixed_dictionaries({
    "type": st.just("function"),
    "function": st.fixed_dictionaries(
        {"name": _NAMES, "parameters": st.just({"type": "object", "properties": {}})},
        optional={"description": _TEXTS, "strict": st.booleans()},
    ),
})  # fmt: skip
_NUMBERS = st.integers(-(2**31), 2**31) | st.floats(-1e9, 1e9)


def _messages(roles: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    role = st.sampled_from(roles)
    with_content = st.fixed_dictionaries(
        {"role": role, "content": _TEXTS | st.lists(_PARTS, max_size=3)}, optional={"tool_call_id": st.none() | _TEXTS}
    )
    with_tool_calls = st.fixed_dictionaries({"role": role, "content": st.none() | _TEXTS, "tool_calls": _TOOL_CALLS})
    return with_content | with_tool_calls


def _parameters(*, is_newest: bool) -> st.SearchStrategy[dict[str, Any]]:
    efforts = ["none", "disable", "minimal", "low", "medium", "high", *(["xhigh", "max"] if is_newest else [])]
    return st.fixed_dictionaries({}, optional={
        **dict.fromkeys(["temperature", "maxTokens", "topK", "topP", "numImages", "seed", "budgetTokens"], _NUMBERS),
        **dict.fromkeys(["frequencyPenalty", "presencePenalty"], _NUMBERS),
        **dict.fromkeys(["dimensions", "quality", "style"], _TEXTS),
        "format": st.sampled_from(["url", "b64_json", "text", "json_object"]),
        "responseFormat": st.sampled_from([*RESPONSE_FORMATS.values()]),
        "cacheControl": st.sampled_from([None, {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}]),
        "photoRealVersion": st.sampled_from(["v1", "v2"]),
        "encoding_format": st.sampled_from(["float", "base64"]),
        "reasoningEffort": st.sampled_from(efforts),
        "verbosity": st.sampled_from(["low", "medium", "high"]),
        "thinkingLevel": st.sampled_from(["minimal", "low", "medium", "high"] if is_newest else ["low", "high"]),
    })  # fmt: skip


def prompt_configs(*, is_newest: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Generate prompt configs, with or without the values that only the newest SDK supports."""
    newer = {"ocr", "classify", "developer"}
    types, roles = (
        [value for value in get_args(kind) if is_newest or value not in newer] for kind in (ModelType, Role)
    )
    return st.fixed_dictionaries({
        "tools": st.lists(_TOOLS, max_size=2, unique_by=_name_of_tool),
        "model": st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20),
        "model_type": st.sampled_from(types),
        "model_parameters": _parameters(is_newest=is_newest),
        "provider": st.sampled_from(get_args(Provider)),
        "messages": st.lists(_messages(roles), max_size=4),
    })  # fmt: skip
