"""Under load, the threads of a worker have SCHED_BATCH, so that they do not preempt each other.

Writes and long calculations have a lower priority than other requests.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.registry.write_queue import NICE
from moorage.server.cpu_scheduling import HYSTERESIS, LOOP_SHARE, PROCESS_SHARE, CpuScheduler
from tests.support.server import Server, a_body


class Simulation:
    """A scheduler with clocks that a test sets."""

    def __init__(self) -> None:
        self.loop = self.process = self.clock = 0.0
        self.scheduler = CpuScheduler(lambda: self.loop, lambda: self.process, lambda: self.clock)

    def second(self, loop: float, process: float) -> int:
        """Simulate a second with this processor time; return the policy after it."""
        self.loop, self.process, self.clock = self.loop + loop, self.process + process, self.clock + 1
        self.scheduler.update()
        return os.sched_getscheduler(0)


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    simulation = Simulation()
    yield simulation
    simulation.second(0, 0)


@pytest.mark.parametrize(
    ("loop", "process", "policy"),
    [
        pytest.param(0.5, 0.95, os.SCHED_BATCH, id="only requests"),
        pytest.param(0.5, 0.55, os.SCHED_OTHER, id="another process has half of the core"),
        pytest.param(0.3, 0.95, os.SCHED_OTHER, id="the writing thread has most of the core"),
        pytest.param(0.0, 0.0, os.SCHED_OTHER, id="no load"),
    ],
)
def test_the_policy_depends_on_the_processor_time(
    simulation: Simulation, loop: float, process: float, policy: int
) -> None:
    assert simulation.second(loop, process) == policy


def test_the_policy_ends_when_the_load_drops(simulation: Simulation) -> None:
    assert simulation.second(1, PROCESS_SHARE + 0.01) == os.SCHED_BATCH
    assert simulation.second(1, PROCESS_SHARE * HYSTERESIS + 0.01) == os.SCHED_BATCH, (
        "slightly less load does not end it"
    )
    assert simulation.second(LOOP_SHARE * HYSTERESIS + 0.01, 1) == os.SCHED_BATCH
    assert simulation.second(1, PROCESS_SHARE * HYSTERESIS - 0.01) == os.SCHED_OTHER
    assert simulation.second(LOOP_SHARE * HYSTERESIS + 0.01, 1) == os.SCHED_OTHER, "a start needs a higher load"


def test_the_policy_is_set_for_all_threads_and_inherited_by_new_ones(simulation: Simulation) -> None:
    ready, found = threading.Event(), list[int]()

    def wait() -> None:
        ready.wait()
        found.append(os.sched_getscheduler(0))

    before = threading.Thread(target=wait)
    before.start()
    simulation.second(0.9, 0.9)
    after = threading.Thread(target=wait)
    after.start()
    ready.set()
    before.join()
    after.join()

    assert found == [os.SCHED_BATCH, os.SCHED_BATCH]


def test_a_policy_that_another_program_set_is_not_changed() -> None:
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        assert Simulation().second(0.9, 0.9) == os.SCHED_BATCH
        chosen = Simulation()
        chosen.second(0.9, 0.9)
        assert chosen.second(0, 0) == os.SCHED_BATCH
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def test_writes_and_long_calculations_have_a_lower_priority(folder: Path) -> None:
    with Server(folder) as server:
        large = a_body(messages=[{"role": "user", "content": "x" * 100_000}])
        assert server.new_project().put("large", large).status == 201

        (worker,) = server.workers()
        threads = [path.name for path in Path(f"/proc/{worker}/task").iterdir()]
        values = sorted(os.getpriority(os.PRIO_PROCESS, int(thread)) for thread in threads)

    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert values[-2:] == [max(NICE, before)] * 2
    assert set(values[:-2]) == {before}
