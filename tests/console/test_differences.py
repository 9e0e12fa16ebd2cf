"""The differences of two documents as rows, with the changed words marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.console.differences import MAX_FOLDED, MAX_PARTS, MAX_ROWS, Line, Parts, Row, parts

TEXTS = st.lists(st.sampled_from(["", "a", "a b", "a  c", "b {{x}}", "ü", "the same line"]), max_size=30).map("\n".join)


def text_of(line: Line | None) -> list[str]:
    return [] if line is None else ["".join(piece.text for piece in line.pieces)]


def sides(rows: list[Row]) -> tuple[str, str]:
    before = [text for row in rows for text in text_of(row.before)]
    after = [text for row in rows for text in text_of(row.after)]
    return "\n".join(before), "\n".join(after)


def unfolded(rows: list[Row]) -> list[Row]:
    return [line for row in rows for line in (row.lines if row.folded else (row,))]


def compared(before: str, after: str) -> Parts:
    return parts({"text": before}, {"text": after})


def shown(before: str, after: str) -> tuple[str, str]:
    """Return two texts as their lines are shown: a newline at the end of both begins no line."""
    return (before[:-1], after[:-1]) if before.endswith("\n") and after.endswith("\n") else (before, after)


@given(TEXTS, TEXTS)
def test_the_rows_of_a_text_have_both_texts(before: str, after: str) -> None:
    found = compared(before, after)

    if before == after:
        assert found == Parts([], omitted=False)
        return
    (part,) = found.parts
    if part.rows:
        assert sides(unfolded(part.rows)) == shown(before, after)
    else:
        assert (part.before, part.after) == (before, after)


@given(TEXTS, TEXTS)
def test_the_lines_of_rows_are_numbered_from_one(before: str, after: str) -> None:
    for part in compared(before, after).parts:
        for side in ("before", "after"):
            numbers = [line.number for row in unfolded(part.rows) if (line := getattr(row, side)) is not None]
            assert numbers == list(range(1, len(numbers) + 1))


@given(TEXTS, TEXTS)
def test_folded_lines_are_equal_and_counted(before: str, after: str) -> None:
    for part in compared(before, after).parts:
        for row in part.rows:
            assert row.folded == len(row.lines)
            assert all(line.is_same and text_of(line.before) == text_of(line.after) for line in row.lines)


def test_more_equal_lines_than_a_page_has_are_counted_only() -> None:
    lines = "\n".join(map(str, range(MAX_FOLDED + 10)))

    (part,) = compared(f"one\n{lines}", f"two\n{lines}").parts

    assert [(row.folded, row.lines) for row in part.rows if row.folded] == [(MAX_FOLDED + 8, ())]


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        ("one\n", "two\n", [("one", "two")]),
        ("same\none\n", "same\ntwo\n", [("same", "same"), ("one", "two")]),
        ("one", "one\n", [("one", "one"), (None, "")]),
        ("one\n", "one", [("one", "one"), ("", None)]),
        ("one\n", "one\n\n", [("one", "one"), (None, "")]),
    ],
)
def test_a_newline_at_the_end_of_both_texts_begins_no_empty_line(
    before: str, after: str, rows: list[tuple[str | None, str | None]]
) -> None:
    (part,) = compared(before, after).parts

    found = [tuple(next(iter(text_of(line)), None) for line in (row.before, row.after)) for row in part.rows]
    assert found == rows


def test_a_new_text_with_a_newline_at_its_end_has_no_empty_line() -> None:
    (part,) = parts({}, {"text": "one\ntwo\n"}).parts

    assert [text_of(row.after) for row in part.rows] == [["one"], ["two"]]
    assert part.added == 2


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
    found = compared(before, after)

    assert found.omitted or len(found.parts) == 1
