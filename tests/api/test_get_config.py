"""`POST /v2/deployments/get_config`: the resolved configuration for a model."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.core.access import Scope
from tests.contract.full_items import PROVIDER_VALUES
from tests.support.get_config import a_variant, contents, put, resolve
from tests.support.server import Project, Server, a_body

ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


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
        "model": "openai/my-gpt",
        "type": "chat",
        "version": "1.0",
        "messages": [{"role": "system", "content": "You help Ada."}],
        "parameters": {"temperature": 0.2, "maxTokens": 512},
        "tools": [TOOL],
    }


def test_a_response_without_tools_omits_the_field(project: Project) -> None:
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


def test_stored_parameters_of_providers_are_returned_and_overridden(project: Project) -> None:
    project.put("bot", a_body(model_parameters={"temperature": 0.2, **PROVIDER_VALUES}))

    assert resolve(project).json["parameters"] == {"temperature": 0.2, **PROVIDER_VALUES}
    assert resolve(project, extra_params={"stop": "x"}).json["parameters"]["stop"] == "x"


def test_an_extra_param_that_is_null_is_ignored(project: Project) -> None:
    put(project, "Hello")

    assert resolve(project, extra_params={"temperature": None, "seed": None}).body == resolve(project).body
    assert resolve(project, extra_params={"stop": {"at": None}}).json["parameters"]["stop"] == {"at": None}


#: A part of each type; `{}` is a placeholder.
PARTS: list[dict[str, Any]] = [
    {"type": "text", "text": "See {}"},
    {"type": "image_url", "image_url": {"url": "https://example.com/{}.png"}},
    {"type": "file", "file": {"file_data": "data:{}", "uri": "u/{}", "mimeType": "image/{}", "filename": "{}.png"}},
]


def parts_with(text: str) -> list[dict[str, Any]]:
    """Return parts with a text instead of each placeholder."""
    parts: list[dict[str, Any]] = json.loads(json.dumps(PARTS).replace("{}", text))
    return parts


@pytest.mark.parametrize("template_engine", ["text", "mustache"])
def test_inputs_are_inserted_into_each_field_of_each_part(project: Project, template_engine: str) -> None:
    message = {"role": "user", "content": parts_with("{{file.name}}")}
    project.put("bot", a_body(messages=[message]) | {"settings": {"engine": template_engine}})

    assert contents(resolve(project, inputs={"file": {"name": "cat"}})) == [parts_with("cat")]


def test_each_field_of_a_part_counts_as_a_use_of_its_variables(project: Project) -> None:
    for part in parts_with("{{topic}}"):
        project.put("bot", a_body(messages=[{"role": "user", "content": [part]}]), "?allow_breaking=true")

        assert resolve(project).json["missing_inputs"] == ["topic"]

    project.put("other", a_body(messages=[{"role": "user", "content": parts_with("none")}]))
    for part in parts_with("{{topic}}"):
        rejected = project.put("other", a_body(messages=[{"role": "user", "content": [part]}]))

        assert rejected.error["code"] == "breaking_change", part


def test_invalid_templates_are_rejected_in_each_field_of_each_part(project: Project) -> None:
    body = a_body(messages=[{"role": "user", "content": parts_with("{{#a}}")}]) | {"settings": {"engine": "mustache"}}

    rejected = project.put("bot", body)

    parts = "prompt_config.messages[0].content"
    assert {problem["path"] for problem in rejected.error["problems"]} == {
        f"{parts}[0].text", f"{parts}[1].image_url.url", f"{parts}[2].file.file_data", f"{parts}[2].file.uri",
        f"{parts}[2].file.mimeType", f"{parts}[2].file.filename",
    }  # fmt: skip


def test_no_other_field_is_a_template(project: Project) -> None:
    tool = {"type": "function", "function": {"name": "f", "description": "{{topic}}", "parameters": {}}}
    messages = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u", "detail": "{{topic}}"}}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": "{{topic}}"}'}}
            ],
        },
    ]
    project.put("bot", a_body(messages=messages, tools=[tool]))

    resolved = resolve(project, inputs={"topic": "cat"})

    assert "cat" not in resolved.body.decode()
    assert "missing_inputs" not in resolved.json


def test_an_omitted_input_has_its_default_and_null_is_a_value(project: Project) -> None:
    put(
        project, "{{a}}|{{b}}|{{c}}",
        variables=[{"key": "a", "value": "x"}, {"key": "b", "value": 3}, {"key": "c", "value": "z"}],
    )  # fmt: skip

    response = resolve(project, inputs={"a": "given", "c": None})

    assert contents(response) == ["given|3|"]
    assert "missing_inputs" not in response.json


@pytest.mark.parametrize("engine", ["text", "mustache", "jinja"])
def test_the_default_of_a_field_is_used_if_the_inputs_do_not_have_it(jinja_server: Server, engine: str) -> None:
    project = jinja_server.new_project()
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


@pytest.mark.parametrize(("policy", "text"), [("empty", "Hi  and !"), ("keep", "Hi {{a}} and !")])
def test_missing_inputs_are_listed_and_empty_or_kept_as_placeholders(project: Project, policy: str, text: str) -> None:
    put(
        project, "Hi {{a}} and {{b}}!", "{{c}}",
        variables=[{"key": "a"}, {"key": "b", "value": ""}, {"key": "c", "value": None}],
        settings={"missing_inputs": policy},
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
        "x-moorage-environment": "production",
        "x-moorage-revision": project.page().headers["x-moorage-revision"],
    }
    assert response.json["version"] == "1.1"


def test_the_reason_without_routing_is_only(project: Project) -> None:
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


def test_an_unknown_deployment_a_deleted_one_and_one_of_another_project_are_not_found(
    server: Server, project: Project
) -> None:
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
