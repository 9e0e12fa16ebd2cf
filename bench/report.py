"""The page: figures with their bounds, as Markdown."""

import textwrap
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec


class Bound(msgspec.Struct, frozen=True):
    """Something that was promised, and what was measured. `wanted` is the better number that was hoped for."""

    figure: str
    measured: float
    required: float
    wanted: float | None = None
    unit: str = ""
    is_at_least: bool = False

    @property
    def verdict(self) -> str:
        """In words."""
        if not self._holds(self.required):
            return f"**falls short by {self._show(abs(self.measured - self.required))}**"
        if self.wanted is None:
            return "met"
        if self._holds(self.wanted):
            return "met, and the wanted too"
        return f"met; {self._show(abs(self.measured - self.wanted))} short of the wanted"

    @property
    def row(self) -> list[str]:
        """Figure, required, wanted, measured, verdict."""
        sign = "≥" if self.is_at_least else "≤"
        wanted = "" if self.wanted is None else f"{sign} {self._show(self.wanted)}"
        return [self.figure, f"{sign} {self._show(self.required)}", wanted, self._show(self.measured), self.verdict]

    def _holds(self, limit: float) -> bool:
        return self.measured >= limit if self.is_at_least else self.measured <= limit

    def _show(self, value: float) -> str:
        if isinstance(self.measured, int):  # a count
            return f"{value:,} {self.unit}".strip()
        digits = f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if self.unit != "" else f"{value:.3f}"
        return f"{digits} {self.unit}".strip()


class Figure(msgspec.Struct, frozen=True):
    """One section: Markdown, the bounds it was measured for (none if it is for information), what speaks against it."""

    title: str
    text: str
    bounds: list[Bound] = []
    doubts: list[str] = []


def table(header: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """A Markdown table; all columns but the first `texts` are numbers."""
    lines = [header, ["---" if place < texts else "--:" for place in range(len(header))], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def spread(values: Sequence[float], form: str = ".3f") -> str:
    """Median, and the least and the most in parentheses."""
    if len(values) == 1:
        return format(values[0], form)
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def counted(number: int, what: str) -> str:
    """`1 start`, `3 starts`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def page(introduction: str, figures: Sequence[Figure]) -> str:
    """The whole of docs/benchmarks.md."""
    bounds = [bound for figure in figures for bound in figure.bounds]
    parts = [
        "# Benchmarks",
        introduction,
        "## What was promised, and what was measured",
        table(["figure", "required", "wanted", "measured", "verdict"], (bound.row for bound in bounds)),
        "## What falls short",
        _shortfalls(bounds, [doubt for figure in figures for doubt in figure.doubts]),
    ]
    for number, figure in enumerate(figures, 1):
        parts += [f"## {number}. {figure.title}", figure.text]
    return "\n\n".join(filled(block) for part in parts for block in part.strip().split("\n\n")) + "\n"


def filled(block: str) -> str:
    """A paragraph or a list with lines of one length; tables, headings and commands as they are."""
    if block.startswith(("|", "#", "    ")):
        return block
    if not block.startswith("- "):
        return textwrap.fill(" ".join(block.split()), 120, break_on_hyphens=False)
    items = [" ".join(item.split()) for item in ("\n" + block).split("\n- ")[1:]]
    return "\n".join(
        textwrap.fill(item, 120, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False) for item in items
    )


def _shortfalls(bounds: Sequence[Bound], doubts: Sequence[str]) -> str:
    found = [bound for bound in bounds if "short" in bound.verdict]
    lines = [f"- {bound.figure}: {bound.row[3]} for {bound.row[1]}; {bound.verdict}." for bound in found]
    lines += [f"- The run itself: {doubt}" for doubt in doubts]
    return "\n".join(lines) or "Nothing did in this run: each bound is met, and each wanted number reached."
