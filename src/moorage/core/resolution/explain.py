"""The variant of a context with the reason, and the effect of another routing table.

No model is called, and the consumers do not change.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.variant import Variants, check_variants
from moorage.core.environments import Choice, Source
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.resolution.compiled import CompiledDeployment
from moorage.core.routing.context import Context, read_context
from moorage.core.routing.rules import DEFAULT_VARIANT, Routing, check_routing
from moorage.core.routing.table import ChangedContext, Explanation, RoutingTable, compare
from moorage.core.validation import strict_json
from moorage.core.validation.body import read_body
from moorage.core.validation.validate import Report

MAX_CONTEXTS = 1_000

_BECAUSE: Mapping[Source, str] = {
    "parameter": "the query parameter environment names it",
    "key": "the API key is bound to it",
    "context": "context.environments names it",
    "default": "neither the query, the API key nor the context names another one",
}

#: The maximum number of comparisons of a simulation.
MAX_COMPARISONS = 500_000


class ExplainRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST …/explain`."""

    context: Annotated[dict[str, Any], Meta(description="The attributes that routing uses.")] = {}


class ExplainedEnvironment(msgspec.Struct, frozen=True):
    """The environment of a request, where it comes from, and why; it `follows` production with this deployment."""

    name: str
    source: Source
    follows: bool
    because: str


class Explained(Explanation, frozen=True, kw_only=True):
    """The variant that the live `version` of an environment selects for a context, and the result of each rule.

    `warnings` are about rules that test `environments` for the name of an environment.
    """

    version: str
    environment: ExplainedEnvironment | UnsetType = UNSET
    warnings: list[Problem] | UnsetType = UNSET


class SimulateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST …/simulate`: a routing table, and optionally the variants, as in a put."""

    contexts: Annotated[list[dict[str, Any]], Meta(max_length=MAX_CONTEXTS)]
    routing: Routing
    variants: Variants | UnsetType = UNSET


class SimulationResult(msgspec.Struct, frozen=True):
    """The contexts whose variant differs from the live `version`, and the number of the others."""

    version: str
    changed: list[ChangedContext]
    unchanged: int


def read_explain_request(body: bytes) -> ExplainRequest:
    """Return the request in a body (JSON, or nothing).

    Raises:
        InvalidJson, InvalidBody
    """
    return read_body(strict_json.parse(body or b"{}"), ExplainRequest)[0]


def explain_environment(choice: Choice, *, follows: bool) -> ExplainedEnvironment:
    """Return why a request is about an environment."""
    because = _BECAUSE[choice.source]
    if choice.unknown_name is not None:
        because = f"{because}; context.environments is {choice.unknown_name[:200]!r}, which is no environment"
    elif choice.warning is not None:
        because = f"{because}; context.environments names several"
    return ExplainedEnvironment(choice.environment.name, choice.source, follows, because)


def environment_warnings(compiled: CompiledDeployment, names: Collection[str]) -> list[Problem]:
    """Return a warning for each rule that tests `environments` for the name of an environment."""
    found = []
    for index, rule in enumerate(compiled.live.content.decode().runtime_config.routing):
        condition = rule.when.get("environments")
        tested = [] if condition is None else sorted(_texts(msgspec.to_builtins(condition)) & set(names))
        if tested:
            message = (
                f"tests for {', '.join(tested)}: that is the attribute which the caller sent, and not the environment"
                " that the request got"
            )
            found.append(Problem(f"routing[{index}].when.environments", message))
    return found


def _texts(value: object) -> set[str]:
    """Return all texts in a JSON value, without the names of its fields."""
    if isinstance(value, str):
        return {value}
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for item in items for text in _texts(item)}


def explain_context(compiled: CompiledDeployment, request: ExplainRequest) -> Explained:
    """Return the result of the live routing table for a context.

    Raises:
        InvalidBody
    """
    report = Report()
    context = read_context(request.context, report)
    if report.problems:
        raise InvalidBody.of(report.problems)
    compiled.table.check_size(context)
    result = compiled.table.explain(context)
    return Explained(result.variant, result.reason, result.rule, result.rules, version=compiled.live.version)


def simulate_routing(compiled: CompiledDeployment, body: bytes) -> SimulationResult:
    """Return the effect of the routing table in `body` (JSON, `SimulateRequest`).

    Raises:
        InvalidJson, InvalidBody: with all problems of the table and the contexts, or it would take too long.
    """
    request = read_body(strict_json.parse(body), SimulateRequest)[0]
    report, names = Report(), [DEFAULT_VARIANT, *compiled.variants]
    if request.variants is not UNSET:
        check_variants(request.variants, report)
        names = [DEFAULT_VARIANT, *(variant.name for variant in request.variants)]
    check_routing(request.routing, names, report)
    contexts: list[Context] = [
        read_context(context, report, f"contexts[{index}]") for index, context in enumerate(request.contexts)
    ]
    if report.problems:
        raise InvalidBody.of(report.problems)
    proposed = RoutingTable.compile(compiled.live.key, request.routing)
    comparisons = 0
    for context in contexts:
        comparisons += compiled.table.comparisons(context) + proposed.comparisons(context)
        if comparisons > MAX_COMPARISONS:
            raise InvalidBody.of([Problem("contexts", "must be fewer for tables with this number of conditions")])
    changed = compare(compiled.table, proposed, contexts)
    return SimulationResult(compiled.live.version, changed, len(contexts) - len(changed))
