"""Form to JSON and back: no field is lost, and a content that is saved unchanged has the same hash."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from moorage.console.form import Form
from moorage.console.form_body import CONTENT, content_of, content_of_version, fields_of, indexes, renamed
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import PutDeployment, VersionNumber
from moorage.core.deployments.update import encoded_content
from moorage.core.deployments.version import PostVersion, Version
from moorage.core.errors.requests import InvalidBody
from tests.documents.test_file_form import BODIES, FULL_BODY, RUNTIME
from tests.support.json_values import VALUES
from tests.support.registry import parsed

CONFIG = {"provider": "openai", "model": "m", "model_type": "chat"}


def version_of(content: StoredContent, sha256: str) -> dict[str, Any]:
    """Return the response about a version with this content."""
    stored = Version("v", "d", VersionNumber(1, 0), content, "", "", sha256, 0, None, 1, None, "live")
    version: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(stored.item()))
    return version


def sent_by_a_browser(fields: dict[str, str]) -> dict[str, str]:
    """Return fields as a browser sends them, with CRLF as line ends, and as the server reads them."""
    sent = [
        (name, text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")) for name, text in fields.items()
    ]
    return dict(Form(sent, []).fields)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(BODIES)
@example({**FULL_BODY, **RUNTIME})
@example({**FULL_BODY, "settings": {}})
@example({"prompt_config": {**CONFIG, "messages": [{"role": "user", "content": "a\rb\r\nc\n"}]}})
@example({"prompt_config": {**CONFIG, "model_parameters": {"quality": "", "style": " ", "dimensions": "1"}}})
@example({"prompt_config": {**CONFIG, "model_parameters": {"quality": "\r", "style": "[", "user": "true"}}})
@example({"prompt_config": CONFIG, "variables": [{"key": "a\rb", "value": ""}, {"key": "1", "description": ""}]})
def test_a_version_that_is_saved_unchanged_has_the_same_hash(body: dict[str, Any]) -> None:
    stored, sha256 = encoded_content(parsed(body, PutDeployment))

    content = content_of(sent_by_a_browser(fields_of(content_of_version(version_of(stored, sha256)))))

    _, saved = encoded_content(parsed(content, PostVersion))
    assert saved == sha256


@given(st.dictionaries(st.sampled_from(CONTENT), VALUES))
def test_a_content_of_any_shape_keeps_all_its_fields(content: dict[str, Any]) -> None:
    assert content_of(sent_by_a_browser(fields_of(content))) == content


@given(st.text())
def test_a_parameter_is_json_if_it_can_be_and_else_the_text_that_was_typed(text: str) -> None:
    fields = fields_of({"prompt_config": {"model_parameters": {"stop": text}}})

    assert content_of(fields) == {"prompt_config": {"model_parameters": {"stop": text}}}


def parameter(text: str) -> Any:
    """Return the value of a parameter with this text."""
    content = content_of({"prompt_config.model": "m", "prompt_config.model_parameters.seed:json": text})
    return content["prompt_config"].get("model_parameters", {}).get("seed", "left out")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("0.3", 0.3), ("0,3", "0,3"), ("high", "high"), ("true", True), ('"1"', "1"), ("", "left out"),
     (" ", "left out"), ("NaN", "NaN"), ("1e999", "1e999"), ('{"a": [1]}', {"a": [1]})],
)  # fmt: skip
def test_a_number_is_sent_as_json_else_as_it_was_typed_and_an_empty_field_is_left_out(text: str, value: Any) -> None:
    assert parameter(text) == value


@pytest.mark.parametrize("text", ['{"a": 1', "[1,]", '"a', '{"a": 1, "a": 2}'])
def test_malformed_json_is_a_problem_of_its_field(text: str) -> None:
    with pytest.raises(InvalidBody) as error:
        content_of({"settings:json": text, "routing:json": "["})

    assert [problem.path for problem in error.value.problems] == ["settings", "routing"]


def test_a_text_that_looks_like_json_stays_a_text() -> None:
    message = {"role": "user", "content": '[{"type": "text"}]'}
    variable = {"key": "true", "value": "1.10"}

    fields = fields_of({"prompt_config": {"messages": [message]}, "variables": [variable]})

    assert content_of(fields) == {"prompt_config": {"messages": [message]}, "variables": [variable]}


def test_other_fields_of_a_form_are_no_content() -> None:
    names = ("once", "move", "notes", "session_token", "key", "prompt_config..model", "settings[", "x.prompt_config")

    assert content_of(dict.fromkeys(names, "x")) == {}


def test_empty_lists_stay_and_gaps_close() -> None:
    assert content_of({"variables:list": ""}) == {"variables": []}
    assert content_of({"variables[7].key": "b", "variables[2].key": "a"}) == {"variables": [{"key": "a"}, {"key": "b"}]}


def test_items_move_with_all_their_fields() -> None:
    fields = fields_of({"prompt_config": {"messages": [
        {"role": "system", "content": "a"}, {"role": "tool", "content": None, "tool_call_id": "t"},
    ]}})  # fmt: skip
    path = "prompt_config.messages"

    swapped = renamed(fields, path, lambda index: 1 - index)
    removed = renamed(swapped, path, lambda index: None if index == 0 else index - 1)

    assert indexes(swapped, path) == [0, 1]
    assert [message["role"] for message in content_of(swapped)["prompt_config"]["messages"]] == ["tool", "system"]
    assert content_of(removed)["prompt_config"]["messages"] == [{"role": "system", "content": "a"}]
