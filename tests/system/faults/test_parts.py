"""Each part of the fault injection runs with a small count. Without root, the part `partition` does not run."""

import os
from pathlib import Path

import pytest

from tools.faults.__main__ import PARTS
from tools.faults.outcome import NotRun, Part

pytestmark = pytest.mark.serial

COUNTS = {
    "backups": 4,
    "disk-full": 2,
    "disk-full-postgresql": 1,
    "kill-postgresql": 2,
    "kill-sqlite": 15,
    "partition": 1,
    "power-cut": 50,
    "publishes": 400,
    "staleness": 45,
}

SEEDS = {"kill-postgresql": 3}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_invariant_holds_and_the_positive_control_is_found(part: Part, folder: Path) -> None:
    if part.name == "partition" and os.getuid() != 0:
        with pytest.raises(NotRun, match="network namespaces cannot be created"):
            part.run(1, 1, folder)
        return

    outcome = part.run(COUNTS[part.name], SEEDS.get(part.name, 1), folder)

    assert outcome.violations == []
    assert outcome.is_control_found
    assert outcome.count == COUNTS[part.name]
