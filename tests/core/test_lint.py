"""Warnings about valid content."""

import json
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from moorage.core.compatibility.contract import find_variables_without_jinja
from moorage.core.deployments.deployment import PutDeployment
from moorage.core.deployments.retired_models import RETIREMENTS, Retirement
from moorage.core.deployments.update import updated_content
from moorage.core.deployments.variant import Cache, Settings
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.lint.content import lint
from moorage.core.validation.body import read_body
from moorage.core.validation.validate import MAX_PROBLEMS
from tests.support.server import a_body

TODAY = date(2026, 11, 30)


def warnings(today: date = TODAY, **fields: Any) -> list[tuple[str, str]]:
    body, _ = read_body({**a_body(), **fields}, PutDeployment)
    found = lint(updated_content(body).encode(), find_variables_without_jinja, today)
    return [(each.path, each.message) for each in found]


def used(*texts: Any, variables: list[str], engine: str = "text", **config: Any) -> list[tuple[str, str]]:
    messages = [{"role": "user", "content": text} for text in texts]
    return warnings(
        prompt_config=a_body(messages=messages, **config)["prompt_config"],
        variables=[{"key": key} for key in variables],
        settings={"engine": engine},
    )


def test_a_good_deployment_has_no_warnings() -> None:
    assert warnings() == []
    assert used("Hi {{customer}} {{ order.id }} {{items.0}}", variables=["customer", "order", "items.0"]) == []


def test_an_undeclared_variable_is_reported_with_the_similar_declared_one() -> None:
    assert used("fine", "Hi {{custommer}}, {{customer}}", variables=["customer"]) == [
        ("prompt_config.messages[1].content", "{{custommer}} is not a declared variable. Did you mean 'customer'?")
    ]
    assert used("{{customer}} {{zzz}}", variables=["customer"]) == [
        ("prompt_config.messages[0].content", "{{zzz}} is not a declared variable; declare it, or remove it")
    ]


def test_an_undeclared_variable_is_reported_in_parts_and_variants() -> None:
    parts = [
        {"type": "text", "text": "{{a}}"},
        {"type": "image_url", "image_url": {"url": "{{imge}}"}},
        {"type": "file", "file": {"uri": "{{fil}}"}},
    ]
    body = a_body(messages=[{"role": "user", "content": parts}])["prompt_config"]
    variables = [{"key": "a"}, {"key": "image"}, {"key": "file"}]

    found = warnings(variants=[{"name": "v", "prompt_config": body, "variables": variables}])

    path = "variants[0].prompt_config.messages[0].content"
    assert [where for where, message in found if "Did you mean" in message] == [
        f"{path}[1].image_url.url", f"{path}[2].file.uri"
    ]  # fmt: skip
    assert [where for where, message in found if "no message uses it" in message] == [
        "variants[0].variables[1].key", "variants[0].variables[2].key"
    ]  # fmt: skip


def test_a_deployment_without_declared_variables_has_no_undeclared_ones() -> None:
    assert used("Hi {{custommer}}", variables=[]) == []


def test_an_unused_variable_is_reported() -> None:
    assert used("Hi", variables=["customer"]) == [
        ("variables[0].key", "'customer' is declared, but no message uses it; use it, or remove it")
    ]
    assert used("Hi {customer}", variables=["customer"]) == [
        (
            "variables[0].key",
            "'customer' is declared, but no message uses it. Did you mean {{customer}} instead of {customer}?",
        )
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{{name|upper}}", "if it is jinja, set settings.engine"),
        ("{{items[0]}}", "if it is jinja, set settings.engine"),
        ("{{#if name}}", "if it is mustache, set settings.engine"),
        ("{{customer name}}", "it is sent as written"),
        ("{% for a in name %}", "is jinja, but settings.engine is text: it is sent as written"),
    ],
)
def test_what_looks_like_a_placeholder_and_is_none_is_reported(text: str, hint: str) -> None:
    ((path, message),) = used(f"{{{{name}}}} {text}", variables=["name"])

    assert path == "prompt_config.messages[0].content"
    assert message.startswith(text.split(" a ", maxsplit=1)[0])
    assert message.endswith(hint)


