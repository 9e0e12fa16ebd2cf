"""Requests of the Converse API of Amazon Bedrock, whose models take different further fields."""

from typing import Final

import msgspec

from moorage.core.deployments.model_rules import OFF, thinking_of_model
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.anthropic import DEFAULT_MAX_TOKENS, add_thinking, omit_rejected
from moorage.providers.bedrock_messages import Messages, cache_point
from moorage.providers.conversation import turns
from moorage.providers.request import Translation, set_fields

#: Fields of a request; a call can give them, and other names are fields of the model.
_FIELDS: Final = frozenset({
    "messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig", "additionalModelRequestFields",
    "promptVariables", "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig", "serviceTier",
    "outputConfig", "projectIdentifier",
})  # fmt: skip

#: Parameters that no model takes.
_UNKNOWN: Final = ("frequencyPenalty", "presencePenalty", "seed", "verbosity", "thinkingLevel")

_TIERS: Final = ("priority", "default", "flex", "reserved")
_MODES: Final = {"auto": "auto", "required": "any"}


def encode_converse(config: ResolvedConfig) -> tuple[str, Object, dict[str, str]]:
    """Return the name of the model, the body, and what it omits: the path of each part, and the reason.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    translation = Translation(config, "Amazon Bedrock Converse API", "bedrock")
    messages = Messages(turns(config.messages, translation), translation)
    body: Object = {"messages": messages.messages}
    if messages.system:
        body["system"] = messages.system
    _add_tools(translation, config, body, has_calls=messages.has_tools)
    further: Object = {}
    _add_inference(translation, body, further)
    _add_output(translation, body)
    if further:
        body["additionalModelRequestFields"] = further
    _add_further(translation, body)
    return translation.model, body, translation.omitted


def _add_tools(translation: Translation, config: ResolvedConfig, body: Object, *, has_calls: bool) -> None:
    choice = translation.tool_choice()
    if choice is not None and choice.mode == "none":
        if has_calls:
            raise translation.reject("parameters.tool_choice", "its messages have tool calls, which require the tools")
        return
    if not config.tools:
        if choice is not None and choice.mode != "auto":
            raise translation.reject("parameters.tool_choice", "the deployment has no tools")
        return
    body["toolConfig"] = {"tools": [{"toolSpec": _tool(tool["function"])} for tool in config.tools]}
    if choice is not None and choice.mode == "function":
        body["toolConfig"]["toolChoice"] = {"tool": {"name": choice.name}}
    elif choice is not None:
        body["toolConfig"]["toolChoice"] = {_MODES[choice.mode]: {}}


def _tool(function: Object) -> Object:
    return set_fields(
        name=function["name"], description=function.get("description") or None, strict=function.get("strict"),
        inputSchema={"json": function.get("parameters") or {"type": "object", "properties": {}}},
    )  # fmt: skip


def _add_inference(translation: Translation, body: Object, further: Object) -> None:
    model, parameters = translation.model, translation.parameters
    translation.omit_parameters(_UNKNOWN, "the API has no such parameter")
    limit = translation.whole("maxTokens")
    thinks = False
    if "claude" in model:
        claude: Object = {"max_tokens": limit or DEFAULT_MAX_TOKENS}
        add_thinking(translation, claude)
        kind = claude.get("thinking", {}).get("type")
        thinks = kind not in (None, "disabled")
        further |= set_fields(thinking=claude.get("thinking"), output_config=claude.get("output_config"))
        limit = claude["max_tokens"] if kind == "enabled" else limit
    else:
        _add_effort(translation, further)
    found: Object = set_fields(maxTokens=limit, stopSequences=translation.stop())
    rejected = omit_rejected("bedrock", translation, thinks=thinks)
    translation.copy({name: name for name in ("temperature", "topP") if name not in rejected}, found)
    if "topK" not in rejected:
        further |= set_fields(top_k=translation.whole("topK"))
    if found:
        body["inferenceConfig"] = found
    if control := parameters.get("cacheControl"):
        last = body["messages"][-1]["content"] if body["messages"] else []
        if "cacheControl" not in rejected and isinstance(control, dict) and last and "cachePoint" not in last[-1]:
            last.append(cache_point(control))
        else:
            translation.omit_parameters(
                ("cacheControl",), f"{model} does not cache, or the message says what it caches"
            )


def _add_effort(translation: Translation, further: Object) -> None:
    """Add an effort for the models that have one and are not Claude."""
    model, effort = translation.model, translation.parameters.get("reasoningEffort")
    translation.omit_parameters(("budgetTokens", "thinking"), f"{model} has no such parameter")
    if effort is None:
        return
    form, is_off = thinking_of_model("bedrock", translation.provider, model), effort in OFF
    level = {"minimal": "low", "xhigh": "high", "max": "high"}.get(str(effort), str(effort))
    if form == "reasoningConfig":
        further["reasoningConfig"] = {"type": "disabled"} if is_off else {
            "type": "enabled", "maxReasoningEffort": level,
        }  # fmt: skip
    elif form == "effort" and not is_off:
        further["reasoning_effort"] = level
    else:
        translation.omit_parameters(("reasoningEffort",), f"{model} has no such effort")


def _add_output(translation: Translation, body: Object) -> None:
    response_format = translation.response_format()
    if response_format and response_format["type"] == "json_schema":
        given = response_format["json_schema"]
        schema = set_fields(
            schema=msgspec.json.encode(given["schema"]).decode(), name=given["name"],
            description=given.get("description"),
        )  # fmt: skip
        body["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
    elif response_format and response_format["type"] == "json_object":
        raise translation.reject("parameters.responseFormat", "JSON requires a schema there, so use json_schema")
    body |= set_fields(
        guardrailConfig=translation.take("guardrail_config", dict[str, object]),
        performanceConfig=translation.take("performance_config", dict[str, object]),
        requestMetadata=translation.take("metadata", dict[str, str]) or None,
    )
    tier = translation.parameters.get("service_tier")
    if tier in _TIERS:
        body["serviceTier"] = {"type": tier}
    else:
        translation.omit_parameters(("service_tier",), f"the API takes {', '.join(_TIERS)}")


def _add_further(translation: Translation, body: Object) -> None:
    """Add the parameters of a call, which replace those of the deployment: fields of the API, or of the model."""
    extra = translation.extra()
    given = {name: extra.pop(name) for name in [*extra] if name in _FIELDS}
    for name in ("inferenceConfig", "additionalModelRequestFields"):
        if isinstance(given.get(name), dict):
            given[name] = body.get(name, {}) | given[name]
    body |= given
    if extra:
        fields = body.get("additionalModelRequestFields", {})
        if not isinstance(fields, dict):
            raise translation.reject("parameters.additionalModelRequestFields", "it must be an object")
        body["additionalModelRequestFields"] = fields | extra
