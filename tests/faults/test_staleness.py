from pathlib import Path

from faults import staleness


def test_another_node_shows_what_was_acknowledged_in_time_or_tells_its_age_and_a_check_of_that_can_fail(
    folder: Path,
) -> None:
    outcome = staleness.run(45, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found