def test_a_declared_name_with_a_space_is_a_placeholder() -> None:
    assert used("{{customer name}} {{नाम}}", variables=["customer name", "नाम"]) == []


def test_names_inside_a_section_of_mustache_can_be_parts_of_its_value() -> None:
    text = "{{#items}}{{title}} {{custommer}}{{/items}}{{^items}}none, {{custommer}}{{/items}}"

    assert used("{{#items}}{{title}}{{/items}}", variables=["items"], engine="mustache") == []
    assert used("{{#items}}{{title}}{{/items}}", variables=["items", "title"], engine="mustache") == []
    assert used(text, variables=["items", "customer"], engine="mustache")[0] == (
        "prompt_config.messages[0].content", "{{custommer}} is not a declared variable. Did you mean 'customer'?"
    )  # fmt: skip


def test_jinja_names_are_those_that_the_finder_returns() -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "user", "content": "{{ custommer }}"}]
    body, _ = read_body(
        {
            **a_body(messages=messages),
            "variables": [{"key": "customer"}],
            "settings": {"engine": "jinja"},
        },
        PutDeployment,
    )

    found = lint(updated_content(body).encode(), lambda templates: [{"custommer"} for _ in templates], TODAY)

    assert found == [
        Problem(
            "prompt_config.messages[1].content", "{{custommer}} is not a declared variable. Did you mean 'customer'?"
        ),
        Problem("variables[0].key", "'customer' is declared, but no message uses it; use it, or remove it"),
    ]


@pytest.mark.parametrize(
    ("provider", "parameters", "shown", "accepted"),
    [
        ("openai", {"temperature": 7}, "7", "numbers from 0 to 2"),
        ("anthropic", {"temperature": 1.5}, "1.5", "numbers from 0 to 1"),
        ("openai", {"maxTokens": -5}, "-5", "whole numbers from 1"),
        ("openai", {"maxTokens": 0.5}, "0.5", "whole numbers from 1"),
        ("groq", {"topP": 1.1}, "1.1", "numbers from 0 to 1"),
        ("google", {"topK": -1}, "-1", "whole numbers from 0"),
        ("openai", {"frequencyPenalty": 3}, "3", "numbers from -2 to 2"),
        ("openai", {"seed": 1.5}, "1.5", "whole numbers"),
        ("openai", {"dimensions": "many"}, "'many'", "whole numbers from 1"),
        ("anthropic", {"budgetTokens": 5}, "5", "whole numbers from 1024"),
    ],
)
def test_a_parameter_out_of_the_range_of_the_provider_is_reported(
    provider: str, parameters: dict[str, Any], shown: str, accepted: str
) -> None:
    (name,) = parameters
    message = f"{shown} is out of range: {provider} accepts {accepted}"
    body = a_body(provider=provider, model_parameters=parameters)["prompt_config"]
    fallback = {"provider": provider, "model": "m", "model_type": "chat", "model_parameters": parameters}

    assert warnings(prompt_config=body) == [(f"prompt_config.model_parameters.{name}", message)]
    assert warnings(fallbacks=[fallback]) == [(f"fallbacks[0].model_parameters.{name}", message)]


@pytest.mark.parametrize(
    ("provider", "model_type", "parameters", "result"),
    [
        ("groq", "chat", {"n": 3}, "makes Moorage reject"),
        ("perplexity", "chat", {"stop": "x"}, "makes Moorage reject"),
        ("anthropic", "chat", {"logit_bias": {"1": 2}}, "is omitted from"),
        ("openai", "chat", {"suffix": "x"}, "makes Moorage reject"),
        ("openai", "completion", {"tool_choice": "required"}, "makes Moorage reject"),
    ],
)
def test_a_parameter_that_the_provider_does_not_have_is_reported(
    provider: str, model_type: str, parameters: dict[str, Any], result: str
) -> None:
    (name,) = parameters
    message = f"{provider} has no such parameter: it {result} calls; remove it"
    model = {"provider": provider, "model_type": model_type, "model": "m", "model_parameters": parameters}

    assert warnings(prompt_config=a_body(**model)["prompt_config"]) == [
        (f"prompt_config.model_parameters.{name}", message)
    ]
    assert warnings(fallbacks=[model]) == [(f"fallbacks[0].model_parameters.{name}", message)]


