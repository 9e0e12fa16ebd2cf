from pathlib import Path

from faults import soak


def test_under_mixed_load_all_is_answered_and_nothing_stays_open_and_a_leak_is_noticed(folder: Path) -> None:
    outcome = soak.run(4, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found
