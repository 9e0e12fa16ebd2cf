"""Usage: which API key used which version, for people who look for their callers."""

import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from moorage.core.deployments.history import KeyName
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.requests import InvalidCursor
from moorage.core.times import iso

_CURSOR: Final = re.compile(r"([0-9]{1,17})\.([0-9A-Za-z-]{1,64})\.([0-9A-Za-z]{1,64})", re.ASCII)

#: A position in the list: the last time, the id of the version, the id of the API key.
Position = tuple[int, str, str]


class Use(msgspec.Struct, frozen=True):
    """The use of a version by an API key in an environment, with the current names of both."""

    version_id: str
    api_key: KeyName
    deployment_id: str
    key: str
    version: str
    first_us: int
    last_us: int
    inputs: list[str]
    is_live: bool

    @property
    def position(self) -> Position:
        """Its position in the list."""
        return self.last_us, self.version_id, self.api_key.id

    @property
    def item(self) -> "UsageItem":
        """The representation in responses."""
        return UsageItem(
            ".".join(map(str, self.position)), self.deployment_id, self.key, self.version, self.is_live, self.api_key,
            self.inputs, iso(self.first_us), iso(self.last_us),
        )  # fmt: skip


class UsageItem(msgspec.Struct, frozen=True):
    """The use of a version by an API key in the last 30 days; `inputs` are names, never values."""

    id: Annotated[str, Meta(description="Opaque; the cursor of the list.")]
    deployment_id: str
    key: str
    version: str
    is_live: Annotated[bool, Meta(description="Whether the version is live in the environment.")]
    api_key: KeyName
    inputs: list[str]
    first_used: str
    last_used: str


class UsagePage(msgspec.Struct, frozen=True):
    """A page of uses, the most recent one first."""

    object: Literal["list"]
    data: list[UsageItem]
    has_more: bool


def read_position(query: PageQuery) -> Position | None:
    """Return the position of the cursor. A use that was renewed since has another position.

    Raises:
        InvalidCursor
    """
    cursor = query.ending_before or query.starting_after
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidCursor(param="ending_before" if query.ending_before else "starting_after", value=cursor[:200])
    return int(match[1]), match[2], match[3]


def page_of_uses(found: Iterable[Use], query: PageQuery, position: Position | None) -> UsagePage:
    """Return the page of the uses next to a position; `found` has at least these and the one after them."""
    is_newer = query.ending_before is not None
    uses = sorted(found, key=lambda use: use.position, reverse=not is_newer)
    if position is not None:
        uses = [use for use in uses if (use.position > position if is_newer else use.position < position)]
    page = [use.item for use in uses[: query.limit]]
    return UsagePage("list", page[::-1] if is_newer else page, len(uses) > query.limit)
