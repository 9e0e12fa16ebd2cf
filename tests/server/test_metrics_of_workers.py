"""The metrics in the files of several workers."""

from pathlib import Path

from moorage.api.metrics import _FilesCollector


def test_a_file_that_a_starting_worker_has_just_created_is_no_error(folder: Path) -> None:
    (folder / "counter_1.db").touch()

    assert list(_FilesCollector(folder).collect()) == []
