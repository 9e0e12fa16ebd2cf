"""`PUT /v2/deployments/{key}`: declarative, validated as a whole, and stored completely or not at all."""

import json
from typing import Any

import pytest

from tests.support.server import Project, a_body


def test_a_first_put_creates_version_1_0(project: Project) -> None:
    response = project.put("support_bot")

    assert response.status == 201
    assert response.headers["x-moorage-result"] == "created"
    assert response.json["version"] == "1.0"
    assert response.json == project.page().json["data"][0]


def test_an_identical_put_changes_nothing(project: Project) -> None:
    first = project.put("support_bot")

    repeated = project.put("support_bot")

    assert repeated.status == 200
    assert repeated.headers["x-moorage-result"] == "unchanged"
    assert repeated.body == first.body
    assert repeated.headers["x-moorage-revision"] == first.headers["x-moorage-revision"]


@pytest.mark.parametrize(("bump", "version"), [(None, "1.1"), ("minor", "1.1"), ("major", "2.0")])
def test_different_content_becomes_the_next_version(project: Project, bump: str | None, version: str) -> None:
    project.put("support_bot")
    body = a_body(model="openai/gpt-5") | ({"version_bump": bump} if bump else {})

    response = project.put("support_bot", body)

    assert response.status == 200
    assert response.headers["x-moorage-result"] == "updated"
    assert response.json["version"] == version
    assert response.json["prompt_config"]["model"] == "openai/gpt-5"


def test_the_version_after_2_0_is_2_1(project: Project) -> None:
    project.put("support_bot")
    project.put("support_bot", a_body(model="b") | {"version_bump": "major"})

    response = project.put("support_bot", a_body(model="c"))

    assert response.json["version"] == "2.1"


def test_returning_to_older_content_makes_a_new_version(project: Project) -> None:
    project.put("support_bot")
    project.put("support_bot", a_body(model="b"))

    assert project.put("support_bot").json["version"] == "1.2"


def test_a_new_description_makes_no_version(project: Project) -> None:
    project.put("support_bot")

    response = project.put("support_bot", a_body() | {"description": "Answers everything"})

    assert response.headers["x-moorage-result"] == "updated"
    assert response.json["version"] == "1.0"
    assert response.json["description"] == "Answers everything"


def test_an_omitted_field_keeps_its_value(project: Project) -> None:
    variables = [{"key": "customer", "value": "guest"}]
    project.put("support_bot", a_body() | {"variables": variables})

    response = project.put("support_bot", {"prompt_config": a_body()["prompt_config"]})

    assert response.headers["x-moorage-result"] == "unchanged"
    assert response.json["description"] == "Answers refunds"


def test_different_variables_make_a_new_version(project: Project) -> None:
    project.put("support_bot", a_body() | {"variables": [{"key": "customer", "value": "guest"}]})

    response = project.put("support_bot", a_body() | {"variables": []})

    assert response.json["version"] == "1.1"


def test_the_order_of_fields_and_the_form_of_numbers_make_no_version(project: Project) -> None:
    project.put("support_bot")
    config = a_body()["prompt_config"] | {"model_parameters": {"maxTokens": 512.0, "temperature": 0.2}}

    response = project.put("support_bot", {"prompt_config": dict(reversed(config.items()))})

    assert response.headers["x-moorage-result"] == "unchanged"


def ordered(first: str, second: str, place: str) -> dict[str, Any]:
    """Return a body with an object at a place whose fields are in this order."""
    fields = {first: {"type": "string"}, second: {"type": "string"}}
    schema = {"type": "object", "properties": fields}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    response_format = {"type": "json_schema", "json_schema": {"name": "r", "schema": schema}}
    if place == "tool":
        return a_body(tools=[tool])
    if place == "response format":
        return a_body(model_parameters={"responseFormat": response_format})
    if place == "default value":
        return a_body() | {"variables": [{"key": "v", "value": fields}]}
    variant = {"name": "b", "prompt_config": a_body(tools=[tool])["prompt_config"]}
    return a_body() | {"variants": [variant], "routing": [{"variant": "b"}]}


@pytest.mark.parametrize("place", ["tool", "response format", "default value", "variant"])
def test_the_order_inside_schemas_and_default_values_makes_a_version(project: Project, place: str) -> None:
    project.put("support_bot", ordered("a", "b", place))

    again = project.put("support_bot", ordered("a", "b", place))
    changed = project.put("support_bot", ordered("b", "a", place))
    live = project.request("GET", "/v2/deployments/support_bot/versions/1.1").body

    assert (again.headers["x-moorage-result"], changed.headers["x-moorage-result"]) == ("unchanged", "updated")
    assert live.index(b'"b":{') < live.index(b'"a":{')
    difference = project.request("GET", "/v2/deployments/support_bot/diff?from=1.0&to=1.1").json
    (change,) = difference["changes"]
    assert (list(change["before"]), list(change["after"])) == (["a", "b"], ["b", "a"])


