"""A deployment as a page shows it before a change, with the ETag that the change is conditional on."""

from typing import Any, NamedTuple

from moorage.console.page_request import PageRequest
from moorage.core.errors.base import DeploymentUnreadable
from moorage.core.errors.environments import NotInEnvironment


class Seen(NamedTuple):
    """A deployment in an environment. Without a live version that can be read, `etag` and the version are empty."""

    item: dict[str, Any]
    etag: str = ""
    follows: bool = False
    is_unreadable: bool = False


async def see(page: PageRequest, key: str, environment: str = "") -> Seen:
    """Return a deployment in an environment, by default that of the page, also if it has no live version there.

    Raises:
        MoorageError: as the operation `GetDeployment`, for all other reasons.
    """
    try:
        found = await page.send("GetDeployment", query={"environment": environment or page.environment}, key_or_id=key)
    except (NotInEnvironment, DeploymentUnreadable) as error:
        item = {"key": str(error.fields["key"]), "version": "", "description": ""}
        return Seen(item, is_unreadable=isinstance(error, DeploymentUnreadable))
    where = found.headers["x-moorage-environment"]
    return Seen(found.value, found.headers["etag"], follows=where.endswith(";follows=production"))
