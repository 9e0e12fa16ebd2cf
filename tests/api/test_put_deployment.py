"""`PUT /v2/deployments/{key}`: declarative, validated whole, stored whole or not at all."""

import json
from typing import Any

import pytest

from tests.support.server import Project, a_body


def test_a_first_put_creates_version_1_0(project: Project) -> None:
    answer = project.put("support_bot")

    assert answer.status == 201
    assert answer.headers["x-moorage-result"] == "created"
    assert answer.json["version"] == "1.0"
    assert answer.json == project.page().json["data"][0]


def test_the_same_put_again_changes_nothing(project: Project) -> None:
    first = project.put("support_bot")

    again = project.put("support_bot")

    assert again.status == 200
    assert again.headers["x-moorage-result"] == "unchanged"
    assert again.body == first.body
    assert again.headers["x-moorage-revision"] == first.headers["x-moorage-revision"]


@pytest.mark.parametrize(("bump", "version"), [(None, "1.1"), ("minor", "1.1"), ("major", "2.0")])
def test_other_content_becomes_the_next_version(project: Project, bump: str | None, version: str) -> None:
    project.put("support_bot")
    body = a_body(model="openai/gpt-5") | ({"version_bump": bump} if bump else {})

    answer = project.put("support_bot", body)

    assert answer.status == 200
    assert answer.headers["x-moorage-result"] == "updated"
    assert answer.json["version"] == version
    assert answer.json["prompt_config"]["model"] == "openai/gpt-5"


def test_after_2_0_comes_2_1(project: Project) -> None:
    project.put("support_bot")
    project.put("support_bot", a_body(model="b") | {"version_bump": "major"})

    answer = project.put("support_bot", a_body(model="c"))

    assert answer.json["version"] == "2.1"


def test_going_back_to_older_content_is_a_new_version(project: Project) -> None:
    project.put("support_bot")
    project.put("support_bot", a_body(model="b"))

    assert project.put("support_bot").json["version"] == "1.2"


def test_a_description_alone_is_no_new_version(project: Project) -> None:
    project.put("support_bot")

    answer = project.put("support_bot", a_body() | {"description": "Answers everything"})

    assert answer.headers["x-moorage-result"] == "updated"
    assert answer.json["version"] == "1.0"
    assert answer.json["description"] == "Answers everything"


def test_what_is_left_out_keeps_its_value(project: Project) -> None:
    variables = [{"key": "customer", "value": "guest"}]
    project.put("support_bot", a_body() | {"variables": variables})

    answer = project.put("support_bot", {"prompt_config": a_body()["prompt_config"]})

    assert answer.headers["x-moorage-result"] == "unchanged"
    assert answer.json["description"] == "Answers refunds"


def test_other_variables_are_other_content(project: Project) -> None:
    project.put("support_bot", a_body() | {"variables": [{"key": "customer", "value": "guest"}]})

    answer = project.put("support_bot", a_body() | {"variables": []})

    assert answer.json["version"] == "1.1"


def test_the_order_of_fields_and_the_spelling_of_a_number_are_no_difference(project: Project) -> None:
    project.put("support_bot")
    config = a_body()["prompt_config"] | {"model_parameters": {"maxTokens": 512.0, "temperature": 0.2}}

    answer = project.put("support_bot", {"prompt_config": dict(reversed(config.items()))})

    assert answer.headers["x-moorage-result"] == "unchanged"


def test_a_minimal_body_gets_its_empty_containers(project: Project) -> None:
    answer = project.put("tiny", {"prompt_config": {"model": "m", "model_type": "chat", "provider": "openai"}})

    assert answer.status == 201
    assert answer.json["description"] == ""
    assert answer.json["prompt_config"] == {
        "tools": [], "model": "m", "model_type": "chat", "model_parameters": {}, "provider": "openai", "messages": [],
    }  # fmt: skip


def test_a_dry_run_tells_and_does_nothing(project: Project) -> None:
    created = project.put("support_bot", query="?dry_run=true")
    listed = project.page()
    project.put("support_bot")
    updated = project.put("support_bot", a_body(model="b"), query="?dry_run=true")

    assert (created.status, created.headers["x-moorage-result"]) == (200, "created")
    assert listed.json["data"] == []
    assert updated.headers["x-moorage-result"] == "updated"
    assert project.get("support_bot").json["version"] == "1.0"


