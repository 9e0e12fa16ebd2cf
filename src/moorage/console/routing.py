"""`/console/deployments/KEY/routing`: which variant a context gets and why, and who gets another one from a draft."""

from typing import Any, Final

from starlette.responses import Response

from moorage.console.contexts import read_context, read_contexts
from moorage.console.page_request import PageRequest
from moorage.console.version_view import MAX_SHOWN, rules, short
from moorage.core.errors.base import MoorageError

#: So many versions are offered for a comparison.
_OFFERED: Final = "50"

_NOTHING: Final = {
    "context": "", "explained": None, "context_error": None, "contexts": "", "chosen": "", "moved": None,
    "contexts_error": None,
}  # fmt: skip


async def show(page: PageRequest) -> Response:
    """Show the result of each rule for the context in the query."""
    text, error, explained = page.parameter("context"), None, None
    version = await page.call("GetVersion", key_or_id=page.path("key_or_id"), version_or_id="live")
    try:
        explained = await _explain(page, text)
    except MoorageError as problem:
        error = page.failure(problem)._replace(heading="The context is not valid")
    return await _render(page, version, context=text, explained=explained, context_error=error)


async def simulate(page: PageRequest) -> Response:
    """Show which contexts get another variant from the routing table of another version. Nothing changes."""
    form, key = await page.form(), page.path("key_or_id")
    version = await page.call("GetVersion", key_or_id=key, version_or_id="live")
    moved, error = None, None
    try:
        other = await page.call("GetVersion", key_or_id=key, version_or_id=form.get("version"))
        body = {
            "contexts": read_contexts(form.get("contexts")), "routing": other.get("routing") or [],
            "variants": other.get("variants") or [],
        }  # fmt: skip
        moved = (await page.send("Simulate", body, key_or_id=key)).value
    except MoorageError as problem:
        error = page.failure(problem)._replace(heading="The contexts cannot be compared")
    return await _render(
        page, version, contexts=form.get("contexts"), chosen=form.get("version"), moved=moved, contexts_error=error
    )


async def _explain(page: PageRequest, text: str) -> Any:
    context = read_context(text)
    query = {"environment": page.environment}
    result = await page.send("Explain", {"context": context}, query=query, key_or_id=page.path("key_or_id"))
    return result.value


async def _render(page: PageRequest, version: Any, **values: Any) -> Response:
    """Return the page; `values` are those of one of its two forms, and of what it showed."""
    page.section, key = "deployments", page.path("key_or_id")
    item = await page.call("GetDeployment", key_or_id=key)
    offered = (await page.call("DeploymentVersions", {"limit": _OFFERED}, key_or_id=key))["data"]
    shown = _NOTHING | values
    error = shown["context_error"] or shown["contexts_error"]
    return page.render(
        "routing.html", **shown, status=error.status if error else 200, item=item, tab="routing", draft=None,
        rules=rules(version), short=short, maximum=MAX_SHOWN,
        results={rule["rule"]: rule for rule in (shown["explained"] or {"rules": []})["rules"]},
        versions=[each for each in offered if each["version"] != version["version"]],
    )  # fmt: skip
