"""`/console/deployments/KEY`: the live version of a deployment, and other versions in the same form."""

import json
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from moorage.console import version_view
from moorage.console.page_request import PageRequest
from moorage.console.seen import see
from moorage.console.versions import waiting
from moorage.documents.yaml import dump_file

_FORMS: Final = ("text", "yaml", "json")


async def show(page: PageRequest) -> Response:
    """Show the live version in the environment."""
    return await _show(page, "live", "live")


async def show_version(page: PageRequest) -> Response:
    """Show a version by its number or id."""
    return await _show(page, page.path("version"), "versions")


async def _show(page: PageRequest, name: str, tab: str) -> Response:
    page.section, key = "deployments", page.path("key_or_id")
    item = await page.call("GetDeployment", key_or_id=key) if name == "live" else (await see(page, key)).item
    version = await page.call("GetVersion", key_or_id=key, version_or_id=name)
    moves = await page.call("History", {"limit": "1"}, key_or_id=key)
    callers = await page.call("Callers", key_or_id=key)
    newest = await page.call("DeploymentVersions", {"limit": "1"}, key_or_id=key)
    values = {
        "item": item, "shown": version, "tab": tab, "draft": waiting(newest["data"]),
        "move": moves["data"][0] if moves["data"] else None, "callers": callers["data"][: version_view.MAX_SHOWN],
    }  # fmt: skip
    return await page.compute(partial(_render, page, values))  # a version can have thousands of messages


def _render(page: PageRequest, values: dict[str, Any]) -> Response:
    item, version = values["item"], values["shown"]
    form = page.parameter("as") if page.parameter("as") in _FORMS else "text"
    document = version_view.document(item["key"], item["description"], version, item.get("aliases", ()))
    return page.render(
        "deployment.html", **values, form=form, forms=_FORMS, document=_written(form, document),
        messages=version_view.messages(version),
        hidden=version_view.more(version["prompt_config"].get("messages", [])),
        parameters=version_view.parameters(version), rules=version_view.rules(version),
        tools=[(tool, version_view.arguments(tool)) for tool in version["tools"][: version_view.MAX_SHOWN]],
        short=version_view.short, maximum=version_view.MAX_SHOWN,
    )  # fmt: skip


def _written(form: str, document: dict[str, Any]) -> str | None:
    """Return a document as JSON or YAML; nothing for the text, and None if it is too large for a page."""
    if form == "text":
        return ""
    as_json = json.dumps(document, ensure_ascii=False, indent=2)
    if len(as_json) > version_view.MAX_DOCUMENT:
        return None
    return as_json if form == "json" else dump_file(document)
