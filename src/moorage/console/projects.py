"""`/console/projects`: the project of the session, how much is in it, and how to get to another one."""

from typing import Any, Final

from starlette.responses import Response

from moorage.console.page_request import PageRequest
from moorage.core.access import Scope

#: So many API keys and integrations are counted.
_MAX_COUNTED: Final = "50"


async def show(page: PageRequest) -> Response:
    """Show the project of the session, with what the API key may see of it."""
    page.section, key = "projects", page.key
    catalog, counts = page.services.catalog, dict[str, str]()
    names = {each["name"] for each in (await page.call("Environments"))["data"]} if _may(page, Scope.READ) else set()
    environments = {
        name: len(catalog.view(key.project_id, environment))
        for name, environment in catalog.environments(key.project_id).items()
        if name in names
    }
    if _may(page, Scope.KEYS_ADMIN):
        counts["API keys"] = _count(await page.call("ApiKeys", {"limit": _MAX_COUNTED}))
    if _may(page, Scope.INTEGRATIONS_ADMIN):
        counts["Integrations"] = _count(await page.call("Integrations", {"limit": _MAX_COUNTED}))
    return page.render("projects.html", environments_with_counts=environments, counts=counts, scopes=sorted(Scope))


def _may(page: PageRequest, scope: Scope) -> bool:
    return scope in page.key.scopes


def _count(found: Any) -> str:
    return f"{len(found['data'])}{' or more' if found['has_more'] else ''}"
