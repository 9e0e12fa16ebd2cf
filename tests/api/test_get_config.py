"""`POST /v2/deployments/get_config`: the resolved configuration for a model."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.core.access import Scope
from tests.support.server import Answer, Project, Server, a_body

ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def resolve(project: Project, key: str = "bot", headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    body = json.dumps({"key": key, **fields}).encode()
    return project.request("POST", "/v2/deployments/get_config", body, headers)


def put(project: Project, *texts: str, key: str = "bot", **fields: Any) -> None:
    """Put a deployment with system messages of these texts, and other fields of the body."""
    messages = [{"role": "system", "content": text} for text in texts]
    response = project.put(key, {**a_body(messages=messages), **fields}, "?allow_breaking=true")
    assert response.status in (200, 201), response.body


def contents(response: Answer) -> list[Any]:
    assert response.status == 200, response.body
    return [message["content"] for message in response.json["messages"]]


def problems(response: Answer) -> dict[str, str]:
    assert response.status == 400
    assert response.error["code"] == "invalid_request_body"
    return {problem["path"]: problem["message"] for problem in response.error["problems"]}


def a_variant(name: str, text: str, **fields: Any) -> dict[str, Any]:
    config = a_body(messages=[{"role": "system", "content": text}])["prompt_config"]
    return {"name": name, "prompt_config": config, **fields}


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def test_a_response_has_the_fields_of_the_contract(project: Project) -> None:
    project.put("bot", a_body(tools=[TOOL], messages=[{"role": "system", "content": "You help {{customer}}."}]))

    response = resolve(project, inputs={"customer": "Ada"})

    assert response.status == 200
    assert response.headers["content-type"] == "application/json"
    assert list(response.json) == ["id", "provider", "model", "type", "version", "messages", "parameters", "tools"]
    assert ULID.fullmatch(response.json["id"])
    assert response.json | {"id": ""} == {
        "id": "",
        "provider": "openai",
        "model": "openai/gpt-4o",
        "type": "chat",
        "version": "1.0",
        "messages": [{"role": "system", "content": "You help Ada."}],
        "parameters": {"temperature": 0.2, "maxTokens": 512},
        "tools": [TOOL],
    }


def test_without_tools_a_response_has_no_tools(project: Project) -> None:
    put(project, "Hello")

    assert "tools" not in resolve(project).json


def test_messages_are_ordered_system_prefix_others_and_request(project: Project) -> None:
    roles = ["system", "developer", "user", "system", "assistant"]
    project.put("bot", a_body(messages=[{"role": role, "content": f"{n}"} for n, role in enumerate(roles)]))

    response = resolve(
        project,
        prefix_messages=[{"role": "user", "content": "p0"}, {"role": "assistant", "content": "p1"}],
        messages=[{"role": "user", "content": "m0"}],
    )

    assert contents(response) == ["0", "1", "p0", "p1", "2", "3", "4", "m0"]


def test_messages_of_the_request_are_returned_unchanged(project: Project) -> None:
    put(project, "Hello")
    messages = [
        {"role": "developer", "content": "{{customer}}", "name": "ada"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "{{customer}}", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/{{a}}", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                {"type": "file", "file": {"file_id": "f1", "filename": "a.pdf"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "hm",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "content": [{"type": "text", "text": "ok"}], "tool_call_id": "c1", "newer": {"than": "us"}},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
    ]

    response = resolve(project, inputs={"customer": "Ada"}, messages=messages)

    assert response.json["messages"][1:] == messages


def test_an_assistant_message_without_content_has_the_content_null(project: Project) -> None:
    put(project, "Hello")
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]

    response = resolve(project, prefix_messages=[{"role": "assistant", "tool_calls": calls}])

    assert response.json["messages"][1] == {"role": "assistant", "tool_calls": calls, "content": None}


def test_extra_params_override_parameters_for_one_request(project: Project) -> None:
    put(project, "Hello")

    response = resolve(project, extra_params={"temperature": 1, "stop": ["\n"], "logit_bias": {"1": 2}})

    assert response.json["parameters"] == {
        "temperature": 1, "maxTokens": 512, "stop": ["\n"], "logit_bias": {"1": 2},
    }  # fmt: skip
    assert resolve(project).json["parameters"] == {"temperature": 0.2, "maxTokens": 512}


def test_an_extra_param_that_is_null_is_ignored(project: Project) -> None:
    put(project, "Hello")

    assert resolve(project, extra_params={"temperature": None, "seed": None}).body == resolve(project).body
    assert resolve(project, extra_params={"stop": {"at": None}}).json["parameters"]["stop"] == {"at": None}


def test_inputs_are_inserted_into_texts_and_image_urls(project: Project) -> None:
    parts = [
        {"type": "text", "text": "See {{topic}}"},
        {"type": "image_url", "image_url": {"url": "https://example.com/{{file.name}}.png", "detail": "{{topic}}"}},
        {"type": "file", "file": {"filename": "{{topic}}"}},
    ]
    project.put("bot", a_body(messages=[{"role": "user", "content": parts}]))

    response = resolve(project, inputs={"topic": {"a": [1]}, "file": {"name": "cat"}})

    assert contents(response) == [
        [
            {"type": "text", "text": 'See {"a":[1]}'},
            {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "{{topic}}"}},
            {"type": "file", "file": {"filename": "{{topic}}"}},
        ]
    ]


def test_an_omitted_input_has_its_default_and_null_is_a_value(project: Project) -> None:
    put(
        project, "{{a}}|{{b}}|{{c}}",
        variables=[{"key": "a", "value": "x"}, {"key": "b", "value": 3}, {"key": "c", "value": "z"}],
    )  # fmt: skip

    response = resolve(project, inputs={"a": "given", "c": None})

    assert contents(response) == ["given|3|"]
    assert "missing_inputs" not in response.json


@pytest.mark.parametrize("engine", ["text", "mustache", "jinja"])
def test_the_default_of_a_field_is_used_if_the_inputs_do_not_have_it(jinja: Server, engine: str) -> None:
    project = jinja.new_project()
    put(
        project, "Hi {{customer.name}}", settings={"engine": engine},
        variables=[{"key": "customer.name", "value": "guest"}, {"key": "customer", "value": {"plan": "free"}}],
    )  # fmt: skip

    for inputs, expected in (
        ({}, "Hi guest"),
        ({"other": "x"}, "Hi guest"),
        ({"customer": {"name": "Ada"}}, "Hi Ada"),
        ({"customer": {"name": None}}, "Hi "),
        ({"customer": {"plan": "pro"}}, "Hi guest"),
    ):
        response = resolve(project, inputs=inputs)
        assert (contents(response), response.json.get("missing_inputs")) == ([expected], None)


@pytest.mark.parametrize(("policy", "text"), [(None, "Hi  and !"), ("empty", "Hi  and !"), ("keep", "Hi {{a}} and !")])
def test_missing_inputs_are_listed_and_empty_or_kept_as_placeholders(
    project: Project, policy: str | None, text: str
) -> None:
    put(
        project, "Hi {{a}} and {{b}}!", "{{c}}",
        variables=[{"key": "a"}, {"key": "b", "value": ""}, {"key": "c", "value": None}],
        settings={"missing_inputs": policy} if policy else {},
    )  # fmt: skip

    response = resolve(project)

    assert contents(response)[0] == text
    assert response.json["missing_inputs"] == ["a", "c"]


def test_missing_inputs_are_an_error_with_all_names_if_configured(project: Project) -> None:
    put(project, "{{a}} {{b.c}}", "{{d}} {{a}}", settings={"missing_inputs": "error"})

    response = resolve(project, inputs={"d": 1})

    assert (response.status, response.error["code"]) == (400, "missing_inputs")
    assert response.error["message"].endswith(": a, b.c.")
    assert contents(resolve(project, inputs={"a": 1, "b": {"c": 2}, "d": 3})) == ["1 2", "3 1"]


@pytest.mark.parametrize("environments", ["staging", ["staging"]])
def test_environments_as_a_string_and_as_a_list_of_one_are_equal(project: Project, environments: object) -> None:
    """Case 22."""
    put(
        project, "default",
        variants=[a_variant("new", "new")],
        routing=[{"variant": "new", "when": {"environments": {"eq": "staging"}}}],
    )  # fmt: skip

    assert contents(resolve(project, context={"environments": environments})) == ["new"]
    assert contents(resolve(project, context={"environments": ["staging", "more"]})) == ["default"]


def test_a_variant_has_its_own_messages_variables_engine_and_policy(project: Project) -> None:
    mustache = a_variant(
        "list", "{{#items}}<{{.}}>{{/items}}{{missing}}",
        variables=[{"key": "items", "value": ["x"]}], settings={"engine": "mustache", "missing_inputs": "keep"},
    )  # fmt: skip
    put(
        project, "{{items}}",
        variables=[{"key": "items", "value": "d"}],
        variants=[mustache], routing=[{"variant": "list", "when": {"plan": {"eq": "pro"}}}],
    )  # fmt: skip

    assert contents(resolve(project)) == ["d"]
    chosen = resolve(project, context={"plan": "pro"})
    assert contents(chosen) == ["<x>{{missing}}"]
    assert chosen.json["missing_inputs"] == ["missing"]


ROUTED: dict[str, Any] = {
    "variants": [a_variant("new", "new"), a_variant("half", "half")],
    "routing": [
        {"variant": "new", "when": {"plan": {"eq": "pro"}}},
        {"variant": "half", "split": {"by": "user", "percent": 100}},
    ],
}


@pytest.mark.parametrize(
    ("context", "variant", "reason"),
    [({"plan": "pro"}, "new", "rule"), ({"user": "u1"}, "half", "split"), ({}, "default", "default")],
)
def test_headers_have_deployment_version_variant_reason_and_revision(
    project: Project, context: dict[str, Any], variant: str, reason: str
) -> None:
    put(project, "first")
    put(project, "default", **ROUTED)

    response = resolve(project, context=context)

    headers = {name.lower(): value for name, value in response.headers.items() if name.lower().startswith("x-moorage-")}
    assert contents(response) == [variant]
    assert headers == {
        "x-moorage-deployment": "bot",
        "x-moorage-version": "1.1",
        "x-moorage-variant": variant,
        "x-moorage-reason": reason,
        "x-moorage-revision": project.page().headers["x-moorage-revision"],
    }
    assert response.json["version"] == "1.1"


def test_without_routing_the_reason_is_only(project: Project) -> None:
    put(project, "Hello")

    assert resolve(project).headers["x-moorage-reason"] == "only"


def test_an_identical_request_with_the_etag_gets_304_until_the_response_changes(project: Project) -> None:
    put(project, "Hi {{a}}")
    etag = resolve(project, inputs={"a": 1}).headers["etag"]

    same = resolve(project, headers={"If-None-Match": f'"x", W/{etag}'}, inputs={"a": 1})
    other = resolve(project, headers={"If-None-Match": etag}, inputs={"a": 2})
    put(project, "Ho {{a}}")
    later = resolve(project, headers={"If-None-Match": etag}, inputs={"a": 1})

    assert (same.status, same.body, same.headers["etag"]) == (304, b"", etag)
    assert same.headers["x-moorage-version"] == "1.0"
    assert "content-type" not in same.headers
    assert [other.status, later.status] == [200, 200]
    assert contents(later) == ["Ho 1"]


def test_the_same_request_to_the_same_version_has_the_same_id_and_bytes(project: Project) -> None:
    put(project, "Hi {{a}}")

    first, repeated, other = (resolve(project, inputs={"a": value}) for value in (1, 1, 2))

    assert first.body == repeated.body
    assert first.json["id"] != other.json["id"]


def test_a_deployment_is_found_by_its_id(project: Project) -> None:
    item = project.put("bot").json

    assert resolve(project, item["id"]).headers["x-moorage-deployment"] == "bot"


def test_a_draft_is_served_from_its_publish_until_the_undo(project: Project) -> None:
    put(project, "one")
    draft = json.dumps(a_body(messages=[{"role": "system", "content": "two"}]) | {"description": "x"}).encode()
    saved = project.request("POST", "/v2/deployments/bot/versions", draft)
    assert saved.status == 201

    before = contents(resolve(project))
    project.request("POST", "/v2/deployments/bot/versions/1.1/publish")
    after = contents(resolve(project))
    project.request("POST", "/v2/deployments/bot/undo")

    assert (before, after, contents(resolve(project))) == (["one"], ["two"], ["one"])


def test_an_unknown_a_deleted_and_a_foreign_deployment_are_not_found(server: Server, project: Project) -> None:
    put(project, "Hello", key="deleted")
    put(project, "Hello")
    project.request("DELETE", "/v2/deployments/deleted")
    other = server.new_project()

    unknown, deleted, theirs = resolve(project, "nothing"), resolve(project, "deleted"), resolve(other, "bot")

    assert [response.status for response in (unknown, deleted, theirs)] == [404] * 3
    assert unknown.error["code"] == theirs.error["code"] == "deployment_not_found"
    assert unknown.error["message"].replace("nothing", "bot") == theirs.error["message"]
    assert deleted.error["code"] == "deployment_deleted"


def test_get_config_needs_only_the_scope_invoke(project: Project) -> None:
    put(project, "Hello")
    _, invoking = project.key(Scope.INVOKE)
    _, reading = project.key(Scope.READ, Scope.WRITE, Scope.PUBLISH)

    assert resolve(project, headers={"Authorization": f"Bearer {invoking}"}).status == 200
    assert resolve(project, headers={"Authorization": f"Bearer {reading}"}).error["code"] == "insufficient_scope"


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
    body = b'{"key":"bot","inputs":{"a":' + b"9" * 4_300 + b"}}"

    assert contents(project.request("POST", "/v2/deployments/get_config", body)) == ["9" * 4_300]


def test_a_large_body_and_a_query_are_rejected(project: Project) -> None:
    large = resolve(project, inputs={"a": "x" * 1_048_576})
    query = project.request("POST", "/v2/deployments/get_config?variant=new", b'{"key": "bot"}')

    assert (large.status, large.error["code"]) == (413, "body_too_large")
    assert (query.status, query.error["code"]) == (400, "unknown_parameter")


def test_all_messages_together_render_at_most_a_mebibyte(project: Project) -> None:
    put(project, "{{a}}" * 600, "{{a}}" * 600, "{{b}}")
    half = "x" * 873

    assert sum(map(len, contents(resolve(project, inputs={"a": half, "b": "x" * 976})))) == 1_048_576
    response = resolve(project, inputs={"a": half, "b": "x" * 977})
    assert (response.status, response.error["code"]) == (400, "output_too_large")


def test_a_template_over_the_limit_is_rejected_and_others_are_served(project: Project) -> None:
    put(project, "{{#a}}{{#a}}{{#a}}x{{/a}}{{/a}}{{/a}}", settings={"engine": "mustache"})

    response = resolve(project, inputs={"a": [1] * 100})

    assert (response.status, response.error["code"]) == (400, "template_limit_exceeded")
    assert contents(resolve(project, inputs={"a": [1] * 3})) == ["x" * 27]


def test_an_unknown_engine_is_rejected_on_write(project: Project) -> None:
    variant = a_variant("v", "Hello", settings={"engine": 1})

    response = project.put("bot", {**a_body(), "settings": {"engine": "erb"}, "variants": [variant], "nothing": 1})

    assert (response.status, response.error["code"]) == (400, "unsupported_engine")
    assert response.error["problems"] == [
        {"path": "settings.engine", "message": 'must be one of jinja, mustache, text; got "erb"'},
        {"path": "variants[0].settings.engine", "message": "must be one of jinja, mustache, text, not a number"},
        {"path": "nothing", "message": response.error["problems"][2]["message"]},
    ]


def test_a_jinja_template_is_not_published_if_jinja_is_disabled(project: Project) -> None:
    body = {**a_body(), "settings": {"engine": "jinja"}}
    variants = {**a_body(), "variants": [a_variant("v", "Hello", settings={"engine": "jinja"})]}
    put(project, "Hello")
    versions = "/v2/deployments/bot/versions"
    draft = project.request("POST", versions, json.dumps({**body, "status": "draft"}).encode())

    for response in (
        project.put("new", body),
        project.put("new", variants),
        project.put("bot", body),
        project.request("POST", "/v2/deployments", json.dumps({"key": "new", **body}).encode()),
        project.request("POST", versions, json.dumps({**body, "status": "published"}).encode()),
        project.request("POST", f"{versions}/{draft.json['_id']}/publish"),
    ):
        assert (response.status, response.error["code"]) == (400, "unsupported_engine")
        assert "not enabled" in response.error["message"]

    assert (draft.status, project.get("new").status) == (201, 404)
    assert contents(resolve(project)) == ["Hello"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% if %}", "Expected an expression"),
        ("a\n{{ a", "expected 'end of print statement', line 2."),
        ("{{ a|b }}", "No filter named 'b'"),
    ],
)
def test_an_invalid_jinja_template_is_not_published(jinja: Server, template: str, reason: str) -> None:
    project = jinja.new_project()
    settings = {"engine": "jinja"}
    body = {**a_body(messages=[{"role": "user", "content": template}]), "settings": settings}
    put(project, "Hello", settings=settings)
    versions = "/v2/deployments/bot/versions"
    draft = project.request("POST", versions, json.dumps({**body, "status": "draft"}).encode())

    for response in (
        project.put("new", body),
        project.put("new", body, "?dry_run=true"),
        project.put("bot", body, "?allow_breaking=true"),
        project.request("POST", "/v2/deployments", json.dumps({"key": "new", **body}).encode()),
        project.request("POST", f"{versions}/{draft.json['_id']}/publish"),
    ):
        assert (response.status, response.error["code"]) == (400, "invalid_template")
        assert response.error["param"] == "prompt_config.messages"
        assert reason in response.error["message"]

    variants = [a_variant("v", "Hello"), a_variant("w", template, settings=settings)]
    assert project.put("new", {**a_body(), "variants": variants}).error["param"] == "variants.w"
    assert (draft.status, project.get("new").status) == (201, 404)
    assert contents(resolve(project)) == ["Hello"]


def test_a_request_for_a_jinja_template_is_rejected_if_jinja_is_disabled(folder: Path) -> None:
    with Server(folder, "--jinja", "true") as server:
        project = server.new_project()
        put(project, "{% if a %}yes{% endif %}", settings={"engine": "jinja"})
        server.stop()
    with Server(folder) as server:
        response = resolve(Project(server, project.id, project.name, project.token))

    assert (response.status, response.error["code"]) == (400, "unsupported_engine")
    assert "not enabled" in response.error["message"]


def test_an_invalid_mustache_template_is_rejected_on_write_with_its_path(project: Project) -> None:
    parts = [{"type": "text", "text": "{{#b}}"}, {"type": "image_url", "image_url": {"url": "{{"}}]
    messages = [{"role": "system", "content": "{{#a}}"}, {"role": "user", "content": parts}]
    body = {
        **a_body(messages=messages),
        "settings": {"engine": "mustache"},
        "variants": [a_variant("v", "\n{{/c}}", settings={"engine": "mustache"}), a_variant("w", "{{#text}}")],
    }
    expected = {
        "prompt_config.messages[0].content": "the section 'a' is never closed, line 1",
        "prompt_config.messages[1].content[0].text": "the section 'b' is never closed, line 1",
        "prompt_config.messages[1].content[1].image_url.url": "a tag is never closed, line 1",
        "variants[0].prompt_config.messages[0].content": "the section 'c' is closed but was never opened, line 2",
    }

    put_response = project.put("bot", body)
    put(project, "whole")
    draft = project.request("POST", "/v2/deployments/bot/versions", json.dumps(body).encode())

    assert problems(put_response) == {
        path: f"is not a valid mustache template: {reason}" for path, reason in expected.items()
    }
    del body["description"]
    draft = project.request("POST", "/v2/deployments/bot/versions", json.dumps(body).encode())
    assert problems(draft) == problems(put_response)


def test_an_invalid_mustache_template_is_a_valid_text(project: Project) -> None:
    put(project, "{{#a}} {{a}} {{")

    assert contents(resolve(project, inputs={"a": 1})) == ["{{#a}} 1 {{"]


@pytest.fixture(scope="module")
def jinja(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("jinja"), "--jinja", "true") as running:
        yield running


def test_jinja_is_rendered_if_it_is_enabled(jinja: Server) -> None:
    project = jinja.new_project()
    put(
        project, "{% for item in items %}[{{ item.name|upper }}]{% endfor %}{{ missing }}",
        settings={"engine": "jinja"}, variables=[{"key": "items", "value": [{"name": "x"}]}],
    )  # fmt: skip

    response = resolve(project, inputs={"items": [{"name": "a"}, {"name": "b"}]})

    assert contents(response) == ["[A][B]"]
    assert response.json["missing_inputs"] == ["missing"]
    assert contents(resolve(project)) == ["[X]"]
    assert resolve(project).headers["x-moorage-variant"] == "default"


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{{ a.b.c }}{{ 1 / 0 }}", "invalid_template"),
        ("{{ ''.__class__ }}", "template_not_allowed"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "template_limit_exceeded"),
        ("{% for a in range(9999) %}" + "x" * 999 + "{% endfor %}", "output_too_large"),
    ],
)
def test_a_failing_jinja_template_is_rejected_and_others_are_rendered(jinja: Server, template: str, code: str) -> None:
    project = jinja.new_project()
    put(project, template, settings={"engine": "jinja"})
    put(project, "{{ a }}", settings={"engine": "jinja"}, key="good")

    response = resolve(project)

    assert (response.status, response.error["code"]) == (400, code)
    assert contents(resolve(project, "good", inputs={"a": 1})) == ["1"]


def test_jinja_accepts_or_rejects_inputs_of_any_depth(jinja: Server) -> None:
    project = jinja.new_project()
    put(project, "{{ a }}", settings={"engine": "jinja"})

    for levels in (64, 200, 400, 600, 800, 900, 950, 970, 990):
        deep = b'{"key":"bot","inputs":{"a":%b}}' % (b"[" * levels + b"]" * levels)
        response = project.request("POST", "/v2/deployments/get_config", deep)
        assert response.status in (200, 400), (levels, response.body)


def json_values(characters: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(characters, max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(characters, max_size=3), inner, max_size=3),
        max_leaves=6,
    )


INPUTS = json_values(st.characters(exclude_categories=["Cs"]))

#: Texts with a NUL character cannot be stored.
DEFAULTS = json_values(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given_inputs=st.dictionaries(st.sampled_from("abcd"), INPUTS),
    defaults=st.dictionaries(st.sampled_from("abcd"), DEFAULTS.filter(lambda value: value is not None)),
    policy=st.sampled_from(["empty", "keep"]),
)
def test_an_input_overrides_the_default_and_the_default_overrides_the_policy(
    project: Project, given_inputs: dict[str, Any], defaults: dict[str, Any], policy: str
) -> None:
    put(
        project, *(f"{{{{{name}}}}}" for name in "abcd"),
        variables=[{"key": key, "value": value} for key, value in defaults.items()],
        settings={"missing_inputs": policy},
    )  # fmt: skip
    values = {**defaults, **given_inputs}

    response = resolve(project, inputs=given_inputs)

    assert contents(response) == [
        rendered(values[name]) if name in values else f"{{{{{name}}}}}" if policy == "keep" else "" for name in "abcd"
    ]
    assert response.json.get("missing_inputs", []) == [name for name in "abcd" if name not in values]


def rendered(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
