"""Text templates, and the behavior that all engines share."""

import json
import signal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.errors.templates import JinjaNotEnabled, MissingInputs, OutputTooLarge, UnsupportedEngine
from moorage.core.templates import mustache
from moorage.core.templates import template as template_module
from moorage.core.templates.lookup import to_text
from moorage.core.templates.output import MAX_OUTPUT, RenderBudget
from moorage.core.templates.placeholders import is_name
from moorage.core.templates.template import Missing, Rendered, names, render
from tests.support.json_values import NAMES, TEXTS, VALUES
from tests.support.limited import run_limited


def text(template: str, **inputs: Any) -> str:
    return render("text", template, inputs, "empty").text


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hi {{name}}", "Hi Ada"),
        ("Hi {{ name }}{{name}}", "Hi AdaAda"),
        ("{{\n\tname \n}}", "Ada"),
        ("{{customer.name}}", "Grace"),
        ("{{ customer.tags.1 }}", "b"),
        ("{{customer.tags.2}}|", "|"),
        ("{{customer.tags.-1}}|", "|"),
        ("{{customer.tags.99999999999999999999}}|", "|"),
        ("{{customer.tags.first}}|", "|"),
        ("{{customer.name.0}}|", "|"),
        ("{{plan.name}}", "a name with a dot"),
        ("{{first-name}}", "Anna-Lena"),
        ("{{größe}}", "groß"),
        ("{{{name}}}", "{Ada}"),
        ("{{{{name}}}}", "{{Ada}}"),
        ("{{yes}} {{no}} {{nothing}}|", "true false |"),
        ("{{whole}} {{real}} {{tiny}} {{huge}}", "3 1.0 1e-07 " + str(2**70)),
        ("{{customer}}", '{"name":"Grace","tags":["a","b"]}'),
        ("{{quote}}", "a & \"b\" <c> 'd'"),
    ],
)
def test_a_placeholder_is_replaced_by_its_value(template: str, expected: str) -> None:
    inputs = {
        "name": "Ada", "customer": {"name": "Grace", "tags": ["a", "b"]}, "plan.name": "a name with a dot",
        "first-name": "Anna-Lena", "größe": "groß", "yes": True, "no": False, "nothing": None, "whole": 3, "real": 1.0,
        "tiny": 1e-7, "huge": 2**70, "quote": "a & \"b\" <c> 'd'",
    }  # fmt: skip
    assert render("text", template, inputs, "empty").text == expected


@pytest.mark.parametrize(
    "template",
    ["", "{{}}", "{{ }}", "{{ 1+1 }}", "{{1}}", "{{a b}}", "{{a.}}", "{{.a}}", "{{a..b}}", "{ {a}}", "{{a} }", "{{a",
     "a}}", '{"a": {"b": 1}}', "{{#a}}", "{{/a}}", "{{!a}}", "{{'a'}}", "{{a|upper}}", "{% if a %}", "{{a()}}",
     "{{a[0]}}", "${a}", "{a}", "{0.__class__}", "%(a)s", "{{$a}}", "{{-1}}", "\ufeff", "\r\n"],
)  # fmt: skip
def test_other_texts_in_braces_are_unchanged(template: str) -> None:
    assert text(template, a="value", b="value") == template
    assert names("text", template) == []


@pytest.mark.parametrize(
    "name",
    [
        "नाम", "ग्राहक.नाम", "ชื่อ", "ผู้ใช้", "பெயர்", "\u0627\u0633\u0645", "\u05e9\u05b5\u05c1\u05dd", "e\u0301te\u0301",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "名前", "1st_name", "2_b", "_", "a1", "३क",
    ],
)  # fmt: skip
def test_a_name_has_letters_and_marks_of_any_script(name: str) -> None:
    assert names("text", f"Hi {{{{ {name} }}}}") == [name]
    assert text(f"Hi {{{{{name}}}}}", **{name: "Ada"}) == "Hi Ada"
    assert render("text", f"Hi {{{{{name}}}}}!", {}, "empty") == Rendered("Hi !", [name])


@pytest.mark.parametrize("name", ["customer name", "a|b", "1", "a[0]", "#a", "näme (1)", "a, b", "$a", "-"])
def test_an_input_with_exactly_the_text_in_braces_is_inserted(name: str) -> None:
    assert text(f"Hi {{{{ {name} }}}}, {{{{{name}}}}}", **{name: "Ada"}) == "Hi Ada, Ada"


