"""The table of the rules of models: adapters omit exactly the parameters that a write warns about."""

import re
from typing import Any

import msgspec
import pytest

from moorage.core.deployments.model_parameters import ModelParameters
from moorage.core.deployments.model_rules import RULES, rules_of, thinking_of_model
from moorage.core.deployments.prompt_config import ModelType
from moorage.core.deployments.provider_parameters import CONTRACT, protocol_of
from moorage.core.lint.rules import check_rules
from moorage.core.resolution.config import Object
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import Report
from moorage.providers.table import PROVIDERS
from tests.providers.test_every_parameter import encode
from tests.providers.test_openai import a_config

#: Models of each rule, and of none.
MODELS = [
    ("openai", "openai/gpt-6-luna"), ("azure", "o3"), ("openai", "gpt-5-chat-latest"), ("openai", "my-gpt"),
    ("groq", "gpt-6-luna"), ("moonshotai", "kimi-k3"), ("moonshotai", "moonshot-v1-8k"),
    ("anthropic", "claude-3-haiku"), ("anthropic", "claude-sonnet-4-5"), ("anthropic", "claude-opus-4-6"),
    ("anthropic", "claude-opus-5-5"), ("anthropic", "claude"), ("anthropic", "ours"),
    ("aws", "eu.anthropic.claude-3-haiku"), ("aws", "anthropic.claude-sonnet-4-5"),
    ("aws", "anthropic.claude-opus-4-7"),
    ("aws", "mistral.large"), ("aws", "amazon.nova-2-lite"), ("aws", "openai.gpt-oss-120b"), ("aws", "meta.llama4"),
    ("google-ai", "gemini-2.0-flash"), ("google", "gemini-2.5-pro"), ("google-ai", "gemini-3.8-flash"),
    ("google-ai", "gemma-4"), ("cohere", "command-r-08-2024"), ("cohere", "command-a-reasoning-08-2025"),
]  # fmt: skip

#: What requests say about thinking.
THINKING: list[Object] = [{}, {"reasoningEffort": "none"}, {"reasoningEffort": "high"}, {"budgetTokens": 2_048}]

VALUES: Object = {
    "temperature": 0.5, "topP": 0.5, "topK": 5, "frequencyPenalty": 0.5, "presencePenalty": 0.5,
}  # fmt: skip

#: The reasons that are about the model, and not about its provider.
ABOUT_MODELS = re.compile(r"rejects it|does not think|has no such effort|^(?!the API).* has no such parameter")


def warned(provider: str, model: str, parameters: Object, model_type: ModelType = "chat") -> set[str]:
    report = Report()
    check_rules(provider, model, model_type, msgspec.convert(parameters, ModelParameters), report, JsonPath())
    return {each.path for each in report.problems}


def omitted(provider: str, model: str, parameters: Object) -> set[str]:
    config = a_config(provider=provider, model=model, parameters=parameters)
    _, found = encode(config, PROVIDERS[provider].protocols["chat"])
    return {
        path.removeprefix("parameters.") for path, reason in found.items()
        if ABOUT_MODELS.search(reason) and path.removeprefix("parameters.") in CONTRACT
    }  # fmt: skip


@pytest.mark.parametrize("thinking", THINKING, ids=str)
@pytest.mark.parametrize(("provider", "model"), MODELS)
def test_a_write_warns_about_what_calls_omit_because_of_the_model(provider: str, model: str, thinking: Object) -> None:
    parameters = {**VALUES, **thinking}

    missing = omitted(provider, model, parameters)

    off = {"reasoningEffort"} if thinking.get("reasoningEffort") == "none" else set()  # without it, nothing changes
    assert warned(provider, model, parameters) == missing - off


def test_each_rule_has_a_model_in_this_test() -> None:
    used = {
        rule for provider, model in MODELS
        for rule in rules_of(protocol_of(provider, "chat"), provider, model.removeprefix(f"{provider}/"))
    }  # fmt: skip
    assert [rule.models for rule in RULES if rule not in used] == []


@pytest.mark.parametrize(
    ("protocol", "provider", "model", "form"),
    [
        ("anthropic", "anthropic", "claude-2.1", "none"),
        ("anthropic", "anthropic", "claude-3-7-sonnet-20250219", "budget"),
        ("anthropic", "anthropic", "claude-sonnet-4-6", "budget or effort"),
        ("anthropic", "litellm", "claude-opus-4-7", "effort"),
        ("anthropic", "anthropic", "ours", None),
        ("bedrock", "aws", "amazon.nova-2-lite-v1:0", "reasoningConfig"),
        ("bedrock", "aws", "amazon.nova-lite-v1:0", "none"),
        ("gemini", "google", "gemini-2.5-flash", "budget"),
        ("gemini", "google", "gemini-3.1-pro-preview", "level"),
        ("openai", "openai", "gpt-6-luna", None),
    ],
)
def test_the_form_of_thinking_follows_the_name(protocol: str, provider: str, model: str, form: Any) -> None:
    assert thinking_of_model(protocol, provider, model) == form


def test_every_rule_has_a_source() -> None:
    assert all(rule.source.title and rule.source.url.startswith("https://") for rule in RULES)
    assert all(rule.rejects or rule.thinking for rule in RULES)
    assert all(set(rule.rejects) <= CONTRACT for rule in RULES)
