from pathlib import Path

from faults import disk_full, disk_full_postgresql


def test_a_full_disk_loses_nothing_stops_no_read_and_is_forgotten_when_there_is_space(folder: Path) -> None:
    outcome = disk_full.run(2, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found


def test_a_full_disk_under_postgresql_stops_no_read_from_memory_and_loses_nothing(folder: Path) -> None:
    outcome = disk_full_postgresql.run(1, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found
