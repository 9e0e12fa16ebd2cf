"""Resolution: the variant of a request with the reason, and the routing table that finds it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.errors.requests import ContextTooLarge
from moorage.core.routing.compiled_condition import CompiledCondition, Predicate, compile_conditions
from moorage.core.routing.context import Context
from moorage.core.routing.rules import DEFAULT_VARIANT, RoutingRule
from moorage.core.routing.splits import find_bucket
from moorage.core.validation.messages import shown

#: Longer rules, as JSON, are not shared, because the cache is bounded.
_SHARED_BYTES: Final = 1_000

#: The maximum number of comparisons for one context, which take about 40 ms; see `RoutingTable.comparisons`.
MAX_COMPARISONS: Final = 200_000

#: A table with fewer conditions cannot exceed it.
_FEW_CONDITIONS: Final = 100

#: How many conditions of a rule are explained.
_MAX_EXPLAINED: Final = 10

#: The characters that a search compares in the time of one comparison.
_CHARACTERS: Final = 50

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RoutingRule).decode


class Resolution(msgspec.Struct, frozen=True):
    """The variant of a request."""

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
    bucket: Annotated[float, Meta(description="The bucket of the split's attribute, 0.00 to 99.99.")] | UnsetType = (
        UNSET
    )


class Explanation(Resolution, frozen=True):
    """A resolution with the result of each rule: rules 1, 2, …, and rule 0 as the last one."""

    rules: list[ExplainedRule]


class ChangedContext(msgspec.Struct, frozen=True):
    """A context whose variant differs after a change of the table."""

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

    def explained(self, parts: list[str], *, matched: bool, bucket: float | UnsetType = UNSET) -> ExplainedRule:
        """Return the result of this rule, with the reasons as one sentence."""
        explanation = ", and ".join(dict.fromkeys(parts))
        return ExplainedRule(self.resolution.rule, self.resolution.variant, matched, explanation, bucket)


class RoutingTable(msgspec.Struct, frozen=True):
    """A deployment's routing, compiled once and used for each request. It has no state, so threads can share it."""

    key: str
    rules: tuple[_CompiledRule, ...]
    default: Resolution
    conditions: dict[str, int]  # how many by attribute
    size: int  # how many in all

    @classmethod
    def compile(cls, key: str, routing: Sequence[RoutingRule], default: str = DEFAULT_VARIANT) -> "RoutingTable":
        """Compile the table of the deployment `key`, on which buckets depend; `default` is rule 0's variant."""
        rules = tuple(_compile_rule(number, rule) for number, rule in enumerate(routing, 1))
        conditions = Counter(condition.attribute for rule in rules for condition in rule.conditions)
        return cls(
            key, rules, Resolution(default, "default" if rules else "only", 0), dict(conditions), conditions.total()
        )

    def comparisons(self, context: Context) -> int:
        """Return the maximum number of comparisons for a context: of each item of a list, and a part of a long text."""
        get = context.get
        return len(self.rules) + sum(count * _weight(get(name)) for name, count in self.conditions.items())

    def check_size(self, context: Context) -> None:
        """Check that a context can be resolved in a short time.

        Raises:
            ContextTooLarge
        """
        if self.size > _FEW_CONDITIONS and self.comparisons(context) > MAX_COMPARISONS:
            raise ContextTooLarge(param="context", conditions=self.size, maximum=MAX_COMPARISONS)

    def resolve(self, context: Context) -> Resolution:
        """Return the variant for a context from `moorage.core.routing.context.read_context`."""
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
                # Earlier rules returned for the buckets below the begin of this range.
                if bucket is not None and bucket < end:
                    return rule.resolution
        return self.default

    def explain(self, context: Context) -> Explanation:
        """Return the same resolution, with the result of each rule."""
        ends: dict[str, int] = {}
        results = [self._explain(rule, context, ends) for rule in self.rules]
        matching = (rule.resolution for rule, result in zip(self.rules, results, strict=True) if result.matched)
        chosen = next(matching, self.default)
        others = f"rule {chosen.rule} comes first" if chosen.rule else "no other rule matches"
        results.append(
            ExplainedRule(0, self.default.variant, matched=True, explanation=f"matches every request; {others}")
        )
        return Explanation(chosen.variant, chosen.reason, chosen.rule, results)

    def _explain(self, rule: _CompiledRule, context: Context, ends: dict[str, int]) -> ExplainedRule:
        """Return the result of one rule; `ends` has the ends of the splits of earlier rules, and is updated."""
        values = [(condition, context.get(condition.attribute)) for condition in rule.conditions]
        failing = [(condition, value) for condition, value in values if not condition.holds(value)]
        parts = [condition.explanation(value) for condition, value in (failing or values)[:_MAX_EXPLAINED]]
        if more := len(failing or values) - len(parts):
            parts.append(f"{more} more conditions {'do not hold' if failing else 'hold'}")
        if failing:
            return rule.explained(parts, matched=False)
        if rule.by is None:
            return rule.explained(parts or ["the rule has no conditions"], matched=True)
        begin = ends.get(rule.by, 0)
        ends[rule.by] = end = begin + rule.share
        bucket = find_bucket(self.key, rule.by, context.get(rule.by))
        if bucket is None:
            return rule.explained([_no_bucket(rule.by, context.get(rule.by))], matched=False)
        matched = begin <= bucket < end
        bucket_range = f"from {begin / 100:g} up to {end / 100:g}" if begin else f"below {end / 100:g}"
        split = f"the bucket of {rule.by}, {bucket / 100:.2f}, is {'' if matched else 'not '}{bucket_range}"
        return rule.explained([*parts, split] if matched else [split], matched=matched, bucket=bucket / 100)


def _weight(value: Any) -> int:
    if type(value) is str:
        return 1 + len(value) // _CHARACTERS
    return 1 + len(value) if type(value) is list else 1


def compare(before: RoutingTable, after: RoutingTable, contexts: Iterable[Context]) -> list[ChangedContext]:
    """Return the contexts whose variants differ between the tables."""
    compared = (ChangedContext(context, before.resolve(context), after.resolve(context)) for context in contexts)
    return [change for change in compared if change.before.variant != change.after.variant]


def _compile_rule(number: int, rule: RoutingRule) -> _CompiledRule:
    """Compile a rule. Many deployments have equal rules, and sharing them saves the processor's cache."""
    encoded = _encode(rule)
    return _compile_cached(number, encoded) if len(encoded) <= _SHARED_BYTES else _compile(number, rule)


@lru_cache(maxsize=2_000)
def _compile_cached(number: int, encoded: bytes) -> _CompiledRule:
    return _compile(number, _decode(encoded))


def _compile(number: int, rule: RoutingRule) -> _CompiledRule:
    conditions = tuple(compiled for name, when in rule.when.items() for compiled in compile_conditions(name, when))
    checks = tuple((condition.attribute, condition.holds) for condition in conditions)
    if rule.split is UNSET:
        return _CompiledRule(conditions, checks, None, 0, Resolution(rule.variant, "rule", number))
    return _CompiledRule(conditions, checks, rule.split.by, rule.split.share, Resolution(rule.variant, "split", number))


def _no_bucket(by: str, value: Any) -> str:
    if value is None:
        return f"{by} is missing, so no bucket"
    if value == "":
        return f"{by} is empty, so no bucket"
    return f"{by} is {shown(value)}, which is neither a string nor a whole number, so no bucket"