@pytest.mark.parametrize(
    ("inside", "is_reported"),
    [
        ("customer name", True), ("name|upper", True), ("items[0]", True), ("#if x", True), ("/if", True), ("^a", True),
        (" a() ", True), ("> a", True), ("a..b", True), ("ग्राहक नाम", True),
        ("1+1", False), ("1", False), ("", False), (" ", False), ('"a": 1', False), ("$", False), ("'a'", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("missing", ["empty", "keep"])
def test_what_looks_like_a_placeholder_is_unchanged_and_reported(
    inside: str, is_reported: bool, missing: Missing
) -> None:
    template = f"a {{{{{inside}}}}} b"

    assert render("text", template, {}, missing) == Rendered(template, [inside.strip()] if is_reported else [])


def test_what_looks_like_a_placeholder_is_an_error_if_missing_inputs_are() -> None:
    with pytest.raises(MissingInputs) as error:
        render("text", "{{name|upper}} {{1+1}}", {"name": "Ada"}, "error")
    assert error.value.names == ("name|upper",)


@given(TEXTS.filter(lambda text: "{{" not in text), VALUES)
def test_a_text_without_placeholders_is_unchanged(template: str, value: Any) -> None:
    assert text(template, name=value) == template


@given(st.text("{}{}{} ab.\n", max_size=30))
def test_values_are_not_rendered_as_templates(value: str) -> None:
    value = "{{b}}" + value + "{{a}}"
    assert text("<{{a}}|{{ b }}>", a=value, b=value) == f"<{value}|{value}>"


@given(NAMES, VALUES)
def test_strings_are_unchanged_null_is_empty_and_other_values_are_json(name: str, value: Any) -> None:
    shown = text(f"{{{{{name}}}}}", **{name: value})
    if value is None or isinstance(value, str):
        assert shown == (value or "")
    else:
        assert json.loads(shown) == value


PIECES = st.one_of(TEXTS, NAMES.map("{{{{ {} }}}}".format), st.just("{{a.b.0}}"), st.just("{{"), st.just("}}"))


@given(st.lists(PIECES, max_size=8).map("".join))
def test_all_names_are_missing_without_inputs(template: str) -> None:
    rendered = render("text", template, {}, "empty")
    assert [name for name in rendered.missing if is_name(name)] == names("text", template)
    assert render("text", template, dict.fromkeys(rendered.missing), "error").missing == []


@given(st.lists(PIECES, max_size=8).map("".join))
def test_missing_placeholders_are_unchanged_with_the_policy_keep(template: str) -> None:
    assert render("text", template, {}, "keep").text == template


def test_missing_names_are_distinct_and_in_order() -> None:
    template = "{{b}}{{ a.x }}{{b}}{{c}}{{a.x}}"
    assert render("text", template, {"c": 1, "a": {}}, "empty").missing == ["b", "a.x"]
    with pytest.raises(MissingInputs, match=r": b, a\.x\.") as error:
        render("text", template, {"c": 1, "a": {}}, "error")
    assert error.value.names == ("b", "a.x")


def test_a_message_lists_the_first_of_many_missing_names() -> None:
    with pytest.raises(MissingInputs, match="n19 and 980 more"):
        render("text", "".join(f"{{{{n{number}}}}}" for number in range(1_000)), {}, "error")


@pytest.mark.parametrize("engine", ["text", "mustache"])
@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{a}}{{a}}", "x" * (MAX_OUTPUT // 2 + 1)),
        ("{{a}}", "é" * (MAX_OUTPUT // 2 + 1)),
        ("{{a}}" * 5_000, "x" * 1_000),
        ("{{a}}" * 9_000, list(range(1_000))),
        ("".join(f"{{{{a{' ' * number}}}}}" for number in range(400)), "x" * (MAX_OUTPUT // 2)),
        ("x" * (MAX_OUTPUT + 1), ""),
    ],
    ids=["twice", "bytes", "often", "list", "other spellings", "the template itself"],
)
def test_the_output_is_at_most_one_mebibyte(engine: str, template: str, value: Any) -> None:
    with pytest.raises(OutputTooLarge):
        render(engine, template, {"a": value}, "empty")


@pytest.mark.parametrize("engine", ["text", "mustache"])
def test_values_beyond_the_budget_are_not_converted(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[str] = []

    def with_progress(value: Any) -> str:
        converted.append(to_text(value))
        return converted[-1]

    monkeypatch.setattr(template_module if engine == "text" else mustache, "to_text", with_progress)
    template = "".join(f"{{{{a{' ' * number}}}}}" for number in range(400))
    with pytest.raises(OutputTooLarge):
        render(engine, template, {"a": ["x" * (MAX_OUTPUT // 4)]}, "empty")
    assert len(converted) == 4


@pytest.mark.parametrize("engine", ["text", "mustache"])
def test_the_output_can_use_the_whole_budget(engine: str) -> None:
    budget = RenderBudget(10)
    assert render(engine, "é{{a}}", {"a": "x" * 8}, "empty", budget).text == "é" + "x" * 8
    assert budget.size == 0
    with pytest.raises(OutputTooLarge):
        render(engine, "é{{a}}", {"a": "x" * 9}, "empty", RenderBudget(10))


class Untouchable:
    """An object whose attributes must not be read, except for `isinstance`."""

    def __getattribute__(self, name: str) -> object:
        assert name == "__class__", name
        return Untouchable


@pytest.mark.parametrize("engine", ["text", "mustache"])
@pytest.mark.parametrize(
    "path", ["__class__", "__dict__", "__class__.__mro__", "format", "upper", "__init__.__globals__", "items", "keys"]
)
@pytest.mark.parametrize("kind", [str, dict, list, int, float, Untouchable])
def test_attributes_are_never_read(engine: str, path: str, kind: type[object]) -> None:
    rendered = render(engine, f"{{{{a.{path}}}}}|", {"a": kind()}, "empty")
    assert (rendered.text, rendered.missing) == ("|", [f"a.{path}"])


@pytest.mark.parametrize("engine", ["text", "mustache"])
@pytest.mark.parametrize(
    "value",
    [object(), b"bytes", {1, 2}, [object()], float("nan")],
    ids=["object", "bytes", "set", "list of an object", "NaN"],
)
def test_a_value_that_is_not_json_is_rejected(engine: str, value: object) -> None:
    with pytest.raises((TypeError, ValueError), match="JSON"):
        render(engine, "{{a}}", {"a": value}, "empty")


@pytest.mark.parametrize("engine", ["", "Text", "handlebars", "jinja2", "x" * 100_000])
def test_an_unknown_engine_is_rejected(engine: str) -> None:
    for call in (lambda: render(engine, "", {}, "empty"), lambda: names(engine, "")):
        with pytest.raises(UnsupportedEngine, match="the engines are text, jinja and mustache") as error:
            call()
        assert error.value.code == "unsupported_engine"
        assert len(str(error.value)) < 200


def test_jinja_is_not_rendered_in_this_process() -> None:
    with pytest.raises(JinjaNotEnabled) as error:
        render("jinja", "{{ 1 }}", {}, "empty")
    assert error.value.code == "unsupported_engine"


# Quadratic work would take hours at these lengths.
HOSTILE = """
MIB = 1_048_576
TEMPLATES = [each[:MIB] for each in (
    "{" * MIB, "{{ " * MIB, "{{a" * MIB, "{{" + " " * MIB, "{{" + "a" * MIB, "{{" + "a." * MIB, "{{a.b" * MIB,
    "{{a}}" * MIB, "}}{{" * MIB, "{{a }" * MIB, "{{{a}}" * MIB, "{{" + ".a" * MIB, "{{a" + " " * MIB, "{{#a}}" * MIB,
    "{{!" * MIB, "{{=" * MIB, "{{=| |=}}" + "|" * MIB, "{{^a}}{{/a}}" * MIB, " " * 99 + "{{!a}}" * MIB,
    " {{!a}}" * MIB, "\\n" * MIB, " " * MIB, "{{{" * MIB, "{{=" + "a" * 9999 + " }}=}}" + "a" * MIB,
)]
"""

CPU_SECONDS = 20
MEMORY = 1_073_741_824


def test_time_is_linear_in_the_length_of_a_template() -> None:
    program = HOSTILE + (
        "from moorage.core.templates.template import render, names\n"
        "from moorage.core.errors.templates import TemplateError\n"
        "for engine in ('text', 'mustache'):\n"
        "    for template in TEMPLATES:\n"
        "        for call in (lambda: render(engine, template, {'a': 'x'}, 'keep'), lambda: names(engine, template)):\n"
        "            try: call()\n"
        "            except TemplateError: pass\n"
    )
    done = run_limited(program, cpu_seconds=CPU_SECONDS, memory=MEMORY)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_pattern_that_backtracks_exceeds_the_limit_of_time() -> None:
    """The positive control."""
    program = HOSTILE + (
        "import re\nfor template in TEMPLATES: re.sub(r'\\{\\{.*?(\\w+)\\s*\\}\\}', '', template, flags=re.DOTALL)\n"
    )
    assert run_limited(program, cpu_seconds=2, memory=MEMORY).returncode == -signal.SIGKILL
