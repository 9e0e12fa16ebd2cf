"""Rerank of Amazon Bedrock, which is a service beside that of the models."""

import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.media.reading import parse, post
from moorage.providers.media.rerank import ranked
from moorage.providers.media.results import Ranking
from moorage.providers.media.steps import Exchange, Request
from moorage.providers.media.tasks import Rerank

#: The host of the models, in the place of which the other service has one of its own.
_HOST: Final = re.compile(r"bedrock-runtime\.([a-z0-9-]+)\.amazonaws\.com")


class _Result(msgspec.Struct, rename="camel"):
    index: int
    relevance_score: float


class _Response(msgspec.Struct):
    results: list[_Result]


def run(request: Request) -> Exchange:
    """Return the documents in the order of their relevance.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Rerank = request.task
    region = request.options.get("region", "us-east-1")
    arn = f"arn:aws:bedrock:{region}::foundation-model/{request.model}"
    top = request.count("top_n")
    own: Object = {"modelConfiguration": {"modelArn": request.model if request.model.startswith("arn:") else arn}}
    own["numberOfResults"] = min(top or len(task.documents), len(task.documents))
    body: Object = {
        "queries": [{"type": "TEXT", "textQuery": {"text": task.query}}],
        "sources": [
            {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}
            for text in task.documents
        ],
        "rerankingConfiguration": {"type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": own},
    }
    reply = yield post("/rerank", body | request.rest(), base_url=_base(request))
    return Ranking(ranked([(each.index, each.relevance_score) for each in parse(reply, _Response).results], task))


def _base(request: Request) -> str:
    """Return the base URL of the service: that of the integration, or the one beside the models'."""
    if given := request.options.get("agent_base_url"):
        return given
    found = _HOST.fullmatch(urlsplit(request.base_url).netloc)
    return f"https://bedrock-agent-runtime.{found[1]}.amazonaws.com" if found else request.base_url
