"""The differences of two documents as rows, with the changed words marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.console.differences import MAX_PARTS, MAX_ROWS, Line, Parts, Row, parts

TEXTS = st.lists(st.sampled_from(["", "a", "a b", "a  c", "b {{x}}", "ü", "the same line"]), max_size=30).map("\n".join)


def text_of(line: Line | None) -> list[str]:
    return [] if line is None else ["".join(piece.text for piece in line.pieces)]


def sides(rows: list[Row]) -> tuple[str, str]:
    before = [text for row in rows for text in text_of(row.before)]
    after = [text for row in rows for text in text_of(row.after)]
    return "\n".join(before), "\n".join(after)


def compared(before: str, after: str, *, is_whole: bool = True) -> Parts:
    return parts({"text": before}, {"text": after}, is_whole=is_whole)


@given(TEXTS, TEXTS)
def test_the_rows_of_a_text_have_both_texts(before: str, after: str) -> None:
    found = compared(before, after)

    if before == after:
        assert found == Parts([], omitted=False)
        return
    (part,) = found.parts
    assert sides(part.rows) == (before, after) if part.rows else (part.before, part.after) == (before, after)


@given(TEXTS, TEXTS)
def test_the_lines_of_rows_are_numbered_from_one(before: str, after: str) -> None:
    for part in compared(before, after).parts:
        for side in ("before", "after"):
            numbers = [line.number for row in part.rows if (line := getattr(row, side)) is not None]
            assert numbers == list(range(1, len(numbers) + 1))


@given(TEXTS, TEXTS)
def test_folded_lines_are_equal_and_counted(before: str, after: str) -> None:
    for part, whole in zip(compared(before, after, is_whole=False).parts, compared(before, after).parts, strict=True):
        shown = sum(not row.folded for row in part.rows)
        folded = sum(row.folded for row in part.rows)
        assert shown + folded == len(whole.rows)
        assert (part.added, part.removed) == (whole.added, whole.removed)


def test_only_the_changed_words_of_a_line_are_marked() -> None:
    before, after = "You answer customers. Be brief and friendly.\n1", "You answer people. Be brief and concrete.\n1"
    row = compared(before, after).parts[0].rows[0]

    assert row.before is not None
    assert row.after is not None
    assert [piece.text for piece in row.before.pieces if piece.is_changed] == ["customers", "friendly"]
    assert [piece.text for piece in row.after.pieces if piece.is_changed] == ["people", "concrete"]


def test_a_short_value_has_no_rows() -> None:
    (part,) = parts({"temperature": 0.2}, {"temperature": 0.3}).parts

    assert (part.path, part.before, part.after, part.rows) == ("temperature", "0.2", "0.3", [])


def test_a_part_that_is_new_or_gone_has_one_side() -> None:
    found = parts({"a": 1}, {"b": 2}).parts

    assert [(part.path, part.before, part.after, part.added, part.removed) for part in found] == [
        ("a", "1", None, 0, 1), ("b", None, "2", 1, 0),
    ]  # fmt: skip


def test_a_page_shows_a_bounded_number_of_parts_and_rows() -> None:
    many = parts({str(number): 0 for number in range(MAX_PARTS + 1)}, {str(n): 1 for n in range(MAX_PARTS + 1)})
    assert (len(many.parts), many.omitted) == (MAX_PARTS, True)

    long = "\n".join(map(str, range(MAX_ROWS + 1)))
    assert compared("", long) == Parts([], omitted=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n" * 300_000, "b\n" * 300_000),
        ("a b " * 200_000, "b a " * 200_000),
        ("\n".join(f"{n % 7}" for n in range(200_000)), "\n".join(f"{n % 5}" for n in range(200_000))),
        ("x" * 1_000_000, "y" * 1_000_000),
    ],
)
def test_the_largest_texts_are_compared_without_a_quadratic_search(before: str, after: str) -> None:
    found = compared(before, after, is_whole=False)

    assert found.omitted or len(found.parts) == 1
