"""`POST /v2/deployments/get_config`: valid and invalid request bodies."""

from typing import Any

import pytest

from tests.support.get_config import contents, problems, put, resolve
from tests.support.server import Project, Response

FULL: dict[str, Any] = {
    "stream": False,
    "inputs": {"customer": {"name": "Ada"}},
    "context": {"environments": "staging", "age": 42.5, "plan": ["a", "b"], "is": True, "none": None},
    "prefix_messages": [],
    "messages": [],
    "identity": {
        "id": "i1", "display_name": "Ada", "email": "ada@example.com", "metadata": [{"a": 1}],
        "logo_url": "https://example.com/ada.png", "tags": ["x"],
    },
    "file_ids": ["f1"],
    "metadata": {"trace": "t1"},
    "extra_params": {},
    "documents": [{"text": "t", "metadata": {"file_name": "a", "file_type": "pdf", "page_number": 1}}, {"text": "u"}],
    "invoke_options": {"include_retrievals": True, "include_usage": False, "mock_response": "m"},
    "thread": {"id": "t1", "tags": ["x"]},
    "knowledge_filter": {"and": [{"a": {"eq": "x", "in": [1, True]}}, {"b": {"gte": 1.5, "exists": True}}]},
}  # fmt: skip


def test_every_field_of_the_contract_is_accepted_and_unknown_ones_are_ignored(project: Project) -> None:
    put(project, "Hello")

    response = resolve(project, **FULL, newer={"than": "us"})

    assert response.body == resolve(project).body


def test_an_optional_field_can_be_null(project: Project) -> None:
    put(project, "Hello")

    nulls: dict[str, Any] = dict.fromkeys(FULL)

    assert resolve(project, **nulls).body == resolve(project).body


INVALID: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "key": ({"key": 1}, {"key": "must be a string, not a number"}),
    "empty key": ({"key": ""}, {"key": "must not be empty"}),
    "stream": ({"stream": "yes"}, {"stream": "must be true or false, not a string"}),
    "inputs": ({"inputs": []}, {"inputs": "must be an object, not an array"}),
    "context": ({"context": "x"}, {"context": "must be an object, not a string"}),
    "an attribute": (
        {"context": {"a": {}, "b": [[]]}},
        {
            "context.a": "must be true or false, a number, a string or a list of those, not an object",
            "context.b": "item [0] must be true or false, a number, a string or a list of those,"
            " not an array",
        },
    ),
    "messages": ({"messages": {}, "prefix_messages": [1]}, {
        "messages": "must be an array, not an object", "prefix_messages[0]": "must be an object, not a number",
    }),
    "roles": ({"messages": [{"role": "usr", "content": "x"}, {"content": "x"}]}, {
        "messages[0].role": "must be one of system, developer, user, assistant, tool; got \"usr\"."
        " Did you mean 'user'?",
        "messages[1].role": "is required: one of system, developer, user, assistant, tool",
    }),
    "contents": ({"prefix_messages": [{"role": "user"}, {"role": "system", "content": None}]}, {
        "prefix_messages[0].content": "is required",
        "prefix_messages[1].content": "must be a string or an array, not null",
    }),
    "parts": (
        {"messages": [{"role": "user", "content": [
            {"type": "text"}, {"type": "wav"}, {"type": "input_audio", "input_audio": {"data": "", "format": "ogg"}},
            {"type": "image_url", "image_url": {"url": "", "detail": "max"}}, "text",
        ]}]},
        {
            "messages[0].content[0].text": "is required",
            "messages[0].content[1].type": 'must be one of text, image_url, input_audio, file; got "wav"',
            "messages[0].content[2].input_audio.format": 'must be one of mp3, wav; got "ogg"',
            "messages[0].content[3].image_url.url": "must not be empty",
            "messages[0].content[3].image_url.detail": 'must be one of auto, high, low; got "max"',
            "messages[0].content[4]": "must be an object, not a string",
        },
    ),
    "tools": (
        {"messages": [
            {"role": "tool", "content": "x"},
            {"role": "assistant", "tool_calls": [{"id": 1, "type": "f", "function": {"arguments": {}}}]},
        ]},
        {
            "messages[0].tool_call_id": "is required",
            "messages[1].tool_calls[0].id": "must be a string, not a number",
            "messages[1].tool_calls[0].type": 'must be "function"',
            "messages[1].tool_calls[0].function.arguments": "must be a string or null, not an object",
        },
    ),
    "other fields": (
        {
            "identity": {"tags": "x"}, "file_ids": [1], "metadata": [], "extra_params": 1, "documents": [{}],
            "invoke_options": {"mock_response": 1}, "thread": {},
        },
        {
            "identity.id": "is required", "identity.tags": "must be an array, not a string",
            "file_ids[0]": "must be a string, not a number", "metadata": "must be an object or null, not an array",
            "extra_params": "must be an object, not a number", "documents[0].text": "is required",
            "invoke_options.mock_response": "must be a string, not a number", "thread.id": "is required",
        },
    ),
    "a filter": (
        {"knowledge_filter": {"a": {"gt": "x", "like": 1, "in": [{}], "eq": None}, "b": 1}},
        {
            "knowledge_filter.a.gt": "must be a number",
            "knowledge_filter.a.like": "is not an operator;"
            " the operators are eq, ne, gt, gte, lt, lte, in, nin, exists",
            "knowledge_filter.a.in": "must be an array of strings, numbers, true or false",
            "knowledge_filter.a.eq": "must be a string, a number, true or false",
            "knowledge_filter.b": "must be an object of operators, not a number",
        },
    ),
    "filters": ({"knowledge_filter": {"or": [{"a": {"exists": 1}}, 2], "c": {}}}, {
        "knowledge_filter.or[0].a.exists": "must be true or false",
        "knowledge_filter.or[1]": "must be an object, not a number",
        "knowledge_filter.c": "must not be combined with `or`; put it into the list",
    }),
}  # fmt: skip


