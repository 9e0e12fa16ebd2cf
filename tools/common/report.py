"""Markdown of the two generated pages: tables, bounds, filled paragraphs."""

import textwrap
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec


class Bound(msgspec.Struct, frozen=True):
    """Measured value with its required limit; `target` is an optional stricter limit."""

    figure: str
    measured: float
    required: float
    target: float | None = None
    unit: str = ""
    is_at_least: bool = False

    @property
    def verdict(self) -> str:
        """Return whether the limits are met, in words."""
        if not self._is_met(self.required):
            return f"**missed by {self._format(abs(self.measured - self.required))}**"
        if self.target is None:
            return "met"
        if self._is_met(self.target):
            return "met, target too"
        return f"met; {self._format(abs(self.measured - self.target))} short of the target"

    @property
    def row(self) -> list[str]:
        """Return figure, required, measured, verdict."""
        sign = "≥" if self.is_at_least else "≤"
        target = "" if self.target is None else f" (target {self._format(self.target)})"
        required = f"{sign} {self._format(self.required)}{target}"
        return [self.figure, required, self._format(self.measured), self.verdict]

    def _is_met(self, limit: float) -> bool:
        return self.measured >= limit if self.is_at_least else self.measured <= limit

    def _format(self, value: float) -> str:
        if isinstance(self.measured, int):  # a count
            return f"{value:,} {self.unit}".strip()
        digits = f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if self.unit else f"{value:.3f}"
        return f"{digits} {self.unit}".strip()


def table(header: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """Return a Markdown table whose columns after the first `texts` are numbers."""
    lines = [header, ["---" if place < texts else "--:" for place in range(len(header))], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def spread(values: Sequence[float], form: str = ".3f") -> str:
    """Return the median, with minimum and maximum in parentheses."""
    if len(values) == 1:
        return format(values[0], form)
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def pluralize(number: int, noun: str) -> str:
    """Return `1 start` or `3 starts`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def join(parts: Iterable[str]) -> str:
    """Return the parts of a page, separated by blank lines and filled to one width."""
    return "\n\n".join(_fill(block) for part in parts for block in part.strip().split("\n\n")) + "\n"


def _fill(block: str) -> str:
    """Fill a paragraph or a list; leave tables, headings and code blocks."""
    if block.startswith(("|", "#", "    ")):
        return block
    if not block.startswith("- "):
        return textwrap.fill(" ".join(block.split()), 120, break_on_hyphens=False)
    items = [" ".join(item.split()) for item in ("\n" + block).split("\n- ")[1:]]
    return "\n".join(
        textwrap.fill(item, 120, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False) for item in items
    )
