"""How many proposals wait for an API key: a number in the navigation."""

from moorage.console.page_request import PageRequest
from moorage.console.proposals import find_waiting
from moorage.core.errors.base import MoorageError


class WaitingProposals:
    """The numbers by API key. They are found once per revision: every change of a proposal makes a new one."""

    def __init__(self) -> None:
        self._revision = -1
        self._counts: dict[str, int] = {}

    async def count(self, page: PageRequest) -> int:
        """Return how many proposals the API key of the session can approve, at most 50."""
        if not page.has("deployments:approve"):
            return 0
        revision = page.services.catalog.revision
        if revision != self._revision:
            self._revision, self._counts = revision, {}
        if page.key.id not in self._counts:
            try:
                self._counts[page.key.id] = len(await find_waiting(page))
            except MoorageError:  # the page says what it could not find
                return 0
        return self._counts[page.key.id]
