"""The OpenAI Chat Completions API as a protocol, for all providers that implement it."""

from collections.abc import Mapping
from typing import Final

from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.openai import encode_chat
from moorage.providers.openai_responses import Parser, decode
from moorage.providers.protocol import ProviderRequest
from moorage.providers.sse import SseSplitter

__all__ = ["decode", "encode", "option_headers", "parser", "splitter"]

#: Paths other than `/chat/completions`.
_PATHS: Final = {"huggingface": "/v1/chat/completions"}

#: Providers that reject `stream_options`; they report usage in streams anyway.
_NO_STREAM_OPTIONS: Final = frozenset({"mistral"})

#: Options of an integration that are sent as headers.
_HEADERS: Final = {"organization": "OpenAI-Organization", "project": "OpenAI-Project"}


def encode(config: ResolvedConfig, options: Mapping[str, str], *, stream: bool) -> ProviderRequest:
    """Return the request for a configuration.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    arguments, omitted = encode_chat(config)
    body: Object = {**arguments}
    body |= body.pop("extra_body", {})
    if stream:
        body["stream"] = True
        if config.provider not in _NO_STREAM_OPTIONS:
            given = body.get("stream_options")
            body["stream_options"] = (given if isinstance(given, dict) else {}) | {"include_usage": True}
    path = _PATHS.get(config.provider, "/chat/completions")
    return ProviderRequest(path, body, option_headers(options), omitted)


def option_headers(options: Mapping[str, str]) -> dict[str, str]:
    """Return the headers for the options of an integration."""
    return {header: options[name] for name, header in _HEADERS.items() if name in options}


def splitter() -> SseSplitter:
    """Return a splitter for one stream."""
    return SseSplitter()


def parser() -> Parser:
    """Return a parser for one stream."""
    return Parser()
