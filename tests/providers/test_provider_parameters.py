"""Parameters of providers in requests: translated, sent unchanged, omitted or rejected."""

from typing import Any

import pytest

from moorage.core.resolution.config import Object
from moorage.providers.anthropic import encode_messages_request
from moorage.providers.errors import NotSupportedByProvider
from moorage.providers.openai import encode_chat
from tests.providers.test_openai import a_config

NAMED = {"type": "function", "function": {"name": "weather"}}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


def openai_arguments(provider: str, **parameters: Any) -> tuple[Object, dict[str, str]]:
    arguments, omitted = encode_chat(a_config(provider=provider, model="m", parameters=parameters))
    return {name: value for name, value in arguments.items() if name not in ("model", "messages")}, omitted


def anthropic_arguments(tools: bool = True, **parameters: Any) -> tuple[Object, dict[str, str]]:
    config = a_config(
        provider="anthropic", model="claude-sonnet-4-5", parameters=parameters, tools=[TOOL] if tools else None
    )
    arguments, omitted = encode_messages_request(config)
    given = {*arguments} - {"model", "messages", "max_tokens", "tools"}
    return {name: arguments[name] for name in given}, omitted  # type: ignore[literal-required]  # the names vary


def test_openai_gets_the_arguments_of_the_sdk_and_the_rest_in_the_body() -> None:
    arguments, omitted = openai_arguments(
        "openai", stop=["a"], tool_choice=NAMED, n=2, user="ada", service_tier="flex", metadata={"a": "b"}, other=1
    )

    assert arguments == {
        "stop": ["a"], "tool_choice": NAMED, "n": 2,
        "extra_body": {"user": "ada", "service_tier": "flex", "metadata": {"a": "b"}, "other": 1},
    }  # fmt: skip
    assert omitted == {}


@pytest.mark.parametrize(("provider", "parameters"), [
    ("groq", {"n": 3}), ("openai", {"safe_prompt": True}), ("openai", {"suffix": "x"}),
    ("mistral", {"web_search_options": {}}), ("deepseek", {"parallel_tool_calls": False}),
])  # fmt: skip
def test_a_parameter_that_changes_the_meaning_is_rejected_where_there_is_none(
    provider: str, parameters: Object
) -> None:
    (name,) = parameters
    with pytest.raises(NotSupportedByProvider) as error:
        openai_arguments(provider, **parameters)
    assert error.value.param == f"parameters.{name}"


def test_mistral_gets_log_probabilities_and_the_penalty_of_repetition() -> None:
    parameters = {"logprobs": True, "top_logprobs": 2, "repetition_penalty": 1.1}
    arguments, omitted = openai_arguments("mistral", **parameters)
    assert (arguments | arguments.pop("extra_body", {}), omitted) == (parameters, {})


def test_a_parameter_that_only_tunes_is_omitted_where_there_is_none() -> None:
    assert openai_arguments("groq", logit_bias={"1": 2}, min_p=0.1) == ({}, {
        "parameters.logit_bias": "the API of groq has no such parameter",
        "parameters.min_p": "the API of groq has no such parameter",
    })  # fmt: skip


def test_a_value_without_effect_is_not_sent_and_not_listed_where_there_is_no_such_parameter() -> None:
    assert openai_arguments("groq", n=1, suffix="", safe_prompt=False) == ({}, {})


def test_the_number_of_log_probabilities_is_that_of_the_chat() -> None:
    assert openai_arguments("openai", logprobs=3)[0] == {"logprobs": True, "top_logprobs": 3}
    assert openai_arguments("openai", logprobs=True, top_logprobs=2)[0] == {"logprobs": True, "top_logprobs": 2}


@pytest.mark.parametrize(("parameters", "expected"), [
    ({"stop": "END"}, {"stop_sequences": ["END"]}),
    ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
    ({"tool_choice": "auto"}, {"tool_choice": {"type": "auto"}}),
    ({"tool_choice": "none"}, {"tool_choice": {"type": "none"}}),
    ({"tool_choice": "required"}, {"tool_choice": {"type": "any"}}),
    ({"tool_choice": NAMED}, {"tool_choice": {"type": "tool", "name": "weather"}}),
    ({"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
     {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}}),
    ({"parallel_tool_calls": False}, {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
    ({"parallel_tool_calls": False, "tool_choice": NAMED},
     {"tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True}}),
    ({"parallel_tool_calls": True}, {}),
    ({"user": "ada"}, {"metadata": {"user_id": "ada"}}),
    ({"metadata": {"user_id": "ada"}}, {"metadata": {"user_id": "ada"}}),
    ({"service_tier": "default"}, {"service_tier": "standard_only"}),
    ({"service_tier": "auto"}, {"service_tier": "auto"}),
    ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
    ({"stop_sequences": ["a"]}, {"stop_sequences": ["a"]}),
])  # fmt: skip
def test_anthropic_gets_its_own_names(parameters: Object, expected: Object) -> None:
    assert anthropic_arguments(**parameters) == (expected, {})


@pytest.mark.parametrize(("parameters", "expected", "omitted"), [
    ({"metadata": {"team": "a", "user_id": "b"}}, {"metadata": {"user_id": "b"}}, ["metadata"]),
    ({"metadata": {"user_id": "b"}, "user": "c"}, {"metadata": {"user_id": "b"}}, ["user"]),
    ({"service_tier": "flex"}, {}, ["service_tier"]),
    ({"thinking": {"type": "disabled"}, "budgetTokens": 4096}, {"thinking": {"type": "disabled"}}, ["budgetTokens"]),
    ({"logit_bias": {"1": 1}}, {}, ["logit_bias"]),
])  # fmt: skip
def test_anthropic_lists_the_parts_that_it_has_not(parameters: Object, expected: Object, omitted: list[str]) -> None:
    arguments, listed = anthropic_arguments(**parameters)

    assert arguments == expected
    assert [*listed] == [f"parameters.{name}" for name in omitted]


def test_parallel_calls_without_tools_are_listed() -> None:
    assert anthropic_arguments(tools=False, parallel_tool_calls=False) == (
        {}, {"parameters.parallel_tool_calls": "the model calls no tools"}
    )  # fmt: skip


@pytest.mark.parametrize("parameters", [{"n": 3}, {"logprobs": True}, {"tool_choice": "always"}, {"stop": {"at": "x"}}])
def test_anthropic_rejects_what_it_has_not(parameters: Object) -> None:
    (name,) = parameters
    with pytest.raises(NotSupportedByProvider) as error:
        anthropic_arguments(**parameters)
    assert error.value.param == f"parameters.{name}"
