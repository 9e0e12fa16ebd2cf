"""Delete and restore a deployment or one of its versions: what it means for whom, and the form that does it."""

from typing import Any, Final, NamedTuple

from starlette.responses import Response

from moorage.console.checks import check
from moorage.console.form import Form
from moorage.console.page_request import PageRequest
from moorage.console.problems import ErrorPage
from moorage.console.seen import Seen, see
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import DeploymentDeleted, MoorageError

_BOXES: Final = ("take_ownership", "force", "emergency")


class Kind(NamedTuple):
    """A kind of removal, or its reversal: its operation, and the end of the address of its page."""

    name: str
    operation: str
    is_version: bool = False


_DELETE: Final = Kind("delete", "DeleteDeployment")
_RESTORE: Final = Kind("restore", "RestoreDeployment")
_DELETE_VERSION: Final = Kind("delete", "DeleteVersion", is_version=True)
_RESTORE_VERSION: Final = Kind("restore", "RestoreVersion", is_version=True)


async def show_delete(page: PageRequest) -> Response:
    """Show who uses a deployment, before it is deleted."""
    return await _show(page, _DELETE)


async def delete(page: PageRequest) -> Response:
    """Delete a deployment in all environments, or propose it."""
    return await _change(page, _DELETE)


async def show_restore(page: PageRequest) -> Response:
    """Show who deleted a deployment, before it is restored."""
    return await _show(page, _RESTORE)


async def restore(page: PageRequest) -> Response:
    """Restore a deleted deployment, or propose it."""
    return await _change(page, _RESTORE)


async def show_delete_version(page: PageRequest) -> Response:
    """Show who uses a version, before it is deleted."""
    return await _show(page, _DELETE_VERSION)


async def delete_version(page: PageRequest) -> Response:
    """Delete a version that is not live."""
    return await _change(page, _DELETE_VERSION)


async def show_restore_version(page: PageRequest) -> Response:
    """Show who deleted a version, before it is restored."""
    return await _show(page, _RESTORE_VERSION)


async def restore_version(page: PageRequest) -> Response:
    """Restore a deleted version."""
    return await _change(page, _RESTORE_VERSION)


def _path(page: PageRequest, kind: Kind) -> dict[str, str]:
    names = {"key_or_id": page.path("key_or_id")}
    return names | {"version_or_id": page.path("version")} if kind.is_version else names


async def _change(page: PageRequest, kind: Kind) -> Response:
    form, path = await page.form(), _path(page, kind)
    query = {name: "true" for name in _BOXES if name in form}
    headers = {"Idempotency-Key": form.get("once"), "If-Match": form.get("etag")}
    body = None
    if kind.name == "restore":
        body = {"reason": form.get("reason")}
    else:  # a DELETE has no body
        headers["X-Moorage-Change-Reason"] = form.get("reason")
    try:
        result = await page.send(kind.operation, body, query=query, headers=headers, **path)
    except DeploymentDeleted:
        raise  # a form that was sent twice: the page says who deleted it
    except MoorageError as error:
        refused = page.failure(error)
        try:
            return await _show(page, kind, form, refused)
        except MoorageError:  # the page itself needs what has failed
            return page.render("refused.html", status=refused.status, error=refused, form=form)
    if result.is_proposal:
        return page.done(f"/console/proposals/{result.value['id']}", "proposed")
    return _done(page, kind, result.value)


def _done(page: PageRequest, kind: Kind, value: dict[str, Any]) -> Response:
    until = value.get("restorable_until", "")[:10]
    if kind.is_version:
        key, version = page.path("key_or_id"), value["version"]
        path = f"/console/deployments/{key}/versions"
        return page.done(path, f"version_{kind.name}d", key=key, version=version, until=until)
    path = "/console/deployments" if kind.name == "delete" else f"/console/deployments/{value['key']}"
    return page.done(path, f"{kind.name}d", key=value["key"], until=until)


async def _show(page: PageRequest, kind: Kind, form: Form | None = None, error: ErrorPage | None = None) -> Response:
    page.section = "deployments"
    path = _path(page, kind)
    seen = Seen({"key": path["key_or_id"], "version": ""})
    if kind != _RESTORE:
        seen = await see(page, path["key_or_id"], PRODUCTION)  # first: the rest is at least as new as the ETag
    found = await check(page, kind.operation, None, **path)
    key = seen.item["key"]
    version, places = None, dict[str, str]()
    if kind == _DELETE_VERSION:
        version = await page.call("GetVersion", key_or_id=key, version_or_id=path["version_or_id"])
    if kind == _DELETE:
        for name in page.environments:
            place = await see(page, key, name)
            if place.item["version"]:
                places[name] = f"{place.item['version']}{' (follows production)' if place.follows else ''}"
    entries = (await page.call("History", {"limit": "25"}, key_or_id=key))["data"]
    name = version["version"] if version else path.get("version_or_id", "")
    deletion = _deletion(entries, name) if kind.name == "restore" else None
    is_outdated = error is not None and error.status == 412
    return page.render(
        "removal.html", status=200 if error is None else error.status, error=error, kind=kind, check=found, key=key,
        removed=version, number=name, etag=seen.etag, places=places, deletion=deletion,
        reason=form.get("reason") if form is not None else "", is_outdated=is_outdated,
        ticked={name for name in _BOXES if form is not None and not is_outdated and name in form},
    )  # fmt: skip


def _deletion(entries: list[dict[str, Any]], version: str) -> dict[str, Any] | None:
    """Return the entry of the last deletion, of the version or of the deployment."""
    found = (entry for entry in entries if entry["action"] == "deleted")
    return next(
        (entry for entry in found if not version or version in (entry["to_version"], entry["from_version"])), None
    )
