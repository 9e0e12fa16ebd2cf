"""Contexts: the valid values, and their normalization."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.routing.context import MAX_ATTRIBUTES, MAX_ITEMS, MAX_NAME, MAX_TEXT, is_plain, read_context
from moorage.core.times import find_moment
from moorage.core.validation.validate import Report


def read(value: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    report = Report()
    context = read_context(value, report)
    return context, [(problem.path, problem.message) for problem in report.problems]


@pytest.mark.parametrize(
    "context",
    [
        {},
        {
            "admin": True,
            "age": 3,
            "score": 0.5,
            "country": "NLD",
            "since": "2026-03-01",
            "tags": ["a", 1, False],
            "x": [],
        },
        {"n" * MAX_NAME: "x" * MAX_TEXT, "list": [1] * MAX_ITEMS},
        {f"a{number}": number for number in range(MAX_ATTRIBUTES)},
        {"large": 10**308},
    ],
)
def test_valid_attributes_are_unchanged(context: dict[str, Any]) -> None:
    assert read(context) == (context, [])


def test_an_omitted_context_is_empty() -> None:
    assert read(None) == ({}, [])


def test_a_null_attribute_is_missing() -> None:
    assert read({"country": None, "age": 3}) == ({"age": 3}, [])


def test_environments_as_a_string_and_as_a_list_of_one_are_the_same() -> None:
    assert read({"environments": ["staging"]}) == read({"environments": "staging"})
    assert read({"environments": ["staging", "eu"]})[0] == {"environments": ["staging", "eu"]}
    assert read({"environments": []})[0] == {"environments": []}
    assert read({"tags": ["staging"]})[0] == {"tags": ["staging"]}


@pytest.mark.parametrize(
    ("context", "path", "message"),
    [
        ("staging", "context", "must be an object of attributes, not a string"),
        ([], "context", "must be an object of attributes, not an array"),
        (
            {"user": {"id": 1}},
            "context.user",
            "must be true or false, a number, a string or a list of those, not an object",
        ),
        (
            {"a b": [["x"]]},
            'context["a b"]',
            "item [0] must be true or false, a number, a string or a list of those, not an array",
        ),
        ({"tags": ["x", None]}, "context.tags", None),
        ({"": 1}, "context", 'must have attribute names of 1 to 256 characters; got ""'),
        ({"n" * 257: 1}, "context", None),
        ({"text": "x" * 10_001}, "context.text", "must be at most 10000 characters long; got 10001"),
        ({"list": [1] * 1_001}, "context", "must have at most 1000 items in all its lists; got 1001"),
        (
            {f"list{n}": [1] * 101 for n in range(10)},
            "context",
            "must have at most 1000 items in all its lists; got 1010",
        ),
        ({f"a{number}": number for number in range(101)}, "context", "must have at most 100 attributes; got 101"),
        ({"large": 10**309}, "context.large", "must fit into a double"),
        ({"score": float("nan")}, "context.score", "must be a finite number"),
    ],
)
def test_an_invalid_context_is_reported_with_its_path(context: Any, path: str, message: str | None) -> None:
    _, problems = read(context)

    assert [found for found, _ in problems] == [path]
    if message:
        assert problems[0][1] == message


def test_all_problems_are_reported_and_valid_attributes_returned() -> None:
    context, problems = read({"a": {}, "b": 1, "c": [{}]})

    assert context == {"b": 1}
    assert [path for path, _ in problems] == ["context.a", "context.c"]


_names = st.sampled_from(["environments", "a", "", "n" * MAX_NAME, "n" * (MAX_NAME + 1)])
_values = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(), st.text(),
    st.sampled_from(["t" * MAX_TEXT, "t" * (MAX_TEXT + 1), 2**53, 10**400, ["staging"], [1, {}], {}]),
)  # fmt: skip


@given(st.dictionaries(_names, _values))
def test_a_plain_context_is_valid_and_unchanged(context: dict[str, Any]) -> None:
    if is_plain(context):
        more = {**context, "more": [1]}  # not plain
        assert read(context) == (context, [])
        assert read(more) == (more, [])


@pytest.mark.parametrize("value", ["text", 1, True, -(2**53) + 1])
def test_most_contexts_are_plain(value: Any) -> None:
    assert is_plain({f"a{number}": value for number in range(MAX_ATTRIBUTES)})
    assert not is_plain({f"a{number}": value for number in range(MAX_ATTRIBUTES + 1)})


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00", 0),
        ("1970-01-02T01:00:00+01:00", 86_400_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("0001-01-01T00:00:00+14:00", -62_135_647_200_000_000),
    ],
)
def test_a_date_is_converted_to_microseconds(text: str, us: int) -> None:
    assert find_moment(text) == us


@pytest.mark.parametrize(
    "text",
    ["", "20260301", "2026-3-1", "2026-02-30", "0000-01-01", "2026-W10-1", "2026-03-01 ", "2026-03-01T",
     "2026-03-01T25:00", "2026-03-01T10:00:00+25:00", "\u0662026-03-01", "2026-03-01\n", "soon", "2026"],
)  # fmt: skip
def test_other_strings_are_not_dates(text: str) -> None:
    assert find_moment(text) is None
