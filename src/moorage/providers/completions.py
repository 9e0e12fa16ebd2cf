"""The older Completions API as a protocol: requests, responses and streams of models of the type completion."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from moorage.core.resolution.config import ResolvedConfig
from moorage.providers.choices import ChoiceParser, check_indexes
from moorage.providers.completion import Choice, Completion, FinishReason, Usage
from moorage.providers.completions_request import encode_completion
from moorage.providers.decoding import MAX_ITEMS, Number, known, read
from moorage.providers.errors import MalformedResponse, ProviderFailed
from moorage.providers.protocol import Event, ProviderRequest
from moorage.providers.sse import SseSplitter

#: Paths other than `/completions`.
_PATHS: Final = {"mistral": "/fim/completions", "deepseek": "/beta/completions"}

#: Providers that reject `stream_options`; they report usage in streams anyway.
_NO_STREAM_OPTIONS: Final = frozenset({"mistral"})

#: Options of an integration that are sent as headers.
_HEADERS: Final = {"organization": "OpenAI-Organization", "project": "OpenAI-Project"}

_REASONS: Final[Mapping[str, FinishReason]] = {
    "length": "length", "max_tokens": "length", "model_length": "length", "content_filter": "content_filter",
}  # fmt: skip

#: Reasons that are failures -> the status of the same error elsewhere.
_FAILURES: Final = {"error": 500, "insufficient_system_resource": 503}


class _Message(msgspec.Struct):
    """The text of Mistral, whose responses have the form of chats."""

    content: str | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    text: str | None = None
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: Number = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: Number = None


class _Usage(msgspec.Struct):
    prompt_tokens: Number = None
    completion_tokens: Number = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    prompt_cache_hit_tokens: Number = None  # DeepSeek


class _Error(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None


class _Response(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    id: str | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    error: _Error | str | None = None
    message: str | None = None  # the error of Cerebras has no wrapper
    code: str | int | None = None


_decode = msgspec.json.Decoder(_Response).decode


def encode(config: ResolvedConfig, options: Mapping[str, str], *, stream: bool) -> ProviderRequest:
    """Return the request for a configuration.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    body, omitted = encode_completion(config)
    if stream:
        body["stream"] = True
        if config.provider not in _NO_STREAM_OPTIONS:
            given = body.get("stream_options")
            body["stream_options"] = (given if isinstance(given, dict) else {}) | {"include_usage": True}
    headers = {header: options[name] for name, header in _HEADERS.items() if name in options}
    return ProviderRequest(_PATHS.get(config.provider, "/completions"), body, headers, omitted)


def decode(body: bytes) -> Completion:
    """Return the response in a body.

    Raises:
        MalformedResponse
        ProviderFailed: the body is an error, although its status is a success.
    """
    response = _read(body)
    if not response.choices:
        raise MalformedResponse("it has no choices")
    _check_items(response.choices)
    choices = [
        Choice(each.index, _text(each) or "", finish_reason=_reason(each.finish_reason or "stop"),
               logprobs=each.logprobs)
        for each in response.choices
    ]  # fmt: skip
    return _completion(choices, response)


def splitter() -> SseSplitter:
    """Return a splitter for one stream."""
    return SseSplitter()


def parser() -> "Parser":
    """Return a parser for one stream."""
    return Parser()


class Parser(ChoiceParser):
    """Parses the events of one stream."""

    def feed(self, event: Event) -> Completion | None:
        """Return what an event adds, or None.

        Raises:
            MalformedResponse
            ProviderFailed: the provider reported an error in the stream.
        """
        if event.data == b"[DONE]":
            self.is_complete = True
            return None
        response = _read(event.data)
        if response.choices is None and event.name == "error":
            raise ProviderFailed("the provider reported an error in the stream")
        _check_items(response.choices or ())
        choices = [self._choice(choice) for choice in response.choices or ()]
        return _completion(choices, response) if choices or response.usage is not None else None

    def _choice(self, choice: _Choice) -> Choice:
        reason = _reason(choice.finish_reason) if choice.finish_reason else None
        self.update(choice.index, has_ended=reason is not None)
        return Choice(choice.index, _text(choice), finish_reason=reason, logprobs=choice.logprobs)


def _read(body: bytes) -> _Response:
    response = read(_decode, body)
    error = response.error
    if error is None and response.choices is None and response.message is not None:
        error = _Error(response.message, response.code)
    if error is not None:
        failed = _Error(error) if isinstance(error, str) else error
        code = failed.code if failed.code is not None else failed.type
        status = code if isinstance(code, int) else 500
        raise ProviderFailed(failed.message or "no message", status, None if code is None else str(code))
    return response


def _check_items(choices: Sequence[_Choice]) -> None:
    if len(choices) > MAX_ITEMS:
        raise MalformedResponse(f"it has more than {MAX_ITEMS} choices")
    check_indexes(each.index for each in choices)


def _text(choice: _Choice) -> str | None:
    message = choice.message or choice.delta
    return choice.text if choice.text is not None or message is None else message.content


def _reason(reason: str) -> FinishReason:
    if reason in _FAILURES:
        raise ProviderFailed("the model stopped with an error", _FAILURES[reason], reason)
    return _REASONS.get(reason, "stop")


def _completion(choices: list[Choice], response: _Response) -> Completion:
    usage = _usage(response.usage)
    return Completion(choices, usage, response.id, response.model, response.system_fingerprint)


def _usage(usage: _Usage | None) -> Usage | None:
    if usage is None or usage.prompt_tokens is None:
        return None
    prompt, output = usage.prompt_tokens_details or _PromptDetails(), usage.completion_tokens_details
    cached = usage.prompt_cache_hit_tokens if prompt.cached_tokens is None else prompt.cached_tokens
    reasoning = known(output.reasoning_tokens) if output else None
    return Usage(known(usage.prompt_tokens) or 0, known(usage.completion_tokens) or 0, known(cached), None, reasoning)
