"""Context: the attributes of a request that routing uses.

A value is a boolean, a number, a string (a date is a string in ISO 8601), or a list of those. The limits are far above
the needs of a rule, so that a mistake is reported.
"""

import math
from collections.abc import Mapping
from typing import Any

from moorage.core.validation.json_path import join
from moorage.core.validation.messages import name_of, shown
from moorage.core.validation.validate import Report

MAX_ATTRIBUTES = 100
MAX_NAME = 256
MAX_TEXT = 10_000
MAX_ITEMS = 1_000  # of all lists together: each rule may compare each item

Context = dict[str, Any]

_KINDS = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}


def kind_of(value: Any) -> str | None:
    """Return the kind of an attribute's value, or `None` if the type is not allowed."""
    return _KINDS.get(type(value))


def is_plain(context: Mapping[str, Any]) -> bool:
    """Return whether a context needs no further checks: short strings, whole numbers below 2**53, booleans."""
    if len(context) > MAX_ATTRIBUTES:
        return False
    for name, attribute in context.items():
        kind = type(attribute)
        if kind is str:
            if len(attribute) > MAX_TEXT:
                return False
        elif kind is not bool and (kind is not int or not -(2**53) < attribute < 2**53):
            return False
        if not 0 < len(name) <= MAX_NAME:
            return False
    return True


def read_context(value: Any, report: Report, path: str = "context") -> Context:
    """Return the attributes of a parsed `context`, and add its problems to the report.

    A null attribute is treated as missing. `environments` as a list of one item becomes that item: older SDKs send
    `["staging"]`, newer ones `"staging"`.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        report.problem(path, f"must be an object of attributes, not {name_of(value)}")
        return {}
    if is_plain(value):
        return value
    if (problem := _size_problem(value)) is not None:
        report.problem(path, problem)
        return {}
    context: Context = {}
    for name, attribute in value.items():
        if attribute is None:
            continue
        if not 0 < len(name) <= MAX_NAME:
            report.problem(path, f"must have attribute names of 1 to {MAX_NAME} characters; got {shown(name)}")
        elif (problem := _attribute_problem(attribute)) is not None:
            report.problem(join(path, name), problem)
        else:
            context[name] = attribute
    environments = context.get("environments")
    if isinstance(environments, list) and len(environments) == 1:
        context["environments"] = environments[0]
    return context


def count_items(context: Mapping[str, Any]) -> int:
    """Return the total number of items in its lists."""
    return sum(len(attribute) for attribute in context.values() if isinstance(attribute, list))


def _size_problem(value: Mapping[str, Any]) -> str | None:
    if len(value) > MAX_ATTRIBUTES:
        return f"must have at most {MAX_ATTRIBUTES} attributes; got {len(value)}"
    items = count_items(value)
    return f"must have at most {MAX_ITEMS} items in all its lists; got {items}" if items > MAX_ITEMS else None


def _attribute_problem(attribute: Any) -> str | None:
    if not isinstance(attribute, list):
        return _scalar_problem(attribute)
    for index, item in enumerate(attribute):
        if (problem := _scalar_problem(item)) is not None:
            return f"item [{index}] {problem}"
    return None


def _scalar_problem(value: Any) -> str | None:
    if isinstance(value, str):
        return f"must be at most {MAX_TEXT} characters long; got {len(value)}" if len(value) > MAX_TEXT else None
    if isinstance(value, int):
        return "must fit into a double" if abs(value) >= 2**1024 else None
    if isinstance(value, float):
        return None if math.isfinite(value) else "must be a finite number"
    return f"must be true or false, a number, a string or a list of those, not {name_of(value)}"
