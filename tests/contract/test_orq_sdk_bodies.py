"""A body that typed clients cannot parse is normalized or rejected, so it never breaks a page."""

from typing import Any

import pytest

from tests.contract.conftest import Client, as_json, keys
from tests.contract.full_items import FULL_PARAMETERS
from tests.support.server import Project, a_body

TOOL = "prompt_config.tools[0]"
SCHEMA = f"{TOOL}.function.parameters"
MESSAGE = "prompt_config.messages[0]"
PARAMETER = "prompt_config.model_parameters"


def tool(**changes: Any) -> dict[str, Any]:
    function = {"name": "find_order", "parameters": {"type": "object", "properties": {}}}
    return a_body(tools=[{"type": "function", "function": {**function, **changes}}])


def schema(**changes: Any) -> dict[str, Any]:
    return tool(parameters={"type": "object", "properties": {"number": {"type": "string"}}, **changes})


def message(**fields: Any) -> dict[str, Any]:
    return a_body(messages=[{"role": "assistant", "content": "Hello", **fields}])


def parameters(**values: Any) -> dict[str, Any]:
    return a_body(model_parameters=values)


def call(arguments: Any) -> dict[str, Any]:
    return message(tool_calls=[{"type": "function", "function": {"name": "find_order", "arguments": arguments}}])


NO_PARAMETERS = a_body(tools=[{"type": "function", "function": {"name": "find_order"}}])
TEXT_ID = a_body(
    tools=[{"type": "function", "id": "01JJ1HDHN79XAS7A01WB3HYSDB", **tool()["prompt_config"]["tools"][0]}]
)
NO_CONTENT = a_body(messages=[{"role": "tool", "tool_call_id": "call_1"}])
NULLABLE = {"responseFormat", "cacheControl"}

NORMALIZED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "additionalProperties true": (schema(additionalProperties=True), [f"{SCHEMA}.additionalProperties"]),
    "additionalProperties null": (schema(additionalProperties=None), [f"{SCHEMA}.additionalProperties"]),
    "additionalProperties {}": (schema(additionalProperties={}), [f"{SCHEMA}.additionalProperties"]),
    "properties missing": (tool(parameters={"type": "object"}), [f"{SCHEMA}.properties"]),
    "properties null": (schema(properties=None), [f"{SCHEMA}.properties"]),
    "required null": (schema(required=None), [f"{SCHEMA}.required"]),
    "parameters empty": (tool(parameters={}), [f"{SCHEMA}.type", f"{SCHEMA}.properties"]),
    "parameters missing": (NO_PARAMETERS, [SCHEMA]),
    "parameters null": (tool(parameters=None), [SCHEMA]),
    "strict null": (tool(strict=None), [f"{TOOL}.function.strict"]),
    "tool description null": (tool(description=None), [f"{TOOL}.function.description"]),
    "tool id as a string": (TEXT_ID, [f"{TOOL}.id"]),
    "tool_calls null": (message(tool_calls=None), [f"{MESSAGE}.tool_calls"]),
    "arguments as an object": (call({"number": "7"}), [f"{MESSAGE}.tool_calls[0].function.arguments"]),
    "content missing": (NO_CONTENT, [f"{MESSAGE}.content"]),
    "dimensions as a number": (parameters(dimensions=512), [f"{PARAMETER}.dimensions"]),
    "temperature as a string": (parameters(temperature="0.2"), [f"{PARAMETER}.temperature"]),
    "seed as a string": (parameters(seed="42"), [f"{PARAMETER}.seed"]),
    "every parameter null": (
        parameters(**dict.fromkeys(FULL_PARAMETERS)),
        [f"{PARAMETER}.{name}" for name in FULL_PARAMETERS if name not in NULLABLE],
    ),
    "lists and parameters null": (
        a_body(tools=None, messages=None, model_parameters=None),
        ["prompt_config.tools", "prompt_config.messages", PARAMETER],
    ),
    "description null": (a_body() | {"description": None}, ["description"]),
}


@pytest.mark.parametrize(("body", "paths"), NORMALIZED.values(), ids=NORMALIZED)
def test_a_value_that_typed_clients_reject_is_normalized_to_one_they_parse(
    project: Project, client: Client, body: dict[str, Any], paths: list[str]
) -> None:
    project.put("valid")

    response = project.put("normalized", body)
    page = client.list()

    assert response.status == 201, response.body
    assert sorted(response.headers["x-moorage-normalized"].split(", ")) == sorted(paths)
    assert keys(page) == ["normalized", "valid"]
    assert as_json(page)["data"][1] == project.get("valid").json


EQUIVALENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a string with a number becomes the number": (parameters(temperature="0.2"), parameters(temperature=0.2)),
    "numeric dimensions become a string": (parameters(dimensions=512), parameters(dimensions="512")),
    "arguments become a string of JSON": (call({"number": "7"}), call('{"number":"7"}')),
    "a null that means no value is omitted": (parameters(seed=None), parameters()),
    "a null that is a valid value stays": (parameters(responseFormat=None), parameters(responseFormat=None)),
    "additionalProperties true is omitted": (schema(additionalProperties=True), schema()),
    "additionalProperties false stays": (
        schema(additionalProperties=False),
        schema(additionalProperties=False),
    ),
    "missing parameters become an empty schema": (NO_PARAMETERS, tool()),
    "an id that is not a number is omitted": (TEXT_ID, tool()),
    "missing content of a tool result becomes null": (
        NO_CONTENT,
        a_body(messages=[{"role": "tool", "content": None, "tool_call_id": "call_1"}]),
    ),
}


@pytest.mark.parametrize(("body", "equivalent"), EQUIVALENTS.values(), ids=EQUIVALENTS)
def test_the_normalized_value_is_equivalent(project: Project, body: dict[str, Any], equivalent: dict[str, Any]) -> None:
    project.put("normalized", body)

    assert project.page().json["data"][0]["prompt_config"] == equivalent["prompt_config"]


@pytest.mark.parametrize("body", [body for body, _ in NORMALIZED.values()], ids=NORMALIZED)
def test_putting_the_normalized_body_again_changes_nothing(project: Project, body: dict[str, Any]) -> None:
    stored = project.put("normalized", body).json

    again = project.put("normalized", {"description": stored["description"], "prompt_config": stored["prompt_config"]})

    assert again.headers["x-moorage-result"] == "unchanged"
    assert "x-moorage-normalized" not in again.headers


def part(**fields: Any) -> dict[str, Any]:
    return a_body(messages=[{"role": "user", "content": [{"type": "text", "text": "Hello"}, fields]}])


REJECTED: dict[str, tuple[dict[str, Any], str]] = {
    "provider acme": (a_body(provider="acme"), "prompt_config.provider"),
    "provider null": (a_body(provider=None), "prompt_config.provider"),
    "model_type unknown": (a_body(model_type="telepathy"), "prompt_config.model_type"),
    "input_audio part": (
        part(type="input_audio", input_audio={"data": "AAAA", "format": "mp3"}),
        f"{MESSAGE}.content[1].type",
    ),
    "refusal part": (part(type="refusal", refusal="No."), f"{MESSAGE}.content[1].type"),
    "reasoning part": (part(type="reasoning", reasoning="Hm."), f"{MESSAGE}.content[1].type"),
    "role unknown": (message(role="narrator"), f"{MESSAGE}.role"),
    "content missing": (a_body(messages=[{"role": "user"}]), f"{MESSAGE}.content"),
    "additionalProperties as a schema": (
        schema(additionalProperties={"type": "string"}),
        f"{SCHEMA}.additionalProperties",
    ),
    "parameters of another type": (tool(parameters={"type": "array"}), f"{SCHEMA}.type"),
    "required as a string": (schema(required="number"), f"{SCHEMA}.required"),
    "properties as an array": (schema(properties=[]), f"{SCHEMA}.properties"),
    "response format regex": (
        parameters(responseFormat={"type": "regex", "pattern": "a+"}),
        f"{PARAMETER}.responseFormat.type",
    ),
    "response format unknown": (parameters(responseFormat="b64_json"), f"{PARAMETER}.responseFormat"),
    "parameter in snake case": (parameters(max_tokens=512), f"{PARAMETER}.max_tokens"),
    "temperature as a word": (parameters(temperature="warm"), f"{PARAMETER}.temperature"),
    "reasoning effort unknown": (parameters(reasoningEffort="heroic"), f"{PARAMETER}.reasoningEffort"),
    "tool of another type": (
        a_body(tools=[{"type": "web_search", "function": tool()["prompt_config"]["tools"][0]["function"]}]),
        f"{TOOL}.type",
    ),
}


@pytest.mark.parametrize(("body", "path"), REJECTED.values(), ids=REJECTED)
def test_a_value_without_an_equivalent_is_rejected_with_its_path_and_the_page_is_unchanged(
    project: Project, client: Client, body: dict[str, Any], path: str
) -> None:
    project.put("valid")
    before = project.page().body

    created, changed = project.put("invalid", body), project.put("valid", body)

    for response in (created, changed):
        assert response.status == 400, response.body
        assert response.error["code"] == "invalid_request_body"
        assert response.error["param"] == path
        assert [problem["path"] for problem in response.error["problems"]] == [path]
        assert path in response.error["message"]
    assert project.page().body == before
    assert keys(client.list()) == ["valid"]
