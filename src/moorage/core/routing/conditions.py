"""Conditions: the operators of a rule for one attribute. All of them must hold.

A value is a boolean, a number, a string or a list. It is compared only with values of its kind: `1` equals `1.0`, but
not `"1"` or `true`. Two strings that are dates (ISO 8601) are compared as points in time. A value of a kind that the
operator does not accept does not match. A missing attribute matches only `exists: false`.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.routing.context import MAX_ITEMS, MAX_TEXT, kind_of
from moorage.core.times import find_moment
from moorage.core.validation.bounds import Number
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.messages import name_of, shown
from moorage.core.validation.validate import DROP, Report

Scalar = bool | int | float | str


def _operand(value: Any, path: JsonPath, report: Report) -> Any:
    """Reject a list of two kinds, which is a mistake: in YAML 1.1, `[NO, BE]` is `[false, "BE"]`."""
    items = value if isinstance(value, list) else [value]
    if len({kind_of(item) for item in items}) > 1:
        report.problem(
            path, f"must have items of one type; got {shown(value)}. In YAML, put strings such as NO in quotes"
        )
    if any(isinstance(item, str) and len(item) > MAX_TEXT for item in items):
        report.problem(path, f"must have strings of at most {MAX_TEXT} characters")
    return value


def _ordered(value: Any, path: JsonPath, report: Report) -> Any:
    if kind_of(value) != "a number" and not (isinstance(value, str) and find_moment(value) is not None):
        report.problem(path, 'must be a number or a date such as "2026-03-01" or "2026-03-01T09:30:00Z"')
        return DROP
    return value


def _choices(value: Any, path: JsonPath, report: Report) -> Any:
    if value == []:
        report.problem(path, "must not be empty")
    return _operand(value, path, report)


_ANY = {"normalize": _operand}
_CHOICES = {"normalize": _choices}
_ORDER = {"normalize": _ordered}


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The conditions for an attribute: every operator present must hold."""

    eq: (
        Annotated[
            Scalar | list[Scalar], Meta(description="Equals this; of a list, the same items in order.", extra=_ANY)
        ]
        | UnsetType
    ) = UNSET
    ne: (
        Annotated[
            Scalar | list[Scalar], Meta(description="Is present, of this kind, and does not equal this.", extra=_ANY)
        ]
        | UnsetType
    ) = UNSET
    in_: (
        Annotated[
            list[Scalar],
            Meta(
                max_length=MAX_ITEMS,
                description="Is one of these; of a list, at least one item is.",
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
                description="Is present, of this kind, and none of these; of a list, no item is.",
                extra=_CHOICES,
            ),
        ]
        | UnsetType
    ) = UNSET
    gt: Annotated[Number | str, Meta(description="Is greater, or later.", extra=_ORDER)] | UnsetType = UNSET
    gte: Annotated[Number | str, Meta(description="Is greater or later, or equal.", extra=_ORDER)] | UnsetType = UNSET
    lt: Annotated[Number | str, Meta(description="Is less, or earlier.", extra=_ORDER)] | UnsetType = UNSET
    lte: Annotated[Number | str, Meta(description="Is less or earlier, or equal.", extra=_ORDER)] | UnsetType = UNSET
    exists: Annotated[bool, Meta(description="Whether it is present; null counts as missing.")] | UnsetType = UNSET
    contains: (
        Annotated[Scalar, Meta(description="Is a string that contains this, or a list with this item.", extra=_ANY)]
        | UnsetType
    ) = UNSET
    starts_with: (
        Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, description="Is a string that starts with this.")]
        | UnsetType
    ) = UNSET


#: The names of the operators in JSON.
OPERATORS = Condition.__struct_encode_fields__


def check_condition(value: Any, path: JsonPath, report: Report) -> Any:
    """Validate a condition as a whole: an object with at least one operator."""
    if not isinstance(value, dict):
        report.problem(path, f'must be an object of operators such as {{"eq": {shown(value)}}}, not {name_of(value)}')
        return DROP
    if not value:
        report.problem(path, f"must have at least one operator: {', '.join(OPERATORS)}")
    for name in [name for name, operand in value.items() if operand is None]:
        # Elsewhere an optional null is dropped; here the rule would then match unintended requests.
        report.problem(path / name, 'must not be null; use {"exists": false} to test for a missing attribute')
    return value
