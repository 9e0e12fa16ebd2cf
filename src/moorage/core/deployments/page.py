"""PageQuery: the requested page and its direction."""

import re
from collections.abc import Iterable

import msgspec

from moorage.core.errors.requests import ConflictingCursors, InvalidLimit, RepeatedParameter, UnknownParameter

DEFAULT_LIMIT = 10
MAX_LIMIT = 50

#: A page ends early when its items have this many bytes; it has at least one item.
MAX_PAGE_BYTES = 8 * 1_048_576

#: Parameter -> its standard name. The reference page's prose has `after` and `before`, its parameter table the others.
PARAMETERS = {
    "limit": "limit",
    "starting_after": "starting_after",
    "ending_before": "ending_before",
    "after": "starting_after",
    "before": "ending_before",
}

_WHOLE_NUMBER = re.compile(r"([0-9]{1,9})(?:\.0{1,9})?", re.ASCII)


class PageQuery(msgspec.Struct, frozen=True):
    """A page of at most `limit` deployments: the newest, or those after or before a cursor (an id).

    At most one of `starting_after` (older deployments) and `ending_before` (newer deployments) is set.
    """

    limit: int = DEFAULT_LIMIT
    starting_after: str | None = None
    ending_before: str | None = None

    @classmethod
    def read(cls, parameters: Iterable[tuple[str, str]], others: tuple[str, ...] = ()) -> "PageQuery":
        """Read query parameters; an empty value counts as absent. The caller reads the values of `others`.

        Raises:
            UnknownParameter, RepeatedParameter, InvalidLimit, ConflictingCursors
        """
        found: dict[str, str] = {}
        for name, value in parameters:
            standard = name if name in others else PARAMETERS.get(name)
            if standard is None:
                raise UnknownParameter(param=name[:200], name=name[:200], allowed=", ".join((*PARAMETERS, *others)))
            if standard in found:
                raise RepeatedParameter(param=standard, name=standard)
            found[standard] = value
        after, before = found.get("starting_after") or None, found.get("ending_before") or None
        if after and before:
            raise ConflictingCursors(param="ending_before")
        return cls(_read_limit(found.get("limit", "")), after, before)


def fitting(sizes: Iterable[int]) -> int:
    """Return how many items of these sizes (bytes) a page has at most. Sizes after the end of the page are not read."""
    total = count = 0
    for size in sizes:
        total += size
        if total > MAX_PAGE_BYTES and count:
            break
        count += 1
    return count


def page_json(items: Iterable[bytes], *, has_more: bool) -> bytes:
    """Return the JSON of a page with these items, which are JSON."""
    tail = b'],"has_more":true}' if has_more else b'],"has_more":false}'
    return b"".join((b'{"object":"list","data":[', b",".join(items), tail))


def _read_limit(text: str) -> int:
    """Parse `10`, and also `10.0`: older SDKs send the default as a float."""
    if not text:
        return DEFAULT_LIMIT
    match = _WHOLE_NUMBER.fullmatch(text)
    limit = int(match[1]) if match else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidLimit(param="limit", maximum=MAX_LIMIT, value=text[:200])
    return limit
