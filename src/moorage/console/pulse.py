"""`/console/pulse`: what changed since a page was made, from memory. Scripts request it while a page is open."""

from itertools import islice
from typing import Final

from starlette.responses import Response

from moorage.console.errors import SessionEnded
from moorage.console.page_request import PageRequest
from moorage.console.session import read_cookie
from moorage.console.words import move_words

#: So many changed deployments are counted.
_MAX_COUNTED: Final = 100


async def show(page: PageRequest) -> Response:
    """Return a note about changes after the revision `seen`, of the deployment `key` or of all; 204 without changes.

    Such a request does not extend the session, which would never end while a page is open.
    """
    cookie = read_cookie(page.request)
    if cookie is None:
        raise SessionEnded
    page.caller = page.request.scope["moorage.caller"] = await page.sessions.peek(cookie)
    seen = page.parameter("seen")
    if not (seen.isascii() and seen.isdecimal() and len(seen) <= 18):
        return Response(status_code=204)
    if page.parameter("key"):
        return await _of_deployment(page, page.parameter("key"), int(seen))
    return await _of_list(page, int(seen))


async def _of_deployment(page: PageRequest, key: str, seen: int) -> Response:
    found = await page.send("GetDeployment", key_or_id=key)
    revision, updated = int(found.headers["ETag"].strip('"').partition("-")[0]), found.value["updated"]
    if revision <= seen or updated == page.parameter("updated"):  # a draft has a revision, and changes nothing here
        return Response(status_code=204)
    (entry,) = (await page.call("History", {"limit": "1"}, key_or_id=key))["data"]
    by = entry["api_key"]["name"] if entry["api_key"] else "The operator"
    text = f"{by} {move_words(entry)}"
    path = f"/console/deployments/{found.value['key']}"
    following = page.address("/console/pulse", key=key, seen=str(revision), updated=updated)
    return page.render("pulse.html", text=text, show=page.address(path), next=following)


async def _of_list(page: PageRequest, seen: int) -> Response:
    await page.call("Deployments", {"limit": "1"})  # checks that the API key may see the environment
    environment = page.services.catalog.environments(page.key.project_id)[page.environment]
    view = page.services.catalog.view(page.key.project_id, environment)
    count = 0 if view.revision <= seen else sum(1 for _ in islice(view.changes(seen), _MAX_COUNTED))
    if not count:
        return Response(status_code=204)
    text = f"{count}{' or more' if count == _MAX_COUNTED else ''} deployment{'s' if count > 1 else ''} changed"
    return page.render("pulse.html", text=text, show="", next="")
