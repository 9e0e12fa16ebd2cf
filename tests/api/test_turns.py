"""While answering is what a core is used for, the threads of a worker do not interrupt each other."""

import os
import threading
from collections.abc import Iterator

import pytest

from moorage.api.turns import LOOP, PROCESS, STILL, Turns


class Time:
    """A second is as long as is said."""

    def __init__(self) -> None:
        self.loop = self.process = self.clock = 0.0
        self.turns = Turns(lambda: self.loop, lambda: self.process, lambda: self.clock)

    def passes(self, loop: float, process: float) -> int:
        """A second in which so much of the core was used; the policy after that."""
        self.loop, self.process, self.clock = self.loop + loop, self.process + process, self.clock + 1
        self.turns.look()
        return os.sched_getscheduler(0)


@pytest.fixture
def time() -> Iterator[Time]:
    """Time of a process with the usual policy, that ends with a quiet second."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    time = Time()
    yield time
    time.passes(0, 0)


@pytest.mark.parametrize(
    ("loop", "process", "policy"),
    [
        pytest.param(0.5, 0.95, os.SCHED_BATCH, id="answering and nothing else"),
        pytest.param(0.5, 0.55, os.SCHED_OTHER, id="somebody else has half of the core"),
        pytest.param(0.3, 0.95, os.SCHED_OTHER, id="the thread that writes has most of it"),
        pytest.param(0.0, 0.0, os.SCHED_OTHER, id="nothing to do"),
    ],
)
def test_the_policy_follows_from_what_the_core_is_used_for(
    time: Time, loop: float, process: float, policy: int
) -> None:
    assert time.passes(loop, process) == policy


def test_it_ends_when_there_is_less_to_do(time: Time) -> None:
    assert time.passes(1, PROCESS + 0.01) == os.SCHED_BATCH
    assert time.passes(1, PROCESS * STILL + 0.01) == os.SCHED_BATCH, "a little less is enough"
    assert time.passes(LOOP * STILL + 0.01, 1) == os.SCHED_BATCH
    assert time.passes(1, PROCESS * STILL - 0.01) == os.SCHED_OTHER
    assert time.passes(LOOP * STILL + 0.01, 1) == os.SCHED_OTHER, "to begin takes more"


def test_it_is_for_all_threads_and_those_that_they_start(time: Time) -> None:
    asked, found = threading.Event(), list[int]()

    def wait() -> None:
        asked.wait()
        found.append(os.sched_getscheduler(0))

    before = threading.Thread(target=wait)
    before.start()
    time.passes(0.9, 0.9)
    after = threading.Thread(target=wait)
    after.start()
    asked.set()
    before.join()
    after.join()

    assert found == [os.SCHED_BATCH, os.SCHED_BATCH]


def test_who_chose_another_policy_keeps_it() -> None:
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        assert Time().passes(0.9, 0.9) == os.SCHED_BATCH
        chosen = Time()
        chosen.passes(0.9, 0.9)
        assert chosen.passes(0, 0) == os.SCHED_BATCH
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
