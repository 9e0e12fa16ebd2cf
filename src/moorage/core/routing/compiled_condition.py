"""Compiled conditions: the operators of a rule for one attribute, with an explanation of the result."""

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET

from moorage.core.routing.conditions import OPERATORS, Condition, Scalar
from moorage.core.routing.context import kind_of
from moorage.core.times import find_moment
from moorage.core.validation.bounds import Number
from moorage.core.validation.messages import shown

Predicate = Callable[[Any], bool]

_NUMBERS = frozenset({int, float})


class CompiledCondition(msgspec.Struct, frozen=True):
    """One operator for an attribute: `holds(value)`; the value of a missing attribute is `None`."""

    attribute: str
    operator: str
    operand: Any
    holds: Predicate

    def explanation(self, value: Any) -> str:
        """Return the reason why it holds, or does not, for this value."""
        if self.operator == "exists":
            return f"{self.attribute} is {'missing' if value is None else 'present'}"
        if value is None:
            return f"{self.attribute} is missing"
        subject = f"{self.attribute} is {shown(value)}, which"
        if not self.holds(value):
            takes = _takes(self.operator, self.operand)
            if kind_of(value) not in takes:
                return f"{subject} is not {' or '.join(sorted(takes))}"
            if self.operator in _ORDERS and isinstance(value, str) and find_moment(value) is None:
                return f"{subject} is not a date"
        phrase = _PHRASES[self.operator][0 if self.holds(value) else 1]
        return f"{subject} {phrase} {shown(self.operand)}"


def compile_conditions(attribute: str, condition: Condition) -> list[CompiledCondition]:
    """Compile the conditions for one attribute, in the order of the operators."""
    return [
        CompiledCondition(attribute, name, operand, _COMPILE[name](operand))
        for name, field in zip(OPERATORS, Condition.__struct_fields__, strict=True)
        if (operand := getattr(condition, field)) is not UNSET
    ]


def _takes(name: str, operand: Any) -> set[str]:
    """Return the kinds of value that the operator accepts."""
    if name in {"in", "nin"}:
        return {"a list"} | {kind for item in operand if (kind := kind_of(item))}
    if name == "contains":
        return {"a list", "a string"} if isinstance(operand, str) else {"a list"}
    return {kind for item in [operand] if (kind := kind_of(item))}


def _types_of(operand: Any) -> frozenset[type]:
    """Return the types that the operand is compared with. In Python, `True == 1`."""
    return frozenset({int, float} if type(operand) in {int, float} else {type(operand)})


def _eq(operand: Any) -> Predicate:
    if isinstance(operand, list):
        same = [_eq(item) for item in operand]
        return lambda value: (
            isinstance(value, list)
            and len(value) == len(same)
            and all(holds(item) for holds, item in zip(same, value, strict=True))
        )
    moment = find_moment(operand) if isinstance(operand, str) else None
    if moment is not None:
        return lambda value: isinstance(value, str) and find_moment(value) == moment
    if isinstance(operand, str):
        return partial(operator.eq, operand)
    types = _types_of(operand)
    return lambda value: type(value) in types and value == operand


def _ne(operand: Any) -> Predicate:
    same, types = _eq(operand), _types_of(operand)
    return lambda value: type(value) in types and not same(value)


def _one_of(operands: Sequence[Scalar]) -> Predicate:
    choices, types = frozenset(operands), _types_of(operands[0])  # all are of one kind
    moments = {find_moment(operand) for operand in operands if isinstance(operand, str)} - {None}
    if moments:
        return lambda value: isinstance(value, str) and (value in choices or find_moment(value) in moments)
    return lambda value: type(value) in types and value in choices


def _in(operands: Sequence[Scalar]) -> Predicate:
    accepts = _one_of(operands)
    return lambda value: any(map(accepts, value)) if type(value) is list else accepts(value)


def _nin(operands: Sequence[Scalar]) -> Predicate:
    accepts, types = _one_of(operands), _types_of(operands[0])
    return lambda value: (
        not any(map(accepts, value)) if type(value) is list else type(value) in types and not accepts(value)
    )


def _order(compare: Callable[[Any, Any], bool]) -> Callable[[Number | str], Predicate]:
    def compiled(operand: Number | str) -> Predicate:
        if isinstance(operand, str):
            bound = find_moment(operand)
            return lambda value: (
                isinstance(value, str) and (moment := find_moment(value)) is not None and compare(moment, bound)
            )
        return lambda value: type(value) in _NUMBERS and compare(value, operand)

    return compiled


def _exists(operand: bool) -> Predicate:  # noqa: FBT001 -- operands are given by position, whatever they are
    return lambda value: (value is not None) is operand


def _contains(operand: Scalar) -> Predicate:
    same = _eq(operand)
    return lambda value: (
        any(map(same, value))
        if isinstance(value, list)
        else isinstance(value, str) and isinstance(operand, str) and operand in value
    )


def _starts_with(operand: str) -> Predicate:
    return lambda value: isinstance(value, str) and value.startswith(operand)


_ORDERS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}

_COMPILE: dict[str, Callable[[Any], Predicate]] = {
    "eq": _eq, "ne": _ne, "in": _in, "nin": _nin, **{name: _order(compare) for name, compare in _ORDERS.items()},
    "exists": _exists, "contains": _contains, "starts_with": _starts_with,
}  # fmt: skip

#: The explanation if an operator holds, and if it does not.
_PHRASES = {
    "eq": ("equals", "does not equal"),
    "ne": ("does not equal", "equals"),
    "in": ("is in", "is not in"),
    "nin": ("is not in", "is in"),
    "gt": ("is above", "is not above"),
    "gte": ("is at least", "is below"),
    "lt": ("is below", "is not below"),
    "lte": ("is at most", "is above"),
    "contains": ("contains", "does not contain"),
    "starts_with": ("starts with", "does not start with"),
}