def test_the_order_of_conditions_makes_no_version(project: Project) -> None:
    def body(*attributes: str) -> dict[str, Any]:
        return a_body() | {"routing": [{"variant": "default", "when": {name: {"eq": 1} for name in attributes}}]}

    project.put("support_bot", body("a", "b"))

    assert project.put("support_bot", body("b", "a")).headers["x-moorage-result"] == "unchanged"


def test_a_minimal_body_is_completed_with_empty_containers(project: Project) -> None:
    response = project.put("tiny", {"prompt_config": {"model": "m", "model_type": "chat", "provider": "openai"}})

    assert response.status == 201
    assert response.json["description"] == ""
    assert response.json["prompt_config"] == {
        "tools": [], "model": "m", "model_type": "chat", "model_parameters": {}, "provider": "openai", "messages": [],
    }  # fmt: skip


def test_a_dry_run_returns_the_result_and_stores_nothing(project: Project) -> None:
    created = project.put("support_bot", query="?dry_run=true")
    listed = project.page()
    project.put("support_bot")
    updated = project.put("support_bot", a_body(model="b"), query="?dry_run=true")

    assert (created.status, created.headers["x-moorage-result"]) == (200, "created")
    assert listed.json["data"] == []
    assert updated.headers["x-moorage-result"] == "updated"
    assert project.get("support_bot").json["version"] == "1.0"


def test_every_problem_is_reported_with_its_path(project: Project) -> None:
    body = {
        "prompt_config": {
            "model": "",
            "model_type": "chats",
            "provider": "acme",
            "model_parameters": {"max_tokens": 3, "seed": True, "responseFormat": {"type": "regex"}},
            "messages": [
                {"role": "system", "content": "x"},
                {"role": "user"},
                {"role": "robot", "content": [{"type": "input_audio"}, {"type": "text", "text": 3}]},
            ],
            "tools": [{"type": "function", "function": {"name": "a b", "parameters": {"type": "array"}}}],
        },
        "description": 7,
        "version_bump": "patch",
        "variables": [{"key": "a"}, {"key": "a"}, {"value": 1}],
        "promt_config": {},
    }

    response = project.put("support_bot", body)

    assert response.status == 400
    assert response.error["code"] == "invalid_request_body"
    assert [problem["path"] for problem in response.error["problems"]] == [
        "prompt_config.model",
        "prompt_config.model_type",
        "prompt_config.provider",
        "prompt_config.model_parameters.max_tokens",
        "prompt_config.model_parameters.seed",
        "prompt_config.model_parameters.responseFormat.type",
        "prompt_config.messages[1].content",
        "prompt_config.messages[2].role",
        "prompt_config.messages[2].content[0].type",
        "prompt_config.messages[2].content[1].text",
        "prompt_config.tools[0].function.name",
        "prompt_config.tools[0].function.parameters.type",
        "description",
        "version_bump",
        "variables[2].key",
        "promt_config",
    ]
    assert project.page().json["data"] == []


def test_a_variable_declared_twice_is_rejected(project: Project) -> None:
    response = project.put("support_bot", a_body() | {"variables": [{"key": "a"}, {"key": "a"}]})

    assert response.error["problems"] == [{"path": "variables[1].key", "message": "is declared twice: 'a'; remove one"}]


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("model_type", "Chat", "Did you mean 'chat'?"),
        ("provider", "opnai", "Did you mean 'openai'?"),
        ("model_parameters", {"max_tokens": 1}, "Did you mean 'maxTokens'?"),
        ("mesages", [], "Did you mean 'messages'?"),
    ],
)
def test_an_error_suggests_a_similar_name(project: Project, field: str, value: object, hint: str) -> None:
    response = project.put("support_bot", a_body(**{field: value}))

    assert hint in response.error["problems"][0]["message"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"3", b"{}"])
def test_a_body_of_another_type_is_rejected(project: Project, body: bytes) -> None:
    response = project.put("support_bot", body)

    assert response.status == 400
    assert response.error["code"] == "invalid_request_body"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"{", "line 1"),
        (b'{"a": 1,}', "line 1"),
        (b'{"description": "a", "description": "b"}', "occurs twice"),
        (b'{"prompt_config": {"a": NaN}}', "NaN"),
        (b'{"prompt_config": {"a": -Infinity}}', "Infinity"),
        (b'{"prompt_config": {"a": 1e999}}', "double"),
        (b'{"prompt_config": {"a": ' + b"9" * 5000 + b"}}", "double"),
        (b'{"description": "\\u0000"}', "NUL"),
        (b'{"description": "\\ud800"}', "surrogate"),
        (b'{"\\udc00": 1}', "surrogate"),
        (b'{"description": "\xff"}', "UTF-8"),
        (b"[" * 65 + b"]" * 65, "64 levels"),
        (b"[" * 100_000, "64 levels"),
        (b"[" + b"1," * 100_001 + b"1]", "100000 values"),
    ],
)
def test_invalid_json_is_rejected_with_the_reason(project: Project, body: bytes, reason: str) -> None:
    response = project.put("support_bot", body)

    assert response.status == 400
    assert response.error["code"] == "invalid_json"
    assert reason in response.error["message"]
    assert project.page().json["data"] == []