@pytest.mark.parametrize(
    ("provider", "model_type", "parameters"),
    [
        ("groq", "chat", {"n": 1, "stop": ["a"]}),
        ("cohere", "chat", {"tool_choice": "auto", "parallel_tool_calls": True}),
        ("openai", "completion", {"suffix": "x", "echo": True, "best_of": 2}),
        ("openailike", "chat", {"min_p": 0.1, "chat_template_kwargs": {}}),
        ("openai", "embedding", {"user": "ada", "min_p": 0.1}),
    ],
)
def test_a_parameter_that_the_provider_has_or_without_effect_is_not_reported(
    provider: str, model_type: str, parameters: dict[str, Any]
) -> None:
    body = a_body(provider=provider, model_type=model_type, model_parameters=parameters)

    assert warnings(prompt_config=body["prompt_config"]) == []


@pytest.mark.parametrize(
    ("schema", "path", "message"),
    [
        ({"type": "strnig"}, ".type", "\"strnig\" is not a type of JSON Schema. Did you mean 'string'?"),
        ({"type": ["string", "nul"]}, ".type", "\"nul\" is not a type of JSON Schema. Did you mean 'null'?"),
        ({"$ref": "#/$defs/Ordr"}, "[\"$ref\"]", '"#/$defs/Ordr" refers to nothing in this schema'),
        ({"$ref": "#order"}, "[\"$ref\"]", '"#order" refers to nothing in this schema'),
        ({"items": {"type": "text"}}, ".items.type", '"text" is not a type of JSON Schema; the types are'),
        ({"anyOf": [{}, {"type": 3}]}, ".anyOf[1].type", "3 is not a type of JSON Schema; the types are"),
        ({"properties": {"b": "string"}}, ".properties.b", 'must be a schema, which is an object, not a string; write'),
        (
            {"properties": {"name": {}}, "required": ["nam"]}, ".required",
            "\"nam\" is required, but it is not in properties. Did you mean 'name'?",
        ),
    ],
)  # fmt: skip
def test_a_problem_in_a_schema_is_reported(schema: dict[str, Any], path: str, message: str) -> None:
    root = {"type": "object", "properties": {"a": schema}, "$defs": {"Order": {"type": "object"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": root}}
    response_format = {"type": "json_schema", "json_schema": {"name": "answer", "schema": root}}

    ((in_tool, first), (in_format, second)) = warnings(
        prompt_config=a_body(tools=[tool], model_parameters={"responseFormat": response_format})["prompt_config"]
    )

    assert in_tool == f"prompt_config.tools[0].function.parameters.properties.a{path}"
    assert in_format == f"prompt_config.model_parameters.responseFormat.json_schema.schema.properties.a{path}"
    assert first == second
    assert first.startswith(message)


def test_references_that_lead_to_a_value_are_fine() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"$ref": "#/$defs/Order"}, "b": {"$ref": "#order"}, "c": {"$ref": "#"},
            "d": {"$ref": "https://example.com/schema.json"}, "e": {"$ref": "#/$defs/with~1slash"},
            "f": {"$ref": "#/$defs/Order/properties/id"},
        },
        "required": ["a"],
        "$defs": {
            "Order": {"$anchor": "order", "type": "object", "properties": {"id": True}}, "with/slash": {"type": "null"}
        },
    }  # fmt: skip
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}

    assert warnings(prompt_config=a_body(tools=[tool])["prompt_config"]) == []


@pytest.mark.parametrize("name", ["my answer", "réponse", "a" * 65, "a.b"])
def test_a_name_of_a_response_format_that_providers_reject_is_reported(name: str) -> None:
    response_format = {"type": "json_schema", "json_schema": {"name": name, "schema": {"type": "object"}}}

    ((path, message),) = warnings(
        prompt_config=a_body(model_parameters={"responseFormat": response_format})["prompt_config"]
    )

    assert path == "prompt_config.model_parameters.responseFormat.json_schema.name"
    assert "is rejected by providers: providers accept 1 to 64 letters" in message