def test_every_problem_is_told_with_its_path(project: Project) -> None:
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

    answer = project.put("support_bot", body)

    assert answer.status == 400
    assert answer.error["code"] == "invalid_request_body"
    assert [problem["path"] for problem in answer.error["problems"]] == [
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


def test_a_variable_declared_twice_is_refused(project: Project) -> None:
    answer = project.put("support_bot", a_body() | {"variables": [{"key": "a"}, {"key": "a"}]})

    assert answer.error["problems"] == [{"path": "variables[1].key", "message": "is declared twice: 'a'"}]


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("model_type", "Chat", "Did you mean 'chat'?"),
        ("provider", "opnai", "Did you mean 'openai'?"),
        ("model_parameters", {"max_tokens": 1}, "Did you mean 'maxTokens'?"),
        ("mesages", [], "Did you mean 'messages'?"),
    ],
)
def test_a_near_miss_is_told_what_was_meant(project: Project, field: str, value: object, hint: str) -> None:
    answer = project.put("support_bot", a_body(**{field: value}))

    assert hint in answer.error["problems"][0]["message"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"3", b"{}"])
def test_a_body_of_another_shape_is_refused(project: Project, body: bytes) -> None:
    answer = project.put("support_bot", body)

    assert answer.status == 400
    assert answer.error["code"] == "invalid_request_body"


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
def test_what_is_not_json_that_can_be_kept_is_refused_with_the_reason(
    project: Project, body: bytes, reason: str
) -> None:
    answer = project.put("support_bot", body)

    assert answer.status == 400
    assert answer.error["code"] == "invalid_json"
    assert reason in answer.error["message"]
    assert project.page().json["data"] == []


def test_64_levels_are_not_too_deep(project: Project) -> None:
    schema: dict[str, Any] = {}
    for _ in range(64 - 7):
        schema = {"properties": schema}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": schema}}}

    assert project.put("deep", a_body(tools=[tool])).status == 201


def test_a_body_over_one_mebibyte_is_refused_and_the_server_goes_on(project: Project) -> None:
    body = json.dumps(a_body(messages=[{"role": "user", "content": "x" * 1_048_576}])).encode()

    answer = project.put("large", body)

    assert answer.status == 413
    assert answer.error["code"] == "body_too_large"
    assert project.page().json["data"] == []


def test_a_body_of_just_one_mebibyte_is_kept(project: Project) -> None:
    empty = json.dumps(a_body(messages=[{"role": "user", "content": ""}]))
    body = a_body(messages=[{"role": "user", "content": "x" * (1_048_576 - len(empty))}])

    answer = project.put("large", json.dumps(body).encode())

    assert answer.status == 201
    assert project.page().json["data"][0]["prompt_config"] == body["prompt_config"]


def test_a_compressed_body_is_refused(project: Project) -> None:
    answer = project.request("PUT", "/v2/deployments/a", b"\x1f\x8b", {"Content-Encoding": "gzip"})

    assert answer.status == 415
    assert answer.error["code"] == "unsupported_encoding"


@pytest.mark.parametrize("key", ["a", "A-b_c.9", "x" * 128, "0", "...", "list"])
def test_a_key_of_the_allowed_characters_is_taken(project: Project, key: str) -> None:
    answer = project.put(key)

    assert answer.status == 201
    assert project.get(key).body == answer.body


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
def test_any_other_key_is_refused_with_the_rule(project: Project, key: str, rule: str) -> None:
    answer = project.put(key)

    assert answer.status == 400
    assert answer.error["code"] == "invalid_key"
    assert rule in answer.error["message"]


def test_a_key_with_a_slash_is_no_path(project: Project) -> None:
    assert project.put("a/b").status == 404
    assert project.put("a%2Fb").status == 404


def test_an_unknown_parameter_is_refused(project: Project) -> None:
    answer = project.put("a", query="?force=true")

    assert answer.error["code"] == "unknown_parameter"
    assert project.put("a", query="?dry_run=yes").error["code"] == "invalid_flag"
    assert project.page().json["data"] == []


def test_texts_of_every_script_come_back_as_they_were(project: Project) -> None:
    text = "naïve 日本語 🏴‍☠️ \u2028 \u202e \"'\\/\t\r\n</script>\x7f"

    answer = project.put("texts", a_body(messages=[{"role": "user", "content": text}]) | {"description": text})

    assert answer.json["description"] == text
    assert project.get("texts").json["prompt_config"]["messages"][0]["content"] == text


def test_100_problems_are_enough(project: Project) -> None:
    answer = project.put("many", a_body(messages=[{"role": "x"}] * 1000))

    assert len(answer.error["problems"]) == 100
