"""Embeddings of Google: the Gemini API takes batches, and Vertex AI one text after the other.

Vertex AI has another method for the models named after Gemini than for those before them, as Google's SDK has it.
"""

from typing import Any, Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.completion import Usage
from moorage.providers.decoding import Number, known
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.gemini_common import model_path
from moorage.providers.media.reading import add, batches, encoding_of, parse, post, texts_of, vector
from moorage.providers.media.results import Embeddings
from moorage.providers.media.steps import Exchange, Part, Request

#: How many texts a request to the Gemini API can have.
_BATCH: Final = 100


class _Values(msgspec.Struct):
    values: msgspec.Raw


class _Response(msgspec.Struct):
    embeddings: list[_Values]


class _Counted(msgspec.Struct, rename="camel"):
    prompt_token_count: Number = None


class _One(msgspec.Struct, rename="camel"):
    embedding: _Values
    usage_metadata: _Counted | None = None


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
    texts, encoding = texts_of(request), encoding_of(request)
    path, dimensions, task = model_path(request), request.count("dimensions"), request.take("task")
    config: Object = {} if dimensions is None else {"outputDimensionality": dimensions}
    further = request.rest()
    vectors, usage = list[bytes](), Usage()
    if request.provider == "google":
        ask = _embed if "gemini" in request.model else _predict
        for text in texts:
            raw, count = yield from ask(path, text, config, task, further)
            vectors.append(vector(raw, encoding))
            usage = add(usage, Usage(known(count) or 0)) or usage
    else:
        own: Object = config | ({"taskType": task} if task else {})
        for batch in batches(texts, _BATCH):
            requests = [{"model": path.removeprefix("/"), "content": _content(text)} | own for text in batch]
            reply = yield post(f"{path}:batchEmbedContents", {"requests": requests} | further)
            found = parse(reply, _Response).embeddings
            if len(found) != len(batch):
                raise MalformedResponse(f"it has {len(found)} vectors for {len(batch)} texts")
            vectors += [vector(bytes(each.values), encoding) for each in found]
    return Embeddings(vectors, usage)


def _content(text: str) -> Object:
    return {"parts": [{"text": text}]}


def _embed(path: str, text: str, config: Object, task: Any, further: Object) -> Part[tuple[bytes, Number]]:
    """Return the vector of a text from a model of Vertex AI that is named after Gemini, and its tokens."""
    config = config | ({"taskType": task} if task else {})
    body: Object = {"content": _content(text)} | ({"embedContentConfig": config} if config else {})
    found = parse((yield post(f"{path}:embedContent", body | further)), _One)
    return bytes(found.embedding.values), found.usage_metadata.prompt_token_count if found.usage_metadata else None


def _predict(path: str, text: str, config: Object, task: Any, further: Object) -> Part[tuple[bytes, Number]]:
    """Return the vector of a text from an older model of Vertex AI, and its tokens."""
    instance = {"content": text} | ({"task_type": task} if task else {})
    reply = yield post(f"{path}:predict", {"instances": [instance], "parameters": config} | further)
    found = parse(reply, _Predictions).predictions
    if len(found) != 1:
        raise MalformedResponse(f"it has {len(found)} vectors for a text")
    values = found[0].embeddings
    return bytes(values.values), values.statistics.token_count if values.statistics else None
