"""Rerank in the form that most providers share: that of Cohere and Jina."""

from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.completion import Usage
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.reading import Tokens, parse, post
from moorage.providers.media.results import Ranked, Ranking
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Rerank

_PATHS: Final = {"cohere": "/v2/rerank"}


class _Result(msgspec.Struct):
    index: int
    relevance_score: float


class _Meta(msgspec.Struct):
    tokens: Tokens | None = None


class _Response(msgspec.Struct):
    results: list[_Result]
    model: str | None = None
    usage: Tokens | None = None
    meta: _Meta | None = None


def run(request: Request) -> Exchange:
    """Return the documents in the order of their relevance.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Rerank = request.task
    body: Object = {"model": request.model, "query": task.query, "documents": list(task.documents)}
    top = request.count("top_n")
    if top is not None:
        body["top_n"] = top
    reply = yield post(_PATHS.get(request.provider, "/rerank"), body | request.rest())
    response = parse(reply, _Response)
    usage: Usage | None = response.usage.usage() if response.usage else None
    if response.meta is not None and response.meta.tokens is not None:
        usage = response.meta.tokens.usage()
    return Ranking(
        ranked([(each.index, each.relevance_score) for each in response.results], task), usage, response.model
    )


def ranked(found: list[tuple[int, float]], task: Rerank) -> list[Ranked]:
    """Return the results, the most relevant first.

    Raises:
        MalformedResponse: a result is not that of a document, or that of one for the second time.
    """
    indexes = {index for index, _ in found}
    if len(indexes) != len(found) or not all(0 <= index < len(task.documents) for index in indexes):
        raise MalformedResponse("its indexes are not those of documents")
    return [Ranked(index, score) for index, score in sorted(found, key=lambda each: -each[1])]
