"""The compatibility of a new version with the callers of the live version."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.compatibility.contract import Contract, contract_changes
from moorage.core.deployments.prompt_config import Tool, Variable
from moorage.core.validation.validate import validate

Found = list[tuple[str, str, bool]]


def contract(*names: str, tools: list[dict[str, Any]] | None = None, **defaults: Any) -> Contract:
    """Return a contract with names in messages, and declared variables with their defaults."""
    variables = [Variable(key, value) for key, value in defaults.items()]
    return Contract({*names, *defaults}, variables, msgspec.convert(tools or [], list[Tool]))


def strict(live: Contract) -> Contract:
    """Return the same contract, but it rejects requests without an input for a name that has no default."""
    defaults = {variable.key for variable in live.variables if variable.value is not None}
    return msgspec.structs.replace(live, rejected=live.names - defaults)


def tool(name: str = "find", required: tuple[str, ...] = (), about: str = "", **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    function = {"name": name, "description": about, "parameters": parameters}
    return {"type": "function", "function": function}


def found(live: Contract, new: Contract) -> Found:
    return [(change.kind, change.path, change.is_breaking) for change in contract_changes(live, new)]


def of_argument(before: Any, after: Any) -> Found:
    return found(contract(tools=[tool(order=before)]), contract(tools=[tool(order=after)]))


# Variables


@pytest.mark.parametrize(
    ("live", "new", "expected"),
    [
        (contract("customer"), contract(), [("variable_removed", "variables.customer", True)]),
        (contract(customer="x"), contract(), [("variable_removed", "variables.customer", True)]),
        (contract("customer"), contract("customer_name"), [("variable_renamed", "variables.customer", True)]),
        (
            contract("customer"),
            contract("tone"),
            [("variable_removed", "variables.customer", True), ("variable_required", "variables.tone", True)],
        ),
        (contract(), contract("tone"), [("variable_required", "variables.tone", True)]),
        (contract(), contract(tone="kind"), [("variable_added", "variables.tone", False)]),
        (contract(), contract(tone=None), [("variable_required", "variables.tone", True)]),
        (contract(tone="kind"), contract("tone"), [("variable_required", "variables.tone", True)]),
        (contract("tone"), strict(contract("tone")), [("variable_required", "variables.tone", True)]),
        (contract(tone="kind"), strict(contract("tone")), [("variable_required", "variables.tone", True)]),
        (contract(tone="kind"), strict(contract(tone="kind")), []),
        (strict(contract("tone")), strict(contract("tone")), []),
        (strict(contract("tone")), contract("tone"), []),
        (contract("tone"), contract(tone="kind"), [("variable_optional", "variables.tone", False)]),
        (contract(tone="kind"), contract(tone="short"), [("variable_default_changed", "variables.tone", False)]),
        (contract(tone="kind"), contract(tone={"a": 1}), [("variable_type_changed", "variables.tone", True)]),
        (contract(count=1), contract(count=True), [("variable_type_changed", "variables.count", True)]),
        (contract(count=1), contract(count=1.5), [("variable_default_changed", "variables.count", False)]),
        (contract(count=1), contract(count="1"), [("variable_type_changed", "variables.count", True)]),
        (contract("a", tone="kind"), contract("a", tone="kind"), []),
    ],
)
def test_a_changed_variable_is_reported_with_its_kind_and_path(live: Contract, new: Contract, expected: Found) -> None:
    assert found(live, new) == expected


def test_a_changed_description_is_not_breaking() -> None:
    live, new = (Contract({"tone"}, [Variable("tone", "x", description=text)]) for text in ("How", "How to speak"))

    assert found(live, new) == [("variable_described", "variables.tone", False)]


def test_an_unused_declared_variable_is_not_part_of_the_contract() -> None:
    declared = Contract(set(), [Variable("tone", "x")])

    assert found(declared, contract()) == []
    assert found(contract(), declared) == []
    assert found(contract("tone"), declared) == [("variable_removed", "variables.tone", True)]


def test_a_name_is_renamed_to_at_most_one_other() -> None:
    kinds = [kind for kind, _, _ in found(contract("name_1", "name_2"), contract("name_3"))]

    assert kinds == ["variable_renamed", "variable_removed"]


def test_the_message_names_the_new_input() -> None:
    changes = contract_changes(contract("customer"), contract("customer_name"))

    assert [change.message for change in changes] == [
        "customer was renamed to customer_name: callers that send customer must send customer_name instead."
    ]


# Tools

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("live", "new", "expected"),
    [
        ([tool()], [], [("tool_removed", "tools.find", True)]),
        ([], [tool()], [("tool_added", "tools.find", True)]),
        ([tool()], [tool(about="Finds")], [("tool_described", "tools.find", False)]),
        ([tool(order=TEXT)], [tool()], [("argument_removed", "tools.find.order", True)]),
        ([tool()], [tool(order=TEXT)], [("argument_added", "tools.find.order", False)]),
        ([tool()], [tool("find", ("order",), order=TEXT)], [("argument_required", "tools.find.order", True)]),
        (
            [tool(order=TEXT)],
            [tool("find", ("order",), order=TEXT)],
            [("argument_required", "tools.find.order", True)],
        ),
        (
            [tool("find", ("order",), order=TEXT)],
            [tool(order=TEXT)],
            [("argument_optional", "tools.find.order", True)],
        ),
        ([tool("a"), tool("b")], [tool("b"), tool("a")], []),
        (
            [tool("find", ("a", "b"), a=TEXT, b=TEXT)],
            [tool("find", ("b", "a"), b=TEXT, a=TEXT)],
            [],
        ),
    ],
)
def test_a_changed_tool_is_reported_with_its_kind_and_path(
    live: list[dict[str, Any]], new: list[dict[str, Any]], expected: Found
) -> None:
    assert found(contract(tools=live), contract(tools=new)) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (TEXT, {"type": "integer"}, ("argument_type_changed", "tools.find.order", True)),
        (TEXT, {"type": ["string", "null"]}, ("argument_type_changed", "tools.find.order", True)),
        (TEXT, {}, ("argument_type_changed", "tools.find.order", True)),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, ("argument_values_changed", "tools.find.order", True)),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, ("argument_values_changed", "tools.find.order", True)),
        ({"enum": ["a"]}, {}, ("argument_values_changed", "tools.find.order", True)),
        (TEXT, {**TEXT, "pattern": "^a"}, ("argument_rule_changed", "tools.find.order", True)),
        (TEXT, {**TEXT, "description": "Which"}, ("argument_described", "tools.find.order", False)),
        (
            {"type": "object", "properties": {"street": TEXT}},
            {"type": "object", "properties": {}},
            ("argument_removed", "tools.find.order.street", True),
        ),
        (
            {"type": "array", "items": TEXT},
            {"type": "array", "items": {"type": "number"}},
            ("argument_type_changed", "tools.find.order[]", True),
        ),
        ({"type": "array"}, {"type": "array", "items": TEXT}, ("argument_rule_changed", "tools.find.order[]", True)),
        ({"type": ["string", "null"]}, {"type": ["null", "string"]}, None),
        ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}, None),
    ],
)
def test_a_changed_argument_is_reported_with_its_kind_and_path(
    before: Any, after: Any, expected: tuple[str, str, bool] | None
) -> None:
    assert of_argument(before, after) == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (TEXT, {"type": "integer"}, "tools.find.order was string and is now integer."),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, 'tools.find.order can no longer be "b".'),
        ({"enum": ["a"]}, {"enum": ["c"]}, 'tools.find.order can no longer be "a" and can now be "c".'),
        ({"enum": ["a"]}, {}, "tools.find.order now accepts any value."),
        (
            TEXT,
            {**TEXT, "pattern": "^a", "maxLength": 3},
            "The rules of tools.find.order have changed: maxLength, pattern.",
        ),
    ],
)
def test_a_message_names_the_argument_and_the_change(before: Any, after: Any, message: str) -> None:
    live, new = contract(tools=[tool(order=before)]), contract(tools=[tool(order=after)])

    assert [change.message for change in contract_changes(live, new)] == [message]


def test_breaking_changes_come_first() -> None:
    changes = found(contract(a="x"), contract("b", a="y"))

    assert [is_breaking for _, _, is_breaking in changes] == [True, False]


# Properties of all contracts

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
words = st.sampled_from(["type", "properties", "items", "required", "enum", "description", "a", "b"])
schemas = st.recursive(
    any_json, lambda inner: st.dictionaries(words, inner, max_size=4) | st.lists(inner, max_size=2), max_leaves=12
)


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    names = draw(st.sets(st.sampled_from(["customer", "customer_name", "tone"])))
    declared = draw(st.dictionaries(st.sampled_from(["customer", "customer_name", "tone"]), any_json))
    arguments = draw(st.dictionaries(st.sampled_from(["order", "user"]), schemas, max_size=2))
    tools, report = validate([tool("find", (), "", **arguments)], list[Tool])
    assert not report.problems
    return Contract(names, [Variable(*item) for item in declared.items()], msgspec.convert(tools, list[Tool]))


@given(contracts())
def test_a_contract_has_no_changes_to_itself(same: Contract) -> None:
    assert contract_changes(same, same) == []


@given(contracts(), contracts())
def test_any_two_contracts_can_be_compared(one: Contract, other: Contract) -> None:
    changes = contract_changes(one, other)

    assert all(change.message.endswith(".") for change in changes)
    if one.names - other.names:
        assert any(change.is_breaking for change in changes)
