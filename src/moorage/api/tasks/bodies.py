"""The bodies of requests to models that are not for chats, as the description of the API has them."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

_Model = Annotated[str, Meta(description="The key of a deployment; KEY@1.2 is a version, KEY#name a variant of it.")]
_Inputs = Annotated[dict[str, Any], Meta(description="The values of variables.")]
_Context = Annotated[dict[str, Any], Meta(description="The attributes that routing uses.")]


class EmbeddingsBody(msgspec.Struct, frozen=True):
    """The body of `POST /v1/embeddings`. Every other field is a parameter of the model."""

    model: _Model
    input: Annotated[Any, Meta(description="A text, a list of texts, or lists of tokens.")]
    inputs: _Inputs = {}
    context: _Context = {}


class ImagesBody(msgspec.Struct, frozen=True):
    """The body of `POST /v1/images/generations`. Every other field is a parameter of the model."""

    model: _Model
    prompt: Annotated[str, Meta(description="The variable `input` of the messages, or appended to them.")] = ""
    stream: Annotated[bool, Meta(description="Send an event for each complete picture.")] = False
    inputs: _Inputs = {}
    context: _Context = {}


class SpeechBody(msgspec.Struct, frozen=True):
    """The body of `POST /v1/audio/speech`. Every other field is a parameter of the model."""

    model: _Model
    input: Annotated[str, Meta(description="The variable `input` of the messages, or appended to them.")] = ""
    inputs: _Inputs = {}
    context: _Context = {}


class TranscriptionForm(msgspec.Struct, frozen=True):
    """The form of `POST /v1/audio/transcriptions`. Every other field is a parameter of the model.

    `inputs` and `context` are JSON texts, or fields such as `inputs[name]`.
    """

    model: _Model
    file: Annotated[bytes, Meta(description="The audio.")]
    prompt: Annotated[str, Meta(description="The variable `input` of the messages, or appended to them.")] = ""
    inputs: _Inputs = {}
    context: _Context = {}


class ModerationsBody(msgspec.Struct, frozen=True):
    """The body of `POST /v1/moderations`. Every other field is a parameter of the model."""

    model: _Model
    input: Annotated[Any, Meta(description="A text, or a list of texts.")]
    inputs: _Inputs = {}
    context: _Context = {}


class RerankBody(msgspec.Struct, frozen=True):
    """The body of `POST /v1/rerank`. Every other field is a parameter of the model."""

    model: _Model
    documents: Annotated[list[Any], Meta(description='Texts, or objects {"text": …}.')]
    query: Annotated[str, Meta(description="The variable `input` of the messages, or appended to them.")] = ""
    return_documents: bool = False
    inputs: _Inputs = {}
    context: _Context = {}
