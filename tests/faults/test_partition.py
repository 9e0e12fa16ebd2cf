"""A node that is cut off. Namespaces of the network are root's alone to make; for all others the part says so."""

import os
from pathlib import Path

import pytest
from faults.outcome import NotRun

from faults import partition


def test_a_node_that_is_cut_off_reads_on_and_tells_its_age_and_a_check_of_that_can_fail(folder: Path) -> None:
    if os.getuid() != 0:
        with pytest.raises(NotRun, match="namespaces cannot be made here"):
            partition.run(1, 1, folder)
        return

    outcome = partition.run(1, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found
