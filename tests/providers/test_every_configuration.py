"""Each stored configuration is translated to arguments with the types of the SDKs, or rejected with a path."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter, ValidationError

from moorage.core.errors.base import MoorageError
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.providers.anthropic import encode_messages_request
from moorage.providers.openai import encode_chat
from tests.contract.full_items import PROVIDER_VALUES
from tests.contract.generated import prompt_configs
from tests.providers.test_openai import a_config

#: The API, its translation, and the type of the arguments in its SDK; `extra_…` are arguments of the method only.
APIS: list[tuple[Callable[[ResolvedConfig], tuple[Any, dict[str, str]]], TypeAdapter[Any]]] = [
    (encode_chat, TypeAdapter(CompletionCreateParamsNonStreaming)),
    (encode_messages_request, TypeAdapter(MessageCreateParamsNonStreaming)),
]


#: Parameter -> its names in the arguments of both APIs.
NAMES = {
    "temperature": {"temperature"}, "topP": {"top_p"}, "topK": {"top_k"}, "seed": {"seed", "random_seed"},
    "maxTokens": {"max_tokens", "max_completion_tokens"}, "frequencyPenalty": {"frequency_penalty"},
    "presencePenalty": {"presence_penalty"}, "responseFormat": {"response_format", "output_config"},
    "cacheControl": {"cache_control"}, "reasoningEffort": {"reasoning_effort", "thinking"},
    "stop": {"stop", "stop_sequences"}, "user": {"user", "metadata"}, "parallel_tool_calls": {
        "parallel_tool_calls", "tool_choice",
    }, "budgetTokens": {"thinking"}, "thinkingLevel": {"reasoning_effort"}, "verbosity": {"verbosity"},
}  # fmt: skip


def consume(value: object) -> None:
    """Read all parts of a validated value: pydantic validates an `Iterable` when it is read."""
    if isinstance(value, Mapping):
        for part in value.values():
            consume(part)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for part in value:
            consume(part)


def check(arguments: Object, kind: TypeAdapter[Any]) -> None:
    consume(kind.validate_python({name: value for name, value in arguments.items() if not name.startswith("extra_")}))


@pytest.mark.parametrize(("encode", "kind"), APIS, ids=["openai", "anthropic"])
@settings(max_examples=300)
@given(
    config=prompt_configs(is_newest=True),
    is_vision=st.booleans(),
    further=st.lists(st.sampled_from([*PROVIDER_VALUES.items()]), max_size=3).map(dict),
)
def test_a_stored_configuration_has_the_types_of_the_sdk_or_is_rejected(
    encode: Callable[[ResolvedConfig], tuple[Any, dict[str, str]]],
    kind: TypeAdapter[Any],
    config: Object,
    is_vision: bool,
    further: Object,
) -> None:
    config["model_parameters"] |= further
    resolved = a_config(
        config["messages"], provider=config["provider"], model=config["model"], tools=config["tools"],
        parameters=config["model_parameters"], type="vision" if is_vision else "chat",
    )  # fmt: skip
    try:
        arguments, omitted = encode(resolved)
    except MoorageError as error:
        assert error.param  # noqa: PT017 -- most configurations are not rejected
        return
    check(arguments, kind)
    sent = {*arguments, *arguments.get("extra_body", {})}
    for name, value in config["model_parameters"].items():
        if value not in (None, {"type": "text"}):
            assert f"parameters.{name}" in omitted or NAMES.get(name, {name}) & sent, name


@pytest.mark.parametrize(("encode", "kind"), APIS, ids=["openai", "anthropic"])
@pytest.mark.parametrize("value", ["many", {"a": 1}, [1], True, 1.5, -1, 10**30, "", 0])
@pytest.mark.parametrize(
    "name",
    [
        "maxTokens",
        "topK",
        "seed",
        "budgetTokens",
        "responseFormat",
        "reasoningEffort",
        "verbosity",
        "other",
        *PROVIDER_VALUES,
    ],
)
def test_any_value_of_a_call_is_sent_or_rejected(
    encode: Callable[[ResolvedConfig], tuple[Any, dict[str, str]]], kind: TypeAdapter[Any], name: str, value: object
) -> None:
    rejected: list[str | None] = []
    for model in ("my-gpt", "claude-sonnet-4-5", "claude-opus-5", "claude-3-haiku"):
        try:
            encode(a_config(model=model, provider="litellm", parameters={name: value}))
        except MoorageError as error:
            rejected.append(error.param)
    assert {*rejected} <= {f"parameters.{name}"}


def test_the_types_of_the_sdk_reject_wrong_arguments() -> None:
    for _, kind in APIS:
        with pytest.raises(ValidationError):
            check({"model": "m", "max_tokens": 1, "messages": [{"role": "tool", "content": "x"}]}, kind)
