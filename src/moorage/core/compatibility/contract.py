"""Contract: the properties of a deployment that callers rely on, and the changes by a new version.

A caller sends inputs by name, so it relies on the variables that the messages use, and on their defaults. It runs the
tools, so it relies on their names and arguments.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from moorage.core.compatibility.changes import Comparison, ContractChange
from moorage.core.compatibility.schema_changes import schema_changes
from moorage.core.deployments.defaults import Defaults
from moorage.core.deployments.prompt_config import Tool, Variable
from moorage.core.errors.templates import InvalidTemplate, TemplateError
from moorage.core.templates.template import Engine, names
from moorage.core.validation.json_path import JsonPath, join
from moorage.core.validation.messages import name_of

#: How many removed and added names are compared to find renamed variables, and how long they are. Each comparison takes
#: 30 µs, and all pairs are compared.
_MAX_RENAMED: Final = 20
_MAX_COMPARED_NAME: Final = 64


class Contract(msgspec.Struct, frozen=True):
    """The contract of a version: the names in its messages, its declared variables and its tools.

    `rejected` has the names of inputs without which a request is rejected.
    """

    names: AbstractSet[str]
    variables: Sequence[Variable] = ()
    tools: Sequence[Tool] = ()
    rejected: AbstractSet[str] = frozenset()

    @property
    def needed(self) -> set[str]:
        """The names in its messages that have no default."""
        defaults = Defaults(self.variables)
        return {name for name in self.names if defaults.get(name) is None}

    @property
    def declared(self) -> dict[str, Variable]:
        """The declared variables by name."""
        return {variable.key: variable for variable in self.variables}

    def intersection(self, other: "Contract") -> "Contract":
        """Return this contract with only the names and tools that the other also has."""
        tools = {tool.function.name for tool in other.tools}
        shared = [tool for tool in self.tools if tool.function.name in tools]
        return Contract(self.names & other.names, self.variables, shared, self.rejected)

    def difference(self, other: "Contract") -> "Contract":
        """Return this contract without the names and tools of the other."""
        tools = {tool.function.name for tool in other.tools}
        others = [tool for tool in self.tools if tool.function.name not in tools]
        return Contract(self.names - other.names, self.variables, others, self.rejected)


NOTHING = Contract(frozenset())


def union(contracts: Sequence[Contract]) -> Contract:
    """Return the names and tools of all contracts."""
    return Contract(
        {name for contract in contracts for name in contract.names},
        tools=[tool for contract in contracts for tool in contract.tools],
    )


#: The templates of a variant: their engine and their texts.
Templates = tuple[Engine, tuple[str, ...]]

#: The names that templates use; the error of a template; or None if the names are unknown.
VariableNames = AbstractSet[str] | InvalidTemplate | None

#: Returns the names for each variant's templates.
VariableFinder = Callable[[Sequence[Templates]], Sequence[VariableNames]]


def find_variables_without_jinja(templates: Sequence[Templates]) -> list[VariableNames]:
    """Return the names in text and mustache templates, and None for jinja (a `VariableFinder`)."""

    def found(engine: Engine, texts: Sequence[str]) -> VariableNames:
        try:
            return {name for text in texts for name in names(engine, text)}
        except TemplateError:
            return None

    return [found(engine, texts) for engine, texts in templates]


class Needs(msgspec.Struct, frozen=True):
    """The changed inputs of a new version: those that are now `required`, and those `removed`, sorted."""

    required: list[str]
    removed: list[str]


def needs_of(live: Contract, new: Contract) -> Needs:
    """Return the changed inputs when `new` replaces `live`."""
    required = (new.needed - live.needed) | (new.rejected - live.rejected)
    return Needs(sorted(required), sorted(live.names - new.names))


def contract_changes(live: Contract, new: Contract, comparison: Comparison | None = None) -> list[ContractChange]:
    """Return the changes for callers when `new` replaces `live`, the breaking changes first.

    Raises:
        ComparisonTooLarge
    """
    comparison = comparison or Comparison()
    comparison.spend(len(live.names) + len(new.names) + len(live.tools) + len(new.tools))
    changes = [*_variables(live, new), *_tools(live, new, comparison)]
    return sorted(changes, key=lambda change: not change.is_breaking)


def _variables(live: Contract, new: Contract) -> Iterator[ContractChange]:
    before, after = Defaults(live.variables), Defaults(new.variables)
    added, removed = sorted(new.names - live.names), sorted(live.names - new.names)
    successors = _successors(removed, added)
    for name in removed:
        path = join("variables", name)
        successor = successors.get(name)
        if successor is None:
            yield ContractChange(
                "variable_removed", path, f"{name} is no longer used: the value that callers send has no effect."
            )
        else:
            added.remove(successor)
            message = f"{name} was renamed to {successor}: callers that send {name} must send {successor} instead."
            yield ContractChange("variable_renamed", path, message)
    for name in added:
        path = join("variables", name)
        if after.get(name) is None:
            message = f"{name} is new and has no default: requests without it {_consequence(name, new)}."
            yield ContractChange("variable_required", path, message)
        else:
            yield ContractChange("variable_added", path, f"{name} is new and has a default.")
    for name in sorted(live.names & new.names):
        yield from _variable(name, before.get(name), after.get(name), live, new)


def _successors(removed: Sequence[str], added: Sequence[str]) -> dict[str, str]:
    """Return the new names of renamed variables; none if there are many, because all pairs are compared."""
    if len(removed) > _MAX_RENAMED or len(added) > _MAX_RENAMED:
        return {}
    free = [name for name in added if len(name) <= _MAX_COMPARED_NAME]
    found = {}
    for name in removed:
        if len(name) <= _MAX_COMPARED_NAME and (similar := get_close_matches(name, free, n=1, cutoff=0.6)):
            found[name] = similar[0]
            free.remove(similar[0])
    return found


def _consequence(name: str, new: Contract) -> str:
    """Return the effect on callers that omit an input."""
    return "are rejected" if name in new.rejected else "get messages without its value"


def _variable(name: str, old: Any, default: Any, live: Contract, new: Contract) -> Iterator[ContractChange]:
    """Yield the changes of a variable that both versions use, with its defaults."""
    path, before, after = join("variables", name), live.declared.get(name), new.declared.get(name)
    if old is None and name in new.rejected - live.rejected:
        message = f"{name} has no default: requests without it are now rejected."
        yield ContractChange("variable_required", path, message)
    elif old is None and default is not None:
        yield ContractChange("variable_optional", path, f"{name} now has a default.")
    elif old is not None and default is None:
        message = f"{name} no longer has a default: requests without it {_consequence(name, new)}."
        yield ContractChange("variable_required", path, message)
    elif name_of(old) != name_of(default):
        message = f"The default of {name} was {name_of(old)} and is now {name_of(default)}."
        yield ContractChange("variable_type_changed", path, message)
    elif old != default:
        yield ContractChange("variable_default_changed", path, f"The default of {name} has changed.")
    if before is not None and after is not None and before.description != after.description:
        yield ContractChange("variable_described", path, f"The description of {name} has changed.")


def _tools(live: Contract, new: Contract, comparison: Comparison) -> Iterator[ContractChange]:
    before = {tool.function.name: tool.function for tool in live.tools}
    after = {tool.function.name: tool.function for tool in new.tools}
    for name in sorted(before.keys() - after.keys()):
        message = f"The tool {name} was removed: the model no longer calls it."
        yield ContractChange("tool_removed", join("tools", name), message)
    for name in sorted(after.keys() - before.keys()):
        message = f"The tool {name} is new: the model can call it, and callers must implement it."
        yield ContractChange("tool_added", join("tools", name), message)
    for name, tool in before.items():
        if name in after and tool != after[name]:
            path = join("tools", name)
            if tool.description != after[name].description:
                yield ContractChange("tool_described", path, f"The description of the tool {name} has changed.")
            schema_path = JsonPath("tools") / name
            yield from schema_changes(schema_path, tool.parameters, after[name].parameters, comparison)
