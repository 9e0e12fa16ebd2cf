from pathlib import Path

from faults import publishes


def test_publishes_from_two_nodes_are_numbered_without_gap_and_none_is_lost_and_a_check_of_that_can_fail(
    folder: Path,
) -> None:
    outcome = publishes.run(400, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found
