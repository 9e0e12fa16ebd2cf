"""Routing: an ordered table that says which variant a call gets, by the call's context.

Row 0 is the default variant and matches anything; the rows of `routing` are 1, 2, … in the order of the list. The first
of them that matches is the one, and row 0 if none does. A row matches if all its cells hold and, where it has a split,
the bucket of the split's attribute is in the row's part.

A row's part is `percent` of all whom its cells hold for. The parts of one context never overlap: a part begins where
those of the rows above end, as far as they split by the same attribute and their cells hold too. So two rows of 20 and
30 percent with the same cells are for 0.00 to 19.99 and 20.00 to 49.99.
"""

from collections.abc import Collection, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.routing.conditions import Condition, check_condition
from moorage.core.routing.context import MAX_ATTRIBUTES, MAX_NAME
from moorage.core.routing.splits import BUCKETS, Split
from moorage.core.validation.validate import Report, nearest

#: The name of the variant that the deployment's own `prompt_config` is.
DEFAULT_VARIANT = "default"

MAX_RULES = 100

_Attribute = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]


class RoutingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the routing table: the variant that a call gets if all cells hold, or a share of such calls."""

    variant: Annotated[str, Meta(min_length=1, max_length=256, description="The name of the variant.")]
    when: Annotated[
        dict[_Attribute, Annotated[Condition, Meta(extra={"rewrite": check_condition})]],
        Meta(
            max_length=MAX_ATTRIBUTES,
            description="The conditions by attribute of the context. Without them, the rule matches every request.",
        ),
    ] = msgspec.field(default_factory=dict)
    split: Split | UnsetType = UNSET


#: The field of a body that holds the table without its row 0.
Routing = Annotated[
    list[RoutingRule],
    Meta(max_length=MAX_RULES, description="Rows in order: the first that matches is used, else the default variant."),
]


def check_routing(
    routing: Sequence[RoutingRule], variants: Collection[str], report: Report, path: str = "routing"
) -> None:
    """Report problems between rules: unknown variants, unreachable rules, splits over 100 percent.

    Args:
        routing: the rows after row 0.
        variants: the names of the deployment's variants, the default one's too.
        report: where problems go.
        path: where the rows stand in the body.
    """
    always: int | None = None
    shares: dict[tuple[str, bytes], int] = {}
    for index, route in enumerate(routing):
        if route.variant not in variants:
            hint = nearest(route.variant, [*variants])
            report.problem(
                f"{path}[{index}].variant", f"must be one of {', '.join(variants)}; got {route.variant!r}{hint}"
            )
        if always is not None:
            report.problem(f"{path}[{index}]", f"is never reached: {path}[{always}] matches every request")
        elif route.split is UNSET:
            always = None if route.when else index
        else:
            group = (route.split.by, _encode_sorted(route.when))
            shares[group] = shares.get(group, 0) + route.split.share
            if shares[group] > BUCKETS:
                report.problem(
                    f"{path}[{index}].split.percent",
                    f"the splits by {route.split.by!r} with this `when` add up to {shares[group] / 100:g} percent; "
                    "the maximum is 100",
                )


def reachable(routing: Sequence[RoutingRule], default: str) -> set[str]:
    """The variants that some call may get; `default` is that of row 0."""
    found = set[str]()
    for route in routing:
        if route.split is UNSET or route.split.share:
            found.add(route.variant)
        if route.split is UNSET and not route.when:
            return found
    return found | {default}


_encode_sorted = msgspec.json.Encoder(order="sorted").encode
