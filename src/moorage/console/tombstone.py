"""The page of a deployment or version that was deleted: who did it, when and why, and until when it can be restored."""

from datetime import datetime, timedelta

from starlette.responses import Response

from moorage.console.page_request import PageRequest
from moorage.core.deployments.deployment import RESTORE_DAYS
from moorage.core.errors.base import DeploymentDeleted, MoorageError, VersionDeleted


async def show(page: PageRequest, error: DeploymentDeleted | VersionDeleted) -> Response:
    """Show the deletion, with the status of the error."""
    shown, key = page.failure(error), str(error.fields["key"])
    version = str(error.fields["version"]) if isinstance(error, VersionDeleted) else ""
    deleted_at = str(error.fields["deleted_at"])
    name = page.request.path_params.get("key_or_id", key)
    try:
        entries = (await page.call("History", {"limit": "50"}, key_or_id=name))["data"]
    except MoorageError:  # the page is useful without it
        entries = []
    found = (entry for entry in entries if entry["action"] == "deleted")
    entry = next((entry for entry in found if not version or entry["from_version"] == version), None)
    until = (datetime.fromisoformat(deleted_at) + timedelta(days=RESTORE_DAYS)).isoformat()
    path = f"/console/deployments/{name}" + (f"/versions/{version}" if version else "")
    return page.render(
        "tombstone.html", status=shown.status, key=key, number=version, entry=entry, deleted_at=deleted_at,
        until=until, path=path, is_purged="permanently" in str(error.fields["restore_hint"]),
    )  # fmt: skip
