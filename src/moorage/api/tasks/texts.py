"""The texts for a model: the messages of the deployment are their template."""

from collections.abc import Sequence

import msgspec

from moorage.api.request import RequestContext
from moorage.api.tasks.read import INPUT
from moorage.core.errors.requests import InvalidRequest
from moorage.core.resolution.compiled import CompiledVariant
from moorage.core.resolution.config import GetConfigRequest, ResolvedConfig
from moorage.core.templates.output import RenderBudget
from moorage.gateway.resolve import ResolvedCall

#: The most texts that are rendered in processes of jinja for one request.
_MAX_JINJA = 100


def with_input(request: GetConfigRequest, text: str) -> GetConfigRequest:
    """Return a request with a text as the variable `input`, unless the request has such a variable itself."""
    if INPUT in request.inputs or not text:
        return request
    return msgspec.structs.replace(request, inputs={**request.inputs, INPUT: text})


async def texts_for(
    ctx: RequestContext, resolved: ResolvedCall, request: GetConfigRequest, given: Sequence[str]
) -> list[str]:
    """Return a text for the model for each given text. `resolved` was resolved with the first one.

    A template with the variable `input` has it in its place; otherwise the text follows the messages.

    Raises:
        TemplateError, InvalidRequest
    """
    variant = resolved.variant
    if not variant.takes_input or INPUT in request.inputs:
        before = prompt_of(resolved.config)
        return [_joined(before, text) for text in given] if before else list(given)
    first = prompt_of(resolved.config)
    if len(given) <= 1:
        return [first]
    others = [with_input(request, text) for text in given[1:]]
    if variant.engine != "jinja":
        return [first, *await ctx.compute(_rendered, variant, others)]
    if len(others) >= _MAX_JINJA:
        reason = f"a template of the engine jinja takes at most {_MAX_JINJA} texts at once, not {len(given)}"
        raise InvalidRequest(param=INPUT, reason=reason)
    resolver = ctx.services.resolver
    return [first, *[prompt_of(await resolver.configuration(variant, each, is_small=True)) for each in others]]


def prompt_of(config: ResolvedConfig) -> str:
    """Return the texts of the messages of a configuration, with an empty line in between.

    Raises:
        InvalidRequest: a message has something else than text.
    """
    texts = list[str]()
    for message in config.messages:
        content = message.get("content")
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
            if part.get("type") != "text":
                kind = part.get("type")
                reason = f"a message of the deployment has a part of the type {kind!r:.40}, and only text is sent"
                raise InvalidRequest(param="model", reason=reason)
            texts.append(part["text"])
    return "\n\n".join(text for text in texts if text)


def _rendered(variant: CompiledVariant, requests: Sequence[GetConfigRequest]) -> list[str]:
    budget = RenderBudget()
    return [prompt_of(variant.rendered(each, budget)) for each in requests]


def _joined(before: str, text: str) -> str:
    return f"{before}\n\n{text}" if text else before
