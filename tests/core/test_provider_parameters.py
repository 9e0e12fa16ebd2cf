"""The parameters of providers: their types, and the table of those that take them."""

from pathlib import Path
from typing import Any

import pytest

from moorage.core.deployments.model_parameters import ContractParameters, ModelParameters
from moorage.core.deployments.prompt_config import PromptConfig
from moorage.core.deployments.provider_parameters import (
    CONTRACT,
    MEDIA_PARAMETERS,
    PROVIDER_PARAMETERS,
    protocol_of,
    takes,
)
from moorage.core.validation.validate import validate
from moorage.providers.table import PROVIDERS
from tests.contract.full_items import PROVIDER_VALUES


def problems(**parameters: Any) -> list[tuple[str, str]]:
    config = {"model": "m", "model_type": "chat", "provider": "openai", "model_parameters": parameters}
    _, report = validate(config, PromptConfig)
    return [(problem.path.removeprefix("model_parameters."), problem.message) for problem in report.problems]


def test_the_table_has_a_row_for_each_parameter_after_those_of_the_contract() -> None:
    assert set(ModelParameters.__struct_encode_fields__) == CONTRACT | set(PROVIDER_PARAMETERS)
    assert set(ContractParameters.__struct_encode_fields__) == CONTRACT
    assert set(PROVIDER_VALUES) == set(PROVIDER_PARAMETERS)


def test_the_values_are_valid_and_unchanged() -> None:
    config, report = validate({"model_parameters": PROVIDER_VALUES}, PromptConfig)

    assert config["model_parameters"] == PROVIDER_VALUES
    assert report.normalized == []


@pytest.mark.parametrize(("name", "value", "part"), [
    ("stop", [], "must not be empty"),
    ("stop", "", "must not be empty"),
    ("stop", ["a"] * 17, "at most 16 items"),
    ("stop", 5, "must be a string or an array, not a number"),
    ("stop", [5], "must be a string, not a number"),
    ("tool_choice", "requird", "Did you mean 'required'?"),
    ("tool_choice", {"type": "tool", "name": "x"}, 'must be "function"'),
    ("n", 0, "whole number from 1 to 128"),
    ("n", 2.5, "whole number from 1 to 128"),
    ("n", "3", "not a string"),
    ("top_logprobs", 21, "from 0 to 20"),
    ("logit_bias", {"1": 101}, "from -100 to 100"),
    ("logprobs", "yes", "must be true or false or a number"),
    ("metadata", {"a": 1}, "must be a string"),
    ("metadata", {str(number): "" for number in range(17)}, "at most 16 fields"),
    ("metadata", {"a" * 65: "x"}, "at most 64 characters"),
    ("modalities", ["video"], "must be one of audio, image, text"),
    ("thinking", [], "must be an object"),
    ("safety_settings", [1], "must be an object"),
])  # fmt: skip
def test_a_wrong_value_is_a_problem_of_the_parameter(name: str, value: object, part: str) -> None:
    found = problems(**{name: value})

    assert found
    assert all(path.startswith(name) for path, _ in found)
    assert any(part in message for _, message in found), found


@pytest.mark.parametrize(("name", "meant"), [
    ("stops", "stop"), ("toolChoice", "tool_choice"), ("parallelToolCalls", "parallel_tool_calls"),
    ("logit_biases", "logit_bias"), ("topP_", "topP"), ("serviceTier", "service_tier"), ("max_tokens", "maxTokens"),
])  # fmt: skip
def test_a_misspelled_name_gets_a_suggestion(name: str, meant: str) -> None:
    assert problems(**{name: 1}) == [(name, f"is an unknown field. Did you mean {meant!r}?")]


def test_an_unknown_name_is_rejected() -> None:
    ((path, message),) = problems(frobnicate=1)

    assert path == "frobnicate"
    assert message.startswith("is an unknown field; the fields are temperature, ")


def test_the_protocols_of_the_table_are_those_of_the_providers() -> None:
    for provider, row in PROVIDERS.items():
        for model_type, protocol in row.protocols.items():
            assert protocol_of(provider, model_type) == protocol, provider
    known = {name for row in PROVIDERS.values() for name in row.protocols.values()}
    assert {name for row in PROVIDER_PARAMETERS.values() for name in row.protocols} <= known


def test_the_documentation_lists_each_parameter() -> None:
    text = (Path(__file__).parents[2] / "docs/providers.md").read_text()

    assert [name for name in PROVIDER_PARAMETERS if f"`{name}`" not in text] == []


def test_each_parameter_of_chats_and_texts_is_taken_by_a_provider() -> None:
    for name in PROVIDER_PARAMETERS.keys() - MEDIA_PARAMETERS:
        assert any(
            takes(protocol, provider, name)
            for provider, row in PROVIDERS.items()
            for protocol in row.protocols.values()
        ), name
