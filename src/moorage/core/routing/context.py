"""Context: the facts about a call that routing chooses by, as `get_config` and `invoke` receive them.

An object of attributes. A value is true or false, a number, a string (a date is a string in ISO 8601), or a list of
those. The bounds are far above what a rule can use, so that a mistake is reported.
"""

import math
from collections.abc import Mapping
from typing import Any

from moorage.core.validation.strict_json import join
from moorage.core.validation.validate import Report, name_of, shown

MAX_ATTRIBUTES = 100
MAX_NAME = 256
MAX_TEXT = 10_000
MAX_ITEMS = 1_000  # of all lists together: each row of a table may look at each

Context = dict[str, Any]

_KINDS = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}


def kind_of(value: Any) -> str | None:
    """Return the kind of an attribute's value: `a boolean`, `a number`, `a string` or `a list`; `None` if it is
    none."""
    return _KINDS.get(type(value))


def is_plain(context: Mapping[str, Any]) -> bool:
    """Whether nothing is to be said of it or changed, as of most: short texts, whole numbers below 2**53, booleans."""
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

    An attribute that is null is as good as missing. `environments` as a list of one is that one: older SDKs send
    `["staging"]`, newer ones `"staging"`.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        report.problem(path, f"must be an object of attributes, not {name_of(value)}")
        return {}
    if is_plain(value):
        return value
    if (fault := _fault_of_size(value)) is not None:
        report.problem(path, fault)
        return {}
    context: Context = {}
    for name, attribute in value.items():
        if attribute is None:
            continue
        if not 0 < len(name) <= MAX_NAME:
            report.problem(path, f"must have attribute names of 1 to {MAX_NAME} characters; got {shown(name)}")
        elif (fault := _fault(attribute)) is not None:
            report.problem(join(path, name), fault)
        else:
            context[name] = attribute
    environments = context.get("environments")
    if isinstance(environments, list) and len(environments) == 1:
        context["environments"] = environments[0]
    return context


def count_items(context: Mapping[str, Any]) -> int:
    """How many items its lists have together."""
    return sum(len(attribute) for attribute in context.values() if isinstance(attribute, list))


def _fault_of_size(value: Mapping[str, Any]) -> str | None:
    if len(value) > MAX_ATTRIBUTES:
        return f"has more than {MAX_ATTRIBUTES} attributes"
    return f"has more than {MAX_ITEMS} items in its lists" if count_items(value) > MAX_ITEMS else None


def _fault(attribute: Any) -> str | None:
    if not isinstance(attribute, list):
        return _fault_of_one(attribute)
    for index, item in enumerate(attribute):
        if (fault := _fault_of_one(item)) is not None:
            return f"has an item [{index}] that {fault}"
    return None


def _fault_of_one(value: Any) -> str | None:
    if isinstance(value, str):
        return f"is longer than {MAX_TEXT} characters" if len(value) > MAX_TEXT else None
    if isinstance(value, int):
        return "does not fit a double" if abs(value) >= 2**1024 else None
    if isinstance(value, float):
        return None if math.isfinite(value) else "is not a finite number"
    return f"must be true or false, a number, a string or a list of those, not {name_of(value)}"
