"""Walk: what somebody met who went through the list page by page, and what is wrong with it."""

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable

import msgspec

from faults.population import Population


class Page(msgspec.Struct, frozen=True):
    """A page: when it was asked for and there, of which revision it is, who is on it in the order of the list, and what
    it says."""

    asked: float
    answered: float
    revision: int
    names: list[str]
    has_more: bool


class Walk(msgspec.Struct, frozen=True):
    """All pages of a walk, from the newest on, or backwards from the oldest. `there` are those who were there all the
    time, from before the first page to after the last."""

    is_backwards: bool
    limit: int
    pages: list[Page]
    there: frozenset[str]

    @property
    def met(self) -> list[str]:
        """Whom it met, in the order of its way."""
        return [name for page in self.pages for name in (page.names[::-1] if self.is_backwards else page.names)]


class Judge:
    """Finds what is wrong with walks, by the whole history of who came and went."""

    def __init__(self, population: Population) -> None:
        self._births = population.births
        self._deaths = population.deaths
        changes = sorted(self._deaths.values())
        self._deaths_asked = [change.asked for change in changes]
        self._longest_death = max((change.answered - change.asked for change in changes), default=0.0)

    def faults(self, walk: Walk) -> Counter[str]:
        """What is wrong, and how often."""
        met = walk.met
        shown = [(name, page.revision) for page in walk.pages for name in page.names]
        found = Counter(
            {
                "met twice": sum(times - 1 for times in Counter(met).values()),
                "skipped": len(walk.there - set(met)),
                "never made": sum(name not in self._births for name in met),
                "deleted before": sum(self._deaths[name].revision <= at for name, at in shown if name in self._deaths),
                "older than the page before": sum(
                    later.revision < page.revision for page, later in itertools.pairwise(walk.pages)
                ),
                "out of order": sum(
                    map(self._is_swapped, met[1:], met) if walk.is_backwards else map(self._is_swapped, met, met[1:])
                ),
                "more than asked for": sum(len(page.names) > walk.limit for page in walk.pages),
                "has_more on a page that is not full": sum(
                    page.has_more and len(page.names) < walk.limit for page in walk.pages
                ),
                "has_more and then nothing, nobody having been deleted": sum(
                    not later.names and not self._any_died(page.asked, later.answered)
                    for page, later in itertools.pairwise(walk.pages)
                ),
            }
        )
        return +found

    def _is_swapped(self, newer: str, older: str) -> bool:
        """Whether one that is before another in the list is older than it for certain."""
        one, other = self._births.get(newer), self._births.get(older)
        return one is not None and other is not None and one.answered < other.asked

    def _any_died(self, since: float, until: float) -> bool:
        """Whether any deletion may have been done in between."""
        first = bisect_left(self._deaths_asked, since - self._longest_death)
        return first < bisect_right(self._deaths_asked, until)

    def all_faults(self, walks: Iterable[Walk]) -> Counter[str]:
        """What is wrong with any of them."""
        return sum(map(self.faults, walks), Counter[str]())
