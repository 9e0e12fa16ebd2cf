"""Routing: an ordered list of rules that choose the variant of a request by its context.

The rules of `routing` have the numbers 1, 2, … in list order. The first rule that matches is chosen, otherwise rule 0,
the default variant. A rule matches when every condition in `when` is true and, if it has a `split`, the request falls
into its bucket range.

The range is `percent` of all requests that meet the conditions. The ranges for one context never overlap. A range
begins at the end of the ranges of earlier rules that split by the same attribute and whose conditions are true. So two
rules of 20 and 30 percent with the same conditions have the ranges 0.00 to 19.99 and 20.00 to 49.99.
"""

from collections.abc import Collection, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.routing.conditions import Condition, check_condition
from moorage.core.routing.context import MAX_ATTRIBUTES, MAX_NAME
from moorage.core.routing.splits import BUCKETS, Split
from moorage.core.validation.validate import Report

#: The name of the variant in the deployment's own `prompt_config`.
DEFAULT_VARIANT = "default"

MAX_RULES = 100

_Attribute = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]


class RoutingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule: the variant for all requests that meet its conditions, or for a share of them."""

    variant: Annotated[str, Meta(min_length=1, max_length=256, description="The name of the variant.")]
    when: Annotated[
        dict[_Attribute, Annotated[Condition, Meta(extra={"normalize": check_condition})]],
        Meta(
            max_length=MAX_ATTRIBUTES,
            description="The conditions by attribute of the context. Without them, the rule matches every request.",
        ),
    ] = msgspec.field(default_factory=dict)
    split: Split | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Sort the conditions: their order has no meaning, so it makes no difference between two contents."""
        if len(self.when) > 1:
            msgspec.structs.force_setattr(self, "when", dict(sorted(self.when.items())))


#: The field of a body with the rules, without rule 0.
Routing = Annotated[
    list[RoutingRule],
    Meta(
        max_length=MAX_RULES,
        description="The rules in order: the first that matches is used, else the default variant.",
    ),
]


def check_routing(
    routing: Sequence[RoutingRule], variants: Collection[str], report: Report, path: str = "routing"
) -> None:
    """Report problems between rules: unknown variants, unreachable rules, splits over 100 percent.

    Args:
        routing: the rules after rule 0.
        variants: the names of the deployment's variants, including the default variant.
        report: the report that receives the problems.
        path: the path of the rules in the body.
    """
    always: int | None = None
    shares: dict[tuple[str, bytes], int] = {}
    for index, rule in enumerate(routing):
        if rule.variant not in variants:
            hint = report.suggestion(rule.variant, [*variants])
            report.problem(
                f"{path}[{index}].variant", f"must be one of {', '.join(variants)}; got {rule.variant!r}{hint}"
            )
        if always is not None:
            report.problem(
                f"{path}[{index}]",
                f"is unreachable, because {path}[{always}] matches every request; move it up or remove it",
            )
        elif rule.split is UNSET:
            always = None if rule.when else index
        else:
            group = (rule.split.by, _encode_sorted(rule.when))
            shares[group] = shares.get(group, 0) + rule.split.share
            if shares[group] > BUCKETS:
                report.problem(
                    f"{path}[{index}].split.percent",
                    f"the splits by {rule.split.by!r} with this `when` add up to {shares[group] / 100:g} percent; "
                    "the maximum is 100",
                )


def reachable(routing: Sequence[RoutingRule], default: str) -> set[str]:
    """Return the variants that a request can get; `default` is that of rule 0."""
    found = set[str]()
    for rule in routing:
        if rule.split is UNSET or rule.split.share:
            found.add(rule.variant)
        if rule.split is UNSET and not rule.when:
            return found
    return found | {default}


_encode_sorted = msgspec.json.Encoder(order="sorted").encode
