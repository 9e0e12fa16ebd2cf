"""Conditions: the operators of a rule for one attribute. All of them must hold.

A value is a boolean, a number, a string or a list, and is only ever compared with its own kind: `1` is not `"1"` and
not `true`, but it is `1.0`. Two strings that are both dates (ISO 8601) are compared as points in time. A value of
another kind than the operator takes does not match, and a missing attribute matches nothing but `exists: false`.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.routing.context import MAX_ITEMS, MAX_TEXT, kind_of
from moorage.core.times import find_moment
from moorage.core.validation.bounds import Number
from moorage.core.validation.strict_json import join
from moorage.core.validation.validate import DROP, Report, name_of, shown

Scalar = bool | int | float | str


def _operand(value: Any, path: str, report: Report) -> Any:
    """A list of two kinds is a mistake: in YAML, `[NO, BE]` is `[false, "BE"]`."""
    items = value if isinstance(value, list) else [value]
    if len({kind_of(item) for item in items}) > 1:
        report.problem(
            path, f"must have items of one type; got {shown(value)}. In YAML, put texts such as NO in quotes"
        )
    if any(isinstance(item, str) and len(item) > MAX_TEXT for item in items):
        report.problem(path, f"must have texts of at most {MAX_TEXT} characters")
    return value


def _ordered(value: Any, path: str, report: Report) -> Any:
    if kind_of(value) != "a number" and not (isinstance(value, str) and find_moment(value) is not None):
        report.problem(path, 'must be a number or a date such as "2026-03-01" or "2026-03-01T09:30:00Z"')
        return DROP
    return value


def _choices(value: Any, path: str, report: Report) -> Any:
    if value == []:
        report.problem(path, "must not be empty")
    return _operand(value, path, report)


_ANY = {"rewrite": _operand}
_CHOICES = {"rewrite": _choices}
_ORDER = {"rewrite": _ordered}


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The conditions for an attribute: every operator present must hold."""

    eq: (
        Annotated[
            Scalar | list[Scalar], Meta(description="It is this; a list: with the same items in order.", extra=_ANY)
        ]
        | UnsetType
    ) = UNSET
    ne: (
        Annotated[Scalar | list[Scalar], Meta(description="It is there, of this kind, and is not this.", extra=_ANY)]
        | UnsetType
    ) = UNSET
    in_: (
        Annotated[
            list[Scalar],
            Meta(
                max_length=MAX_ITEMS,
                description="It is one of these; of a list, at least one item is.",
                extra=_CHOICES,
            ),
        ]
        | UnsetType
    ) = msgspec.field(default=UNSET, name="in")
    nin: (
        Annotated[
            list[Scalar],
            Meta(
                max_length=MAX_ITEMS,
                description="It is there, of this kind, and none of these; of a list, no item is.",
                extra=_CHOICES,
            ),
        ]
        | UnsetType
    ) = UNSET
    gt: Annotated[Number | str, Meta(description="It is above, or later.", extra=_ORDER)] | UnsetType = UNSET
    gte: Annotated[Number | str, Meta(description="`gt`, or equal.", extra=_ORDER)] | UnsetType = UNSET
    lt: Annotated[Number | str, Meta(description="It is below, or earlier.", extra=_ORDER)] | UnsetType = UNSET
    lte: Annotated[Number | str, Meta(description="`lt`, or equal.", extra=_ORDER)] | UnsetType = UNSET
    exists: Annotated[bool, Meta(description="Whether it is there; null is not.")] | UnsetType = UNSET
    contains: (
        Annotated[Scalar, Meta(description="It is a text with this in it, or a list with this item.", extra=_ANY)]
        | UnsetType
    ) = UNSET
    starts_with: (
        Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, description="It is a text that begins so.")] | UnsetType
    ) = UNSET


#: The operators, by the names they have in JSON.
OPERATORS = Condition.__struct_encode_fields__


def check_condition(value: Any, path: str, report: Report) -> Any:
    """The rule of a cell as a whole, for `moorage.core.validation.validate`: it is an object with an operator in it."""
    if not isinstance(value, dict):
        report.problem(path, f'must be an object of operators such as {{"eq": {shown(value)}}}, not {name_of(value)}')
        return DROP
    if not value:
        report.problem(path, f"must have at least one operator: {', '.join(OPERATORS)}")
    for name in [name for name, operand in value.items() if operand is None]:
        # An optional null is dropped elsewhere; here the rule would match requests that it was not meant for.
        report.problem(join(path, name), 'must not be null; use {"exists": false} to test for a missing attribute')
    return value
