"""`/console/deployments/KEY/description`: the description and the aliases, which all environments share."""

from typing import Any

from starlette.responses import Response

from moorage.console.form import Form
from moorage.console.page_request import PageRequest
from moorage.console.problems import ErrorPage
from moorage.console.seen import see
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import MoorageError, OwnedByFiles


async def show(page: PageRequest) -> Response:
    """Show the form."""
    return await _show(page)


async def save(page: PageRequest) -> Response:
    """Change the description, and the aliases if they are other ones."""
    form, key = await page.form(), page.path("key_or_id")
    body: dict[str, Any] = {"description": form.get("description"), "reason": form.get("reason")}
    if "aliases" in form and form.get("aliases").split() != form.get("aliases_before").split():
        body["aliases"] = form.get("aliases").split()
    query = {"take_ownership": "true" if "take_ownership" in form else ""}
    try:
        await page.send("PatchDeployment", body, query=query, headers={"If-Match": form.get("etag")}, key_or_id=key)
    except MoorageError as error:
        file = str(error.fields["file"]) if isinstance(error, OwnedByFiles) else form.get("file")
        return await _show(page, form, page.failure(error), file)
    return page.done(f"/console/deployments/{key}", "described", key=key)


async def _show(
    page: PageRequest, form: Form | None = None, error: ErrorPage | None = None, file: str = ""
) -> Response:
    page.section = "deployments"
    seen = await see(page, page.path("key_or_id"), PRODUCTION)  # a PATCH is conditional on the state there
    aliases = "\n".join(seen.item.get("aliases", ()))
    typed = {"description": seen.item["description"], "aliases": aliases, "aliases_before": aliases, "reason": ""}
    if form is not None:
        typed = {name: form.get(name) for name in typed}
    return page.render(
        "description.html", status=200 if error is None else error.status, error=error, key=seen.item["key"],
        etag=seen.etag, current=seen.item["description"], aliases=aliases, typed=typed, file=file,
        is_outdated=error is not None and error.status == 412,
    )  # fmt: skip
