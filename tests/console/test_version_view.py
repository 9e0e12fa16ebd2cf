"""Texts with their variables marked, conditions in words, and versions as documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.console.version_view import MAX_SHOWN, arguments, marked, messages, rules


def kinds(text: str, **values: object) -> list[tuple[str, str]]:
    return [(segment.text, segment.kind) for segment in marked(text, values)]


def test_a_variable_is_known_needed_or_unknown() -> None:
    assert kinds("Hi {{name}}, {{ shop }} and {{x}}.", name=None, shop="Harbour") == [
        ("Hi ", ""), ("{{name}}", "needed"), (", ", ""), ("{{ shop }}", "known"), (" and ", ""),
        ("{{x}}", "unknown"), (".", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["{{#shop}}", "{{^shop}}", "{{/shop}}", "{{shop.name}}", "{{shop | upper}}", "{{&shop}}"]
)
def test_sections_fields_and_filters_are_those_of_their_variable(text: str) -> None:
    assert kinds(text, shop="x") == [(text, "known")]


@given(st.text(alphabet="{}ab .\n#/", max_size=200))
def test_the_segments_of_a_text_are_the_text(text: str) -> None:
    assert "".join(segment.text for segment in marked(text, {"a": 1})) == text


def test_a_part_that_is_no_text_is_shown_as_json_and_never_loaded() -> None:
    content = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "https://a.example/x"}}]
    version = {"variables": [], "prompt_config": {"messages": [{"role": "user", "content": content}]}}

    (message,) = messages(version)

    assert [[segment.text for segment in part] for part in message.parts] == [
        ["look"], ['{"type": "image_url", "image_url": {"url": "https://a.example/x"}}'],
    ]  # fmt: skip


def test_a_page_shows_a_bounded_number_of_messages() -> None:
    version = {"variables": [], "prompt_config": {"messages": [{"role": "user", "content": "x"}] * (MAX_SHOWN + 1)}}

    assert len(messages(version)) == MAX_SHOWN


def test_conditions_are_short_texts_and_the_default_is_the_last_rule() -> None:
    version = {"routing": [{"variant": "dutch", "when": {"country": {"eq": ["NLD", "BEL"]}, "age": {"gte": 18}}}]}

    assert rules(version) == [
        (1, ["country = NLD or BEL", "age ≥ 18"], "", "dutch"),
        (0, [], "", "default"),
    ]


@pytest.mark.parametrize("schema", [None, {}, {"properties": []}, {"properties": {"a": True}, "required": 1}])
def test_a_schema_of_any_form_is_shown(schema: object) -> None:
    assert arguments({"function": {"name": "f", "parameters": schema}}) in ([], [("a", "", "no", "")])
