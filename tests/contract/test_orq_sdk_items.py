"""The official SDK parses every field and every value of an item."""

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

import pytest
from orq_ai_sdk import models

from moorage.core.deployments.model_parameters import ContractParameters, ResponseFormatName
from moorage.core.deployments.prompt_config import ModelType, Provider, Role
from moorage.core.deployments.provider_parameters import CONTRACT
from tests.contract.conftest import Client, as_json, keys
from tests.contract.full_items import (
    FULL_PARAMETERS,
    MINIMAL_BODY,
    PROVIDER_VALUES,
    RESPONSE_FORMATS,
    full_bodies,
    full_body,
)
from tests.support.server import Project, a_body

#: The API reference documents this provider; SDK 4.17.13 does not support it.
UNSUPPORTED_PROVIDER = "contextualai"


def literals(annotation: Any) -> list[str]:
    """Return the values of a `Literal`, or of all literals in a union."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [value for option in get_args(annotation) for value in literals(option)]


def parameter_values(field: str) -> list[str]:
    return literals(ContractParameters.__annotations__[field])


def put_all(project: Project, bodies: Mapping[str, Mapping[str, Any]]) -> None:
    for key, body in bodies.items():
        response = project.put(key, body)
        assert response.status == 201, response.body
        assert "x-moorage-normalized" not in response.headers


def assert_the_sdk_parses(project: Project, client: Client, bodies: Mapping[str, Any]) -> None:
    put_all(project, bodies)

    parsed = as_json(client.list(limit=50))

    assert parsed == project.page(limit=50).json
    assert {item["key"]: item["prompt_config"] for item in parsed["data"]} == {
        key: body["prompt_config"] for key, body in bodies.items()
    }


def test_the_sdk_parses_an_item_with_every_field_without_loss(project: Project, client: Client) -> None:
    """Case 18, with each of the response formats."""
    assert_the_sdk_parses(project, client, dict(full_bodies()))


def test_the_full_item_has_all_20_parameters_and_every_response_format() -> None:
    """Case 18: the test body is complete."""
    sdk_names = {field.alias or name for name, field in models.DeploymentsModelParameters.model_fields.items()}

    assert set(FULL_PARAMETERS) == sdk_names == CONTRACT
    assert len(sdk_names) == 20
    assert {value for value in RESPONSE_FORMATS.values() if isinstance(value, str)} == set(literals(ResponseFormatName))


def test_the_sdk_drops_the_parameters_of_providers_and_parses_the_rest(project: Project, client: Client) -> None:
    put_all(project, {"full": a_body(model_parameters={**FULL_PARAMETERS, **PROVIDER_VALUES})})

    (item,) = project.page().json["data"]
    (parsed,) = as_json(client.list())["data"]

    assert item["prompt_config"]["model_parameters"] == {**FULL_PARAMETERS, **PROVIDER_VALUES}
    assert parsed["prompt_config"]["model_parameters"] == FULL_PARAMETERS


def test_the_sdk_parses_the_full_item_into_attributes(project: Project, client: Client) -> None:
    """Case 18."""
    put_all(project, {"full": full_body({"type": "json_object"})})

    (item,) = client.list().data
    config = item.prompt_config
    system, user, assistant, tool = config.messages

    assert (item.key, item.description, item.version) == ("full", "Answers refunds", "1.0")
    assert config.model_parameters.max_tokens == 512
    assert config.model_parameters.response_format == models.DeploymentsResponseFormat2(type="json_object")
    assert config.tools[0].function.parameters.ADDITIONAL_PROPERTIES is False
    assert config.tools[0].id == 42
    assert isinstance(user.content, list)
    assert [type(part) for part in user.content] == [models.Deployments21, models.Deployments22, models.Deployments23]
    assert assistant.content is None
    assert assistant.tool_calls is not None
    assert assistant.tool_calls[0].function.arguments == '{"number": "7"}'
    assert (system.role, tool.tool_call_id) == ("system", "call_1")


def test_a_minimal_item_has_all_required_fields_and_no_null(project: Project, client: Client) -> None:
    """Case 19."""
    put_all(project, {"minimal": MINIMAL_BODY})

    response = project.page()
    (item,) = response.json["data"]

    assert as_json(client.list()) == response.json
    assert item["description"] == ""
    assert item["prompt_config"] == MINIMAL_BODY["prompt_config"]
    assert b"null" not in response.body


def test_fields_omitted_in_a_body_have_default_values_in_the_item(project: Project, client: Client) -> None:
    """Case 19: a body with three fields results in the same item."""
    put_all(project, {"short": {"prompt_config": {"model": "m", "model_type": "chat", "provider": "openai"}}})

    (item,) = as_json(client.list())["data"]

    assert item["description"] == ""
    assert item["prompt_config"] == MINIMAL_BODY["prompt_config"]


CONFIG_VALUES = {
    "provider": [name for name in literals(Provider) if name != UNSUPPORTED_PROVIDER],
    "model_type": literals(ModelType),
}


@pytest.mark.parametrize("field", CONFIG_VALUES)
def test_the_sdk_parses_every_value_of_a_field(project: Project, client: Client, field: str) -> None:
    bodies = {value: a_body(**{field: value}) for value in CONFIG_VALUES[field]}

    assert_the_sdk_parses(project, client, bodies)


def test_the_sdk_parses_every_role(project: Project, client: Client) -> None:
    bodies = {role: a_body(messages=[{"role": role, "content": "Hello"}]) for role in literals(Role)}

    assert_the_sdk_parses(project, client, bodies)


PARAMETERS = {
    "format": "format",
    "photo_real_version": "photoRealVersion",
    "encoding_format": "encoding_format",
    "reasoning_effort": "reasoningEffort",
    "verbosity": "verbosity",
    "thinking_level": "thinkingLevel",
}


@pytest.mark.parametrize("field", PARAMETERS)
def test_the_sdk_parses_every_value_of_a_parameter(project: Project, client: Client, field: str) -> None:
    bodies = {value: a_body(model_parameters={PARAMETERS[field]: value}) for value in parameter_values(field)}

    assert_the_sdk_parses(project, client, bodies)


@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_the_sdk_parses_every_cache_ttl(project: Project, client: Client, ttl: str) -> None:
    body = a_body(model_parameters={"cacheControl": {"type": "ephemeral", "ttl": ttl}})

    assert_the_sdk_parses(project, client, {"cached": body})


def test_the_server_accepts_the_values_of_the_sdk_and_one_more_provider() -> None:
    assert set(literals(Provider)) == {*literals(models.DeploymentsProvider), UNSUPPORTED_PROVIDER}
    assert set(literals(ModelType)) == set(literals(models.DeploymentsModelType))
    assert set(literals(Role)) == set(literals(models.DeploymentsRole))
    assert set(parameter_values("reasoning_effort")) == set(literals(models.DeploymentsReasoningEffort))
    assert set(parameter_values("thinking_level")) == set(literals(models.DeploymentsThinkingLevel))
    assert set(parameter_values("verbosity")) == set(literals(models.DeploymentsVerbosity))
    assert set(parameter_values("format")) == set(literals(models.DeploymentsFormat))
    assert set(parameter_values("encoding_format")) == set(literals(models.DeploymentsEncodingFormat))
    assert set(parameter_values("photo_real_version")) == set(literals(models.DeploymentsPhotoRealVersion))


def test_the_newest_sdk_rejects_a_page_with_the_provider_contextualai(project: Project, client: Client) -> None:
    """The API reference documents the provider, so the server accepts it; SDK 4.17.13 no longer parses the page."""
    put_all(project, {"valid": a_body(), UNSUPPORTED_PROVIDER: a_body(provider=UNSUPPORTED_PROVIDER)})

    page = project.page()
    with pytest.raises(models.ResponseValidationError, match=r"data\.0\.prompt_config\.provider"):
        client.list()

    assert page.status == 200
    assert page.keys == [UNSUPPORTED_PROVIDER, "valid"]
    assert keys(client.list(starting_after=page.json["data"][0]["id"])) == ["valid"]
