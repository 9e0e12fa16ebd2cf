"""Files in a folder that are no deployments are skipped; with `--strict`, they are failures."""

import json
from pathlib import Path

import pytest

from tests.cli.files import a_document, manifests, put, write
from tests.cli.test_apply import counts
from tests.support.program import moorage
from tests.support.server import Project

SKIPPED = "skipped: files/package.json: it has no key and no prompt_config\n"


@pytest.fixture
def files(folder: Path) -> Path:
    """Return a folder with a deployment and a file that is none."""
    write(folder / "files" / "a.yaml", a_document("a"))
    (folder / "files" / "package.json").write_text('{"name": "shop"}')
    return folder


def test_apply_skips_other_files_and_says_so(project: Project, files: Path) -> None:
    result = moorage("apply", "files", folder=files, project=project)

    assert (result.returncode, result.stderr, counts(result.stdout)) == (0, SKIPPED, [1, 0, 0, 0])


def test_diff_and_drift_skip_other_files_and_their_output_is_still_data(project: Project, files: Path) -> None:
    put(project, a_document("a"), "files/a.yaml")

    diff = moorage("diff", "files", "-o", "json", folder=files, project=project)
    drift = moorage("drift", "files", "-o", "json", folder=files, project=project)

    assert [step["action"] for step in json.loads(diff.stdout)] == ["unchanged"]
    assert json.loads(drift.stdout) == []
    assert (diff.returncode, drift.returncode, diff.stderr, drift.stderr) == (0, 0, SKIPPED, SKIPPED)


@pytest.mark.parametrize("command", ["apply", "diff", "drift"])
def test_other_files_are_failures_with_strict(project: Project, files: Path, command: str) -> None:
    result = moorage(command, "--strict", "files", folder=files, project=project)

    assert "key is missing" in result.stdout
    assert "skipped" not in result.stderr
    assert result.returncode == 1


@pytest.mark.parametrize("command", ["apply", "diff"])
def test_a_named_file_that_is_no_deployment_is_a_failure(project: Project, files: Path, command: str) -> None:
    result = moorage(command, "files/package.json", folder=files, project=project)

    assert result.returncode == 1
    assert "files/package.json:1:1: key is missing" in result.stdout


def test_many_skipped_files_are_counted(project: Project, files: Path) -> None:
    for number in range(30):
        (files / "files" / f"other-{number:02}.json").write_text("{}")

    lines = moorage("apply", "files", folder=files, project=project).stderr.splitlines()

    assert len(lines) == 21
    assert lines[-1] == "skipped: 11 more files"


@pytest.mark.parametrize("content", ["", "# moved\n", "name: shop\n"])
def test_the_deployment_of_a_file_that_became_another_is_not_pruned(
    project: Project, files: Path, content: str
) -> None:
    put(project, a_document("a"), "files/a.yaml")
    put(project, a_document("b"), "files/b.yaml")
    put(project, a_document("gone"), "files/gone.yaml")
    (files / "files" / "b.yaml").write_text(content)

    result = moorage("apply", "--prune", "--yes", "files", folder=files, project=project)
    drift = moorage("drift", "files", "-o", "json", folder=files, project=project)

    assert result.returncode == 0
    assert set(manifests(project)) == {"a", "b"}
    assert [(row["key"], row["drift"]) for row in json.loads(drift.stdout)] == [("b", "not in its file")]


def test_a_problem_in_a_file_is_shown_with_its_line(project: Project, files: Path) -> None:
    (files / "files" / "b.yaml").write_text("key: b\nprompt_config:\n  messages:\n    - content: {{question}}\n")

    applied = moorage("apply", "files", folder=files, project=project)
    planned = moorage("diff", "files", folder=files, project=project)
    created = moorage("deployments", "create", "files/b.yaml", folder=files, project=project)

    message = "a value that begins with {{ must be in quotes, because { begins an object"
    lines = [
        f'    files/b.yaml:4:16: {message}: "{{{{question}}}}"',
        "      - content: {{question}}",
        "                 ^^^^^^^^^^^^",
    ]
    for output in (applied.stdout, planned.stdout):
        shown = output.splitlines()
        start = shown.index(lines[0])
        assert shown[start : start + 3] == lines
    assert created.stderr.splitlines() == [
        f"Error: {lines[0].strip()}", "  - content: {{question}}", "             ^^^^^^^^^^^^",
    ]  # fmt: skip
