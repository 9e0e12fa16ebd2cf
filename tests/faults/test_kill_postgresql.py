from pathlib import Path

from faults import kill_postgresql


def test_nothing_acknowledged_is_lost_or_doubled_when_server_or_database_are_killed_and_a_check_of_that_can_fail(
    folder: Path,
) -> None:
    outcome = kill_postgresql.run(2, 3, folder)

    assert outcome.violations == []
    assert outcome.is_control_found
