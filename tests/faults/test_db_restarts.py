from pathlib import Path

from faults import db_restarts


def test_no_read_fails_and_no_write_is_lost_when_the_database_restarts_and_a_check_of_that_can_fail(
    folder: Path,
) -> None:
    outcome = db_restarts.run(1, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found
