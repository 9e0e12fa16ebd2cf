"""`/console/drafts`: the deployments that are live in no environment; and the newest ones, for the list."""

import asyncio
from typing import Any, Final

from starlette.responses import Response

from moorage.console.page_request import PageRequest
from moorage.console.versions import pages
from moorage.core.errors.storage import StorageError

_LIMIT: Final = 25


async def show(page: PageRequest) -> Response:
    """Show the deployments that are live nowhere, newest first."""
    page.section = "deployments"
    cursor = {name: page.parameter(name) for name in ("starting_after", "ending_before")}
    found = await page.call("DraftDeployments", cursor | {"limit": str(_LIMIT)})
    return page.render("drafts.html", drafts=found["data"], pages=pages(page, "/console/drafts", cursor, found, "id"))


async def newest(page: PageRequest, seconds: float) -> dict[str, Any]:
    """Return the first page of them; an empty one if the database does not respond within some seconds.

    An API key of one environment may not list them.
    """
    empty = {"data": [], "has_more": False}
    if page.key.environment_id is not None or page.services.follower.age() > seconds:
        return empty
    try:
        async with asyncio.timeout(seconds):
            found: dict[str, Any] = await page.call("DraftDeployments", {"limit": str(_LIMIT)})
    except (StorageError, TimeoutError):
        return empty
    return found
