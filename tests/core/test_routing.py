"""Routing selects the variant of a context: examples, properties, and the examples in docs/routing.md."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.deployments.variant import Variants, check_variants
from moorage.core.routing.conditions import OPERATORS
from moorage.core.routing.context import read_context
from moorage.core.routing.rules import Routing, check_routing
from moorage.core.routing.splits import find_bucket
from moorage.core.routing.table import Resolution, RoutingTable, compare
from moorage.core.validation.validate import Report, validate

DOCS = (Path(__file__).parents[2] / "docs/routing.md").read_text()


def table(*rules: dict[str, Any], key: str = "support") -> RoutingTable:
    value, report = validate(list(rules), Routing)
    assert not report.problems
    return RoutingTable.compile(key, msgspec.convert(value, Routing))


def matches(condition: dict[str, Any], value: Any) -> bool:
    context = {} if value is None else {"attribute": value}
    return table({"variant": "a", "when": {"attribute": condition}}).resolve(context).variant == "a"


def split(variant: str, percent: float, by: str = "user_id", **when: Any) -> dict[str, Any]:
    return {"variant": variant, "when": when, "split": {"by": by, "percent": percent}}


# The docs


def doc_table(first_header: str) -> list[list[str]]:
    """Return the rows of a table in the docs, selected by its first header."""
    block = DOCS.split(f"| {first_header} |", 1)[1].split("\n\n", 1)[0]
    return [line.strip("| ").split(" | ") for line in block.split("\n")[2:]]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


OPERATOR_RULES = doc_table("operator")


def test_the_docs_list_every_operator() -> None:
    assert [code(rule[0])[0] for rule in OPERATOR_RULES] == list(OPERATORS)


@pytest.mark.parametrize("rule", OPERATOR_RULES, ids=lambda rule: rule[0].strip("`"))
def test_an_operator_matches_the_documented_values_only(rule: list[str]) -> None:
    operator, condition = code(rule[0])[0], json.loads(code(rule[3])[0])
    matching, others = ([json.loads(value) for value in code(values)] for values in rule[4:6])

    assert list(condition) == [operator]
    assert matching
    assert others
    assert [value for value in matching if not matches(condition, value)] == []
    assert [value for value in others if matches(condition, value)] == []


@pytest.mark.parametrize("rule", doc_table("context"), ids=lambda rule: rule[0])
def test_the_example_in_the_docs_has_the_documented_results(rule: list[str]) -> None:
    body = json.loads(re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)[0])
    variants, report = validate(body["variants"], Variants)
    check_variants(msgspec.convert(variants, Variants), report)
    context = read_context(json.loads(code(rule[0])[0]), report)
    names = ["default", *(variant["name"] for variant in body["variants"])]
    check_routing(msgspec.convert(body["routing"], Routing), names, report)

    assert report.problems == []
    assert table(*body["routing"]).resolve(context) == Resolution(
        code(rule[1])[0],
        code(rule[3])[0],  # type: ignore[arg-type]  # a word of the docs
        int(rule[2]),
    )


@given(st.text(), st.text(max_size=20), st.text(min_size=1))
def test_the_bucket_is_the_result_of_the_documented_function(key: str, by: str, value: str) -> None:
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)[0], names)
    found = find_bucket(key, by, value)

    assert found is not None
    assert names["bucket"](key, by, value) == found / 100


# Conditions


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ({"eq": True}, True, True),
        ({"eq": True}, 1, False),
        ({"eq": 0}, False, False),
        ({"eq": [1, 2]}, [1.0, 2], True),
        ({"eq": [1, 2]}, [2, 1], False),
        ({"eq": [1]}, [True], False),
        ({"eq": []}, [], True),
        ({"eq": ["2026-03-01"]}, ["2026-03-01T00:00:00Z"], True),
        ({"eq": "2026-03-01"}, "2026-03-01T01:00:00+01:00", True),
        ({"eq": "2026-03-01"}, "1 March", False),
        ({"ne": "2026-03-01"}, "2026-03-01T00:00:00Z", False),
        ({"ne": "2026-03-01"}, "soon", True),
        ({"ne": 5}, "5", False),
        ({"ne": [1]}, [2], True),
        ({"ne": [1]}, 2, False),
        ({"in": [1, 2]}, True, False),
        ({"in": [1, 2]}, 2.0, True),
        ({"in": [True]}, 1, False),
        ({"in": ["2026-03-01", "soon"]}, "2026-03-01T00:00Z", True),
        ({"in": ["2026-03-01", "soon"]}, "soon", True),
        ({"in": ["2026-03-01", "soon"]}, 1, False),
        ({"nin": ["2026-03-01"]}, "2026-03-01T00:00Z", False),
        ({"nin": [1]}, ["1"], True),
        ({"gt": "2026-03-01"}, "2026-03-02", True),
        ({"gt": 5}, "2026-03-02", False),
        ({"gt": "2026-03-01"}, 2**60, False),
        ({"gt": 0}, [1], False),
        ({"contains": 1}, [True, "1"], False),
        ({"contains": 1}, [1.0], True),
        ({"contains": 1}, "1", False),
        ({"contains": "2026"}, "2026-03-01", True),
        ({"exists": True}, None, False),
        ({"exists": True}, "", True),
        ({"gte": 18, "lt": 65}, 18, True),
        ({"gte": 18, "lt": 65}, 65, False),
    ],
)
def test_a_condition_matches_a_value(condition: dict[str, Any], value: Any, expected: bool) -> None:
    assert matches(condition, value) is expected


def test_environments_select_the_same_variant_in_both_forms() -> None:
    routing = table({"variant": "new", "when": {"environments": {"eq": "staging"}}})
    report = Report()
    forms = [read_context({"environments": form}, report) for form in ("staging", ["staging"])]

    assert [routing.resolve(context).variant for context in forms] == ["new", "new"]


# Explanations


@pytest.mark.parametrize(
    ("rule", "context", "explanation"),
    [
        ({"when": {"country": {"in": ["NLD"]}}}, {"country": "NLD"}, 'country is "NLD", which is in ["NLD"]'),
        ({"when": {"country": {"in": ["NLD"]}}}, {"country": "FRA"}, 'country is "FRA", which is not in ["NLD"]'),
        ({"when": {"country": {"in": ["NLD"]}}}, {"country": 5}, "country is 5, which is not a list or a string"),
        ({"when": {"country": {"nin": ["NLD"]}}}, {"country": "NLD"}, 'country is "NLD", which is in ["NLD"]'),
        ({"when": {"country": {"ne": "NLD"}}}, {}, "country is missing"),
        ({"when": {"age": {"gte": 18}}}, {"age": "20"}, 'age is "20", which is not a number'),
        ({"when": {"since": {"lt": "2026-03-01"}}}, {"since": "soon"}, 'since is "soon", which is not a date'),
        ({"when": {"beta": {"exists": False}}}, {"beta": 1}, "beta is present"),
        ({"when": {"age": {"gte": 18}, "vip": {"eq": True}}}, {"age": 3},
         "age is 3, which is below 18, and vip is missing"),
        ({"when": {"age": {"gte": 18, "lt": 65}}}, {"age": "x"}, 'age is "x", which is not a number'),
        ({}, {}, "the rule has no conditions"),
        (
            {"split": {"by": "user_id", "percent": 20}},
            {"user_id": "u-4"},
            "the bucket of user_id, 16.20, is below 20",
        ),
        (
            {"when": {"a": {"eq": 1}}, "split": {"by": "user_id", "percent": 20}},
            {"user_id": "u-4", "a": 1},
            "a is 1, which equals 1, and the bucket of user_id, 16.20, is below 20",
        ),
        ({"split": {"by": "user_id", "percent": 20}}, {}, "user_id is missing, so no bucket"),
        ({"split": {"by": "user_id", "percent": 20}}, {"user_id": ""}, "user_id is empty, so no bucket"),
        (
            {"split": {"by": "user_id", "percent": 20}},
            {"user_id": True},
            "user_id is true, which is neither a string nor a whole number, so no bucket",
        ),
    ],
)  # fmt: skip
def test_an_explanation_states_why_a_rule_matches_or_not(
    rule: dict[str, Any], context: dict[str, Any], explanation: str
) -> None:
    assert table({"variant": "a", **rule}).explain(context).rules[0].explanation == explanation


def test_an_explanation_has_every_rule_and_rule_0_last() -> None:
    routing = table(split("new", 20), split("small", 30), {"variant": "new", "when": {"vip": {"exists": True}}})

    assert msgspec.to_builtins(routing.explain({"user_id": "u-1", "vip": 1})) == {
        "variant": "small",
        "reason": "split",
        "rule": 2,
        "rules": [
            {"rule": 1, "variant": "new", "matched": False, "bucket": 20.59,
             "explanation": "the bucket of user_id, 20.59, is not below 20"},
            {"rule": 2, "variant": "small", "matched": True, "bucket": 20.59,
             "explanation": "the bucket of user_id, 20.59, is from 20 up to 50"},
            {"rule": 3, "variant": "new", "matched": True, "explanation": "vip is present"},
            {"rule": 0, "variant": "default", "matched": True,
             "explanation": "matches every request; rule 2 comes first"},
        ],
    }  # fmt: skip


def test_the_default_variant_is_the_only_one_without_rules() -> None:
    assert table().resolve({"user_id": "u-1"}) == Resolution("default", "only", 0)
    assert table().explain({}).rules[0].explanation == "matches every request; no other rule matches"


# Splits


def variants_of(routing: RoutingTable, users: range, **context: Any) -> list[str]:
    return [routing.resolve({"user_id": f"user-{number}", **context}).variant for number in users]


def test_a_split_gets_its_percentage_of_100000_users_within_one_percent() -> None:
    found = Counter(variants_of(table(split("a", 20), split("b", 30), split("c", 12.5)), range(100_000)))

    for variant, percent in {"a": 20, "b": 30, "c": 12.5, "default": 37.5}.items():
        assert abs(found[variant] / 1_000 - percent) < 1, found


def test_a_split_is_a_share_of_the_requests_that_meet_the_conditions() -> None:
    """A range begins after the ranges of earlier rules only if their conditions also match."""
    routing = table(split("a", 40, country={"eq": "NLD"}), split("b", 40, country={"eq": "BEL"}), split("c", 40))

    for country, variant in {"NLD": "a", "BEL": "b"}.items():
        found = Counter(variants_of(routing, range(20_000), country=country))
        assert set(found) == {variant, "c", "default"}
        assert abs(found[variant] / 200 - 40) < 2
        assert abs(found["c"] / 200 - 40) < 2
    assert set(variants_of(routing, range(20_000))) == {"c", "default"}


def test_splits_by_different_attributes_do_not_depend_on_each_other() -> None:
    routing = table(split("a", 50), split("b", 50, by="team"))
    found = Counter(routing.resolve({"user_id": number, "team": f"team-{number}"}).variant for number in range(20_000))

    assert abs(found["a"] / 200 - 50) < 2
    assert abs(found["b"] / 200 - 25) < 2


def test_a_range_ends_below_its_percentage_and_the_next_begins_there() -> None:
    """The bucket of u-4 is 16.20."""
    for percent, rule in {16.2: 2, 16.21: 1}.items():
        routing = table(split("new", percent), split("small", 30))

        assert routing.resolve({"user_id": "u-4"}).rule == rule
        assert [result.matched for result in routing.explain({"user_id": "u-4"}).rules] == [rule == 1, rule == 2, True]


def test_a_number_and_its_string_have_the_same_bucket() -> None:
    assert find_bucket("k", "id", 42) == find_bucket("k", "id", "42") == find_bucket("k", "id", 42.0)


@pytest.mark.parametrize("value", [None, "", True, 1.5, [], ["u"], {}])
def test_other_values_have_no_bucket(value: Any) -> None:
    assert find_bucket("k", "id", value) is None


def test_another_deployment_or_attribute_has_other_buckets() -> None:
    keys = {find_bucket(key, by, "u-1") for key in ("a", "b") for by in ("x", "y")}

    assert len(keys) == 4


percents = st.integers(0, 10_000).map(lambda share: share / 100)


@given(percents, percents, st.lists(st.text(min_size=1), max_size=30))
def test_raising_a_split_keeps_its_users(one: float, other: float, users: list[str]) -> None:
    low, high = sorted((one, other))
    before, after = table(split("new", low)), table(split("new", high))

    for user in users:
        if before.resolve({"user_id": user}).variant == "new":
            assert after.resolve({"user_id": user}).variant == "new"


@given(percents, percents, percents, st.lists(st.text(min_size=1), max_size=30))
def test_raising_the_last_split_moves_only_users_of_the_default(
    first: float, low: float, high: float, users: list[str]
) -> None:
    low, high = sorted((low, high))
    before, after = (table(split("a", first), split("b", last)) for last in (low, high))

    changed = compare(before, after, [{"user_id": user} for user in users])

    assert {(change.before.variant, change.after.variant) for change in changed} <= {("default", "b")}


def test_compare_returns_the_contexts_whose_variants_differ() -> None:
    contexts = [{"user_id": f"u-{number}"} for number in (1, 4, 6)]

    changed = compare(table(split("new", 20)), table(split("new", 30)), contexts)

    assert [(change.context, change.before.variant, change.after.variant) for change in changed] == [
        ({"user_id": "u-1"}, "default", "new")
    ]


# Properties of all tables and contexts

attributes = st.sampled_from(["a", "b", "environments"])
scalars = (
    st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, -2.0])
    | st.sampled_from(["", "a", "ab", "1", "2026-03-01", "2026-03-01T00:00:00Z", "2026-03-02T01:00+01:00"])
)
of_one_kind = (
    st.lists(st.booleans(), min_size=1, max_size=3)
    | st.lists(st.integers(-3, 3), min_size=1, max_size=3)
    | st.lists(st.sampled_from(["", "a", "ab", "2026-03-01"]), min_size=1, max_size=3)
)
bounds = st.integers(-3, 3) | st.just(0.5) | st.sampled_from(["2026-03-01", "2026-03-01T12:00:00Z"])
conditions = st.fixed_dictionaries(
    {},
    optional={
        "eq": scalars | of_one_kind, "ne": scalars | of_one_kind, "in": of_one_kind, "nin": of_one_kind,
        "gt": bounds, "gte": bounds, "lt": bounds, "lte": bounds, "exists": st.booleans(), "contains": scalars,
        "starts_with": st.sampled_from(["a", "2026"]),
    },
).filter(bool)  # fmt: skip
whens = st.dictionaries(attributes, conditions, max_size=2)
splits = st.fixed_dictionaries({"by": attributes, "percent": percents})
rules = st.fixed_dictionaries({"variant": st.sampled_from("xyz"), "when": whens}, optional={"split": splits})
contexts = st.dictionaries(attributes, scalars | st.lists(scalars, max_size=3), max_size=3)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(rules, max_size=5), contexts)
def test_resolve_and_explain_return_the_same_rule(routing: list[dict[str, Any]], context: dict[str, Any]) -> None:
    compiled = table(*routing)
    resolution, explanation = compiled.resolve(context), compiled.explain(context)

    assert (explanation.variant, explanation.reason, explanation.rule) == msgspec.structs.astuple(resolution)
    assert next(rule.rule for rule in explanation.rules if rule.matched) == resolution.rule


@given(st.lists(rules, max_size=5), st.dictionaries(attributes, any_json, max_size=3))
def test_any_json_context_can_be_resolved(routing: list[dict[str, Any]], context: dict[str, Any]) -> None:
    compiled = table(*routing)

    assert compiled.resolve(context).rule == compiled.explain(context).rule
    report = Report()
    read = read_context(context, report)
    assert compiled.resolve(read).rule == compiled.explain(read).rule


@given(any_json)
def test_any_json_can_be_validated_as_context_and_as_routing(value: Any) -> None:
    read_context(value, Report())
    validate(value, Routing)


@given(attributes, conditions, contexts)
def test_a_condition_matches_if_all_its_operators_do(
    name: str, condition: dict[str, Any], context: dict[str, Any]
) -> None:
    results = [matches({operator: operand}, context.get(name)) for operator, operand in condition.items()]

    assert matches(condition, context.get(name)) is all(results)


@given(whens, contexts)
def test_a_rule_matches_if_all_its_conditions_do(when: dict[str, Any], context: dict[str, Any]) -> None:
    results = [matches(condition, context.get(name)) for name, condition in when.items()]

    assert (table({"variant": "a", "when": when}).resolve(context).variant == "a") is all(results)


@given(st.lists(st.fixed_dictionaries({"variant": st.sampled_from("xyz"), "when": whens}), max_size=5), contexts)
def test_the_first_matching_rule_is_chosen(routing: list[dict[str, Any]], context: dict[str, Any]) -> None:
    alone = [table(rule).resolve(context).rule == 1 for rule in routing]

    assert table(*routing).resolve(context).rule == (alone.index(True) + 1 if True in alone else 0)


@given(
    st.lists(rules, max_size=3), st.lists(percents.map(lambda percent: split("z", percent, "a")), max_size=3), contexts
)
def test_the_ranges_for_a_context_do_not_overlap(
    some: list[dict[str, Any]], more: list[dict[str, Any]], context: dict[str, Any]
) -> None:
    routing = [*some, *more]
    explained = table(*routing).explain(context).rules[:-1]
    matched = [
        rule["split"]["by"]
        for rule, result in zip(routing, explained, strict=True)
        if result.matched and "split" in rule
    ]

    assert len(matched) == len(set(matched))


@given(scalars)
def test_a_missing_attribute_matches_only_exists_false(operand: Any) -> None:
    operands = {"eq": operand, "ne": operand, "contains": operand, "in": [operand], "nin": [operand]}
    operands |= {"gt": 0, "gte": 0, "lt": 0, "lte": 0, "starts_with": "a", "exists": True}

    assert set(operands) == set(OPERATORS)
    assert [operator for operator in operands if matches({operator: operands[operator]}, None)] == []
    assert matches({"exists": False}, None)
