"""Full garbage collections happen while the process has little to do."""

import asyncio
import gc
from collections.abc import Callable, Iterator

import pytest

from moorage.server import garbage_collection
from moorage.server.garbage_collection import SECONDS, collect_when_idle, is_due
from tests.support.threads import until


@pytest.fixture(autouse=True)
def _thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def collections() -> int:
    """Return the number of full collections of this process."""
    return int(gc.get_stats()[2]["collections"])


def run_until(condition: Callable[[], bool]) -> None:
    """Run the background job until a condition holds."""

    async def run() -> None:
        job = asyncio.create_task(collect_when_idle())
        await asyncio.to_thread(until, condition)
        job.cancel()

    asyncio.run(run())


def is_started() -> bool:
    return gc.get_threshold()[2] > 1_000


def allocate() -> None:
    """Cause collections of young objects."""
    for _ in range(1_000):
        kept = [[n] for n in range(2_000)]
        del kept


def test_a_growing_number_of_objects_causes_no_full_collection() -> None:
    run_until(is_started)
    before = collections()

    caches = [[n] for n in range(500_000)]

    assert len(caches) == 500_000
    assert collections() == before


def test_a_process_with_little_to_do_collects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage_collection, "SECONDS", 0.001)
    monkeypatch.setattr(garbage_collection, "_IDLE_SHARE", 1_000)
    run_until(is_started)
    allocate()
    before = collections()

    run_until(lambda: collections() > before)

    assert not is_due(0), "there is nothing to collect again"


def test_a_busy_process_does_not_collect() -> None:
    run_until(is_started)
    gc.collect()
    assert not is_due(0)

    allocate()

    assert is_due(0)
    assert not is_due(SECONDS / 2)
