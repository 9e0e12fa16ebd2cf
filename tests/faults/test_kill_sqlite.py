from pathlib import Path

from faults import kill_sqlite


def test_nothing_acknowledged_is_lost_or_doubled_when_a_process_is_killed_and_a_check_of_that_can_fail(
    folder: Path,
) -> None:
    outcome = kill_sqlite.run(15, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found