def test_placeholders_in_texts_that_are_no_templates_are_reported() -> None:
    tool = {
        "type": "function",
        "function": {
            "name": "f", "description": "For {{customer}}",
            "parameters": {"type": "object", "properties": {"a": {"description": "{{ city }}"}}},
        },
    }  # fmt: skip
    call = {"type": "function", "function": {"name": "f", "arguments": '{"a": "{{city}}"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}

    found = warnings(prompt_config=a_body(tools=[tool], messages=[message])["prompt_config"])

    assert [path for path, _ in found] == [
        "prompt_config.tools[0].function.parameters.properties.a.description",
        "prompt_config.tools[0].function.description",
        "prompt_config.messages[0].tool_calls[0].function.arguments",
    ]
    assert found[1][1] == "is not a template: {{customer}} is sent as written; put it into a message"


def test_two_tools_of_one_name_are_rejected() -> None:
    tools = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("f", "g", "f")]
    body = a_body(tools=tools)
    both = {**a_body(), "variants": [{"name": "v", "prompt_config": body["prompt_config"]}]}

    for sent, path in ((body, "prompt_config"), (both, "variants[0].prompt_config")):
        with pytest.raises(InvalidBody) as error:
            updated_content(read_body(sent, PutDeployment)[0])
        (problem,) = error.value.problems
        assert problem.path == f"{path}.tools[2].function.name"
        assert problem.message == "is already the name of tools[0]: 'f'; rename or remove one"


def test_the_number_of_warnings_is_limited() -> None:
    found = warnings(variables=[{"key": f"unused{number}"} for number in range(1_000)])

    assert len(found) == MAX_PROBLEMS


def test_a_large_content_needs_little_memory() -> None:
    deep: Any = {"type": "strnig"}
    for _ in range(20):
        deep = {"type": "object", "properties": {"x" * 900: deep}, "required": ["y" * 900]}
    tool = {"type": "function", "function": {"name": "f", "parameters": deep}}
    dotted = "a." * 120 + "a"
    texts = [f"{{{{{dotted}{number}}}}}" for number in range(2_000)]
    body = {
        **a_body(tools=[tool], messages=[{"role": "user", "content": text} for text in texts]),
        "variables": [{"key": f"{dotted}{number}x"} for number in range(900)],
    }
    assert len(json.dumps(body)) < 1_048_576
    content = updated_content(read_body(body, PutDeployment)[0]).encode()

    found = lint(content, find_variables_without_jinja, TODAY)

    assert len(found) == MAX_PROBLEMS
    assert len(msgspec.json.encode(found)) < 200_000


def test_a_semantic_cache_of_an_earlier_version_is_off_and_is_reported() -> None:
    body, _ = read_body(a_body(), PutDeployment)
    stored = msgspec.structs.replace(body, settings=Settings(cache=Cache(enabled=True, type="semantic", ttl=60)))

    content = updated_content(stored).encode()

    assert content.decode().variants()["default"].settings.cache == Cache(enabled=True, type="semantic", ttl=60)
    assert Cache(enabled=True, type="semantic", ttl=60).seconds is None
    assert [(each.path, each.message) for each in lint(content, find_variables_without_jinja, TODAY)] == [
        ("settings.cache", "has no effect: only `exact` with a `ttl` above 0 caches responses")
    ]


REASONS = "is rejected by this model while it reasons, so calls omit it: remove it, or set reasoningEffort to none"
ALWAYS = "is rejected by this model, so calls omit it: remove it"
THINKS = "is rejected by this model while it thinks, so calls omit it: remove it"
NO_THOUGHTS = "has no effect: this model does not think, so calls omit it: remove it"


@pytest.mark.parametrize(
    ("provider", "model", "parameters", "expected"),
    [
        ("openai", "openai/gpt-6-luna", {"temperature": 0.2}, {"temperature": REASONS}),
        ("openai", "gpt-6-luna", {"temperature": 0.2, "reasoningEffort": "none"}, {}),
        ("openai", "gpt-6-luna", {"maxTokens": 9, "reasoningEffort": "high"}, {}),
        ("openai", "gpt-6-chat", {"temperature": 0.2}, {}),
        ("litellm", "gpt-6-luna", {"temperature": 0.2}, {}),
        ("moonshotai", "kimi-k3", {"topP": 0.5}, {"topP": ALWAYS}),
        ("anthropic", "claude-opus-5-5", {"temperature": 0.2, "topK": 4}, {"temperature": ALWAYS, "topK": ALWAYS}),
        ("anthropic", "claude-haiku-4-5", {"temperature": 0.2}, {}),
        ("anthropic", "claude-haiku-4-5", {"temperature": 0.2, "budgetTokens": 2048}, {"temperature": THINKS}),
        ("anthropic", "claude-haiku-4-5", {"temperature": 0.2, "reasoningEffort": "none"}, {}),
        ("anthropic", "claude-haiku-4-5", {"topP": 0.2, "thinking": {"type": "disabled"}}, {}),
        ("anthropic", "claude-opus-5-5", {"topP": 0.2, "thinking": {"type": "adaptive"}}, {"topP": ALWAYS}),
        ("anthropic", "claude-3-haiku", {"reasoningEffort": "low"}, {"reasoningEffort": NO_THOUGHTS}),
        ("anthropic", "claude-3-haiku", {"reasoningEffort": "none"}, {}),
        ("aws", "eu.anthropic.claude-opus-5-5-v1:0", {"topP": 0.2}, {"topP": ALWAYS}),
        ("aws", "meta.llama4", {"topK": 4}, {"topK": ALWAYS}),
        ("aws", "mistral.large", {"topK": 4}, {}),
        ("google-ai", "gemini-3.8-flash", {"presencePenalty": 0.5}, {"presencePenalty": ALWAYS}),
        ("google-ai", "gemini-1.5-flash", {"thinkingLevel": "low"}, {"thinkingLevel": NO_THOUGHTS}),
        ("cohere", "command-r-08-2024", {"budgetTokens": 900}, {"budgetTokens": NO_THOUGHTS}),
    ],
)
def test_parameters_that_the_model_rejects_are_reported(
    provider: str, model: str, parameters: dict[str, Any], expected: dict[str, str]
) -> None:
    config = a_body(provider=provider, model=model, model_parameters=parameters)["prompt_config"]

    found = warnings(prompt_config=config)

    assert found == [(f"prompt_config.model_parameters.{name}", text) for name, text in expected.items()]


def test_a_model_that_is_not_for_chats_has_no_rules() -> None:
    config = a_body(model="gpt-6-luna", model_type="completion", model_parameters={"temperature": 0.2})

    assert warnings(prompt_config=config["prompt_config"]) == []


def a_model(row: Retirement) -> dict[str, str]:
    return {"provider": row.provider, "model": f"{row.provider}/{row.model}", "model_type": "chat"}


def test_retired_and_retiring_models_are_reported_with_date_replacement_and_source() -> None:
    row = next(row for row in RETIREMENTS if row.replacement)
    config, end = a_body(**a_model(row))["prompt_config"], f"use {row.replacement} ({row.source.url})"

    assert warnings(row.retires, prompt_config=config) == [
        ("prompt_config.model", f"{row.model} was retired by {row.provider} on {row.day}: {end}")
    ]
    assert warnings(row.retires - timedelta(days=1), prompt_config=config) == [
        ("prompt_config.model", f"{row.model} will be retired by {row.provider} on {row.day}: {end}")
    ]


def test_a_model_without_a_known_replacement_is_reported_in_variants_and_fallbacks() -> None:
    row = next(row for row in RETIREMENTS if not row.replacement)
    variant = {"name": "v", "prompt_config": a_model(row), "fallbacks": [a_model(row)]}

    found = warnings(row.retires, fallbacks=[a_model(row)], variants=[variant])

    assert [path for path, _ in found] == [
        "fallbacks[0].model",
        "variants[0].prompt_config.model",
        "variants[0].fallbacks[0].model",
    ]
    assert found[0][1].endswith(f"on {row.day}: use another model ({row.source.url})")
