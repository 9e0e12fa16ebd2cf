"""Contract: the properties of a deployment that programs rely on, and their changes by a new version.

A program sends inputs by name, so it relies on the variables that the messages use and on their defaults. And it runs
the tools, so it relies on which tools there are and on the arguments the model calls them with.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta

from moorage.core.deployments.defaults import Defaults
from moorage.core.deployments.prompt_config import Tool, Variable
from moorage.core.errors.templates import InvalidTemplate, TemplateError
from moorage.core.templates.template import Engine, names
from moorage.core.validation.strict_json import join
from moorage.core.validation.validate import name_of

Breaking = Literal[
    "variable_removed", "variable_renamed", "variable_required", "variable_type_changed",
    "tool_removed", "tool_added", "argument_removed", "argument_required", "argument_optional",
    "argument_type_changed", "argument_values_changed", "argument_rule_changed",
]  # fmt: skip
Harmless = Literal[
    "variable_added", "variable_optional", "variable_default_changed", "variable_described",
    "tool_described", "argument_added", "argument_described",
]  # fmt: skip

_BREAKING = frozenset(Breaking.__args__)  # type: ignore[attr-defined]  # a Literal has them, its type does not say so

#: The keywords of a JSON Schema that are for readers only.
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated", "$comment"})
_COMPARED = frozenset({"type", "enum", "properties", "required", "items"})


class Contract(msgspec.Struct, frozen=True):
    """The contract of a version: the names its messages use, the variables it declares, and its tools; and the names of
    inputs without which it refuses a call."""

    names: AbstractSet[str]
    variables: Sequence[Variable] = ()
    tools: Sequence[Tool] = ()
    refused: AbstractSet[str] = frozenset()

    @property
    def needed(self) -> set[str]:
        """The names that its messages use and that have no default."""
        defaults = Defaults(self.variables)
        return {name for name in self.names if defaults.of(name) is None}

    @property
    def declared(self) -> dict[str, Variable]:
        """The declared variables by their names."""
        return {variable.key: variable for variable in self.variables}

    def shared_with(self, other: "Contract") -> "Contract":
        """The part of this that the other one has too."""
        tools = {tool.function.name for tool in other.tools}
        kept = [tool for tool in self.tools if tool.function.name in tools]
        return Contract(self.names & other.names, self.variables, kept, self.refused)

    def beyond(self, other: "Contract") -> "Contract":
        """The part of this that the other one has not."""
        tools = {tool.function.name for tool in other.tools}
        kept = [tool for tool in self.tools if tool.function.name not in tools]
        return Contract(self.names - other.names, self.variables, kept, self.refused)


NOTHING = Contract(frozenset())


def joined(contracts: Sequence[Contract]) -> Contract:
    """The names and tools that any of these has."""
    return Contract(
        {name for each in contracts for name in each.names}, tools=[tool for each in contracts for tool in each.tools]
    )


class ContractChange(msgspec.Struct, frozen=True):
    """One thing that programs may notice."""

    kind: Breaking | Harmless
    path: Annotated[str, Meta(description="`variables.customer`, or `tools.find_order.order_id` for an argument.")]
    message: Annotated[str, Meta(description="The change, and the affected programs.")]

    @property
    def is_breaking(self) -> bool:
        """Whether a program that works with the live version may fail with the new one."""
        return self.kind in _BREAKING


#: The templates of a variant: their engine and their texts.
Templates = tuple[Engine, tuple[str, ...]]

#: The names that templates use, or the error of one of them, or None if neither is known.
Names = AbstractSet[str] | InvalidTemplate | None

#: The names of each of some variants.
VariableFinder = Callable[[Sequence[Templates]], Sequence[Names]]


def find_variables_without_jinja(wanted: Sequence[Templates]) -> list[Names]:
    """The names that text and mustache templates use (a `VariableFinder`)."""

    def found(engine: Engine, texts: Sequence[str]) -> Names:
        try:
            return {name for text in texts for name in names(engine, text)}
        except TemplateError:
            return None

    return [found(*each) for each in wanted]


class Needs(msgspec.Struct, frozen=True):
    """The needs of a new version that the live one did not have: inputs that are `required` now, and such
    as are `removed`, in alphabetical order."""

    required: list[str]
    removed: list[str]


def needs_of(live: Contract, new: Contract) -> Needs:
    """Return the changes for callers that send inputs when `new` replaces `live`."""
    required = (new.needed - live.needed) | (new.refused - live.refused)
    return Needs(sorted(required), sorted(live.names - new.names))


def contract_changes(live: Contract, new: Contract) -> list[ContractChange]:
    """Return the changes for programs when `new` replaces `live`, the breaking changes first."""
    changes = [*_variables(live, new), *_tools(live, new)]
    return sorted(changes, key=lambda change: not change.is_breaking)


def _variables(live: Contract, new: Contract) -> Iterator[ContractChange]:
    before, after = Defaults(live.variables), Defaults(new.variables)
    added = sorted(new.names - live.names)
    for name in sorted(live.names - new.names):
        path = join("variables", name)
        successor = next(iter(get_close_matches(name, added, n=1, cutoff=0.6)), None)
        if successor is None:
            yield ContractChange(
                "variable_removed", path, f"{name} is no longer used, so the value that programs send has no effect."
            )
        else:
            added.remove(successor)
            message = f"{name} was renamed to {successor}: programs that send {name} must send {successor} instead."
            yield ContractChange("variable_renamed", path, message)
    for name in added:
        path = join("variables", name)
        if after.of(name) is None:
            message = f"{name} is new and has no default: programs that do not send it {_consequence(name, new)}."
            yield ContractChange("variable_required", path, message)
        else:
            yield ContractChange("variable_added", path, f"{name} is new, and has a default.")
    for name in sorted(live.names & new.names):
        yield from _variable(name, before.of(name), after.of(name), live, new)


def _consequence(name: str, new: Contract) -> str:
    """The effect on programs that do not send an input."""
    return "are refused" if name in new.refused else "get messages without it"


def _variable(name: str, old: Any, default: Any, live: Contract, new: Contract) -> Iterator[ContractChange]:
    """Yield the changes of a variable that both use, with its default before and after."""
    path, before, after = join("variables", name), live.declared.get(name), new.declared.get(name)
    if old is None and name in new.refused - live.refused:
        message = f"{name} has no default: programs that do not send it {_consequence(name, new)} from now on."
        yield ContractChange("variable_required", path, message)
    elif old is None and default is not None:
        yield ContractChange("variable_optional", path, f"{name} has a default now.")
    elif old is not None and default is None:
        message = f"{name} has no default any more: programs that do not send it {_consequence(name, new)}."
        yield ContractChange("variable_required", path, message)
    elif name_of(old) != name_of(default):
        message = f"{name} was {name_of(old)} by its default, and is {name_of(default)} now."
        yield ContractChange("variable_type_changed", path, message)
    elif old != default:
        yield ContractChange("variable_default_changed", path, f"{name} has another default.")
    if before is not None and after is not None and before.description != after.description:
        yield ContractChange("variable_described", path, f"{name} has another description.")


def _tools(live: Contract, new: Contract) -> Iterator[ContractChange]:
    before = {tool.function.name: tool.function for tool in live.tools}
    after = {tool.function.name: tool.function for tool in new.tools}
    for name in sorted(before.keys() - after.keys()):
        message = f"The tool {name} is gone: the model does not call it any more."
        yield ContractChange("tool_removed", join("tools", name), message)
    for name in sorted(after.keys() - before.keys()):
        message = f"The tool {name} is new: the model may call it, and programs must have it."
        yield ContractChange("tool_added", join("tools", name), message)
    for name, tool in before.items():
        if name in after:
            path = join("tools", name)
            if tool.description != after[name].description:
                yield ContractChange("tool_described", path, f"The tool {name} has another description.")
            yield from _schema(path, tool.parameters, after[name].parameters)


def _schema(path: str, before: Any, after: Any) -> Iterator[ContractChange]:
    """Yield the differences between two JSON Schemas of the value at `path`."""
    if not isinstance(before, dict) or not isinstance(after, dict):  # `true` is a schema too
        if before != after:
            yield ContractChange("argument_rule_changed", path, f"{path} has another schema.")
        return
    if _types(before) != _types(after):
        message = f"{path} was {_spoken(_types(before))}, and is {_spoken(_types(after))} now."
        yield ContractChange("argument_type_changed", path, message)
        return
    if (old := _values(before)) != (new := _values(after)):
        yield ContractChange("argument_values_changed", path, f"{path} {_spoken_values(old, new)}.")
    yield from _properties(path, before, after)
    if "items" in before or "items" in after:
        yield from _schema(f"{path}[]", before.get("items", True), after.get("items", True))
    differing = sorted(key for key in before.keys() | after.keys() if before.get(key, UNSET) != after.get(key, UNSET))
    if rules := [key for key in differing if key not in _ANNOTATIONS | _COMPARED]:
        yield ContractChange("argument_rule_changed", path, f"{path} has other rules: {', '.join(rules)}.")
    elif any(key in _ANNOTATIONS for key in differing):
        yield ContractChange("argument_described", path, f"{path} is described otherwise.")


def _properties(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[ContractChange]:
    old, new = _fields(before), _fields(after)
    was_required, is_required = _required(before), _required(after)
    for name in old:
        here = join(path, name)
        if name not in new:
            yield ContractChange("argument_removed", here, f"{here} is gone: the model does not give it any more.")
            continue
        if name in is_required and name not in was_required:
            yield ContractChange("argument_required", here, f"{here} must be given now.")
        elif name in was_required and name not in is_required:
            yield ContractChange("argument_optional", here, f"{here} may be left out by the model now.")
        yield from _schema(here, old[name], new[name])
    for name in new:
        if name not in old:
            here = join(path, name)
            if name in is_required:
                yield ContractChange("argument_required", here, f"{here} is new and is always given.")
            else:
                yield ContractChange("argument_added", here, f"{here} is new, and may be left out.")


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    fields = schema.get("properties")
    return fields if isinstance(fields, dict) else {}


def _required(schema: dict[str, Any]) -> list[Any]:
    names = schema.get("required")
    return names if isinstance(names, list) else []


def _types(schema: dict[str, Any]) -> frozenset[str]:
    """The types a schema allows; none stands for any."""
    types = schema.get("type", [])
    return frozenset(map(str, types if isinstance(types, list) else [types]))


def _spoken(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "of any type"


def _values(schema: dict[str, Any]) -> frozenset[str] | None:
    """The values a schema lists, as JSON; `None` if it lists none."""
    values = schema.get("enum")
    return frozenset(json.dumps(value, sort_keys=True) for value in values) if isinstance(values, list) else None


def _spoken_values(before: frozenset[str] | None, after: frozenset[str] | None) -> str:
    if after is None:
        return "takes any value now"
    if before is None:
        return f"is one of {', '.join(sorted(after))} now"
    parts = (("is never", before - after), ("may be", after - before))
    return " and ".join(f"{word} {', '.join(sorted(values))}" for word, values in parts if values) + " now"
