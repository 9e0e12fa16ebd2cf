"""Embeddings in the API of Cohere (v2)."""

from typing import Final

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.completion import Usage
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.reading import Tokens, add, batches, encoding_of, parse, post, texts_of, vector
from moorage.providers.media.results import Embeddings
from moorage.providers.media.steps import Exchange, Request

#: How many texts a request can have.
_BATCH: Final = 96


class _Vectors(msgspec.Struct):
    float: list[msgspec.Raw] | None = None
    base64: list[msgspec.Raw] | None = None


class _Meta(msgspec.Struct):
    billed_units: Tokens | None = None


class _Response(msgspec.Struct):
    embeddings: _Vectors
    meta: _Meta | None = None


def run(request: Request) -> Exchange:
    """Return the vectors of texts.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    texts = texts_of(request)
    encoding = encoding_of(request)
    # The API requires the type of the input; the deployment or the call can set "search_document".
    body: Object = {"model": request.model, "embedding_types": [encoding], "input_type": "search_query"}
    dimensions = request.count("dimensions")
    if dimensions is not None:
        body["output_dimension"] = dimensions
    body |= request.rest()
    vectors, usage = list[bytes](), None
    for batch in batches(texts, _BATCH):
        reply = yield post("/v2/embed", body | {"texts": list(batch)})
        response = parse(reply, _Response)
        found = (response.embeddings.float if encoding == "float" else response.embeddings.base64) or []
        if len(found) != len(batch):
            raise MalformedResponse(f"it has {len(found)} vectors for {len(batch)} texts")
        vectors += [vector(bytes(raw), encoding) for raw in found]
        meta = response.meta
        usage = add(usage, meta.billed_units.usage() if meta and meta.billed_units else None)
    return Embeddings(vectors, usage or Usage())
