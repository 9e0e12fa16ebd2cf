"""Tables without a frame, which fit the terminal: keys never break, and other columns are shortened or left out."""

import sys
from collections.abc import Sequence
from datetime import datetime

import msgspec
from rich.table import Table
from rich.text import Text

from moorage import clock
from moorage.core.escaping import visible_lines

#: The number of spaces between two columns.
_GAP = 2

#: The width to which a column is shortened before others are left out, and after that.
_SHORT, _SHORTEST = 24, 12


class Column(msgspec.Struct, frozen=True):
    """A column. On a narrow terminal, its texts are shortened if it `is_cut`, or have several lines if it `is_wrapped`.

    The columns with the lowest `drop` are left out first, and those with 0 never.
    """

    heading: str
    drop: int = 0
    is_cut: bool = False
    is_wrapped: bool = False


class OutputTable:
    """A table of texts, not of markup."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._rows: list[list[Text]] = []

    def add_row(self, *cells: object) -> None:
        """Add a row."""
        self._rows.append([Text(visible_lines("" if cell is None else str(cell))) for cell in cells])

    def fitted(self, width: int | None) -> tuple[Table, int]:
        """Return the table for a terminal of a width (None: without a limit), and the width that it takes."""
        natural = [
            max([len(column.heading), *(row[index].cell_len for row in self._rows)])
            for index, column in enumerate(self._columns)
        ]
        shown, widths = list(range(len(natural))), natural
        while width is not None:
            widths = self._shortened(shown, natural, width, _SHORT)
            droppable = [index for index in shown if self._columns[index].drop]
            if _total(shown, widths) <= width:
                break
            if not droppable:
                widths = self._shortened(shown, natural, width, _SHORTEST)
                break
            shown.remove(min(droppable, key=lambda index: self._columns[index].drop))
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0), collapse_padding=True)
        for index in shown:
            column = self._columns[index]
            table.add_column(
                column.heading, width=widths[index], no_wrap=not column.is_wrapped,
                overflow="fold" if column.is_wrapped else "ellipsis",
            )  # fmt: skip
        for row in self._rows:
            table.add_row(*(row[index] for index in shown))
        return table, _total(shown, widths) + _GAP

    def _shortened(self, shown: list[int], natural: list[int], width: int, shortest: int) -> list[int]:
        """Return the widths after the widest columns were shortened, as far as that is needed and possible."""
        widths = natural.copy()
        flexible = [index for index in shown if self._columns[index].is_cut or self._columns[index].is_wrapped]
        while (excess := _total(shown, widths) - width) > 0:
            widest = max(flexible, key=widths.__getitem__, default=None)
            if widest is None or widths[widest] <= shortest:
                break
            others = [widths[index] for index in flexible if index != widest]
            floor = max([shortest, *(each for each in others if each < widths[widest])])
            widths[widest] -= min(excess, max(1, widths[widest] - floor))
        return widths


def new_table(*columns: str | Column) -> OutputTable:
    """Return an empty table; a heading alone is a column that is always shown in full."""
    return OutputTable([Column(column) if isinstance(column, str) else column for column in columns])


def when(time: str) -> str:
    """Return an ISO 8601 time: on a terminal how long ago it is, else as it is."""
    if not sys.stdout.isatty():
        return time
    try:
        seconds = clock.now_seconds() - datetime.fromisoformat(time).timestamp()
    except (ValueError, OverflowError):  # from a server that is not Moorage
        return time
    if seconds < 0:
        return time
    for length, unit in ((60, "s"), (3_600, "min"), (86_400, "h"), (60 * 86_400, "days")):
        if seconds < length:
            size = {"s": 1, "min": 60, "h": 3_600, "days": 86_400}[unit]
            count = int(seconds // size)
            return f"{count} {unit if unit != 'days' or count != 1 else 'day'} ago"
    return time[:10]


def _total(shown: list[int], widths: list[int]) -> int:
    return sum(widths[index] for index in shown) + _GAP * (len(shown) - 1)
