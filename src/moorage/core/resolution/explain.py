"""The variant of a context with the reason, and the effect of another routing table.

No model is called, and the consumers do not change.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.variant import Variants, check_variants
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

#: The maximum number of comparisons of a simulation.
MAX_COMPARISONS = 500_000


class ExplainRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST …/explain`."""

    context: Annotated[dict[str, Any], Meta(description="The attributes that routing uses.")] = {}


class Explained(Explanation, frozen=True, kw_only=True):
    """The variant that the live `version` selects for a context, and the result of each rule."""

    version: str


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


def explain_context(compiled: CompiledDeployment, body: bytes) -> Explained:
    """Return the result of the live routing table for the context in `body` (JSON, `ExplainRequest`, or nothing).

    Raises:
        InvalidJson, InvalidBody
    """
    request = read_body(strict_json.parse(body or b"{}"), ExplainRequest)[0]
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
