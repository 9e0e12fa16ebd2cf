"""Requests a second on both engines; needs wrk, as the benchmarks do. Where it is not, the part says so."""

import shutil
from pathlib import Path

import pytest
from faults.outcome import NotRun

from faults import list_throughput


def test_the_list_is_measured_on_both_engines_and_the_rounds_can_tell_a_difference(folder: Path) -> None:
    if shutil.which("wrk") is None:
        with pytest.raises(NotRun, match="no program wrk"):
            list_throughput.run(1, 1, folder)
        return

    outcome = list_throughput.run(1, 1, folder)

    assert outcome.is_control_found
    assert len(outcome.bounds) == 2