@pytest.mark.parametrize("case", INVALID)
def test_all_problems_of_a_body_are_reported_with_their_paths(project: Project, case: str) -> None:
    body, expected = INVALID[case]
    put(project, "Hello")

    fields: dict[str, Any] = {"key": "bot", **body}

    response = resolve(project, **fields)

    assert problems(response) == expected


def test_a_body_without_a_key_is_rejected(project: Project) -> None:
    response = project.request("POST", "/v2/deployments/get_config", b"{}")

    assert problems(response) == {"key": "is required"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[1,]", b'{"key": "bot", "inputs": {"a": NaN}}', b'{"key": "bot", "inputs": {"a": 1e999}}',
        b'{"key": "bot", "inputs": {"a": "\\ud800"}}', b'{"key": "b\xff"}', b'{"key":"bot","inputs":{"\xff":1}}',
        b'{"key":"bot","inputs":{"a":' + b"9" * 4_301 + b"}}", b"[" * 100_000,
    ],
    ids=range(10),
)  # fmt: skip
def test_invalid_json_is_rejected(project: Project, body: bytes) -> None:
    put(project, "Hello")

    response = project.request("POST", "/v2/deployments/get_config", body)

    assert (response.status, response.error["code"]) == (400, "invalid_json")


@pytest.mark.parametrize("levels", [64, 700, 800, 850, 900, 930, 950, 960, 970, 980, 990, 1_000, 1_100, 50_000])
@pytest.mark.parametrize("field", ["inputs", "extra_params"])
def test_inputs_of_any_depth_are_rendered_or_rejected(project: Project, field: str, levels: int) -> None:
    put(project, "{{a}}")
    deep = b'{"key":"bot","%b":{"a":%b}}' % (field.encode(), b"[" * levels + b"]" * levels)

    response = project.request("POST", "/v2/deployments/get_config", deep)

    assert response.status == 200 or response.error["code"] == "invalid_json"


def test_a_body_with_a_byte_order_mark_is_accepted(project: Project) -> None:
    put(project, "{{a}}")

    response = project.request("POST", "/v2/deployments/get_config", b'\xef\xbb\xbf{"key": "bot", "inputs": {"a": 1}}')

    assert contents(response) == ["1"]


def test_a_number_with_many_digits_is_rendered_exactly(project: Project) -> None:
    put(project, "{{a}}")

    def response_to(digits: int) -> Response:
        body = b'{"key":"bot","inputs":{"a":' + b"9" * digits + b"}}"
        return project.request("POST", "/v2/deployments/get_config", body)

    assert contents(response_to(309)) == ["9" * 309]
    assert (response_to(310).status, response_to(310).error["code"]) == (400, "invalid_json")


def test_a_large_body_and_a_query_are_rejected(project: Project) -> None:
    large = resolve(project, inputs={"a": "x" * 20_971_520})
    query = project.request("POST", "/v2/deployments/get_config?variant=new", b'{"key": "bot"}')

    assert (large.status, large.error["code"]) == (413, "body_too_large")
    assert (query.status, query.error["code"]) == (400, "unknown_parameter")
