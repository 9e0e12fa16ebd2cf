"""Embeddings of Amazon Bedrock: the bodies are those of the families of models, Titan and Cohere."""

from typing import Final
from urllib.parse import quote

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.completion import Usage
from moorage.providers.decoding import Number, known
from moorage.providers.errors import MalformedResponse
from moorage.providers.media.reading import batches, encoding_of, parse, post, texts_of, vector
from moorage.providers.media.results import Embeddings
from moorage.providers.media.steps import Exchange, Request

#: How many texts a request to a model of Cohere can have. Titan takes one.
_BATCH: Final = 96


class _Titan(msgspec.Struct, rename="camel"):
    embedding: msgspec.Raw
    input_text_token_count: Number = None


class _ByType(msgspec.Struct):
    float: list[msgspec.Raw]


class _Cohere(msgspec.Struct):
    embeddings: _ByType | list[msgspec.Raw]


def run(request: Request) -> Exchange:
    """Return the vectors of texts.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    texts = texts_of(request)
    encoding = encoding_of(request)
    path, dimensions = invoke_path(request), request.count("dimensions")
    vectors, count = list[bytes](), 0
    if family_of(request.model) == "cohere":
        body: Object = {"input_type": "search_query", "embedding_types": ["float"]}
        body |= ({} if dimensions is None else {"output_dimension": dimensions}) | request.rest()
        for batch in batches(texts, _BATCH):
            reply = yield post(path, body | {"texts": list(batch)})
            found = parse(reply, _Cohere).embeddings
            raws = found.float if isinstance(found, _ByType) else found
            if len(raws) != len(batch):
                raise MalformedResponse(f"it has {len(raws)} vectors for {len(batch)} texts")
            vectors += [vector(bytes(each), encoding) for each in raws]
        return Embeddings(vectors, Usage())
    body = ({} if dimensions is None else {"dimensions": dimensions}) | request.rest()
    for text in texts:
        titan = parse((yield post(path, {"inputText": text} | body)), _Titan)
        vectors.append(vector(bytes(titan.embedding), encoding))
        count += known(titan.input_text_token_count) or 0
    return Embeddings(vectors, Usage(count))


def invoke_path(request: Request) -> str:
    """Return the path that invokes the model."""
    return f"/model/{quote(request.model, safe='')}/invoke"


def family_of(model: str) -> str:
    """Return the family of a model, without the region of an inference profile: `us.cohere.embed-v4:0` is cohere's."""
    first, _, rest = model.partition(".")
    return rest.partition(".")[0] if first in ("us", "eu", "apac", "global", "jp", "au") else first
