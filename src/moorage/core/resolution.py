"""Resolution: the variant that a call gets, and why; and the table that finds it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.condition import Condition, Holds, conditions_of
from moorage.core.conform import shown
from moorage.core.context import Context
from moorage.core.routing import Route
from moorage.core.split import find_bucket
from moorage.core.variant import DEFAULT_VARIANT

#: Longer rows, as JSON, are not shared: what is kept has to be bounded.
_SHARED_BYTES: Final = 1_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Route).decode


class Resolution(msgspec.Struct, frozen=True):
    """The variant that a call gets."""

    variant: str
    reason: Annotated[
        Literal["rule", "split", "default", "only"],
        Meta(
            description="A row without a split matched; one with a split did; none did; or there are no rows but row 0."
        ),
    ]
    row: Annotated[int, Meta(description="The row that matched; 0 is the default variant's.")]


class ExplainedRow(msgspec.Struct, frozen=True):
    """What a row makes of a context, whether or not a row above it was chosen."""

    row: int
    variant: str
    matched: Annotated[bool, Meta(description="Whether the row matches; the first one that does is chosen.")]
    because: Annotated[str, Meta(description="Why, in a sentence.")]
    bucket: Annotated[float, Meta(description="Where the split's attribute falls, 0.00 to 99.99.")] | UnsetType = UNSET


class Explanation(Resolution, frozen=True):
    """A resolution with what each row had to say: rows 1, 2, …, and row 0 as the last that is tried."""

    rows: list[ExplainedRow]


class Move(msgspec.Struct, frozen=True):
    """A context that gets another variant after a change of the table."""

    context: Context
    before: Resolution
    after: Resolution


class _Row(msgspec.Struct, frozen=True):
    """A row made ready: its conditions, and what it resolves to."""

    conditions: tuple[Condition, ...]
    checks: tuple[tuple[str, Holds], ...]  # the same, for those who do not ask why
    by: str | None
    share: int
    resolution: Resolution

    def told(self, parts: list[str], *, matched: bool, bucket: float | UnsetType = UNSET) -> ExplainedRow:
        """The row with its reasons as one sentence."""
        because = ", and ".join(dict.fromkeys(parts))
        return ExplainedRow(self.resolution.row, self.resolution.variant, matched, because, bucket)


class Table(msgspec.Struct, frozen=True):
    """A deployment's routing, compiled once and asked for each call. It keeps nothing and may be shared by threads."""

    key: str
    rows: tuple[_Row, ...]
    default: Resolution

    @classmethod
    def compile(cls, key: str, routing: Sequence[Route], default: str = DEFAULT_VARIANT) -> "Table":
        """Make the table of the deployment `key`, whose buckets depend on that key; `default` is row 0's variant."""
        rows = tuple(_row(number, route) for number, route in enumerate(routing, 1))
        return cls(key, rows, Resolution(default, "default" if rows else "only", 0))

    @property
    def conditions(self) -> int:
        """How many conditions a context may be held against, a row being one too."""
        return sum(1 + len(row.conditions) for row in self.rows)

    def resolve(self, context: Context) -> Resolution:
        """The variant for a context, as `moorage.core.context.read_context` gives it."""
        buckets: dict[str, int | None] = {}
        ends: dict[str, int] = {}
        get = context.get
        for row in self.rows:
            for attribute, holds in row.checks:
                if not holds(get(attribute)):
                    break
            else:
                by = row.by
                if by is None:
                    return row.resolution
                if by not in buckets:
                    buckets[by] = find_bucket(self.key, by, get(by))
                bucket = buckets[by]
                ends[by] = end = ends.get(by, 0) + row.share
                # Those below where this part begins were taken by the rows above.
                if bucket is not None and bucket < end:
                    return row.resolution
        return self.default

    def explain(self, context: Context) -> Explanation:
        """The same resolution, with what each row makes of the context."""
        ends: dict[str, int] = {}
        told = [self._explain(row, context, ends) for row in self.rows]
        chosen = next((row.resolution for row, it in zip(self.rows, told, strict=True) if it.matched), self.default)
        others = f"row {chosen.row} comes first" if chosen.row else "no row before it matches"
        told.append(ExplainedRow(0, self.default.variant, matched=True, because=f"it matches anything, and {others}"))
        return Explanation(chosen.variant, chosen.reason, chosen.row, told)

    def _explain(self, row: _Row, context: Context, ends: dict[str, int]) -> ExplainedRow:
        """What one row makes of it; `ends` says where the parts of the rows above end, and is brought up to date."""
        asked = [(condition, context.get(condition.attribute)) for condition in row.conditions]
        failing = [condition.because(value) for condition, value in asked if not condition.holds(value)]
        if failing:
            return row.told(failing, matched=False)
        holding = [condition.because(value) for condition, value in asked]
        if row.by is None:
            return row.told(holding or ["the row asks for nothing"], matched=True)
        begin = ends.get(row.by, 0)
        ends[row.by] = end = begin + row.share
        bucket = find_bucket(self.key, row.by, context.get(row.by))
        if bucket is None:
            return row.told([_no_bucket(row.by, context.get(row.by))], matched=False)
        matched = begin <= bucket < end
        part = f"from {begin / 100:g} up to {end / 100:g}" if begin else f"below {end / 100:g}"
        split = f"the bucket of {row.by}, {bucket / 100:.2f}, is {'' if matched else 'not '}{part}"
        return row.told([*holding, split] if matched else [split], matched=matched, bucket=bucket / 100)


def compare(before: Table, after: Table, contexts: Iterable[Context]) -> list[Move]:
    """What if: the contexts that get another variant from the table `after` than from `before`."""
    moves = (Move(context, before.resolve(context), after.resolve(context)) for context in contexts)
    return [move for move in moves if move.before.variant != move.after.variant]


def _row(number: int, route: Route) -> _Row:
    """The row made ready. Many deployments have the same ones: what they share stays in the processor's cache."""
    encoded = _encode(route)
    return _shared_row(number, encoded) if len(encoded) <= _SHARED_BYTES else _compile(number, route)


@lru_cache(maxsize=2_000)
def _shared_row(number: int, encoded: bytes) -> _Row:
    return _compile(number, _decode(encoded))


def _compile(number: int, route: Route) -> _Row:
    conditions = tuple(found for name, cell in route.when.items() for found in conditions_of(name, cell))
    checks = tuple((condition.attribute, condition.holds) for condition in conditions)
    if route.split is UNSET:
        return _Row(conditions, checks, None, 0, Resolution(route.variant, "rule", number))
    return _Row(conditions, checks, route.split.by, route.split.share, Resolution(route.variant, "split", number))


def _no_bucket(by: str, value: Any) -> str:
    if value is None:
        return f"{by} is missing, so no bucket"
    if value == "":
        return f"{by} is empty, so no bucket"
    return f"{by} is {shown(value)}, which is neither a string nor a whole number, so no bucket"
