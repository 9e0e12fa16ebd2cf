"""Embeddings in the API of OpenAI, and of the providers that follow it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.completion import Usage
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.reading import Tokens, add, batches, encoding_of, in_order, parse, post, texts_of, vector
from moorage.providers.media.results import Embeddings
from moorage.providers.media.steps import Exchange, Reply, Request
from moorage.providers.media.tasks import Embed

#: How many texts a request can have, from the references of the APIs; for the others, it is that of OpenAI.
_BATCH: Final[Mapping[str, int]] = {"bytedance": 256, "mistral": 512, "togetherai": 512, "nvidia": 512}
_DEFAULT_BATCH: Final = 2048

#: Providers that take texts as numbers of tokens.
_TAKES_TOKENS: Final = frozenset({"openai", "azure", "litellm", "openailike"})

#: The field for the encoding; providers without one send numbers.
_ENCODING: Final[Mapping[str, str]] = {
    "openai": "encoding_format", "azure": "encoding_format", "litellm": "encoding_format",
    "openailike": "encoding_format", "nvidia": "encoding_format", "bytedance": "encoding_format",
    "jina": "embedding_type",
}  # fmt: skip


class _Item(msgspec.Struct):
    embedding: msgspec.Raw
    index: int | None = None


class _Response(msgspec.Struct):
    data: list[_Item]
    model: str | None = None
    usage: Tokens | None = None


class _Multimodal(msgspec.Struct):
    data: _Item
    model: str | None = None
    usage: Tokens | None = None


def run(request: Request) -> Exchange:
    """Return the vectors of texts, in batches of the provider's size.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    task: Embed = request.task
    texts: Sequence[Any] = task.texts if request.provider in _TAKES_TOKENS else texts_of(request)
    encoding = encoding_of(request)
    dimensions = request.count("dimensions")
    body: Object = {"model": request.model}
    if dimensions is not None:
        body["output_dimension" if request.provider == "mistral" else "dimensions"] = dimensions
    if (field := _ENCODING.get(request.provider)) is not None:
        body[field] = encoding
    if request.provider == "nvidia":
        body["input_type"] = "query"  # the API requires one; the deployment or the call can set "passage"
    body |= request.rest()
    is_multimodal = request.provider == "bytedance" and "vision" in request.model
    vectors, usage, model = list[bytes](), None, None
    for batch in batches(texts, 1 if is_multimodal else _BATCH.get(request.provider, _DEFAULT_BATCH)):
        if is_multimodal:
            given = [{"type": "text", "text": batch[0]}]
            reply = yield post("/embeddings/multimodal", body | {"input": given})
            single = parse(reply, _Multimodal)
            found, used, model = [single.data], single.usage, single.model
        else:
            reply = yield post("/embeddings", body | {"input": list(batch)})
            found, used, model = _read(reply)
        raws = in_order([(None if is_multimodal else each.index, bytes(each.embedding)) for each in found], len(batch))
        vectors += [vector(raw, encoding) for raw in raws]
        usage = add(usage, used.usage() if used else None)
    return Embeddings(vectors, usage or Usage(), model)


def _read(reply: Reply) -> tuple[list[_Item], Tokens | None, str | None]:
    response = parse(reply, _Response)
    if not response.data:
        raise MalformedResponse("it has no vectors")
    return response.data, response.usage, response.model
