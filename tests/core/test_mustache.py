"""Mustache templates: the cases of the specification, and additional cases."""

import contextlib
import html
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.errors.templates import InvalidTemplate, MissingInputs, TemplateError, TemplateLimitExceeded
from moorage.core.templates import mustache
from moorage.core.templates.mustache_parser import MAX_DEPTH, MAX_TAGS
from moorage.core.templates.output import MAX_STEPS, Output, RenderBudget
from moorage.core.templates.template import names, render
from tests.support.json_values import TEXTS, VALUES

SPECIFICATION = Path(__file__).parent / "mustache_spec"

# Values are not escaped, because a prompt is not HTML.
ESCAPED = {"HTML Escaping", "Implicit Iterators - HTML Escaping", "Implicit Iterator - HTML Escaping"}

# Partials are not supported.
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(SPECIFICATION.glob("*.json"))
    for case in json.loads(file.read_text())["tests"]
    if not case.get("partials")
]


def render_mustache(template: str, data: Any) -> str:
    output = Output(RenderBudget(), keep_placeholders=False)
    mustache.render(mustache.parse(template), data, output)
    return output.text()


def text(template: str, **inputs: Any) -> str:
    return render("mustache", template, inputs, "empty").text


@pytest.mark.parametrize("case", CASES)
def test_a_case_of_the_specification_has_the_expected_output(case: dict[str, Any]) -> None:
    expected = case["expected"]
    if case["name"] in ESCAPED:
        assert html.unescape(expected) != expected
        expected = html.unescape(expected)
    assert render_mustache(case["template"], case["data"]) == expected


def test_all_cases_of_the_specification_are_loaded() -> None:
    assert len(CASES) == 120


@pytest.mark.parametrize(
    ("template", "expected"), [("a{{>b}}c", "ac"), ("a\n  {{> b }} \nc", "a\nc"), ("a {{>b}} {{>b}}\n", "a  \n")]
)
def test_a_partial_renders_as_nothing(template: str, expected: str) -> None:
    assert text(template, b="{{c}}") == expected
    assert names("mustache", template) == []


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{quote}} {{&quote}} {{{quote}}}", '<"&> <"&> <"&>'),
        ("{{list}} {{object}} {{yes}} {{null}}|", '[1,"a"] {"a":{"b":[1]}} true |'),
        ("{{list.1}}{{object.a.b.0}}{{object.a.c}}|", "a1|"),
        ("{{#object}}{{#a}}{{b.0}}{{yes}}{{/a}}{{/object}}", "1true"),
        ("{{#zero}}no{{/zero}}{{^zero}}zero{{/zero}}", "zero"),
        ("{{#blank}}no{{/blank}}{{^blank}}blank{{/blank}}", "blank"),
        ("{{#empty}}an object{{/empty}}{{^empty}}no{{/empty}}", "an object"),
        ("{{#nobody}}no{{/nobody}}{{^nobody}}nobody{{/nobody}}", "nobody"),
        ("{{#list}}[{{.}}]{{/list}}", "[1][a]"),
        ("{{#rows}}{{name}}{{^last}}, {{/last}}{{/rows}}", "x, y"),
        ("{{=<% %>=}}<% quote %>{{quote}}<%{quote}%>", '<"&>{{quote}}<"&>'),
        ("{{a b}}{{1+1}}|", "|"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
    ],
)
def test_a_template_has_the_expected_output(template: str, expected: str) -> None:
    inputs = {
        "quote": '<"&>', "list": [1, "a"], "object": {"a": {"b": [1]}}, "yes": True, "null": None, "zero": 0,
        "blank": "", "empty": {}, "rows": [{"name": "x"}, {"name": "y", "last": True}],
    }  # fmt: skip
    assert render("mustache", template, inputs, "empty").text == expected


@given(st.text("{}#/ab.\n", max_size=30), VALUES)
def test_values_are_not_rendered_as_templates(value: str, other: Any) -> None:
    value = "{{b}}{{#a}}" + value + "{{a}}"
    assert text("<{{a}}|{{#l}}{{.}}{{/l}}>", a=value, b=other, l=[value]) == f"<{value}|{value}>"


@given(TEXTS.filter(lambda text: "{{" not in text))
def test_a_text_without_tags_is_unchanged(template: str) -> None:
    assert text(template) == template


