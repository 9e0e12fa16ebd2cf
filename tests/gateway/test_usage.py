"""Who is served by which version, noted in memory and written down now and then."""

import asyncio
from collections.abc import Callable, Iterable

import pytest

from moorage.core.storage_errors import StorageUnavailable
from moorage.core.usage import MAX_NAME, MAX_NAMES, Use
from moorage.gateway import usage
from moorage.gateway.usage import Usage
from moorage.store.store import Store
from tests.support.stores import Clock

SECOND = 1_000_000_000


class Paper(Store):
    """A store that only notes usage, on paper, and can be away."""

    def __init__(self) -> None:
        self.written: list[list[Use]] = []
        self.is_away = False
        self.meanwhile: Callable[[], None] = lambda: None

    def note_usage(self, uses: Iterable[Use]) -> None:
        self.meanwhile()
        if self.is_away:
            raise StorageUnavailable(reason="it is away")
        self.written.append(list(uses))


class Desk:
    """Notes with a clock, written on paper."""

    def __init__(self) -> None:
        self.paper, self.clock = Paper(), Clock()
        self.usage = Usage(self.paper, self.clock)

    def flush(self, *, is_last: bool = False) -> list[Use]:
        """Write down what is due; what was written."""
        before = len(self.paper.written)
        asyncio.run(self.usage.flush(is_last=is_last))
        return [use for uses in self.paper.written[before:] for use in uses]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_call_is_written_down_once_with_the_names_of_its_inputs(desk: Desk) -> None:
    desk.usage.note("v", "k", {"customer": "secret", "order": 1})
    start = desk.clock.now // 1000

    assert desk.flush() == [Use("v", "k", start, start, ("customer", "order"))]
    assert desk.flush() == []


def test_what_goes_on_is_written_again_from_time_to_time_and_at_once_when_it_sends_something_new(desk: Desk) -> None:
    desk.usage.note("v", "k", {"customer": 1})
    desk.flush()
    desk.clock.now += 30 * SECOND
    desk.usage.note("v", "k", {"customer": 1})
    same = desk.flush()
    desk.usage.note("v", "k", {"order": 1})
    (new,) = desk.flush()
    desk.clock.now += 30 * SECOND
    desk.usage.note("v", "k", {"customer": 1})
    early = desk.flush()
    desk.clock.now += 30 * SECOND
    (late,) = desk.flush()

    assert (same, early) == ([], [])
    assert new.inputs == late.inputs == ("customer", "order")
    assert late.last_us - new.last_us == 30_000_000


def test_at_the_end_all_that_is_not_written_is(desk: Desk) -> None:
    desk.usage.note("v", "k", {})
    desk.flush()
    desk.clock.now += SECOND
    desk.usage.note("v", "k", {})

    (last,) = desk.flush(is_last=True)

    assert last.last_us == desk.clock.now // 1000


def test_while_the_database_is_away_everything_is_kept_for_the_next_time(desk: Desk) -> None:
    desk.usage.note("v", "k", {"customer": 1})
    desk.paper.is_away = True
    with pytest.raises(StorageUnavailable):
        desk.flush()
    desk.usage.note("w", "k", {})
    with pytest.raises(StorageUnavailable):
        desk.flush()
    desk.paper.is_away = False

    assert {(use.version_id, use.inputs) for use in desk.flush()} == {("v", ("customer",)), ("w", ())}


def test_what_is_noted_while_it_is_written_is_written_next(desk: Desk) -> None:
    desk.usage.note("v", "k", {"customer": 1})
    desk.paper.meanwhile = lambda: desk.usage.note("v", "k", {"order": 1})

    first = desk.flush()
    desk.paper.meanwhile = lambda: None

    assert [use.inputs for use in first] == [("customer",)]
    assert [use.inputs for use in desk.flush()] == [("customer", "order")]


def test_what_is_not_served_any_more_is_forgotten(desk: Desk) -> None:
    desk.usage.note("v", "k", {"customer": 1})
    desk.flush()
    desk.clock.now += 60 * SECOND
    desk.flush()
    desk.usage.note("v", "k", {})

    assert [use.inputs for use in desk.flush()] == [()]


def test_names_are_bounded_in_number_and_length(desk: Desk) -> None:
    desk.usage.note("v", "k", {"x" * (MAX_NAME + 1): 1, "y" * MAX_NAME: 1})
    desk.usage.note("v", "k", {f"n{number}": 1 for number in range(1_000)})

    (use,) = desk.flush()

    assert len(use.inputs) == MAX_NAMES
    assert max(map(len, use.inputs)) == MAX_NAME


def test_memory_is_bounded_while_the_database_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MAX_NOTES", 10)
    monkeypatch.setattr(usage, "MAX_ALL_NAMES", 15)
    desk.paper.is_away = True
    for number in range(100):
        desk.usage.note(f"v{number}", "k", {"one": 1, "two": 2})
    with pytest.raises(StorageUnavailable):
        desk.flush()
    desk.paper.is_away = False

    written = desk.flush()

    assert len(written) == 10
    assert sum(len(use.inputs) for use in written) <= 16
