"""The work and memory of one request have limits, whatever its body contains. Counts are asserted, never times."""

import difflib
import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
import pytest

from moorage.core.compatibility.breaking import breaking_changes
from moorage.core.compatibility.changes import MAX_COMPARED
from moorage.core.deployments.content import Content
from moorage.core.deployments.deployment import PutDeployment
from moorage.core.deployments.diff import MAX_CHANGES, MAX_LINES, Difference, unified
from moorage.core.deployments.template_check import MAX_ELEMENTS
from moorage.core.deployments.update import updated_content
from moorage.core.errors.base import MoorageError
from moorage.core.errors.requests import ComparisonTooLarge, ContextTooLarge, InvalidBody, InvalidJson
from moorage.core.errors.templates import TemplateLimitExceeded
from moorage.core.resolution.config import read_request
from moorage.core.routing.context import MAX_ITEMS, MAX_TEXT
from moorage.core.routing.rules import Routing
from moorage.core.routing.table import MAX_COMPARISONS, RoutingTable
from moorage.core.templates.output import MAX_STEPS, RenderBudget
from moorage.core.templates.template import render
from moorage.core.validation import messages, strict_json
from moorage.core.validation.body import read_body
from moorage.core.validation.strict_json import MAX_BODY, MAX_KEY
from moorage.core.validation.validate import MAX_NORMALIZED, MAX_PROBLEMS
from tests.support.server import a_body

MEGABYTE = 1_048_576


def encode(value: Any) -> bytes:
    body = json.dumps(value, separators=(",", ":")).encode()
    assert len(body) <= MAX_BODY, len(body)
    return body


def put(body: bytes) -> tuple[PutDeployment, list[str]]:
    return read_body(strict_json.parse(body), PutDeployment)


def nested(levels: int, key: str, leaves: list[Any]) -> Any:
    return {key: nested(levels - 1, key, leaves)} if levels else leaves


