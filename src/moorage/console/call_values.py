"""Values for a call of a version: placeholders for its inputs, and a context for a rule of its routing table."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import UNSET

from moorage.core.compatibility.contract import Contract, find_variables_without_jinja
from moorage.core.deployments.defaults import Defaults
from moorage.core.deployments.message_templates import templates_in
from moorage.core.deployments.prompt_config import Variable
from moorage.core.routing.conditions import Condition
from moorage.core.routing.rules import DEFAULT_VARIANT, RoutingRule
from moorage.core.routing.table import RoutingTable
from moorage.core.times import find_moment

#: So many inputs are shown.
_MAX_INPUTS: Final = 100

#: So many values are tried for a split: a share of 1 percent is found in most cases.
_MAX_TRIES: Final = 1_000


def needed_inputs(version: Mapping[str, Any], variant: str) -> dict[str, Any]:
    """Return placeholders for the inputs without a default that a variant of a version uses."""
    content = content_of(version, variant)
    variables = msgspec.convert(content.get("variables") or [], list[Variable])
    texts = tuple(text for _, text in templates_in(content["prompt_config"].get("messages", [])))
    (found,) = find_variables_without_jinja([((content.get("settings") or {}).get("engine", "text"), texts)])
    names = found if isinstance(found, set | frozenset) else {variable.key for variable in variables}
    needed = islice(sorted(Contract(names, variables).needed), _MAX_INPUTS)
    return Defaults([Variable(key=name, value=f"<{name}>") for name in needed]).values


def uses_jinja(version: Mapping[str, Any]) -> bool:
    """Return whether a variant of a version has jinja templates."""
    contents = [version, *(version.get("variants") or [])]
    return any((content.get("settings") or {}).get("engine") == "jinja" for content in contents)


def content_of(version: Mapping[str, Any], variant: str) -> Mapping[str, Any]:
    """Return the part of a version with the `prompt_config`, `variables` and `settings` of a variant."""
    if variant != DEFAULT_VARIANT:
        for each in version.get("variants") or []:
            if each["name"] == variant:
                found: Mapping[str, Any] = each
                return found
    return version


def context_of_rule(key: str, routing: list[RoutingRule], number: int) -> dict[str, Any] | None:
    """Return a context for which the rule with this number is chosen; None if none was found.

    Rule 0 is the default: the empty context gets it, unless a rule matches requests without attributes.
    """
    table = RoutingTable.compile(key, routing)
    for context in _candidates(routing, number):
        if table.resolve(context).rule == number:
            return context
    return None


def _candidates(routing: list[RoutingRule], number: int) -> Iterator[dict[str, Any]]:
    if number == 0:
        yield {}
        return
    rule = routing[number - 1]
    context = {}
    for name, condition in rule.when.items():
        value = _matching(condition)
        if value is not None:
            context[name] = value
    if rule.split is UNSET:
        yield context
        return
    by = rule.split.by
    if by in context:
        yield context
    start = rule.when[by].starts_with if by in rule.when else UNSET
    prefix = f"{by}-" if start is UNSET else start
    yield from ({**context, by: f"{prefix}{place}"} for place in range(1, _MAX_TRIES))


def _matching(condition: Condition) -> Any:
    """Return a value for which most operators of a condition hold; None for a missing attribute."""
    for name, value in _values(condition):
        operand = getattr(condition, name)
        if operand is not UNSET:
            return value(operand)
    return None


def _values(condition: Condition) -> Iterator[tuple[str, Any]]:
    """Yield the operators, the most specific one first, with the function that returns a value for the operand."""
    yield "eq", lambda operand: operand
    yield "in_", lambda operand: _first_without(operand, condition.nin)
    yield "starts_with", lambda operand: operand
    yield "contains", lambda operand: operand if isinstance(operand, str) else [operand]
    yield "gte", lambda operand: operand
    yield "lte", lambda operand: operand
    yield "gt", lambda operand: _moved(operand, 1)
    yield "lt", lambda operand: _moved(operand, -1)
    yield "ne", lambda operand: _other([operand])
    yield "nin", _other
    yield "exists", lambda operand: "any" if operand else None


def _first_without(choices: list[Any], rejected: Any) -> Any:
    excluded = [] if rejected is UNSET else rejected
    return next((choice for choice in choices if choice not in excluded), choices[0])


def _moved(operand: Any, step: int) -> Any:
    """Return the number or the day after or before the operand."""
    if not isinstance(operand, str):
        return operand + step
    moment = datetime.fromtimestamp((find_moment(operand) or 0) / 1_000_000, UTC) + timedelta(days=step)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _other(operands: list[Any]) -> Any:
    """Return a value of the kind of the operands that equals none of them."""
    first = operands[0]
    if isinstance(first, bool):
        return not first
    if isinstance(first, str):
        return f"not-{max((each for each in operands if isinstance(each, str)), key=len)}"
    if isinstance(first, list):
        return [*first, *first] or [""]
    return max(operands) + 1
