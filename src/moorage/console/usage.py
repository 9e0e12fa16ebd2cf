"""`/console/deployments/KEY/usage` and `/console/usage`: which API keys use which versions."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from moorage import clock
from moorage.console.page_request import PageRequest
from moorage.console.versions import pages
from moorage.core.compatibility.consumers import CONSUMER_DAYS

_LIMIT: Final = "25"

#: The width of the bar that shows the last 30 days, and the smallest width of a span in it.
_WIDTH: Final = 120
_MIN_WIDTH: Final = 4


class Span(NamedTuple):
    """The time from the first to the last use, as a part of the bar."""

    start: int
    width: int


async def show(page: PageRequest) -> Response:
    """Show the uses of a deployment in the environment, the most recent one first."""
    page.section, key = "deployments", page.path("key_or_id")
    item = await page.call("GetDeployment", key_or_id=key)
    return await _show(page, f"/console/deployments/{item['key']}/usage", item)


async def show_all(page: PageRequest) -> Response:
    """Show the uses of all deployments in the environment, the most recent one first."""
    page.section = "usage"
    return await _show(page, "/console/usage", None)


async def _show(page: PageRequest, path: str, item: Any) -> Response:
    cursor = {name: page.parameter(name) for name in ("starting_after", "ending_before")}
    query = cursor | {"limit": _LIMIT, "deployment": "" if item is None else item["id"]}
    found = await page.call("Usage", query)
    return page.render(
        "usage.html" if item is None else "deployment_usage.html", item=item, uses=found["data"], tab="usage",
        draft=None, span=_span, days=CONSUMER_DAYS, width=_WIDTH, pages=pages(page, path, cursor, found, "id"),
    )  # fmt: skip


def _span(use: dict[str, Any]) -> Span:
    """Return the part of the last 30 days in which a version was used."""
    now = datetime.fromtimestamp(clock.now_seconds(), UTC)
    first, last = (_place(now - datetime.fromisoformat(use[name])) for name in ("first_used", "last_used"))
    width = max(last - first, _MIN_WIDTH)
    return Span(min(first, _WIDTH - width), width)


def _place(age: timedelta) -> int:
    share = 1 - age.total_seconds() / (CONSUMER_DAYS * 86_400)
    return round(_WIDTH * min(max(share, 0), 1))
