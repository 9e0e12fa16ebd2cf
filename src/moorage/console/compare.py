"""`/console/deployments/KEY/compare`: the differences between two versions, part by part."""

from functools import partial
from typing import Any, Final

from starlette.responses import Response

from moorage.console.diff_view import diff_view
from moorage.console.page_request import PageRequest
from moorage.console.seen import see
from moorage.console.version_view import document
from moorage.console.versions import waiting

#: So many versions are offered for a comparison.
_OFFERED: Final = "50"


async def show(page: PageRequest) -> Response:
    """Show what changes from one version, by default the live one, to another, by default the newest."""
    page.section, key = "deployments", page.path("key_or_id")
    item = (await see(page, key)).item
    offered = (await page.call("DeploymentVersions", {"limit": _OFFERED}, key_or_id=key))["data"]
    before = await _version(page, key, page.parameter("from") or "live")
    after = await _version(page, key, page.parameter("to") or offered[0]["version"])
    values = {"item": item, "before": before, "after": after, "versions": offered}
    return await page.compute(partial(_render, page, values))  # it takes long for large versions


def _render(page: PageRequest, values: dict[str, Any]) -> Response:
    key, versions = values["item"]["key"], (values["before"], values["after"])
    before, after = (version["version"] for version in versions)
    view = diff_view(
        page, f"/console/deployments/{key}/compare", (document(key, "", versions[0]), document(key, "", versions[1])),
        (before, after), **{"from": before, "to": after},
    )  # fmt: skip
    return page.render("compare.html", **values, view=view, tab="versions", draft=waiting(values["versions"]))


async def _version(page: PageRequest, key: str, name: str) -> Any:
    return await page.call("GetVersion", key_or_id=key, version_or_id=name)
