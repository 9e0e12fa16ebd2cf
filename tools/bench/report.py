"""The page docs/benchmarks.md."""

from collections.abc import Sequence

import msgspec

from tools.common.report import Bound, join, table


class Figure(msgspec.Struct, frozen=True):
    """Section of the page: Markdown, bounds, and reasons to doubt the numbers."""

    title: str
    text: str
    bounds: list[Bound] = []
    doubts: list[str] = []


def page(introduction: str, figures: Sequence[Figure]) -> str:
    """Return the whole page."""
    bounds = [bound for figure in figures for bound in figure.bounds]
    missed = [bound for bound in bounds if "missed" in bound.verdict or "short" in bound.verdict]
    lines = [f"- {bound.figure}: {bound.row[2]} ({bound.row[1]}); {bound.verdict}." for bound in missed]
    lines += [f"- This run: {doubt}" for figure in figures for doubt in figure.doubts]
    parts = [
        "# Benchmarks",
        introduction,
        "## Summary",
        table(["figure", "required", "measured", "verdict"], (bound.row for bound in bounds)),
        "## Missed limits and doubts",
        "\n".join(lines) or "None in this run.",
    ]
    for number, figure in enumerate(figures, 1):
        parts += [f"## {number}. {figure.title}", figure.text]
    return join(parts)
