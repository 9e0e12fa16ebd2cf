"""The forms of an environment: create it, change its settings, delete it.

An environment may be named `new`, so the form of a new one is at `/console/new-environment`.
"""

import re
from typing import Any, Final

from starlette.responses import Response

from moorage.console.form import Form
from moorage.console.page_request import PageRequest
from moorage.core.access import Scope
from moorage.core.environments import MAX_APPROVALS, PRODUCTION
from moorage.core.errors.base import MoorageError

_LIST: Final = "/console/environments"
_ADMIN: Final = frozenset({Scope.ENVIRONMENTS_ADMIN})
_BOUND: Final = "Your API key is bound to an environment"
_TEXTS: Final = ("display_name", "description", "required_approvals")
_BOXES: Final = ("protected", "approve_undo")


async def show_new(page: PageRequest) -> Response:
    """Show the form of a new environment; `name` in the query is one that calls sent."""
    return await _show_new(page, Form([("name", page.parameter("name")), ("required_approvals", "0")], []))


async def create(page: PageRequest) -> Response:
    """Create an environment; an existing one of the name is not changed."""
    form = await page.form()
    name = form.get("name")
    body = {field: value for field, value in _body(form).items() if value != ""}  # an omitted one has its default
    try:
        result = await page.send("PutEnvironment", body, headers={"If-None-Match": "*"}, name=name)
    except MoorageError as error:
        return await _show_new(page, form, error)
    return _done(page, name, result.headers.get("x-moorage-warnings"))


async def show(page: PageRequest) -> Response:
    """Show the settings of an environment, as a form if the API key may change them."""
    return await _show(page)


async def change(page: PageRequest) -> Response:
    """Change the settings, unless somebody changed them since they were shown."""
    form, name = await page.form(), page.path("name")
    try:
        result = await page.send("PutEnvironment", _body(form), headers={"If-Match": form.get("etag")}, name=name)
    except MoorageError as error:
        return await _show(page, form, error)
    return _done(page, name, result.headers.get("x-moorage-warnings"))


async def show_deletion(page: PageRequest) -> Response:
    """Show what a deletion does."""
    return await _show_deletion(page)


async def delete(page: PageRequest) -> Response:
    """Delete an environment. A refusal names what uses it, and offers to delete it anyway."""
    form, name = await page.form(), page.path("name")
    query = {"force": "true"} if "force" in form else None
    headers = {"If-Match": form.get("etag"), "X-Moorage-Change-Reason": form.get("reason")}
    try:
        await page.send("DeleteEnvironment", query=query, headers=headers, name=name)
    except MoorageError as error:
        return await _show_deletion(page, form, error)
    return page.redirect(page.query(_LIST, done="environment_deleted", where=name))


def may_change(page: PageRequest) -> bool:
    """Return whether the API key may change environments: one that is bound to an environment may not."""
    return Scope.ENVIRONMENTS_ADMIN in page.key.scopes and page.key.environment_id is None


async def _show_new(page: PageRequest, form: Form, error: MoorageError | None = None) -> Response:
    page.section = "environments"
    failure = None if error is None else page.failure(error)
    page.key.check_scopes(_ADMIN)
    if not may_change(page):
        return page.message(403, _BOUND, "An API key that is bound to none can create environments.")
    found = await page.call("Environments")
    return page.render(
        "environment_new.html", status=failure.status if failure else 200, error=failure, settings=_typed(form),
        name=form.get("name"), reason=form.get("reason"), is_production=False, maximum=MAX_APPROVALS,
        unknown=found.get("unknown_names", []),
    )  # fmt: skip


async def _show(page: PageRequest, form: Form | None = None, error: MoorageError | None = None) -> Response:
    page.section = "environments"
    failure = None if error is None else page.failure(error)
    current = await page.send("GetEnvironment", name=page.path("name"))
    return page.render(
        "environment.html", status=failure.status if failure else 200, error=failure, item=current.value,
        settings=current.value if form is None else _typed(form), reason="" if form is None else form.get("reason"),
        etag=current.headers["etag"], is_production=current.value["name"] == PRODUCTION, maximum=MAX_APPROVALS,
        may_change=may_change(page),
    )  # fmt: skip


async def _show_deletion(page: PageRequest, form: Form | None = None, error: MoorageError | None = None) -> Response:
    page.section, name = "environments", page.path("name")
    failure = None if error is None else page.failure(error)
    current = await page.send("GetEnvironment", name=name)
    different = await page.call("EnvironmentDiff", {"from": name, "to": PRODUCTION, "limit": "50"})
    own = [each["key"] for each in different["data"] if not each["from_follows"] and each["from_version"]]
    return page.render(
        "environment_delete.html", status=failure.status if failure else 200, error=failure, item=current.value,
        etag=current.headers["etag"], is_production=current.value["name"] == PRODUCTION, own=own,
        has_more=different["has_more"], may_change=may_change(page), reason="" if form is None else form.get("reason"),
        can_force=failure is not None and failure.detail["code"] in ("keys_bound", "in_use"),
    )  # fmt: skip


def _body(form: Form) -> dict[str, Any]:
    """Return the body of the operation. Boxes that are not ticked are false; other absent fields are unchanged."""
    body: dict[str, Any] = {name: form.get(name) for name in _TEXTS if name in form}
    if re.fullmatch(r"[0-9]{1,9}", form.get("required_approvals")):
        body["required_approvals"] = int(form.get("required_approvals"))
    body |= {name: name in form for name in _BOXES}
    if "unknown_names" in form:
        body["unknown_names"] = form.get("unknown_names")
    return body | {"reason": form.get("reason")}


def _typed(form: Form) -> dict[str, Any]:
    """Return the settings as they were typed."""
    typed: dict[str, Any] = {name: form.get(name) for name in (*_TEXTS, "unknown_names")}
    return typed | {name: name in form for name in _BOXES}


def _done(page: PageRequest, name: str, warnings: str | None) -> Response:
    notice = "environment_saved_few_approvers" if warnings else "environment_saved"
    return page.redirect(
        page.query(f"{_LIST}/{name}", environment=page.parameter("environment"), done=notice, where=name)
    )