@contextmanager
def limited_memory(megabytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of choices of each search for a similar word."""
    counts: list[int] = []
    search = difflib.get_close_matches

    def counted(word: str, choices: Any, *arguments: Any, **options: Any) -> list[str]:
        counts.append(len(choices))
        return search(word, choices, *arguments, **options)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    monkeypatch.setattr("moorage.core.compatibility.contract.get_close_matches", counted)
    return counts


LONG = "k" * MAX_KEY
WIDE = [0] * 60_000

#: Bodies whose size is mostly that of one key, which is in the path of many values.
LONG_PATHS: dict[str, Any] = {
    "one key above many values": {LONG: WIDE},
    "a deep path of long keys": nested(60, LONG, WIDE),
    "objects": {LONG: [{str(number): 0} for number in range(30_000)]},
}


@pytest.mark.system
@pytest.mark.parametrize("value", LONG_PATHS.values(), ids=LONG_PATHS.keys())
@pytest.mark.parametrize(
    "body_of",
    [
        lambda value: {"key": "a", "inputs": value, "messages": 0},
        lambda value: {"key": "a", "inputs": value, "knowledge_filter": value, "messages": [value] * 1},
        lambda value: {"key": "a", "context": value, "extra_params": value},
    ],
)
def test_a_get_config_body_with_long_paths_needs_little_memory(
    value: Any, body_of: Callable[[Any], dict[str, Any]]
) -> None:
    text = json.dumps(body_of(value)).encode()[:MAX_BODY]  # cut bodies are invalid JSON, which must be as cheap
    with limited_memory(64), suppress(MoorageError):
        read_request(text)[0].attributes()


@pytest.mark.parametrize("value", LONG_PATHS.values(), ids=LONG_PATHS.keys())
def test_a_put_body_with_long_paths_needs_little_memory(value: Any) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": value}}}}
    body = encode({**a_body(tools=[tool]), "variables": [{"key": "v", "value": 1}]})
    with limited_memory(64), suppress(MoorageError):
        put(body)


def test_a_key_of_json_has_a_maximum_length() -> None:
    assert strict_json.parse(encode({LONG: 1})) == {LONG: 1}
    with pytest.raises(InvalidJson, match=rf"has {MAX_KEY + 1} characters; the maximum is {MAX_KEY}"):
        strict_json.parse(encode({f"{LONG}k": 1}))


def test_too_many_values_are_counted_before_they_are_listed() -> None:
    value = [[0] * 400] * 400
    with limited_memory(8), pytest.raises(InvalidJson, match="more than 100000 values"):
        strict_json.check(value)


def test_an_error_response_is_small() -> None:
    wrong = nested(50, LONG, [0])
    config = a_body()["prompt_config"] | {"messages": [{"role": wrong, "content": wrong}] * 5}
    with pytest.raises(InvalidBody) as error:
        put(encode({"prompt_config": config | {f"{LONG[:-3]}{number:03}": wrong for number in range(10)}}))
    assert len(msgspec.json.encode(error.value.problems)) < 200_000


def test_validation_ends_with_the_last_problem_that_is_reported(comparisons: list[int]) -> None:
    messages_ = [{"role": "usr", "content": ""}] * 30_000
    config = a_body()["prompt_config"] | {"messages": messages_}
    with pytest.raises(InvalidBody) as error:
        put(encode({"prompt_config": config}))
    assert len(error.value.problems) == MAX_PROBLEMS
    assert "Did you mean" in error.value.problems[0].message
    assert len(comparisons) <= 10


def test_suggestions_are_for_short_words_and_lists(comparisons: list[int]) -> None:
    assert messages.nearest("provider ", ["provider"]) == ". Did you mean 'provider'?"
    assert messages.nearest("x" * 65, ["x" * 64]) == ""
    assert messages.nearest("key", [f"key{number}" for number in range(101)]) == ""
    assert comparisons == [1]


def test_normalized_paths_are_listed_up_to_a_limit() -> None:
    tools = [
        {"type": "function", "function": {"name": f"f{number}", "parameters": {}}} for number in range(MAX_NORMALIZED)
    ]
    _, normalized = put(encode(a_body(tools=tools)))
    assert len(normalized) == MAX_NORMALIZED + 1
    assert normalized[-1] == "..."


def test_all_templates_of_a_request_share_the_steps() -> None:
    template, inputs = "{{#a}}{{b}}{{/a}}", {"a": [0] * 1_000}
    budget = RenderBudget()
    steps = 1 + 1_000 * 3  # the section, and for each item: itself, and a lookup in two contexts
    for _ in range(MAX_STEPS // steps):
        render("mustache", template, inputs, "empty", budget)
    with pytest.raises(TemplateLimitExceeded, match="the templates of one request take more than"):
        render("mustache", template, inputs, "empty", budget)


def test_text_between_tags_counts_as_steps() -> None:
    with pytest.raises(TemplateLimitExceeded):
        render("mustache", "{{#a}}" + "x{{!}}" * 100 + "{{/a}}", {"a": [0] * 2_000}, "empty")


@pytest.mark.parametrize("engine", ["text", "mustache"])
def test_a_version_has_a_maximum_number_of_messages_and_tags_in_all_variants(engine: str) -> None:
    half = {"role": "user", "content": "{{a}}" * (MAX_ELEMENTS // 2 - 1)}
    variant = {"name": "b", "settings": {"engine": engine}}

    def save(*more: dict[str, Any]) -> Content:
        other = a_body(messages=[half, *more])["prompt_config"]
        body = {**a_body(messages=[half]), "variants": [variant | {"prompt_config": other}]}
        return updated_content(put(encode({**body, "settings": {"engine": engine}}))[0])

    save()
    with pytest.raises(InvalidBody, match="must have at most 5,000 messages, template tags"):
        save({"role": "user", "content": ""})


def test_a_version_has_a_maximum_number_of_variables_and_tools() -> None:
    variables = [{"key": f"v{number}"} for number in range(MAX_ELEMENTS // 2)]
    tools = [{"type": "function", "function": {"name": f"f{n}", "parameters": {}}} for n in range(MAX_ELEMENTS // 2)]
    with pytest.raises(InvalidBody, match="The body: must have at most 5,000"):
        updated_content(put(encode({**a_body(tools=tools), "variables": variables}))[0])


def content(**changes: Any) -> Content:
    return updated_content(put(encode({**a_body(), **changes}))[0])


def with_variables(names: list[str]) -> Content:
    messages_ = [{"role": "user", "content": "".join(f"{{{{{name}}}}}" for name in names)}]
    return content(prompt_config=a_body(messages=messages_)["prompt_config"])


def test_renamed_variables_are_found_among_few_names_only(comparisons: list[int]) -> None:
    one, other = with_variables(["customer"]), with_variables(["customer_name"])
    assert [change.kind for change in breaking_changes(one.encode(), other.encode())] == ["variable_renamed"]
    assert comparisons == [1]

    many = [with_variables([f"{letter}_name_{number}" for number in range(60)]) for letter in "ab"]
    kinds = {change.kind for change in breaking_changes(many[0].encode(), many[1].encode())}
    assert (kinds, len(comparisons)) == ({"variable_removed", "variable_required"}, 1)


def with_schema(schema: dict[str, Any]) -> Content:
    function = {"name": "f", "parameters": {"type": "object", "properties": {"a": schema}}}
    return content(prompt_config=a_body(tools=[{"type": "function", "function": function}])["prompt_config"])


def test_large_schemas_are_not_compared() -> None:
    names = [str(number) for number in range(MAX_COMPARED)]
    schemas: tuple[Any, ...] = ({}, True)
    large = [with_schema({"type": "object", "properties": dict.fromkeys(names, schema)}) for schema in schemas]
    with pytest.raises(ComparisonTooLarge, match="30000 comparisons"):
        breaking_changes(large[0].encode(), large[1].encode())


def test_a_required_list_is_searched_in_constant_time() -> None:
    names = [f"n{number}" for number in range(5_000)]

    def schema(required: list[str]) -> dict[str, Any]:
        return {"type": "object", "properties": {name: {} for name in names}, "required": required}

    changes = breaking_changes(with_schema(schema(names)).encode(), with_schema(schema(names[1:])).encode())
    assert [change.path for change in changes] == ["tools.f.a.n0"]


def test_the_variants_of_a_version_are_compared_within_the_same_limit() -> None:
    def variants(prefix: str) -> Content:
        named = [
            {
                "name": f"{prefix}{number}",
                "prompt_config": a_body(
                    messages=[
                        {"role": "user", "content": "".join(f"{{{{{prefix}_{number}_{n}}}}}" for n in range(100))}
                    ]
                )["prompt_config"],
            }
            for number in range(30)
        ]
        routing = [
            {"variant": variant["name"], "when": {"tier": {"eq": number}}} for number, variant in enumerate(named)
        ]
        return content(variants=named, routing=routing)

    with pytest.raises(ComparisonTooLarge):
        breaking_changes(variants("a").encode(), variants("b").encode())


def table(conditions: int, condition: dict[str, Any]) -> RoutingTable:
    """Return a table with this number of conditions for the attributes a0, a1, …"""
    when = {f"a{number}": condition for number in range(100)}
    rules = [{"variant": "default", "when": when} for _ in range(conditions // 100)]
    return RoutingTable.compile("key", msgspec.convert(rules, Routing))


@pytest.mark.parametrize(
    ("condition", "value"),
    [({"contains": "b" * 60}, "a" * MAX_TEXT), ({"in": [1, 2]}, [0] * (MAX_ITEMS // 10))],
    ids=["long texts", "lists"],
)
def test_a_context_that_needs_too_many_comparisons_is_rejected(condition: dict[str, Any], value: Any) -> None:
    context = {f"a{number}": value for number in range(100)}
    table(100, condition).check_size(context)
    with pytest.raises(ContextTooLarge, match=f"more than {MAX_COMPARISONS} comparisons"):
        table(10_000, condition).check_size(context)
    table(10_000, condition).check_size({f"a{number}": "gold" for number in range(100)})


def test_the_explanation_of_a_rule_is_short() -> None:
    (rule, *_) = table(100, {"contains": "b" * 500}).explain({f"a{number}": "a" * 500 for number in range(100)}).rules
    assert rule.explanation.endswith("90 more conditions do not hold")
    assert len(rule.explanation) < 5_000


def test_a_difference_is_bounded_and_says_so() -> None:
    before, after = {LONG: [0] * 20_000}, {LONG: [1] * 20_000}
    difference = Difference.of("1.0", "1.1", before, after)
    assert (len(difference.changes), difference.truncated) == (MAX_CHANGES, True)
    assert len(msgspec.json.encode(difference)) < MEGABYTE

    text = unified(before, after, "1.0", "1.1")
    assert text.count("\n") == MAX_LINES + 1
    assert text.endswith("… the rest of the difference is omitted\n")

    assert not Difference.of("1.0", "1.1", {"a": 1}, {"a": 2}).truncated
    assert "omitted" not in unified({"a": 1}, {"a": 2}, "1.0", "1.1")


def test_large_texts_that_differ_widely_are_compared_without_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("quadratic")

    texts = ["\n".join(f"{prefix}{number}" for number in range(8_000)) for prefix in "ab"]
    monkeypatch.setattr(difflib, "unified_diff", fail)
    lines = unified({"a": "same", "b": texts[0]}, {"a": "same", "b": texts[1]}, "1.0", "1.1").splitlines()
    assert lines[:4] == ["--- 1.0", "+++ 1.1", "@@ -3,8000 +3,8000 @@", "-  a0"]
    assert lines[-1] == "+  b7999"


#: Bodies that parsers read differently.
AMBIGUOUS = {
    "a duplicate key": b'{"key":"a","key":"b"}',
    "a duplicate key with a space": b'{"key":"a","key" :"b"}',
    "a duplicate key in inputs": b'{"key":"a","inputs":{"n":1,"n":2}}',
    "a duplicate key, and a colon in a text": b'{"key":"a","inputs":{"n":1,"n":"x\\":"}}',
    "NUL": b'{"key":"a","inputs":{"n":"\\u0000"}}',
    "half a surrogate pair": b'{"key":"a","inputs":{"n":"\\ud800"}}',
    "too deep": b'{"key":"a","inputs":{"n":' + b"[" * 70 + b"]" * 70 + b"}}",
    "too many values": b'{"key":"a","inputs":{"n":[' + b"0," * 200_000 + b"0]}}",
    "400 digits": b'{"key":"a","inputs":{"n":' + b"1" * 400 + b"}}",
    "invalid UTF-8": b'{"key":"a","inputs":{"n":"\xed\xa0\x80"}}',
}


@pytest.mark.parametrize("body", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_get_config_rejects_the_json_that_all_routes_reject(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        read_request(body)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":"b\\":c"}',
        b'{ "a" : 1 }',
        b'{"a":1.5e300,"b":[{"a":1},{"a":2}]}',
        b"\xef\xbb\xbf[1]",
        b"123456789012345678901",
    ],
)
def test_valid_json_is_parsed_alike_by_both_parsers(text: bytes) -> None:
    assert strict_json.parse(text) == json.loads(text.decode("utf-8-sig"))


@pytest.mark.parametrize("name", ["a\n", "a ", "é"])
def test_a_name_with_a_newline_at_its_end_is_rejected(name: str) -> None:
    function = {"name": name, "parameters": {}}
    with pytest.raises(InvalidBody, match=r"must match|use 1 to 128 characters"):
        put(encode(a_body(tools=[{"type": "function", "function": function}])))
    with pytest.raises(InvalidBody, match=r"must match|use 1 to 128 characters"):
        put(encode({**a_body(), "variants": [{"name": name, **a_body()}]}))
