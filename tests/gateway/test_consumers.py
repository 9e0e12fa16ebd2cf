"""Consumers are the API keys that use a version. They are recorded in memory and flushed to the store."""

import asyncio
import gc
import tracemalloc
from collections.abc import Callable, Iterable

import pytest

from moorage.core.compatibility.consumers import MAX_NAME, MAX_NAMES, UsageRecord
from moorage.core.errors.storage import StorageUnavailable
from moorage.gateway import consumers
from moorage.gateway.consumers import ConsumerTracker
from moorage.store.store import Store
from tests.support.stores import Clock

SECOND = 1_000_000_000


class FakeStore(Store):
    """A store that only collects usage records and can be unreachable."""

    def __init__(self) -> None:
        self.batches: list[list[UsageRecord]] = []
        self.is_down = False
        self.on_write: Callable[[], None] = lambda: None

    def record_consumers(self, records: Iterable[UsageRecord]) -> None:
        self.on_write()
        if self.is_down:
            raise StorageUnavailable(reason="it is down")
        self.batches.append(list(records))


class Harness:
    """A tracker with a clock and a fake store."""

    def __init__(self) -> None:
        self.store, self.clock = FakeStore(), Clock()
        self.tracker = ConsumerTracker(self.store, self.clock)

    def flush(self, *, is_last: bool = False) -> list[UsageRecord]:
        """Flush the tracker, and return the records that it wrote."""
        before = len(self.store.batches)
        asyncio.run(self.tracker.flush(is_last=is_last))
        return [record for batch in self.store.batches[before:] for record in batch]


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_a_request_is_flushed_once_with_its_input_names(harness: Harness) -> None:
    harness.tracker.record("v", "k", {"customer": "secret", "order": 1})
    start = harness.clock.now // 1000

    assert harness.flush() == [UsageRecord("v", "k", start, start, ("customer", "order"))]
    assert harness.flush() == []


def test_a_record_is_flushed_again_each_minute_and_for_a_new_input_name_immediately(harness: Harness) -> None:
    harness.tracker.record("v", "k", {"customer": 1})
    harness.flush()
    harness.clock.now += 30 * SECOND
    harness.tracker.record("v", "k", {"customer": 1})
    unchanged = harness.flush()
    harness.tracker.record("v", "k", {"order": 1})
    (new,) = harness.flush()
    harness.clock.now += 30 * SECOND
    harness.tracker.record("v", "k", {"customer": 1})
    early = harness.flush()
    harness.clock.now += 30 * SECOND
    (late,) = harness.flush()

    assert (unchanged, early) == ([], [])
    assert new.inputs == late.inputs == ("customer", "order")
    assert late.last_us - new.last_us == 30_000_000


def test_the_last_flush_writes_all_changed_records(harness: Harness) -> None:
    harness.tracker.record("v", "k", {})
    harness.flush()
    harness.clock.now += SECOND
    harness.tracker.record("v", "k", {})

    (last,) = harness.flush(is_last=True)

    assert last.last_us == harness.clock.now // 1000


def test_records_are_retained_while_the_database_is_unreachable(harness: Harness) -> None:
    harness.tracker.record("v", "k", {"customer": 1})
    harness.store.is_down = True
    with pytest.raises(StorageUnavailable):
        harness.flush()
    harness.tracker.record("w", "k", {})
    with pytest.raises(StorageUnavailable):
        harness.flush()
    harness.store.is_down = False

    assert {(record.version_id, record.inputs) for record in harness.flush()} == {("v", ("customer",)), ("w", ())}


def test_a_record_made_during_a_flush_is_written_by_the_next_one(harness: Harness) -> None:
    harness.tracker.record("v", "k", {"customer": 1})
    harness.store.on_write = lambda: harness.tracker.record("v", "k", {"order": 1})

    first = harness.flush()
    harness.store.on_write = lambda: None

    assert [record.inputs for record in first] == [("customer",)]
    assert [record.inputs for record in harness.flush()] == [("customer", "order")]


def test_a_record_without_new_requests_is_evicted(harness: Harness) -> None:
    harness.tracker.record("v", "k", {"customer": 1})
    harness.flush()
    harness.clock.now += 60 * SECOND
    harness.flush()
    harness.tracker.record("v", "k", {})

    assert [record.inputs for record in harness.flush()] == [()]


def test_input_names_are_limited_in_number_and_length(harness: Harness) -> None:
    harness.tracker.record("v", "k", {"x" * (MAX_NAME + 1): 1, "y" * MAX_NAME: 1})
    harness.tracker.record("v", "k", {f"n{number}": 1 for number in range(1_000)})

    (record,) = harness.flush()

    assert len(record.inputs) == MAX_NAMES
    assert max(map(len, record.inputs)) == MAX_NAME


def test_memory_is_limited_while_the_database_is_unreachable(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "MAX_BYTES", 100_000)
    harness.store.is_down = True
    harness.tracker.record("v", "k", {})
    gc.collect()
    tracemalloc.start()
    for number in range(1_000):
        harness.tracker.record(f"v{number}", "k", {f"{number} {name} {'x' * 200}": 1 for name in range(10)})
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    with pytest.raises(StorageUnavailable):
        harness.flush()
    harness.store.is_down = False

    written = harness.flush()

    assert 50_000 < harness.tracker.held <= 100_000
    assert taken <= harness.tracker.held
    assert 20 < len(written) < 100
    harness.clock.now += 60 * SECOND
    harness.flush(is_last=True)
    assert harness.tracker.held == 0


def test_a_record_from_a_clock_that_was_ahead_is_stored_again_and_evicted(harness: Harness) -> None:
    year = 365 * 86_400 * SECOND
    harness.clock.now += year
    harness.tracker.record("v", "k", {"customer": 1})
    harness.tracker.record("w", "k", {})
    harness.flush()
    harness.clock.now -= year
    harness.tracker.record("v", "k", {"customer": 1})

    (corrected,) = harness.flush()

    assert (corrected.version_id, corrected.last_us) == ("v", harness.clock.now // 1000)
    assert harness.flush() == []
    harness.clock.now += 60 * SECOND
    harness.flush()
    harness.tracker.record("v", "k", {})
    harness.tracker.record("w", "k", {})
    assert {record.version_id: record.inputs for record in harness.flush()} == {"v": (), "w": ()}, "both were evicted"
