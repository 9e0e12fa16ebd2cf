"""Try-outs: a stored version with inputs and a context, before anything is served with it."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.resolution.config import GetConfigRequest, Object, ResolvedConfig
from moorage.core.routing.table import Explanation


class RenderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST …/render`: as that of `get_config`, without the key."""

    inputs: Annotated[Object, Meta(description="The values of variables.")] = {}
    context: Annotated[Object, Meta(description="The attributes that routing uses.")] = {}
    prefix_messages: Annotated[list[Object], Meta(description="Inserted after the system messages, unchanged.")] = []
    messages: Annotated[list[Object], Meta(description="Appended to all other messages, unchanged.")] = []
    extra_params: Annotated[Object, Meta(description="Replaces the parameters of the same name.")] = {}
    input: (
        Annotated[
            str | list[str],
            Meta(
                description="The text for the model: the variable `input` of the messages, or appended to them. Models"
                " of the types `embedding` and `moderation` take several; a chat gets it as a message of the user."
            ),
        ]
        | UnsetType
    ) = UNSET
    model: (
        Annotated[
            str,
            Meta(min_length=1, max_length=300, description="Another model, such as `openai/gpt-6-luna`; no fallbacks."),
        ]
        | UnsetType
    ) = UNSET

    def for_key(self, key: str) -> GetConfigRequest:
        """Return the request that an application would send for a deployment."""
        return GetConfigRequest(
            key, self.inputs, self.context, self.prefix_messages, self.messages, self.extra_params
        )  # fmt: skip


class TryAudio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file with speech."""

    content: Annotated[str, Meta(description="The file in base64.")]
    name: Annotated[str, Meta(max_length=200, description="Its name, whose ending some providers use.")] = "audio"
    media_type: Annotated[
        str, Meta(max_length=100, pattern=r"^[a-zA-Z0-9.+-]+/[a-zA-Z0-9.+-]+$", description="Such as `audio/mpeg`.")
    ] = "application/octet-stream"


class TryRequest(RenderRequest, frozen=True, forbid_unknown_fields=True):
    """The body of `POST …/try`."""

    stream: Annotated[bool, Meta(description="Return server-sent events.")] = False
    documents: Annotated[list[str], Meta(description="The documents for a model of the type `rerank`.")] = []
    audio: Annotated[TryAudio, Meta(description="The speech for a model of the type `stt`.")] | UnsetType = UNSET
    mock_response: Annotated[str, Meta(description="Return this text, without a call.")] | UnsetType = UNSET


class RenderedVersion(Explanation, frozen=True, kw_only=True):
    """A version, rendered: the result of each rule, and the configuration that an application would get.

    If a missing input is an error, `rejected` is true, and the messages show the variables as they are written. Without
    an integration for the model, `connected` is false.
    """

    version: str
    config: ResolvedConfig
    rejected: Annotated[bool, Meta(description="Whether get_config and calls would return `missing_inputs`.")]
    connected: Annotated[bool, Meta(description="Whether there is an integration that can call the model.")]
