"""What is kept of runs, and the page that is made from it."""

from pathlib import Path

from faults.outcome import Outcome
from faults.report import page, summary
from faults.results import RESULTS, Result, keep, load

OUTCOME = Outcome("killed", "nothing is lost", 3, "0 lost of 9", [], "1 lost of 9", is_control_found=True)


def a_result(part: str, outcome: Outcome | None = OUTCOME, reason: str = "") -> Result:
    return Result(part, "kills", 7, "2026-11-22", 1.5, "a machine", "idle", outcome, reason)


def test_a_run_replaces_its_own_row_alone(folder: Path) -> None:
    file = folder / "results.json"
    for name in ("b", "a"):
        keep(a_result(name), file)

    keep(a_result("b", None, "no room"), file)

    assert load(file) == [a_result("a"), a_result("b", None, "no room")]


def test_the_page_tells_what_held_what_did_not_and_what_was_not_run() -> None:
    bad = Outcome("cut", "all is there", 2, "1 lost", ["d1 is lost"], "0 lost", is_control_found=False)

    text = page([a_result("good"), a_result("bad", bad), a_result("away", None, "no tmpfs here")])

    assert "| good | killed | nothing is lost | 3 kills | 7 | **held**: 0 lost of 9 | found: 1 lost of 9 |" in text
    assert "- bad: d1 is lost" in text
    assert "- bad: the positive control found nothing" in text
    assert "**not run**: no tmpfs here" in text


def test_a_part_passes_only_with_its_control() -> None:
    blind = Outcome("killed", "nothing is lost", 3, "0 lost", [], "0 lost", is_control_found=False)

    assert "passed" in summary(a_result("a"))
    assert "FAILED" in summary(a_result("a", blind))


def test_the_page_in_the_docs_is_of_the_results_beside_the_suite() -> None:
    assert (RESULTS.parents[1] / "docs/reliability.md").read_text() == page(load())