def test_a_depth_of_64_is_accepted(project: Project) -> None:
    schema: dict[str, Any] = {}
    for _ in range(64 - 7):
        schema = {"properties": schema}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": schema}}}

    assert project.put("deep", a_body(tools=[tool])).status == 201


def test_a_body_over_one_mebibyte_is_rejected_and_the_server_continues(project: Project) -> None:
    body = json.dumps(a_body(messages=[{"role": "user", "content": "x" * 1_048_576}])).encode()

    response = project.put("large", body)

    assert response.status == 413
    assert response.error["code"] == "body_too_large"
    assert project.page().json["data"] == []


def test_a_body_of_exactly_one_mebibyte_is_accepted(project: Project) -> None:
    empty = json.dumps(a_body(messages=[{"role": "user", "content": ""}]))
    body = a_body(messages=[{"role": "user", "content": "x" * (1_048_576 - len(empty))}])

    response = project.put("large", json.dumps(body).encode())

    assert response.status == 201
    assert project.page().json["data"][0]["prompt_config"] == body["prompt_config"]


def test_a_compressed_body_is_rejected(project: Project) -> None:
    response = project.request("PUT", "/v2/deployments/a", b"\x1f\x8b", {"Content-Encoding": "gzip"})

    assert response.status == 415
    assert response.error["code"] == "unsupported_encoding"


@pytest.mark.parametrize("key", ["a", "A-b_c.9", "x" * 128, "0", "...", "list"])
def test_a_key_of_valid_characters_is_accepted(project: Project, key: str) -> None:
    response = project.put(key)

    assert response.status == 201
    assert project.get(key).body == response.body


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        *((key, "use 1 to 128 characters from a-z, A-Z, 0-9, '_', '-' and '.'") for key in (
            "x" * 129, "a%20b", "caf%C3%A9", "a%00", "a%0A", "a%3Fb", "%3Cscript%3E",
        )),
        *((key, "it is reserved") for key in ("get_config", "invoke", "stream", "snapshot", "changes")),
        ("3c90c3cc-0d44-4b50-8888-8dd25736052a", "it has the form of an id"),
    ],
)  # fmt: skip
def test_any_other_key_is_rejected_with_the_rule(project: Project, key: str, rule: str) -> None:
    response = project.put(key)

    assert response.status == 400
    assert response.error["code"] == "invalid_key"
    assert rule in response.error["message"]


def test_a_key_with_a_slash_is_404_with_what_to_do(project: Project) -> None:
    for path in ("a/b", "a%2Fb", "a%2fb/versions"):
        response = project.put(path)

        assert response.status == 404
        assert "A key has no slash; use a dot instead" in response.error["hint"]
    assert "slash" not in project.request("GET", "/v2/api-keys/a/b").error["hint"]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("folder/faq", "folder.faq"), ("/a//b/", "a.b"), ("c:\\d", "c.d"), ("my key", "my_key"),
        ("café au lait", "caf_au_lait"), ("é", None), ("x" * 200, None),
    ],
)  # fmt: skip
def test_the_error_of_a_key_suggests_a_valid_one(project: Project, name: str, suggestion: str | None) -> None:
    rejected = project.request("POST", "/v2/deployments", json.dumps(a_body() | {"key": name}).encode())
    variant = {"name": name, "prompt_config": a_body()["prompt_config"]}
    of_variant = project.put("a", a_body() | {"variants": [variant], "routing": [{"variant": name}]})

    expected = "use 1 to 128 characters from a-z, A-Z, 0-9, '_', '-' and '.'"
    expected += f", for example {suggestion!r}" if suggestion else ""
    assert rejected.error["problems"] == [{"path": "key", "message": expected}]
    assert {"path": "variants[0].name", "message": expected} in of_variant.error["problems"]
    if suggestion:
        assert project.put(suggestion).status == 201


def test_an_unknown_parameter_is_rejected(project: Project) -> None:
    response = project.put("a", query="?force=true")

    assert response.error["code"] == "unknown_parameter"
    assert project.put("a", query="?dry_run=yes").error["code"] == "invalid_flag"
    assert project.page().json["data"] == []


def test_texts_in_every_script_are_returned_unchanged(project: Project) -> None:
    text = "naïve 日本語 🏴‍☠️ \u2028 \u202e \"'\\/\t\r\n</script>\x7f"

    response = project.put("texts", a_body(messages=[{"role": "user", "content": text}]) | {"description": text})

    assert response.json["description"] == text
    assert project.get("texts").json["prompt_config"]["messages"][0]["content"] == text


def test_at_most_100_problems_are_reported(project: Project) -> None:
    response = project.put("many", a_body(messages=[{"role": "x"}] * 1000))

    assert len(response.error["problems"]) == 100
