"""`/console/deleted`: the deployments that can be restored."""

from typing import Final

from starlette.responses import Response

from moorage.console.page_request import PageRequest
from moorage.console.versions import pages

_LIMIT: Final = 25


async def show(page: PageRequest) -> Response:
    """Show the deleted deployments, the last deletion first."""
    page.section = "deployments"
    cursor = {name: page.parameter(name) for name in ("starting_after", "ending_before")}
    found = await page.call("DeletedDeployments", cursor | {"limit": str(_LIMIT)})
    return page.render(
        "deleted.html", deleted=found["data"], pages=pages(page, "/console/deleted", cursor, found, "id")
    )
