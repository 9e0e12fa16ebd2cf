"""`/console/deployments/KEY/history` and `/console/changes`: who changed what, when and why."""

from typing import Final

from starlette.responses import Response

from moorage.console.page_request import PageRequest
from moorage.console.seen import see
from moorage.console.versions import pages
from moorage.console.words import action_words
from moorage.core.deployments.history import ACTIONS

_LIMIT: Final = 25


async def show(page: PageRequest) -> Response:
    """Show the changes of a deployment in an environment, newest first."""
    page.section, key = "deployments", page.path("key_or_id")
    cursor = {name: page.parameter(name) for name in ("starting_after", "ending_before")}
    found = await page.call("History", cursor | {"limit": str(_LIMIT)}, key_or_id=key)
    item = (await see(page, key)).item
    return page.render(
        "history.html", item=item, entries=found["data"], tab="history", draft=None, action_words=action_words,
        pages=pages(page, f"/console/deployments/{item['key']}/history", cursor, found, "id"),
    )  # fmt: skip


async def show_changes(page: PageRequest) -> Response:
    """Show the changes of all deployments, newest first: in the environment of the page, or in all of them."""
    page.section = "changes"
    cursor = {name: page.parameter(name) for name in ("starting_after", "ending_before")}
    filters = {name: page.parameter(name) for name in ("action", "where")}
    query = cursor | {"limit": str(_LIMIT), "action": filters["action"]}
    if filters["where"] == "all":
        query["environment"] = ""
    found = await page.call("ProjectHistory", query)
    return page.render(
        "changes.html", entries=found["data"], filters=filters, actions=ACTIONS, action_words=action_words,
        pages=pages(page, "/console/changes", cursor, found, "id", **filters),
    )  # fmt: skip
