"""Pages of lists, from the database."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import msgspec

from moorage.core.deployments.page import PageQuery, fitting
from moorage.core.errors.requests import InvalidCursor
from moorage.store.engine import Row

_AFTER_NEWEST = 2**62


class _Listed(Protocol):
    """An item of a list with a position; None if the row cannot be decoded."""

    @property
    def place(self) -> int | None: ...


R = TypeVar("R", bound=_Listed)


class ListQueries(msgspec.Struct, frozen=True):
    """The queries of a list: one item by its id, older items, newer items.

    `batch` is the number of items that are read at once: they are in memory, even if the page ends before them.
    """

    find: str
    older: str
    newer: str
    batch: int


class Lookups:
    """What all lookups share: the state that they read."""

    def __init__(self, run: Callable[..., Iterable[Row]], rev: int, clock_us: int) -> None:
        """Create a reader of revision `rev`, at a time; `run` takes the name and parameters of a query."""
        self._run = run
        self.rev = rev
        self.clock_us = clock_us

    def _page(
        self,
        queries: ListQueries,
        from_row: Callable[[Row], R],
        parent: dict[str, Any],
        query: PageQuery,
        place: int | None = None,
        **others: None,
    ) -> tuple[list[R], bool]:
        cursor, is_newer = query.ending_before or query.starting_after, query.ending_before is not None
        if place is None and cursor is None:
            place = _AFTER_NEWEST
        elif place is None and cursor is not None:
            found = next(map(from_row, self._run(queries.find, id=cursor, **parent, **others)), None)
            if found is None or found.place is None:
                parameter = "ending_before" if is_newer else "starting_after"
                raise InvalidCursor(param=parameter, value=cursor[:200])
            place = found.place
        direction = queries.newer if is_newer else queries.older
        page, sizes = list[R](), list[int]()
        while (missing := query.limit + 1 - len(page)) > 0 and fitting(sizes) == len(page):
            limit = min(missing, queries.batch)
            found_rows = list(self._run(direction, place=place, limit=limit, **parent))
            page += map(from_row, found_rows)
            sizes += map(_size, found_rows)
            if len(found_rows) < limit:
                break
            place = page[-1].place
        count = min(fitting(sizes), query.limit)
        has_more = len(page) > count
        page = page[:count]
        return (page[::-1] if is_newer else page), has_more


def _size(row: Row) -> int:
    """Return the number of bytes of the texts in a row."""
    texts = (column for column in row if isinstance(column, str))
    return sum(len(text) if text.isascii() else len(text.encode()) for text in texts)
