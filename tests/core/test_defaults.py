"""The default values of omitted inputs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from moorage.core.deployments.defaults import Defaults
from moorage.core.deployments.prompt_config import Variable
from moorage.core.templates.lookup import ABSENT, find, follow

Object = dict[str, Any]


def defaults(**values: Any) -> Defaults:
    return Defaults([Variable(key.replace("__", "."), value) for key, value in values.items()])


@pytest.mark.parametrize(
    ("declared", "sent", "inputs"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": 2, "b": 3}, {"a": 2, "b": 3}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": None}, {}, {}),
        ({"a": UNSET}, {}, {}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {}}),
        ({"a__b": 1}, {}, {"a": {"b": 1}}),
        ({"a__b": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a__b": 1}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a__b": 1}, {"a": {"b": None}}, {"a": {"b": None}}),
        ({"a__b__c": 1, "a__b__d": 2, "a__e": 3}, {"a": {"b": {"d": 4}}}, {"a": {"b": {"c": 1, "d": 4}, "e": 3}}),
        ({"a__b": 1, "a": {"c": 2}}, {}, {"a": {"b": 1, "c": 2}}),
        ({"a__b": 1, "a": {"b": 2}}, {}, {"a": {"b": 2}}),
        ({"a__b__c": 1, "a__b": 2}, {}, {"a": {"b": 2}, "a.b.c": 1}),
        ({"a__0": 1}, {"a": [5]}, {"a": [5]}),
        ({"a__b": 1}, {"a": "text"}, {"a": "text", "a.b": 1}),
        ({"a__b": 1}, {"a.b": 2}, {"a": {"b": 1}, "a.b": 2}),
    ],
    ids=str,
)
def test_defaults_are_used_for_omitted_inputs(declared: Object, sent: Object, inputs: Object) -> None:
    before = repr(sent)

    assert defaults(**declared).merge(sent) == inputs
    assert repr(sent) == before, "`merge` must not change the inputs of the caller"


def test_fields_have_the_order_of_their_declaration() -> None:
    """Every process must render the same bytes."""
    names = [f"a.{letter}" for letter in "qwertyuiopasdfgh"]

    values = Defaults([Variable(name, 1) for name in names]).values

    assert [f"a.{field}" for field in values["a"]] == names


def test_get_returns_the_default_of_a_name_or_a_path() -> None:
    declared = defaults(a={"b": [1, 2]}, c__d=3)

    assert [declared.get(name) for name in ("a", "a.b.1", "c.d", "c", "e", "a.e")] == [
        {"b": [1, 2]}, 2, 3, {"d": 3}, None, None
    ]  # fmt: skip


names = st.lists(st.sampled_from(["a", "b", "0"]), min_size=1, max_size=3).map(".".join)
values = st.recursive(
    st.integers(0, 3) | st.none() | st.text("xy", max_size=1),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "0"]), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(names, values, max_size=5), st.dictionaries(names, values, max_size=4), names)
def test_no_default_hides_an_input_and_every_default_is_used(declared: Object, sent: Object, name: str) -> None:
    inputs = Defaults([Variable(*item) for item in declared.items()]).merge(sent)

    if (value := find(name, sent)) is not ABSENT and not _is_added_to(name, declared):
        assert find(name, inputs) == value
    elif value is ABSENT and declared.get(name) is not None:
        assert find(name, inputs) is not ABSENT
    path = name.split(".")
    if (value := follow(path, sent)) is not ABSENT and not _is_added_to(name, declared):
        assert follow(path, inputs) == value


def _is_added_to(name: str, declared: Object) -> bool:
    """Return whether a default adds a field to the value of a name."""
    return any(key.startswith(f"{name}.") for key in declared)
