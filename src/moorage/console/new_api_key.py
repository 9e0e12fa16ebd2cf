"""`/console/keys/new`: the form of a new API key."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.responses import Response

from moorage import clock
from moorage.console.api_keys import show_token
from moorage.console.form import Form
from moorage.console.page_request import PageRequest
from moorage.console.scopes import WORDS, grantable, presets_of
from moorage.core.access import Scope
from moorage.core.errors.base import MoorageError
from moorage.core.times import iso

#: The expiries in days that the form offers.
_PERIODS: Final = {"30": "In 30 days", "90": "In 90 days", "365": "In a year"}


async def show(page: PageRequest) -> Response:
    """Show the form; `from` in the query is an API key whose scopes and environment it begins with."""
    form = Form([], [])
    if page.parameter("from"):
        item = await page.call("GetApiKey", api_key_id=page.parameter("from"))
        fields = [("scope", scope) for scope in item["scopes"]]
        form = Form([("preset", "own"), *fields, ("environment", item.get("environment", ""))], [])
    return _show(page, form)


async def create(page: PageRequest) -> Response:
    """Create the API key, and show its token; a form that is sent twice creates one."""
    form = await page.form()
    try:
        result = await page.send("CreateApiKey", _body(page, form), headers={"Idempotency-Key": form.get("once")})
    except MoorageError as error:
        return _show(page, form, error)
    return show_token(page, result.value, is_new=True)


def _show(page: PageRequest, form: Form, error: MoorageError | None = None) -> Response:
    page.section, own = "keys", page.key
    failure = None if error is None else page.failure(error)
    own.check_scopes(frozenset({Scope.KEYS_ADMIN}))
    presets = presets_of(own.scopes)
    return page.render(
        "api_key_new.html", status=failure.status if failure else 200, form=form, error=failure, presets=presets,
        chosen=form.get("preset") or (presets[0].name if presets else "own"), words=WORDS,
        scopes=grantable(own.scopes), ticked=form.all("scope"), periods=_PERIODS,
        is_bound=own.environment_id is not None, own_end="" if own.expires_us is None else iso(own.expires_us),
    )  # fmt: skip


def _body(page: PageRequest, form: Form) -> dict[str, Any]:
    """Return the body of the operation, which validates it."""
    presets = {preset.name: preset.scopes for preset in presets_of(page.key.scopes)}
    scopes = presets.get(form.get("preset"), form.all("scope"))
    body: dict[str, Any] = {"name": form.get("name"), "scopes": sorted(scopes)}
    if form.get("environment"):
        body["environment"] = form.get("environment")
    if end := _end(form):
        body["expires_at"] = end
    return body


def _end(form: Form) -> str:
    """Return the end of the day on which the API key expires, so that a form that is sent twice is the same request."""
    chosen = form.get("expires")
    if chosen == "date":
        return f"{form.get('date')}T23:59:59Z"
    if chosen not in _PERIODS:
        return chosen  # nothing: never; what the page does not offer is rejected by the API
    day = datetime.fromtimestamp(clock.now_seconds(), UTC) + timedelta(days=int(chosen))
    return day.strftime("%Y-%m-%dT23:59:59Z")
