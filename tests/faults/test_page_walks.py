from pathlib import Path

import pytest
from faults.population import Change, Population
from faults.walk import Judge, Page, Walk
from msgspec.structs import replace

from faults import page_walks


def test_a_walk_across_nodes_meets_all_that_stay_once_and_a_check_of_that_can_fail(folder: Path) -> None:
    outcome = page_walks.run(120, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found


HISTORY = Population()
for number, name in enumerate("abcd"):
    HISTORY.born(name, Change(number, number + 0.5, number))
HISTORY.dying("b")
HISTORY.died("b", Change(5.0, 5.5, 5))


def a_walk(*pages: str, more: str = "", backwards: bool = False, there: str = "acd", revision: int = 5) -> Walk:
    """A walk with a limit of two from the moment 10 on; `more` are the numbers of the pages that say there is more."""
    made = [Page(10 + n, 10.5 + n, revision, list(names), str(n) in more) for n, names in enumerate(pages)]
    return Walk(backwards, 2, made, frozenset(there))


WELL = a_walk("dc", "a", more="0")


def test_nothing_is_wrong_with_walks_as_they_must_be() -> None:
    judge = Judge(HISTORY)

    assert judge.faults(WELL) == {}
    assert judge.faults(a_walk("ca", "d", more="0", backwards=True)) == {}
    assert judge.faults(a_walk("dc", "ba", more="0", revision=4)) == {}, "as it was before the deletion"


@pytest.mark.parametrize(
    ("walk", "fault"),
    [
        (a_walk("dc", "ca", more="0"), "met twice"),
        (a_walk("dc"), "skipped"),
        (a_walk("dc", "ax", more="0"), "never made"),
        (a_walk("dc", "ba", more="0"), "deleted before"),
        (replace(WELL, pages=[WELL.pages[0], replace(WELL.pages[1], revision=4)]), "older than the page before"),
        (a_walk("cd", "a", more="0"), "out of order"),
        (a_walk("dca"), "more than asked for"),
        (a_walk("d", "ca", more="0"), "has_more on a page that is not full"),
        (a_walk("dc", "", more="0", there="cd"), "has_more and then nothing, nobody having been deleted"),
    ],
)
def test_each_fault_of_a_walk_is_found(walk: Walk, fault: str) -> None:
    assert Judge(HISTORY).faults(walk) == {fault: 1}
