"""The Gemini API as a protocol: requests for Google Vertex AI and for the Google Gemini API."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from moorage.core.deployments.model_rules import rejected_parameters
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.conversation import turns
from moorage.providers.gemini_messages import encode_contents
from moorage.providers.gemini_models import thinking_of
from moorage.providers.gemini_responses import Parser, decode
from moorage.providers.protocol import ProviderRequest
from moorage.providers.request import Translation, set_fields
from moorage.providers.sse import SseSplitter

__all__ = ["decode", "encode", "parser", "splitter"]

#: Models, and models that somebody tuned. Other characters would lead to another path.
_MODEL = re.compile(r"(?:(models|tunedModels)/)?([A-Za-z0-9][A-Za-z0-9._@-]*)")

_SAMPLING: Final = {"temperature": "temperature", "topP": "topP"}
_PENALTIES: Final = {"frequencyPenalty": "frequencyPenalty", "presencePenalty": "presencePenalty"}
_MODES: Final = {"auto": "AUTO", "none": "NONE", "required": "ANY", "function": "ANY"}


def encode(config: ResolvedConfig, options: Mapping[str, str], *, stream: bool) -> ProviderRequest:
    """Return the request for a configuration.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    translation = Translation(config, "Gemini API", "gemini")
    instructions, contents = encode_contents(turns(config.messages, translation), translation)
    body: Object = {"contents": contents}
    if instructions:
        body["systemInstruction"] = {"parts": instructions}
    if config.tools:
        body["tools"] = [{"functionDeclarations": [_tool(tool["function"]) for tool in config.tools]}]
        for index, tool in enumerate(config.tools):
            if tool["function"].get("strict"):
                translation.omit(f"tools[{index}].function.strict", "the API has no such field")
    generation = _generation(translation)
    body |= _native(translation, generation)
    if own := body.pop("generationConfig", None):  # of a call
        generation = generation | own if isinstance(own, dict) else own
    if generation:
        body["generationConfig"] = generation
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return ProviderRequest(f"{_model_path(translation, options)}:{method}", body, {}, translation.omitted)


def splitter() -> SseSplitter:
    """Return a splitter for one stream."""
    return SseSplitter()


def parser() -> Parser:
    """Return a parser for one stream."""
    return Parser()


def _model_path(translation: Translation, options: Mapping[str, str]) -> str:
    found = _MODEL.fullmatch(translation.model)
    if found is None:
        raise translation.reject("model", f"{translation.model!r:.100} is not the name of a model")
    if translation.provider != "google":
        return f"/{found[1] or 'models'}/{found[2]}"
    for name in ("project", "location"):
        if not options.get(name):
            raise translation.reject(f"options.{name}", "the integration must have this option")
    project, location = (quote(options[name], safe="") for name in ("project", "location"))
    return f"/projects/{project}/locations/{location}/publishers/google/models/{found[2]}"


def _tool(function: Object) -> Object:
    return set_fields(
        name=function["name"], description=function.get("description"),
        parametersJsonSchema=function.get("parameters"),
    )  # fmt: skip


def _generation(translation: Translation) -> Object:
    generation: Object = {}
    translation.copy(_SAMPLING, generation)
    rejected = rejected_parameters("gemini", translation.provider, translation.model, thinks=True)
    translation.omit_parameters(rejected, f"{translation.model} rejects it")
    translation.copy({name: native for name, native in _PENALTIES.items() if name not in rejected}, generation)
    generation |= set_fields(
        topK=translation.whole("topK"), maxOutputTokens=translation.whole("maxTokens"), seed=translation.whole("seed"),
        thinkingConfig=thinking_of(translation),
    )  # fmt: skip
    response_format = translation.response_format()
    if response_format and response_format["type"] != "text":
        generation["responseMimeType"] = "application/json"
    if response_format and response_format["type"] == "json_schema":
        generation["responseJsonSchema"] = response_format["json_schema"]["schema"]
    translation.omit_parameters(("verbosity",), "the API has no such parameter")
    translation.omit_parameters(("cacheControl",), "this API caches prompts by itself")
    return generation


def _native(translation: Translation, generation: Object) -> Object:
    """Return the parameters that are not the contract's; some become a part of `generation`."""
    take, extra = translation.take, translation.extra()
    count, top = take("n", int), take("top_logprobs", int)
    if type(logprobs := translation.parameters.get("logprobs")) is int:  # the number of the older API of OpenAI
        top = top or logprobs
    generation |= set_fields(
        stopSequences=translation.stop(), candidateCount=None if count == 1 else count,
        responseLogprobs=True if logprobs or top else None, logprobs=top or None,
    )  # fmt: skip
    choice = translation.tool_choice()
    if choice is not None:
        calling = set_fields(mode=_MODES[choice.mode], allowedFunctionNames=[choice.name] if choice.name else None)
        extra.setdefault("toolConfig", {"functionCallingConfig": calling})
    if (settings := translation.parameters.get("safety_settings")) is not None:
        extra.setdefault("safetySettings", settings)
    return extra
