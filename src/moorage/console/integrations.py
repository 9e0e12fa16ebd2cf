"""`/console/integrations`: the connections to providers; one of them, to test, change and delete it."""

from typing import Any, Final

from starlette.responses import Response

from moorage.console.form import Form
from moorage.console.integration_form import (
    body_of,
    credential_fields,
    label,
    limit_fields,
    settings_fields,
    typed_values,
    values_of,
)
from moorage.console.page_request import PageRequest
from moorage.console.versions import pages
from moorage.core.access import Scope
from moorage.core.errors.base import MoorageError
from moorage.providers.table import PROVIDERS

PAGE: Final = "/console/integrations"
_LIMIT: Final = 25


async def show_list(page: PageRequest) -> Response:
    """Show the integrations, newest first, and then those of the server's environment."""
    page.section = "integrations"
    cursor = {name: page.parameter(name) for name in ("starting_after", "ending_before")}
    found = await page.call("Integrations", cursor | {"limit": str(_LIMIT)})
    return page.render(
        "integrations.html", integrations=found["data"], providers=PROVIDERS, may_change=may_change(page),
        pages=pages(page, PAGE, cursor, found, "id"), can_seal=page.services.store.key_ring.can_seal,
    )  # fmt: skip


async def show(page: PageRequest) -> Response:
    """Show an integration. With `replace` in the query, the form has fields for new credentials."""
    return await _show(page, is_replacing=bool(page.parameter("replace")))


async def change(page: PageRequest) -> Response:
    """Change an integration, unless somebody changed it since it was shown."""
    form, name = await page.form(), page.path("name")
    is_replacing = "replace" in form
    try:
        body = body_of(form, form.get("provider"), has_secrets=is_replacing)
        await page.send("PutIntegration", body, headers={"If-Match": form.get("etag")}, name=name)
    except MoorageError as error:
        needs_secrets = is_replacing or error.code == "credentials_required"
        return await _show(page, form, error, is_replacing=needs_secrets)
    return page.done(f"{PAGE}/{name}", "integration_saved", where=name)


async def test(page: PageRequest) -> Response:
    """Send the provider a request that costs nothing, and show what it said."""
    try:
        result = await page.send("TestIntegration", name=page.path("name"))
    except MoorageError as error:
        return await _show(page, None, error)
    return await _show(page, result=result.value)


async def show_deletion(page: PageRequest) -> Response:
    """Show what a deletion does."""
    return await _show(page, template="integration_delete.html")


async def delete(page: PageRequest) -> Response:
    """Delete an integration with its credentials. A refusal names the deployments that use it."""
    form, name = await page.form(), page.path("name")
    headers = {"If-Match": form.get("etag"), "X-Moorage-Change-Reason": form.get("reason")}
    try:
        await page.send("DeleteIntegration", headers=headers, name=name)
    except MoorageError as error:
        return await _show(page, form, error, template="integration_delete.html")
    return page.done(PAGE, "integration_deleted", where=name)


def may_change(page: PageRequest) -> bool:
    """Return whether the API key may change integrations: one that is bound to an environment may not."""
    return Scope.INTEGRATIONS_ADMIN in page.key.scopes and page.key.environment_id is None


async def _show(
    page: PageRequest,
    form: Form | None = None,
    error: MoorageError | None = None,
    *,
    template: str = "integration.html",
    is_replacing: bool = False,
    result: Any = None,
) -> Response:
    page.section = "integrations"
    failure = None if error is None else page.failure(error)
    current = await page.send("GetIntegration", name=page.path("name"))
    item = current.value
    values, row = values_of(item) if form is None else typed_values(form), PROVIDERS[item["provider"]]
    return page.render(
        template, status=failure.status if failure else 200, error=failure, item=item, row=row, result=result,
        etag=current.headers.get("etag", ""), settings=settings_fields(row, values), limits=limit_fields(values),
        secrets=credential_fields(row), is_replacing=is_replacing, may_change=may_change(page), label=label,
        reason="" if form is None else form.get("reason"), is_own=item["source"] == "project",
    )  # fmt: skip
