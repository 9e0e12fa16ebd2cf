"""A refused change, because somebody else was faster: who it was, and how their change differs from yours."""

from typing import Any, NamedTuple

import msgspec

from moorage.console.diff_view import DiffView, diff_view
from moorage.console.page_request import PageRequest
from moorage.console.problems import ErrorPage
from moorage.console.version_view import document
from moorage.core.errors.base import NotFound


class Conflict(NamedTuple):
    """The changes since a page was shown, newest first. `base` is the version that was live then, or None."""

    entries: list[dict[str, Any]]
    base: Any

    @property
    def who(self) -> str:
        """The name of whoever was faster."""
        key = self.entries[0].get("api_key") if self.entries else None
        return key["name"] if key else "The operator" if self.entries else "Somebody else"


class Comparison(NamedTuple):
    """Both changes since `base`, and the paths that both of them touch, or theirs alone."""

    theirs: DiffView
    yours: DiffView
    both: list[str]
    only_theirs: list[str]


async def find_conflict(page: PageRequest, key: str, environment: str, base: str, error: ErrorPage) -> Conflict:
    """Return what happened in an environment since a page was shown with the live version `base`, an id."""
    entries = error.detail.get("history")
    if not entries:
        query = {"limit": "1", "environment": environment}
        entries = (await page.call("History", query, key_or_id=key))["data"]
    here = [entry for entry in entries if entry.get("environment") in (None, environment)]
    try:
        found = await page.call("GetVersion", key_or_id=key, version_or_id=base) if base else None
    except NotFound:  # it was deleted
        found = None
    return Conflict(here or entries, found)  # a follower changes with production


def compare(page: PageRequest, path: str, conflict: Conflict, theirs: Any, yours: Any) -> Comparison | None:
    """Return how two documents differ from the one before both; None without it, or if nothing but facts changed."""
    if conflict.base is None or theirs is None or yours is None:
        return None
    base, number = document("", "", conflict.base), conflict.base["version"]
    found = [
        diff_view(page, path, (base, document("", "", each)), (number, each["version"]), id_=name)
        for name, each in (("theirs", theirs), ("yours", yours))
    ]
    diffs = [msgspec.structs.replace(each, layout="one") for each in found]  # they stand side by side
    paths = [part.path for part in diffs[0].parts]
    both = [each for each in paths if each in diffs[1].paths]
    return Comparison(diffs[0], diffs[1], both, [each for each in paths if each not in both])
