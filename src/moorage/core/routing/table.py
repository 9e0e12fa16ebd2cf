"""Resolution: the variant that a call gets, and why; and the table that finds it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.routing.compiled_condition import CompiledCondition, Predicate, compile_conditions
from moorage.core.routing.context import Context
from moorage.core.routing.rules import DEFAULT_VARIANT, RoutingRule
from moorage.core.routing.splits import find_bucket
from moorage.core.validation.validate import shown

#: Longer rules, as JSON, are not shared, because the cache is bounded.
_SHARED_BYTES: Final = 1_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RoutingRule).decode


class Resolution(msgspec.Struct, frozen=True):
    """The variant that a call gets."""

    variant: str
    reason: Annotated[
        Literal["rule", "split", "default", "only"],
        Meta(description="A rule without a split, a rule with a split, or no rule matched; or there are no rules."),
    ]
    rule: Annotated[int, Meta(description="The rule that matched; 0 is the default variant's.")]


class ExplainedRule(msgspec.Struct, frozen=True):
    """The result of a rule for a context, whether or not an earlier rule was chosen."""

    rule: int
    variant: str
    matched: Annotated[bool, Meta(description="Whether the rule matches; the first one that does is chosen.")]
    explanation: Annotated[str, Meta(description="Why, in a sentence.")]
    bucket: Annotated[float, Meta(description="Where the split's attribute falls, 0.00 to 99.99.")] | UnsetType = UNSET


class Explanation(Resolution, frozen=True):
    """A resolution with the result of each rule: rules 1, 2, …, and rule 0 as the last one."""

    rules: list[ExplainedRule]


class ChangedContext(msgspec.Struct, frozen=True):
    """A context that gets another variant after a change of the table."""

    context: Context
    before: Resolution
    after: Resolution


class _CompiledRule(msgspec.Struct, frozen=True):
    """A compiled rule: its conditions and its resolution."""

    conditions: tuple[CompiledCondition, ...]
    checks: tuple[tuple[str, Predicate], ...]  # the same, without an explanation
    by: str | None
    share: int
    resolution: Resolution

    def told(self, parts: list[str], *, matched: bool, bucket: float | UnsetType = UNSET) -> ExplainedRule:
        """The rule with its reasons as one sentence."""
        explanation = ", and ".join(dict.fromkeys(parts))
        return ExplainedRule(self.resolution.rule, self.resolution.variant, matched, explanation, bucket)


class RoutingTable(msgspec.Struct, frozen=True):
    """A deployment's routing, compiled once and used for each request. It has no state, so threads can share it."""

    key: str
    rules: tuple[_CompiledRule, ...]
    default: Resolution

    @classmethod
    def compile(cls, key: str, routing: Sequence[RoutingRule], default: str = DEFAULT_VARIANT) -> "RoutingTable":
        """Make the table of the deployment `key`, whose buckets depend on that key; `default` is rule 0's variant."""
        rules = tuple(_compile_rule(number, route) for number, route in enumerate(routing, 1))
        return cls(key, rules, Resolution(default, "default" if rules else "only", 0))

    @property
    def conditions(self) -> int:
        """How many conditions a context may be held against, a rule being one too."""
        return sum(1 + len(rule.conditions) for rule in self.rules)

    def resolve(self, context: Context) -> Resolution:
        """The variant for a context, as `moorage.core.routing.context.read_context` gives it."""
        buckets: dict[str, int | None] = {}
        ends: dict[str, int] = {}
        get = context.get
        for rule in self.rules:
            for attribute, holds in rule.checks:
                if not holds(get(attribute)):
                    break
            else:
                by = rule.by
                if by is None:
                    return rule.resolution
                if by not in buckets:
                    buckets[by] = find_bucket(self.key, by, get(by))
                bucket = buckets[by]
                ends[by] = end = ends.get(by, 0) + rule.share
                # Those below where this part begins were taken by the rules above.
                if bucket is not None and bucket < end:
                    return rule.resolution
        return self.default

    def explain(self, context: Context) -> Explanation:
        """Return the same resolution, with the result of each rule."""
        ends: dict[str, int] = {}
        told = [self._explain(rule, context, ends) for rule in self.rules]
        chosen = next((rule.resolution for rule, it in zip(self.rules, told, strict=True) if it.matched), self.default)
        others = f"rule {chosen.rule} comes first" if chosen.rule else "no other rule matches"
        told.append(
            ExplainedRule(0, self.default.variant, matched=True, explanation=f"matches every request; {others}")
        )
        return Explanation(chosen.variant, chosen.reason, chosen.rule, told)

    def _explain(self, rule: _CompiledRule, context: Context, ends: dict[str, int]) -> ExplainedRule:
        """Return the result of one rule; `ends` has the ends of the splits of earlier rules, and is updated."""
        asked = [(condition, context.get(condition.attribute)) for condition in rule.conditions]
        failing = [condition.explanation(value) for condition, value in asked if not condition.holds(value)]
        if failing:
            return rule.told(failing, matched=False)
        holding = [condition.explanation(value) for condition, value in asked]
        if rule.by is None:
            return rule.told(holding or ["the rule has no conditions"], matched=True)
        begin = ends.get(rule.by, 0)
        ends[rule.by] = end = begin + rule.share
        bucket = find_bucket(self.key, rule.by, context.get(rule.by))
        if bucket is None:
            return rule.told([_no_bucket(rule.by, context.get(rule.by))], matched=False)
        matched = begin <= bucket < end
        part = f"from {begin / 100:g} up to {end / 100:g}" if begin else f"below {end / 100:g}"
        split = f"the bucket of {rule.by}, {bucket / 100:.2f}, is {'' if matched else 'not '}{part}"
        return rule.told([*holding, split] if matched else [split], matched=matched, bucket=bucket / 100)


def compare(before: RoutingTable, after: RoutingTable, contexts: Iterable[Context]) -> list[ChangedContext]:
    """Return the contexts that get another variant from the table `after` than from `before`."""
    moves = (ChangedContext(context, before.resolve(context), after.resolve(context)) for context in contexts)
    return [move for move in moves if move.before.variant != move.after.variant]


def _compile_rule(number: int, route: RoutingRule) -> _CompiledRule:
    """Compile a rule. Many deployments have equal rules, and sharing them saves the processor's cache."""
    encoded = _encode(route)
    return _compile_cached(number, encoded) if len(encoded) <= _SHARED_BYTES else _compile(number, route)


@lru_cache(maxsize=2_000)
def _compile_cached(number: int, encoded: bytes) -> _CompiledRule:
    return _compile(number, _decode(encoded))


def _compile(number: int, route: RoutingRule) -> _CompiledRule:
    conditions = tuple(found for name, cell in route.when.items() for found in compile_conditions(name, cell))
    checks = tuple((condition.attribute, condition.holds) for condition in conditions)
    if route.split is UNSET:
        return _CompiledRule(conditions, checks, None, 0, Resolution(route.variant, "rule", number))
    return _CompiledRule(
        conditions, checks, route.split.by, route.split.share, Resolution(route.variant, "split", number)
    )


def _no_bucket(by: str, value: Any) -> str:
    if value is None:
        return f"{by} is missing, so no bucket"
    if value == "":
        return f"{by} is empty, so no bucket"
    return f"{by} is {shown(value)}, which is neither a string nor a whole number, so no bucket"
