"""The validation of routing tables and variants."""

from typing import Any

import msgspec
import pytest

from moorage.core.deployments.variant import Variants, check_variants
from moorage.core.routing.conditions import OPERATORS
from moorage.core.routing.rules import Routing, check_routing
from moorage.core.validation.validate import validate
from tests.core.test_routing import split

CONFIG = {"model": "openai/my-gpt", "model_type": "chat", "provider": "openai"}


def problems(*rules: Any) -> list[tuple[str, str]]:
    value, report = validate(list(rules), Routing)
    if not report.problems:
        check_routing(msgspec.convert(value, Routing), ["default", "new", "small"], report, "routing")
    return [(problem.path, problem.message) for problem in report.problems]


@pytest.mark.parametrize(
    ("rule", "path", "message"),
    [
        ({"variant": "smal"}, "[0].variant", "must be one of default, new, small; got 'smal'. Did you mean 'small'?"),
        ({"variant": "x"}, "[0].variant", "must be one of default, new, small; got 'x'"),
        ({"when": {"age": {"ge": 1}}}, "[0].when.age.ge", "is an unknown field. Did you mean 'gte'?"),
        (
            {"when": {"age": {"between": 1}}},
            "[0].when.age.between",
            f"is an unknown field; the fields are {', '.join(OPERATORS)}",
        ),
        (
            {"when": {"age": 5}},
            "[0].when.age",
            'must be an object of operators such as {"eq": 5}, not a number',
        ),
        ({"when": {"age": {}}}, "[0].when.age", f"must have at least one operator: {', '.join(OPERATORS)}"),
        (
            {"when": {"age": {"eq": None}}},
            "[0].when.age.eq",
            'must not be null; use {"exists": false} to test for a missing attribute',
        ),
        (
            {"when": {"age": {"gt": "old"}}},
            "[0].when.age.gt",
            'must be a number or a date such as "2026-03-01" or "2026-03-01T09:30:00Z"',
        ),
        ({"when": {"age": {"in": []}}}, "[0].when.age.in", "must not be empty"),
        ({"when": {"age": {"in": [1] * 1_001}}}, "[0].when.age.in", "must have at most 1000 items; got 1001"),
        ({"when": {"age": {"in": "NLD"}}}, "[0].when.age.in", "must be an array, not a string"),
        (
            {"when": {"c": {"in": [False, "BE"]}}},
            "[0].when.c.in",
            'must have items of one type; got [false, "BE"]. In YAML, put strings such as NO in quotes',
        ),
        ({"when": {"age": {"exists": "yes"}}}, "[0].when.age.exists", "must be true or false, not a string"),
        ({"when": {"age": {"starts_with": 1}}}, "[0].when.age.starts_with", "must be a string, not a number"),
        ({"when": {"a" * 257: {"eq": 1}}}, f"[0].when.{'a' * 257}", "must be at most 256 characters long; got 257"),
        ({"when": {f"a{n}": {"eq": 1} for n in range(101)}}, "[0].when", "must have at most 100 fields; got 101"),
        ({"split": {"percent": 20}}, "[0].split.by", "is required"),
        (
            {"split": {"by": "u", "percent": 101}},
            "[0].split.percent",
            "must be a number with at most 2 decimals from 0 to 100",
        ),
        (
            {"split": {"by": "u", "percent": 33.333}},
            "[0].split.percent",
            "must be a number with at most 2 decimals from 0 to 100",
        ),
        (
            {"split": {"by": "u", "percent": "20"}},
            "[0].split.percent",
            "must be a number with at most 2 decimals from 0 to 100, not a string",
        ),
    ],
)
def test_an_invalid_rule_is_reported_with_its_path(rule: dict[str, Any], path: str, message: str) -> None:
    found = problems({"variant": "new", **rule})

    assert [(where.removeprefix("routing"), text) for where, text in found] == [(path, message)]


def test_a_table_has_at_most_100_rules() -> None:
    rule = {"variant": "new", "when": {"a": {"eq": 1}}}

    assert problems(*[rule] * 100) == []
    assert problems(*[rule] * 101) == [("", "must have at most 100 items; got 101")]


