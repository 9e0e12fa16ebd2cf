"""`/console/keys`: the API keys of the project; one of them, to rename, roll and revoke it."""

from typing import Any, Final

from starlette.responses import Response

from moorage.console.page_request import PageRequest
from moorage.console.scopes import WORDS, in_words, missing_to_grant
from moorage.console.session import clear_cookie
from moorage.console.versions import pages
from moorage.core.access import Scope
from moorage.core.errors.base import MoorageError

PAGE: Final = "/console/keys"
_LIMIT: Final = 25


async def show_list(page: PageRequest) -> Response:
    """Show the API keys, newest first."""
    page.section = "keys"
    cursor = {name: page.parameter(name) for name in ("starting_after", "ending_before")}
    found = await page.call("ApiKeys", cursor | {"limit": str(_LIMIT)})
    return page.render(
        "api_keys.html", keys=found["data"], in_words=in_words, pages=pages(page, PAGE, cursor, found, "id")
    )


async def show(page: PageRequest) -> Response:
    """Show an API key, and what it used."""
    return await _show(page)


async def rename(page: PageRequest) -> Response:
    """Rename an API key."""
    form, key_id = await page.form(), page.path("api_key_id")
    try:
        await page.send("PatchApiKey", {"name": form.get("name")}, api_key_id=key_id)
    except MoorageError as error:
        return await _show(page, error, name=form.get("name"))
    return page.done(f"{PAGE}/{key_id}", "api_key_renamed")


async def show_roll(page: PageRequest) -> Response:
    """Show what a new token means for what uses the API key."""
    return await _show(page, template="api_key_roll.html")


async def roll(page: PageRequest) -> Response:
    """Replace the token, and show the new one. A form that is sent again shows no token."""
    form, key_id = await page.form(), page.path("api_key_id")
    body, once = {"reason": form.get("reason")}, {"Idempotency-Key": form.get("once")}
    try:
        result = await page.send("RotateApiKey", body, headers=once, api_key_id=key_id)
    except MoorageError as error:
        return await _show(page, error, template="api_key_roll.html", reason=form.get("reason"))
    return show_token(page, result.value, is_new=False)


async def show_revocation(page: PageRequest) -> Response:
    """Show what uses the API key that is to be revoked."""
    return await _show(page, template="api_key_revoke.html")


async def revoke(page: PageRequest) -> Response:
    """Revoke an API key. With that of the session, the session ends."""
    form, key_id = await page.form(), page.path("api_key_id")
    headers = {"X-Moorage-Change-Reason": form.get("reason")}
    try:
        await page.send("RevokeApiKey", headers=headers, api_key_id=key_id)
    except MoorageError as error:
        return await _show(page, error, template="api_key_revoke.html", reason=form.get("reason"))
    if key_id != page.key.id:
        return page.done(f"{PAGE}/{key_id}", "api_key_revoked")
    page.caller = None
    response = page.message(200, "Your API key is revoked", "With it, your session ended.")
    clear_cookie(response, page.request)
    return response


def show_token(page: PageRequest, item: Any, *, is_new: bool) -> Response:
    """Show the token of a new or rolled API key, which no other page has.

    The response to a form that was sent before has no token, because the server does not store it.
    """
    page.section = "keys"
    return page.render(
        "api_key_token.html", item=item, is_new=is_new, is_own=item["id"] == page.key.id,
        is_repeated=item["token"].endswith("…"),
    )  # fmt: skip


async def _show(
    page: PageRequest, error: MoorageError | None = None, template: str = "api_key.html", **typed: str
) -> Response:
    """Show an API key, and above its form the error of the operation; `typed` is what the form had."""
    page.section, key_id = "keys", page.path("api_key_id")
    failure = None if error is None else page.failure(error)
    item = await page.call("GetApiKey", api_key_id=key_id)
    uses = None
    if Scope.READ in page.key.scopes:
        uses = (await page.call("ApiKeyUsage", api_key_id=key_id))["data"]
    is_own = item["id"] == page.key.id
    return page.render(
        template, status=failure.status if failure else 200, item=item, uses=uses, error=failure, words=WORDS,
        is_own=is_own, missing=[] if is_own else missing_to_grant(page.key.scopes, item["scopes"]), typed=typed,
    )  # fmt: skip
