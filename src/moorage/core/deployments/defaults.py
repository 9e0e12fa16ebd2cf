"""Defaults: the values for inputs that a request does not send.

The name of a declared variable is that in a template. So `customer.name` is the default of that field in the object
`customer`, which is created if the request omits it. A default never replaces an input.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET

from moorage.core.deployments.prompt_config import Variable
from moorage.core.templates.lookup import ABSENT, find, follow


class Defaults:
    """The defaults of declared variables (null is none). `values` are the inputs of a request without inputs."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        given = {variable.key: variable.value for variable in variables if variable.value not in (UNSET, None)}
        self._plain = {key: value for key, value in given.items() if "." not in key}
        # The outer names first, because an object must not replace its own fields.
        dotted = sorted((key for key in given if "." in key), key=lambda key: key.count("."))
        self._fields = {key: (key.split("."), given[key]) for key in dotted}
        self.values = self.merge({})

    def merge(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs of a request, with the defaults of omitted inputs."""
        values, copies = {**self._plain, **given}, set[int]()
        for key, (path, value) in self._fields.items():
            if follow(path, values) is ABSENT and not _set_path(values, path, value, copies):
                values.setdefault(key, value)  # only text templates look up the full name
        return values

    def get(self, name: str) -> Any:
        """Return the default of a name in a template, or None."""
        value = find(name, self.values)
        return None if value is ABSENT else value


def _set_path(values: dict[str, Any], path: Sequence[str], value: Any, copies: set[int]) -> bool:
    """Set a value at a path if all its parents are objects, and return whether they are.

    Parents are copied first, because they belong to the caller; `copies` has the ids of the copies.
    """
    *parents, last = path
    for step in parents:
        current = values.get(step, {})
        if not isinstance(current, dict):
            return False
        if id(current) not in copies:
            current = values[step] = {**current}
            copies.add(id(current))
        values = current
    values[last] = value
    return True
