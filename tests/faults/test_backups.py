from pathlib import Path

from faults import backups


def test_a_backup_under_writes_is_one_committed_state_and_one_that_lost_a_row_is_refused(folder: Path) -> None:
    outcome = backups.run(4, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found
    assert outcome.count == 4
