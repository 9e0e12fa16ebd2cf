"""Embeddings of Google: the Gemini API takes batches, and Vertex AI one text after the other."""

from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.completion import Usage
from moorage.providers.decoding import Number, known
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.gemini_common import model_path
from moorage.providers.media.reading import add, batches, parse, post, texts_of, vector
from moorage.providers.media.results import Embeddings
from moorage.providers.media.steps import Exchange, Request

#: How many texts a request can have. Vertex AI takes one for the models from gemini-embedding-001 on.
_BATCH: Final = 100
_VERTEX_BATCH: Final = 1


class _Values(msgspec.Struct):
    values: msgspec.Raw


class _Response(msgspec.Struct):
    embeddings: list[_Values]


class _Statistics(msgspec.Struct):
    token_count: Number = None


class _VertexValues(msgspec.Struct):
    values: msgspec.Raw
    statistics: _Statistics | None = None


class _Prediction(msgspec.Struct):
    embeddings: _VertexValues


class _Predictions(msgspec.Struct):
    predictions: list[_Prediction]


def run(request: Request) -> Exchange:
    """Return the vectors of texts.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    texts = texts_of(request)
    path, encoding = model_path(request), request.take("encoding_format") or "float"
    dimensions, kind = request.number("dimensions"), request.take("task")
    further = request.rest()
    vectors, usage = list[bytes](), Usage()
    is_vertex = request.provider == "google"
    for batch in batches(texts, _VERTEX_BATCH if is_vertex else _BATCH):
        if is_vertex:
            instances: list[Object] = [{"content": text} | ({"task_type": kind} if kind else {}) for text in batch]
            parameters = {} if dimensions is None else {"outputDimensionality": dimensions}
            reply = yield post(f"{path}:predict", {"instances": instances, "parameters": parameters} | further)
            values = [each.embeddings for each in parse(reply, _Predictions).predictions]
            raws = [bytes(each.values) for each in values]
            count = sum(known(each.statistics.token_count) or 0 for each in values if each.statistics)
            usage = add(usage, Usage(count)) or usage
        else:
            own: Object = ({} if dimensions is None else {"outputDimensionality": dimensions}) | (
                {"taskType": kind} if kind else {}
            )
            requests = [
                {"model": path.removeprefix("/"), "content": {"parts": [{"text": text}]}} | own for text in batch
            ]
            reply = yield post(f"{path}:batchEmbedContents", {"requests": requests} | further)
            raws = [bytes(each.values) for each in parse(reply, _Response).embeddings]
        if len(raws) != len(batch):
            raise MalformedResponse(f"it has {len(raws)} vectors for {len(batch)} texts")
        vectors += [vector(raw, encoding) for raw in raws]
    return Embeddings(vectors, usage)
