"""`/console/environments`: where versions are live, and how environments differ."""

from typing import Final

from starlette.responses import Response

from moorage.console.environment_settings import may_change
from moorage.console.page_request import PageRequest

_MAX_DIFFERENCES: Final = "50"


async def show(page: PageRequest) -> Response:
    """Show the environments, and how one differs from another."""
    page.section = "environments"
    found = (await page.call("Environments"))["data"]
    names, differences = {name: page.parameter(name) for name in ("from", "to")}, None
    if all(names.values()):
        differences = await page.call("EnvironmentDiff", names | {"limit": _MAX_DIFFERENCES})
    return page.render(
        "environments.html", found=found, names=names, differences=differences, may_change=may_change(page)
    )
