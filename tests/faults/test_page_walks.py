from pathlib import Path

from faults import page_walks


def test_a_walk_across_nodes_meets_all_that_stay_once_and_a_check_of_that_can_fail(folder: Path) -> None:
    outcome = page_walks.run(300, 1, folder)

    assert outcome.violations == []
    assert outcome.is_control_found
