"""`/console/deployments/KEY/versions`: all versions, of which two can be compared."""

from typing import Any, Final

from starlette.responses import Response

from moorage.console.page_request import PageRequest
from moorage.console.seen import see

_LIMIT: Final = 25


async def show(page: PageRequest) -> Response:
    """Show the versions, drafts included, newest first."""
    page.section, key = "deployments", page.path("key_or_id")
    cursor = {name: page.parameter(name) for name in ("starting_after", "ending_before")}
    found = await page.call("DeploymentVersions", cursor | {"limit": str(_LIMIT)}, key_or_id=key)
    item = (await see(page, key)).item
    return page.render(
        "versions.html", item=item, versions=found["data"], tab="versions",
        draft=None if cursor["starting_after"] else waiting(found["data"]),
        pages=pages(page, f"/console/deployments/{item['key']}/versions", cursor, found, "_id"),
    )  # fmt: skip


def waiting(versions: list[Any]) -> Any:
    """Return the newest version if it is a draft or waits for an approval, or None."""
    return versions[0] if versions and versions[0]["status"] in ("draft", "pending") else None


def pages(page: PageRequest, path: str, cursor: dict[str, str], found: Any, id_: str, **query: str) -> dict[str, str]:
    """Return the addresses of the newer and the older page of a list; nothing if there is none."""
    items, has_more, is_newer = found["data"], found["has_more"], bool(cursor["ending_before"])
    has_older, has_newer = (True, has_more) if is_newer else (has_more, bool(cursor["starting_after"]))
    return {
        "newer": page.address(path, **query, ending_before=items[0][id_]) if items and has_newer else "",
        "older": page.address(path, **query, starting_after=items[-1][id_]) if items and has_older else "",
    }
