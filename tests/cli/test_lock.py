"""`moorage lock` writes the live versions to a lockfile."""

import json
from pathlib import Path

from tests.support.program import moorage
from tests.support.server import Project, a_body


def test_lock_writes_all_live_versions_sorted_by_key_and_equal_bytes_each_time(project: Project, folder: Path) -> None:
    for key in ("b", "a"):
        project.put(key)

    first = moorage("lock", folder=folder, project=project)
    written = (folder / "deployments.lock.json").read_bytes()
    second = moorage("lock", folder=folder, project=project)

    assert (first.stdout, second.stdout) == (
        "deployments.lock.json: 2 deployments, written.\n",
        "deployments.lock.json: 2 deployments, unchanged.\n",
    )
    assert (folder / "deployments.lock.json").read_bytes() == written
    assert written.startswith(b'{\n  "format": 1,\n')
    assert written.endswith(b"}\n")
    assert [each["key"] for each in json.loads(written)["deployments"]] == ["a", "b"]


def test_lock_check_ignores_a_changed_description(project: Project, folder: Path) -> None:
    project.put("a")
    assert moorage("lock", folder=folder, project=project).returncode == 0
    project.request("PATCH", "/v2/deployments/a", b'{"description": "a new description"}')

    assert moorage("lock", "--check", folder=folder, project=project).returncode == 0


def test_lock_check_exits_with_2_and_writes_nothing_if_the_lockfile_is_missing_or_out_of_date(
    project: Project, folder: Path
) -> None:
    missing = moorage("lock", "--check", "--out", "a.json", folder=folder, project=project)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == "a.json is out of date. Run: moorage lock --out a.json\n"
    assert not (folder / "a.json").exists()

    assert moorage("lock", "--out", "a.json", folder=folder, project=project).returncode == 0
    before = (folder / "a.json").read_bytes()
    project.put("a", a_body())
    changed = moorage("lock", "--check", "--out", "a.json", folder=folder, project=project)

    assert changed.returncode == 2
    assert "moorage lock --out a.json" in changed.stderr
    assert (folder / "a.json").read_bytes() == before


def test_lock_reports_a_path_that_cannot_be_written(project: Project, folder: Path) -> None:
    result = moorage("lock", "--out", "nowhere/a.json", folder=folder, project=project)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "Error: nowhere/a.json: No such file or directory\n"
