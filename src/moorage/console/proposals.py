"""`/console/proposals`: the changes that wait for approvals, and the page on which they are decided."""

from functools import partial
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from moorage.console.diff_view import DiffView, diff_view
from moorage.console.form import Form
from moorage.console.page_request import PageRequest
from moorage.console.problems import ErrorPage
from moorage.console.version_view import document
from moorage.console.versions import pages
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import MoorageError, NotFound, VersionUnreadable

_LIMIT: Final = 25

#: So many proposals are looked through for those that wait for the API key.
_LOOKED_THROUGH: Final = "50"

#: Of so many deployments, the page shows the difference.
_MAX_SHOWN: Final = 25

_DECISIONS: Final = {"approve": "ApproveProposal", "reject": "RejectProposal", "withdraw": "WithdrawProposal"}


class Change(NamedTuple):
    """A change of a proposal; `view` is the difference, if there is one that can be shown."""

    item: dict[str, Any]
    versions: tuple[Any, Any]
    view: DiffView | None = None


async def show_list(page: PageRequest) -> Response:
    """Show the proposals, newest first; above them those that the API key can approve."""
    page.section = "proposals"
    cursor = {name: page.parameter(name) for name in ("starting_after", "ending_before")}
    status = page.parameter("status")
    found = await page.call("Proposals", cursor | {"limit": str(_LIMIT), "status": status})
    waiting = await find_waiting(page) if not any(cursor.values()) and status in ("", "open") else []
    ids = {each["id"] for each in waiting}
    return page.render(
        "proposals.html", proposals=[each for each in found["data"] if each["id"] not in ids], waiting=waiting,
        chosen=status, pages=pages(page, "/console/proposals", cursor, found, "id", status=status),
    )  # fmt: skip


async def find_waiting(page: PageRequest) -> list[dict[str, Any]]:
    """Return the open proposals that the API key can approve, of the newest ones."""
    if not page.has("deployments:approve"):
        return []
    found = await page.call("Proposals", {"limit": _LOOKED_THROUGH, "status": "open"})
    return [each for each in found["data"] if each["can_approve"]]


async def show(page: PageRequest) -> Response:
    """Show what a proposal changes, and who approved it."""
    return await _show(page)


async def approve(page: PageRequest) -> Response:
    """Approve a proposal; the last approval publishes it."""
    return await _decide(page, "approve")


async def reject(page: PageRequest) -> Response:
    """Reject a proposal."""
    return await _decide(page, "reject")


async def withdraw(page: PageRequest) -> Response:
    """Withdraw a proposal."""
    return await _decide(page, "withdraw")


async def _decide(page: PageRequest, decision: str) -> Response:
    form, proposal = await page.form(), page.path("proposal_id")
    body, headers = {"reason": form.get("reason")}, {"Idempotency-Key": form.get("once")}
    try:
        result = await page.send(_DECISIONS[decision], body, headers=headers, proposal_id=proposal)
    except MoorageError as error:
        refused = page.failure(error)
        try:
            return await _show(page, form, refused)
        except MoorageError:  # the page itself needs what has failed
            return page.render("refused.html", status=refused.status, error=refused, form=form)
    status, count = result.value["status"], len(result.value["approvals"])
    notice = f"proposal_{'approved' if status == 'open' else status}"
    needed = str(result.value["required_approvals"])
    where = result.value["environment"]
    return page.done(f"/console/proposals/{proposal}", notice, count=str(count), needed=needed, where=where)


async def _show(page: PageRequest, form: Form | None = None, error: ErrorPage | None = None) -> Response:
    page.section = "proposals"
    proposal = await page.call("GetProposal", proposal_id=page.path("proposal_id"))
    changes = [await _change(page, proposal, item) for item in proposal["items"][:_MAX_SHOWN]]
    return await page.compute(partial(_render, page, proposal, changes, form, error))


async def _change(page: PageRequest, proposal: Any, item: dict[str, Any]) -> Change:
    """Return a change with the versions before and after it, as far as there are any."""
    if proposal["kind"] in ("delete", "restore"):
        return Change(item, (None, None))
    before, after = (item[side] for side in ("base_version", "version"))
    names = (PRODUCTION if before == "follows" else before), after or PRODUCTION
    return Change(item, (await _version(page, item["key"], names[0]), await _version(page, item["key"], names[1])))


async def _version(page: PageRequest, key: str, name: str | None) -> Any:
    """Return a version; None if there is none, or none that can be read."""
    try:
        return None if name is None else await page.call("GetVersion", key_or_id=key, version_or_id=name)
    except (NotFound, VersionUnreadable):
        return None


def _render(
    page: PageRequest, proposal: Any, changes: list[Change], form: Form | None, error: ErrorPage | None
) -> Response:
    shown = [change._replace(view=_view(page, proposal, change, index)) for index, change in enumerate(changes)]
    approvals, by = proposal["approvals"], proposal["created_by"]
    return page.render(
        "proposal.html", status=200 if error is None else error.status, error=error, proposal=proposal, changes=shown,
        more=len(proposal["items"]) - len(shown), reason=form.get("reason") if form is not None else "",
        completes=len(approvals) + 1 >= proposal["required_approvals"],
        can_withdraw=page.has("environments:admin") or (by is not None and by["id"] == page.key.id),
    )  # fmt: skip


def _view(page: PageRequest, proposal: Any, change: Change, index: int) -> DiffView | None:
    before, after = change.versions
    if after is None:
        return None
    key = change.item["key"]
    one = {"key": key, "description": "", "prompt_config": {}} if before is None else document(key, "", before)
    names = "nothing" if before is None else before["version"], after["version"]
    path = f"/console/proposals/{proposal['id']}"
    return diff_view(page, path, (one, document(key, "", after)), names, id_=f"d{index}")
