"""`/console/promote` and `/console/deployments/KEY/promote`: the live versions of one environment for another."""

import re
from functools import partial
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from moorage.console.checks import Check, check
from moorage.console.diff_view import DiffView, diff_view
from moorage.console.form import Form
from moorage.console.page_request import PageRequest
from moorage.console.problems import ErrorPage
from moorage.console.seen import Seen, see
from moorage.console.version_view import document
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import MoorageError

#: So many deployments are reviewed on one page.
MAX_PROMOTED: Final = 25

_BOXES: Final = ("take_ownership", "allow_breaking", "emergency")


class Row(NamedTuple):
    """A deployment: its states in both environments, and what the promotion does to it.

    The form sends `version` and `base`, so that the promotion is refused if one of the states is another one by then.
    """

    key: str
    source: Seen
    target: Seen
    base: str
    check: Check
    before: Any
    after: Any
    view: DiffView | None
    without: str

    @property
    def is_unchanged(self) -> bool:
        """Whether the target has the version already."""
        result = self.check.result
        return result is not None and result.value["deployments"][0]["result"] == "unchanged"


class Request(NamedTuple):
    """What the address of the page asks for."""

    source: str
    target: str
    keys: list[str]
    is_one: bool
    omitted: int = 0

    def address(self, page: PageRequest, keys: list[str]) -> str:
        """Return the address of the page for some of the deployments."""
        if self.is_one:
            return page.prefix + page.query(
                f"/console/deployments/{keys[0]}/promote", **{"from": self.source, "to": self.target}
            )
        query = [("from", self.source), ("to", self.target), *(("key", key) for key in keys)]
        return f"{page.prefix}/console/promote?{urlencode(query)}"


async def show(page: PageRequest) -> Response:
    """Show what a promotion changes, before it is made."""
    return await _show(page, _request(page))


async def promote(page: PageRequest) -> Response:
    """Promote the deployments of the form, all or none, or propose it."""
    request, form = _request(page), await page.form()
    deployments = list(_deployments(form))
    body = {
        "from": request.source, "to": request.target, "deployments": deployments, "reason": form.get("reason"),
        "allow_breaking": "allow_breaking" in form,
    }  # fmt: skip
    query = {name: "true" for name in ("take_ownership", "emergency") if name in form}
    try:
        result = await page.send("Promote", body, query=query, headers={"Idempotency-Key": form.get("once")})
    except MoorageError as error:
        refused = page.failure(error)
        try:
            return await _show(page, request, form, refused)
        except MoorageError:  # the page itself needs what has failed
            return page.render("refused.html", status=refused.status, error=refused, form=form)
    if result.is_proposal:
        return page.done(f"/console/proposals/{result.value['id']}", "proposed")
    where = "" if request.target == PRODUCTION else request.target
    done = {"environment": where, "where": request.target}
    promoted = result.value["deployments"]
    if len(promoted) > 1:
        done |= {"from": request.source, "to": request.target, "count": str(len(promoted))}
        return page.redirect(page.query("/console/environments", **done, done="promoted"))
    only = promoted[0]
    done |= {"version": only["version"], "key": only["key"], "before": only["from_version"] or ""}
    notice = "moved" if only["from_version"] else "published"
    return page.redirect(page.query(f"/console/deployments/{only['key']}", **done, done=notice))


def _request(page: PageRequest) -> Request:
    keys = page.request.query_params.getlist("key")
    is_one = "key_or_id" in page.request.path_params
    if is_one:
        keys = [page.path("key_or_id")]
    source = page.parameter("from") or page.environment
    keys = list(dict.fromkeys(keys))
    omitted = max(0, len(keys) - MAX_PROMOTED)
    return Request(source, page.parameter("to") or PRODUCTION, keys[:MAX_PROMOTED], is_one, omitted)


def _deployments(form: Form) -> Any:
    """Yield the deployments of a form; without a base, nothing was live in the target."""
    for key, version, base in zip(form.all("key"), form.all("version"), form.all("base"), strict=False):
        yield {"key": key, "version": version, "base": base or None}


async def _show(
    page: PageRequest, request: Request, form: Form | None = None, error: ErrorPage | None = None
) -> Response:
    page.section = "environments"
    if not request.keys:
        return page.redirect(page.query("/console/environments", **{"from": request.source, "to": request.target}))
    target = await page.call("GetEnvironment", name=request.target)
    rows = [await _row(page, request, name) for name in request.keys]
    return await page.compute(partial(_render, page, request, target, rows, form, error))


async def _row(page: PageRequest, request: Request, name: str) -> Row:
    target = await see(page, name, request.target)  # first: what is shown then is at least as new as the base
    source = await see(page, name, request.source)
    key = source.item["key"]
    body = {"from": request.source, "to": request.target, "deployments": [{"key": key}]}
    found = await check(page, "Promote", body)
    before, after = await _live(page, target, request.target), await _live(page, source, request.source)
    has_own = request.target == PRODUCTION or (target.item["version"] and not target.follows)
    base = target.item["version"] if has_own else "follows"
    others = [each for each in request.keys if each != name]
    return Row(key, source, target, base, found, before, after, None, request.address(page, others) if others else "")


async def _live(page: PageRequest, seen: Seen, environment: str) -> Any:
    """Return the live version; None if there is none that can be read."""
    if not seen.item["version"]:
        return None
    return await page.call("GetVersion", {"environment": environment}, key_or_id=seen.item["key"], version_or_id="live")


def _render(
    page: PageRequest, request: Request, target: Any, rows: list[Row], form: Form | None, error: ErrorPage | None
) -> Response:
    is_outdated = error is not None and error.status == 412
    shown = [row._replace(view=_view(page, request, row, index)) for index, row in enumerate(rows)]
    changing = [row for row in shown if not row.is_unchanged]
    affected = dict.fromkeys(name for row in shown for name in row.check.affected)
    return page.render(
        "promote.html", status=200 if error is None else error.status, error=error, source=request.source,
        target=target, rows=shown, changing=changing, problems=_problems(form, error), is_outdated=is_outdated,
        overrides={name for row in shown for name in row.check.overrides}, affected=list(affected),
        omitted=request.omitted,
        files=sorted({row.check.file for row in shown if row.check.file}),
        is_blocked=any(row.check.blocked for row in shown), address=request.address(page, request.keys),
        is_scope_missing=any(row.check.is_scope_missing for row in shown),
        reason=form.get("reason") if form is not None else "",
        # Somebody who confirmed the consequences of one state has not confirmed those of another.
        ticked={name for name in _BOXES if form is not None and not is_outdated and name in form},
    )  # fmt: skip


def _view(page: PageRequest, request: Request, row: Row, index: int) -> DiffView | None:
    if row.after is None:
        return None
    empty = {"key": row.key, "description": "", "prompt_config": {}}
    before = empty if row.before is None else document(row.key, "", row.before)
    names = row.target.item["version"] or "nothing", row.after["version"]
    query = {"from": request.source, "to": request.target}
    path = f"/console/deployments/{row.key}/promote"
    return diff_view(page, path, (before, document(row.key, "", row.after)), names, id_=f"d{index}", **query)


def _problems(form: Form | None, error: ErrorPage | None) -> dict[str, str]:
    """Return why the promotion was refused, by deployment."""
    if form is None or error is None:
        return {}
    keys, found = form.all("key"), dict[str, str]()
    for problem in error.problems:
        place = re.fullmatch(r"deployments\[(\d+)\](\..*)?", problem["path"])
        if place is not None and int(place[1]) < len(keys):
            found[keys[int(place[1])]] = problem["message"]
    return found
