"""`/console/deployments`: the deployments of a project in an environment, with filters and pages."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args

import msgspec
from starlette.responses import Response

from moorage import clock
from moorage.console.drafts import newest
from moorage.console.page_request import PageRequest
from moorage.console.versions import pages
from moorage.core.deployments.prompt_config import ModelType, Provider
from moorage.core.errors.storage import StorageError

_PAGE: Final = "/console/deployments"
_LIMIT: Final = 25

#: The values of the parameter `changed`: their names and durations in days.
_PERIODS: Final = {"day": ("In the last day", 1), "week": ("In the last week", 7), "month": ("In the last month", 30)}

_FILTERS: Final = ("search", "provider", "model", "model_type", "owner", "changed")

#: The names of owners for people.
_OWNERS: Final = {"files": "Managed by files", "api": "Managed in Moorage"}

#: How long the list waits for the database, without which it has fewer columns (seconds).
_DATABASE_SECONDS: Final = 2.0


class FilterChip(msgspec.Struct, frozen=True):
    """An active filter, and the address of the list without it."""

    text: str
    without: str


async def show(page: PageRequest) -> Response:
    """Show the deployments that match the filters, newest first."""
    page.section = "deployments"
    filters = {name: page.parameter(name) for name in _FILTERS}
    cursor = {name: page.parameter(name) for name in ("starting_after", "ending_before")}
    query = {name: value for name, value in filters.items() if name != "changed"}
    query |= cursor | {"limit": str(_LIMIT), "updated_since": _since(filters["changed"])}
    found = await page.call("Deployments", query)
    view = page.services.catalog.view(page.key.project_id, _environment(page))
    is_first = not any((*filters.values(), *cursor.values()))
    drafts = await newest(page, _DATABASE_SECONDS) if is_first else None
    return page.render(
        "deployment_list.html", deployments=found["data"], drafts=drafts, total=len(view), filters=filters,
        chips=_chips(page, filters), pages=pages(page, _PAGE, cursor, found, "id", **filters),
        providers=get_args(Provider), model_types=get_args(ModelType),
        periods={name: text for name, (text, _) in _PERIODS.items()}, owners=_OWNERS,
        summaries=await _summaries(page, [each["id"] for each in found["data"]]),
    )  # fmt: skip


async def _summaries(page: PageRequest, ids: list[str]) -> dict[str, Any]:
    """Return what the list shows from the database, by id: nothing while the database is unreachable."""
    if not ids or page.services.follower.age() > _DATABASE_SECONDS:
        return {}
    try:
        async with asyncio.timeout(_DATABASE_SECONDS):
            found = await page.call("Summaries", {"ids": ",".join(ids)})
    except (StorageError, TimeoutError):
        return {}
    return {each["id"]: each for each in found["data"]}


def _environment(page: PageRequest) -> Any:
    """Return the environment; the list was read in it, so it exists."""
    environments = page.services.catalog.environments(page.key.project_id)
    return environments[page.environment]


def _since(period: str) -> str:
    """Return the time at which a period began; another text as it is, which the list rejects."""
    if period not in _PERIODS:
        return period
    began = datetime.fromtimestamp(clock.now_seconds(), UTC) - timedelta(days=_PERIODS[period][1])
    return began.strftime("%Y-%m-%dT%H:%M:%SZ")


def _chips(page: PageRequest, filters: dict[str, str]) -> list[FilterChip]:
    texts = {name: value for name, value in filters.items() if value}
    if texts.get("owner") in _OWNERS:
        texts["owner"] = _OWNERS[texts["owner"]]
    if texts.get("changed") in _PERIODS:
        texts["changed"] = _PERIODS[texts["changed"]][0]
    return [FilterChip(text, page.address(_PAGE, **filters | {name: ""})) for name, text in texts.items()]