@given(st.lists(st.sampled_from(["{{a}}", "{{#a}}", "{{/a}}", "{{^b.c}}", "{{/b.c}}", "{{{d}}}", "{{.}}", "x\n", " "])))
def test_missing_names_are_among_the_names(tags: list[str]) -> None:
    template = "".join(tags)
    try:
        rendered = render("mustache", template, {}, "empty")
    except InvalidTemplate:
        return
    assert set(rendered.missing) <= set(names("mustache", template)) <= {"a", "b.c", "d"}


def test_names_are_the_variables_and_sections_of_a_template() -> None:
    template = (
        "{{#items}}{{name}} {{customer.name}}{{^sold.out}}{{.}}{{/sold.out}}{{/items}}{{!no}}{{>no}}{{&name}}{{{last}}}"
    )
    assert names("mustache", template) == ["items", "name", "customer.name", "sold.out", "last"]


def test_a_variable_can_be_missing_but_not_a_section() -> None:
    template = "{{#a}}{{b}}{{/a}}{{^c}}{{ d }}{{{e}}}{{/c}}"
    assert render("mustache", template, {}, "empty").missing == ["d", "e"]
    assert render("mustache", template, {}, "keep").text == "{{ d }}{{{e}}}"
    assert render("mustache", template, {"a": [{}, {"b": 1}]}, "keep").text == "{{b}}1{{ d }}{{{e}}}"
    with pytest.raises(MissingInputs, match=": d, e"):
        render("mustache", template, {}, "error")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("a\n{{#a}}\nb", "the section 'a' is never closed, line 2"),
        ("a\n\n{{/a}}", "the section 'a' is closed but was never opened, line 3"),
        ("{{#a}}{{#b}}{{/a}}{{/b}}", "the section 'a' is closed while 'b' is open, line 1"),
        ("{{a", "a tag is never closed, line 1"),
        ("{{{a}}", "a tag is never closed"),
        ("{{}}", "a tag has no name"),
        ("{{# }}", "a tag has no name"),
        ("{{=a=}}", "invalid delimiters; set them as in {{=<% %>=}}"),
        ("{{=a b c=}}", "invalid delimiters; set them as in {{=<% %>=}}"),
        ("{{#a}}" * (MAX_DEPTH + 1), f"sections are nested deeper than {MAX_DEPTH}"),
        ("{{a}}" * (MAX_TAGS + 1), f"it has more than {MAX_TAGS} tags"),
    ],
)
def test_an_invalid_template_is_rejected_with_the_line(template: str, reason: str) -> None:
    for call in (lambda: render("mustache", template, {}, "empty"), lambda: names("mustache", template)):
        with pytest.raises(InvalidTemplate) as error:
            call()
        assert reason in str(error.value)


def nested(depth: int, inside: str = "", name: str = "a") -> str:
    return f"{{{{#{name}}}}}" * depth + inside + f"{{{{/{name}}}}}" * depth


@pytest.mark.parametrize(
    ("template", "value"),
    [
        (nested(MAX_DEPTH), [0, 1] * 5),
        (nested(MAX_DEPTH, "{{missing.x}}"), [1] * 10),
        (nested(MAX_DEPTH), [{"a": [1] * 9}] * 9),
        (nested(30, "{{^a}}x{{/a}}"), [1, 2]),
        (nested(1) * 4_000, [1] * 40),
        (nested(MAX_DEPTH, "{{b}}" * 1_800), [1]),
        (nested(1, nested(1, nested(1, "{{!x}}"))), list(range(1, 99_000))),
    ],
    ids=["empty", "missing", "inner lists", "inverted", "side by side", "deep look-ups", "long lists"],
)
def test_nested_sections_are_stopped_at_the_limit_of_steps(template: str, value: Any) -> None:
    with pytest.raises(TemplateLimitExceeded, match=f"more than {MAX_STEPS} steps"):
        render("mustache", template, {"a": value}, "empty")


def test_a_long_list_is_rendered() -> None:
    rows = [{"name": f"row {number}", "price": number, "note": None} for number in range(5_000)]
    assert text("{{#rows}}{{name}}: {{price}}{{note}}\n{{/rows}}", rows=rows).count("\n") == 5_000


@given(
    st.lists(st.sampled_from(["{{", "}}", "{{{", "}}}", "#", "/", "^", "!", "=", ">", "&", "a", ".", " ", "\n", "<%"]))
)
def test_any_text_is_rendered_or_rejected(pieces: list[str]) -> None:
    with contextlib.suppress(TemplateError):
        render("mustache", "".join(pieces), {"a": [{"a": 1}, "{{a}}"]}, "keep")
