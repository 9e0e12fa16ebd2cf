"""Rerank in the API of NVIDIA's retrieval models. Its scores are logits, which are passed on as they are."""

from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.media.reading import Tokens, parse, post
from moorage.providers.media.rerank import ranked
from moorage.providers.media.results import Ranking
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Rerank

#: The service of these models, unless the integration has the option `retrieval_base_url`, or a base URL of its own.
_BASE: Final = "https://ai.api.nvidia.com/v1"
_OF_CHATS: Final = "https://integrate.api.nvidia.com/v1"


class _Rank(msgspec.Struct):
    index: int
    logit: float


class _Response(msgspec.Struct):
    rankings: list[_Rank]
    usage: Tokens | None = None


def run(request: Request) -> Exchange:
    """Return the documents in the order of their relevance.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Rerank = request.task
    top = request.count("top_n")
    body: Object = {
        "model": request.model, "query": {"text": task.query}, "passages": [{"text": each} for each in task.documents],
    }  # fmt: skip
    own = _BASE if request.base_url == _OF_CHATS else request.base_url
    base = request.options.get("retrieval_base_url", own)
    reply = yield post(f"/retrieval/{request.model}/reranking", body | request.rest(), base_url=base)
    response = parse(reply, _Response)
    usage = response.usage.usage() if response.usage else None
    results = ranked([(each.index, each.logit) for each in response.rankings], task)
    return Ranking(results[:top], usage)