def test_an_unreachable_rule_is_rejected() -> None:
    always, other = {"variant": "new"}, {"variant": "small", "when": {"a": {"eq": 1}}}

    assert problems(other, always) == []
    assert problems(always, other) == [
        ("routing[1]", "is unreachable, because routing[0] matches every request; move it up or remove it")
    ]
    assert problems(split("new", 100), other) == []


def test_splits_with_equal_conditions_are_at_most_100_percent() -> None:
    when: dict[str, Any] = {"a": {"eq": 1}, "b": {"eq": 2}}
    reordered: dict[str, Any] = {"b": {"eq": 2}, "a": {"eq": 1}}

    assert problems(split("new", 60, **when), split("small", 40, **reordered)) == []
    assert problems(split("new", 60), split("small", 60, **when), split("small", 60, by="team")) == []
    assert problems(split("new", 60, **when), split("small", 40.01, **reordered)) == [
        (
            "routing[1].split.percent",
            "the splits by 'user_id' with this `when` add up to 100.01 percent; the maximum is 100",
        )
    ]


def variant_problems(*variants: dict[str, Any]) -> list[tuple[str, str]]:
    value, report = validate(list(variants), Variants)
    if not report.problems:
        check_variants(msgspec.convert(value, Variants), report)
    return [(problem.path, problem.message) for problem in report.problems]


def test_a_variant_can_have_all_fields_of_a_deployment() -> None:
    variant = {
        "name": "new",
        "prompt_config": CONFIG,
        "variables": [{"key": "customer", "value": "guest"}],
        "settings": {
            "engine": "mustache", "missing_inputs": "error", "cache": {"enabled": True, "type": "exact", "ttl": 60},
            "guardrails": [{"id": "g", "execute_on": "both", "sample_rate": 50}], "guardrailBehaviour": "retry",
        },
        "fallbacks": [CONFIG],
        "retry_count": 3,
    }  # fmt: skip

    assert variant_problems(variant) == []


@pytest.mark.parametrize(
    ("field", "path", "message"),
    [
        ({"name": "a b"}, "[0].name", None),
        ({"retry_count": 1.5}, "[0].retry_count", "must be a whole number from 0 to 10"),
        ({"retry_count": 11}, "[0].retry_count", "must be a whole number from 0 to 10"),
        ({"settings": {"engine": "erb"}}, "[0].settings.engine", None),
        ({"settings": {"cache": {"enabled": True, "type": "exact"}}}, "[0].settings.cache.ttl", None),
        (
            {"settings": {"cache": {"enabled": True, "type": "semantic", "ttl": 60}}},
            "[0].settings.cache.type",
            "must be `exact`: semantic caches are not available",
        ),
        (
            {"settings": {"cache": {"enabled": True, "type": "exact", "ttl": 0}}},
            "[0].settings.cache.ttl",
            "must be more than 0 seconds; got 0",
        ),
        ({"fallbacks": [{**CONFIG, "messages": []}]}, "[0].fallbacks[0].messages", None),
        ({"fallbacks": [CONFIG] * 11}, "[0].fallbacks", "must have at most 10 items; got 11"),
    ],
)
def test_an_invalid_variant_is_reported_with_its_path(field: dict[str, Any], path: str, message: str | None) -> None:
    found = variant_problems({"name": "new", "prompt_config": CONFIG, **field})

    assert [where for where, _ in found] == [path]
    assert message in (None, found[0][1])


def test_variant_names_are_unique_and_not_default() -> None:
    variants = [{"name": name, "prompt_config": CONFIG} for name in ("new", "default", "new")]

    assert variant_problems(*variants) == [
        ("variants[1].name", "is the name of the default variant; choose another"),
        ("variants[2].name", "is already the name of variants[0]; choose another"),
    ]
    many = [{"name": f"v{number}", "prompt_config": CONFIG} for number in range(51)]
    assert variant_problems(*many) == [("", "must have at most 50 items; got 51")]
