"""`/console/new-integration`: choose a provider, and fill in the form that it needs.

An integration may be named `new`, so this form is not below `/console/integrations`.
"""

from typing import Final

from starlette.responses import Response

from moorage.console.form import Form
from moorage.console.integration_form import body_of, credential_fields, limit_fields, settings_fields, typed_values
from moorage.console.integrations import PAGE, may_change
from moorage.console.page_request import PageRequest
from moorage.core.access import Scope
from moorage.core.errors.base import MoorageError
from moorage.providers.environment import variables_of
from moorage.providers.table import PROVIDERS, ProviderRow

_BOUND: Final = "Your API key is bound to an environment"


async def show(page: PageRequest) -> Response:
    """Show the providers; with `provider` in the query, the form of an integration of that one."""
    return _show(page, page.parameter("provider"), None, None)


async def create(page: PageRequest) -> Response:
    """Create an integration; an existing one of the name is not changed."""
    form = await page.form()
    name, provider = form.get("name"), form.get("provider")
    try:
        body = body_of(form, provider, has_secrets=True)
        await page.send("PutIntegration", body, headers={"If-None-Match": "*"}, name=name)
    except MoorageError as error:
        return _show(page, provider, form, error)
    return page.done(f"{PAGE}/{name}", "integration_saved", where=name)


def _show(page: PageRequest, provider: str, form: Form | None, error: MoorageError | None) -> Response:
    page.section = "integrations"
    failure = None if error is None else page.failure(error)
    page.key.check_scopes(frozenset({Scope.INTEGRATIONS_ADMIN}))
    if not may_change(page):
        return page.message(403, _BOUND, "An API key that is bound to none can create integrations.")
    status, row = failure.status if failure else 200, PROVIDERS.get(provider)
    if row is None:
        return page.render("integration_providers.html", status=status, providers=_callable_first(), error=failure)
    values = {} if form is None else typed_values(form)
    return page.render(
        "integration_new.html", status=status, error=failure, row=row, settings=settings_fields(row, values),
        limits=limit_fields(values), secrets=credential_fields(row), variables=variables_of(row),
        name=row.id if form is None else form.get("name"), reason="" if form is None else form.get("reason"),
        can_seal=page.services.store.key_ring.can_seal,
    )  # fmt: skip


def _callable_first() -> list[ProviderRow]:
    """Return the providers, first those that have models that Moorage can call."""
    return sorted(PROVIDERS.values(), key=lambda row: not row.protocols)
