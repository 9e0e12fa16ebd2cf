"""A diff as a page shows it: the changed parts, its layout, and the addresses that change the layout."""

from typing import Any, Final

import msgspec

from moorage.console.differences import Part, parts
from moorage.console.page_request import PageRequest

_LAYOUTS: Final = {"split": "Side by side", "one": "One column"}


class DiffView(msgspec.Struct, frozen=True):
    """The difference between two documents. `before` and `after` are their names, and `id` begins the ids of parts."""

    id: str
    before: str
    after: str
    parts: list[Part]
    omitted: bool
    layout: str
    links: list[tuple[str, str, bool, str]]

    @property
    def paths(self) -> set[str]:
        """The paths of the changed parts."""
        return {part.path for part in self.parts}


def diff_view(
    page: PageRequest,
    path: str,
    documents: tuple[Any, Any],
    names: tuple[str, str],
    *,
    id_: str = "part",
    layout: str = "",
    **query: str,
) -> DiffView:
    """Return the difference between two documents for the page at `path` with a query.

    Without a `layout`, the address of the page has it. It takes long for large documents.
    """
    found = parts(*documents)
    layout = layout or page.parameter("layout")
    layout = layout if layout in _LAYOUTS else "split"
    links = [(text, page.address(path, **query, layout=name), name == layout, name) for name, text in _LAYOUTS.items()]
    return DiffView(id_, *names, found.parts, found.omitted, layout, links)
