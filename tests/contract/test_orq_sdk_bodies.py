"""One awkward body cannot spoil the page for typed clients."""

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

REWRITTEN: dict[str, tuple[dict[str, Any], list[str]]] = {
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
    "tool id as text": (TEXT_ID, [f"{TOOL}.id"]),
    "tool_calls null": (message(tool_calls=None), [f"{MESSAGE}.tool_calls"]),
    "arguments as an object": (call({"number": "7"}), [f"{MESSAGE}.tool_calls[0].function.arguments"]),
    "content missing": (NO_CONTENT, [f"{MESSAGE}.content"]),
    "dimensions as a number": (parameters(dimensions=512), [f"{PARAMETER}.dimensions"]),
    "temperature as text": (parameters(temperature="0.2"), [f"{PARAMETER}.temperature"]),
    "seed as text": (parameters(seed="42"), [f"{PARAMETER}.seed"]),
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


@pytest.mark.parametrize(("body", "paths"), REWRITTEN.values(), ids=REWRITTEN)
def test_a_spelling_that_typed_clients_reject_is_stored_in_the_one_they_read(
    project: Project, client: Client, body: dict[str, Any], paths: list[str]
) -> None:
    project.put("usual")

    answer = project.put("awkward", body)
    page = client.list()

    assert answer.status == 201, answer.body
    assert sorted(answer.headers["x-moorage-normalized"].split(", ")) == sorted(paths)
    assert keys(page) == ["awkward", "usual"]
    assert as_json(page)["data"][1] == project.get("usual").json


MEANING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text that spells a number is the number": (parameters(temperature="0.2"), parameters(temperature=0.2)),
    "a number of dimensions is its text": (parameters(dimensions=512), parameters(dimensions="512")),
    "arguments are JSON as text": (call({"number": "7"}), call('{"number":"7"}')),
    "a null that is no value is left out": (parameters(seed=None), parameters()),
    "a null that is a value stays": (parameters(responseFormat=None), parameters(responseFormat=None)),
    "additional properties that are allowed need no word": (schema(additionalProperties=True), schema()),
    "additional properties that are forbidden stay so": (
        schema(additionalProperties=False),
        schema(additionalProperties=False),
    ),
    "a function without parameters takes none": (NO_PARAMETERS, tool()),
    "an id that is no number is left out": (TEXT_ID, tool()),
    "an answer without content has null": (
        NO_CONTENT,
        a_body(messages=[{"role": "tool", "content": None, "tool_call_id": "call_1"}]),
    ),
}


@pytest.mark.parametrize(("body", "equivalent"), MEANING.values(), ids=MEANING)
def test_the_stored_spelling_means_the_same(project: Project, body: dict[str, Any], equivalent: dict[str, Any]) -> None:
    project.put("awkward", body)

    assert project.page().json["data"][0]["prompt_config"] == equivalent["prompt_config"]


@pytest.mark.parametrize("body", [body for body, _ in REWRITTEN.values()], ids=REWRITTEN)
def test_putting_the_stored_spelling_again_changes_nothing(project: Project, body: dict[str, Any]) -> None:
    stored = project.put("awkward", body).json

    again = project.put("awkward", {"description": stored["description"], "prompt_config": stored["prompt_config"]})

    assert again.headers["x-moorage-result"] == "unchanged"
    assert "x-moorage-normalized" not in again.headers


def part(**fields: Any) -> dict[str, Any]:
    return a_body(messages=[{"role": "user", "content": [{"type": "text", "text": "Hello"}, fields]}])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
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
    "required as text": (schema(required="number"), f"{SCHEMA}.required"),
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


@pytest.mark.parametrize(("body", "path"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_equivalent_is_refused_by_its_path_and_the_page_stays(
    project: Project, client: Client, body: dict[str, Any], path: str
) -> None:
    project.put("usual")
    before = project.page().body

    created, changed = project.put("awkward", body), project.put("usual", body)

    for answer in (created, changed):
        assert answer.status == 400, answer.body
        assert answer.error["code"] == "invalid_request_body"
        assert answer.error["param"] == path
        assert [problem["path"] for problem in answer.error["problems"]] == [path]
        assert path in answer.error["message"]
    assert project.page().body == before
    assert keys(client.list()) == ["usual"]
