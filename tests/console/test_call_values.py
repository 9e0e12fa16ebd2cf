"""The example of a context is one that its rule accepts."""

from typing import Any

import msgspec
import pytest

from moorage.console.call_values import context_of_rule, needed_inputs
from moorage.core.routing.rules import RoutingRule
from moorage.core.routing.table import RoutingTable


def rules(*found: dict[str, Any]) -> list[RoutingRule]:
    return msgspec.convert([{"variant": "v", **each} for each in found], list[RoutingRule])


@pytest.mark.parametrize(
    "condition",
    [
        {"eq": "NLD"}, {"eq": True}, {"eq": 1.5}, {"eq": ["a", "b"]}, {"eq": "2026-03-01"}, {"ne": "NLD"}, {"ne": 3},
        {"ne": False}, {"ne": ["a"]}, {"in": ["a", "b"]}, {"in": [1, 2]}, {"nin": ["a", "bc"]}, {"nin": [1, 9]},
        {"nin": [True]}, {"gt": 3}, {"gte": 3}, {"lt": -1}, {"lte": 0.5}, {"gt": "2026-03-01T09:30:00Z"},
        {"lt": "2026-03-01"}, {"gte": "2026-03-01"}, {"exists": True}, {"exists": False}, {"contains": "x"},
        {"contains": 3}, {"starts_with": "de-"}, {"in": ["a", "b"], "nin": ["a"]}, {"starts_with": "a", "ne": "b"},
        {"gte": 3, "lte": 5}, {"exists": True, "gt": 2},
    ],
)  # fmt: skip
def test_each_operator_has_an_example(condition: dict[str, Any]) -> None:
    routing = rules({"when": {"country": condition}})

    context = context_of_rule("key", routing, 1)

    assert context is not None
    assert RoutingTable.compile("key", routing).resolve(context).rule == 1


@pytest.mark.parametrize("percent", [1, 5, 50])
def test_a_split_has_an_example_whose_bucket_is_in_its_range(percent: float) -> None:
    split = {"by": "user_id", "percent": percent}
    routing = rules({"split": split}, {"when": {"country": {"eq": "NLD"}}, "split": split}, {"split": split})

    for number in (1, 2, 3):
        context = context_of_rule("key", routing, number)
        assert context is not None
        assert RoutingTable.compile("key", routing).resolve(context).rule == number


def test_a_split_by_an_attribute_with_a_condition_meets_both() -> None:
    routing = rules({"when": {"user": {"starts_with": "de-"}}, "split": {"by": "user", "percent": 5}})

    context = context_of_rule("key", routing, 1)

    assert context is not None
    assert context["user"].startswith("de-")


def test_a_rule_behind_one_that_matches_the_same_requests_has_none() -> None:
    routing = rules({"when": {"a": {"exists": True}}}, {"when": {"a": {"eq": 1}}})

    assert context_of_rule("key", routing, 2) is None
    assert context_of_rule("key", routing, 0) == {}
    assert context_of_rule("key", rules({"when": {"a": {"exists": False}}}), 0) is None


def version(text: str, variables: list[dict[str, Any]], **settings: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"prompt_config": {"messages": messages}, "variables": variables, "settings": settings}


def test_the_inputs_are_those_without_a_default() -> None:
    shown = version("{{a}} {{b.c}} {{b.d}} {{e}}", [{"key": "a", "value": "x"}, {"key": "e"}, {"key": "unused"}])

    assert needed_inputs(shown, "default") == {"b": {"c": "<b.c>", "d": "<b.d>"}, "e": "<e>"}


def test_the_inputs_of_jinja_are_the_declared_ones() -> None:
    shown = version("{% if a %}{{b}}{% endif %}", [{"key": "a"}, {"key": "b", "value": "x"}], engine="jinja")

    assert needed_inputs(shown, "default") == {"a": "<a>"}
