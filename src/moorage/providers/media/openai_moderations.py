"""Moderations in the API of OpenAI, and of the providers that follow it."""

from collections.abc import Sequence
from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.reading import Tokens, parse, post
from moorage.providers.media.results import Moderated, Moderation
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Moderate

_MAX_CATEGORIES: Final = 200


class _Result(msgspec.Struct):
    categories: dict[str, bool | None]
    category_scores: dict[str, float | None] = {}
    flagged: bool | None = None


class _Response(msgspec.Struct):
    results: list[_Result]
    model: str | None = None
    usage: Tokens | None = None


def run(request: Request) -> Exchange:
    """Return the classifications of texts.

    Raises:
        MalformedResponse, ProviderFailed
    """
    task: Moderate = request.task
    body: Object = {"model": request.model, "input": list(task.texts)}
    reply = yield post("/moderations", body | request.rest())
    response = parse(reply, _Response)
    if len(response.results) != len(task.texts):
        raise MalformedResponse(f"it has {len(response.results)} results for {len(task.texts)} texts")
    results: Sequence[Moderated] = [_moderated(each) for each in response.results]
    return Moderation(results, response.usage.usage() if response.usage else None, response.model)


def _moderated(result: _Result) -> Moderated:
    if len(result.categories) > _MAX_CATEGORIES:
        raise MalformedResponse(f"it has {len(result.categories)} categories")
    categories = {name: bool(value) for name, value in result.categories.items()}
    scores = {name: value or 0.0 for name, value in result.category_scores.items()}
    flagged = any(categories.values()) if result.flagged is None else result.flagged
    return Moderated(flagged, categories, scores)
