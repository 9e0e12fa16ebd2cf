"""The page docs/reliability.md shows the results of the fault injection and stores them."""

from pathlib import Path

from tools.common.report import Bound
from tools.faults.__main__ import PAGE, PARTS
from tools.faults.outcome import Outcome, Part
from tools.faults.report import Record, page, parse, record, summary

ROOT = Path(__file__).parents[3]

BOUND = Bound("p99", 1.5, 2.0, unit="ms")
OUTCOME = Outcome(3, "0 lost of 9", [], "1 lost of 9", is_control_found=True, bounds=[BOUND])
BAD = Outcome(2, "1 lost", ["d1: 1.1 is lost"], "0 lost", is_control_found=False)


def a_part(name: str) -> Part:
    return Part(name, lambda count, seed, folder: OUTCOME, 1, 1, "kills", "killed", "nothing is lost")


def a_row(name: str, outcome: Outcome | None = OUTCOME, reason: str = "") -> Record:
    return record(a_part(name), outcome, reason, 7, 1.5)


GOOD, FAILED, MISSING = map(a_part, ("good", "bad", "missing"))


def test_the_page_shows_results_violations_and_missing_requirements() -> None:
    rows = {"good": a_row("good"), "bad": a_row("bad", BAD), "missing": a_row("missing", None, "no tmpfs")}

    text = page([GOOD, FAILED, MISSING], rows)

    assert "| 3 kills | 7 | **held**: 0 lost of 9 | found: 1 lost of 9 |" in text
    assert "| good | p99 | ≤ 2.00 ms | 1.50 ms | met |" in text
    assert "- bad: d1: 1.1 is lost" in text
    assert "- bad: the positive control found nothing" in text
    assert "**not run**: no tmpfs" in text


def test_the_page_stores_the_rows_of_each_part() -> None:
    rows = {"good": a_row("good"), "bad": a_row("bad", BAD), "missing": a_row("missing", None, "no tmpfs")}

    assert parse(page([GOOD, FAILED, MISSING], rows)) == rows


def test_a_part_passes_only_if_its_control_is_found() -> None:
    undetected = Outcome(3, "0 lost", [], "0 lost", is_control_found=False)

    assert "passed" in summary(a_row("good"), OUTCOME)
    assert "FAILED" in summary(a_row("bad", undetected), undetected)


def test_the_page_in_the_docs_has_a_row_for_each_part_and_the_current_texts() -> None:
    text = (ROOT / PAGE).read_text()

    assert set(parse(text)) == {part.name for part in PARTS}
    assert text == page(PARTS, parse(text))
