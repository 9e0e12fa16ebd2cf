"""Defaults: the values for inputs that a request does not send.

A declared variable is called as a template calls it. So `customer.name` is the default of that field, in whatever
object a call sends for `customer`, and in one of its own if it sends none. It counts only where no input is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET

from moorage.core.deployments.prompt_config import Variable
from moorage.core.templates.lookup import ABSENT, find, follow


class Defaults:
    """The defaults of declared variables (null is none). `values` are the inputs of a call that gives none."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        given = {each.key: each.value for each in variables if each.value not in (UNSET, None)}
        self._plain = {key: value for key, value in given.items() if "." not in key}
        # The outer ones first: a field is put into its object, and not the other way about.
        dotted = sorted((key for key in given if "." in key), key=lambda key: key.count("."))
        self._fields = {key: (key.split("."), given[key]) for key in dotted}
        self.values = self.complete({})

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of a call, with the defaults of those that are not given."""
        values, made = {**self._plain, **given}, set[int]()
        for key, (path, value) in self._fields.items():
            if follow(path, values) is ABSENT and not _put(values, path, value, made):
                values.setdefault(key, value)  # only a text template finds it there
        return values

    def of(self, name: str) -> Any:
        """The default of a name in a template; None if it has none."""
        value = find(name, self.values)
        return None if value is ABSENT else value


def _put(values: dict[str, Any], path: Sequence[str], value: Any, made: set[int]) -> bool:
    """Put a value at its path, if only objects are on the way. Those that were not `made` for this (by their `id`) are
    left as they are, and copied."""
    *parents, last = path
    for step in parents:
        there = values.get(step, {})
        if not isinstance(there, dict):
            return False
        if id(there) not in made:
            there = values[step] = {**there}
            made.add(id(there))
        values = there
    values[last] = value
    return True
