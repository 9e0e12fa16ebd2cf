"""Embeddings of Hugging Face: the task `feature-extraction`."""

from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.completion import Usage
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.huggingface_common import task_path
from moorage.providers.media.reading import batches, encoding_of, parse, post, texts_of, vector
from moorage.providers.media.results import Embeddings
from moorage.providers.media.steps import Exchange, Request

_BATCH: Final = 32


def run(request: Request) -> Exchange:
    """Return the vectors of texts.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    texts = texts_of(request)
    encoding = encoding_of(request)
    body: Object = request.rest()
    vectors = list[bytes]()
    for batch in batches(texts, _BATCH):
        reply = yield post(task_path(request, "feature-extraction"), body | {"inputs": list(batch)})
        raws = [bytes(raw) for raw in parse(reply, list[msgspec.Raw])]
        if len(raws) != len(batch) or any(raw[:2] == b"[[" for raw in raws):
            raise MalformedResponse(
                f"it has no vector for each of {len(batch)} texts; the model may have one per token"
            )
        vectors += [vector(raw, encoding) for raw in raws]
    return Embeddings(vectors, Usage())
