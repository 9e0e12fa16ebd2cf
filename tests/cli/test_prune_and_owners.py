"""Deployments managed by files: ownership, `moorage drift`, `moorage apply --prune`."""

import json
import os
import select
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.files import a_document, contents, manifests, ownership, put, revision, run, write
from tests.cli.test_apply import counts
from tests.support.program import moorage
from tests.support.server import PROGRAM, Project, clean_environment
from tests.support.threads import HANG_SECONDS

FILE = "prompts/a.yaml"

#: The prompt before two deployments are deleted.
CONFIRMATION = "Delete 2 deployments? They can be restored for 30 days."


@pytest.fixture
def managed(project: Project, folder: Path) -> Project:
    """Return a project whose deployment `a`, at version 1.1, is managed by `FILE`."""
    for text in ("one", "two"):
        put(project, a_document("a", text), FILE)
    write(folder / FILE, a_document("a", "two"))
    return project


@pytest.fixture
def repository(folder: Path) -> Path:
    """Return a git repository with a folder of prompts and an unrelated folder."""
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    write(folder / "prompts" / "deep" / "a.yaml", a_document("a"))
    (folder / "docs").mkdir()
    return folder


def entries(project: Project, key: str) -> list[dict[str, Any]]:
    """Return the history of a deployment, newest first."""
    found: list[dict[str, Any]] = project.request("GET", f"/v2/deployments/{key}/history").json["data"]
    return found


def actions(project: Project, key: str) -> list[tuple[str, str]]:
    """Return the actions and reasons of the history, newest first."""
    return [(entry["action"], entry["reason"]) for entry in entries(project, key)]


def drifted(project: Project, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """Return the rows of `moorage drift` as JSON values."""
    result = moorage("drift", "-o", "json", *arguments, folder=folder, project=project)
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    is_unreadable = any(row["drift"].startswith("cannot be read") for row in rows)
    assert result.returncode == (1 if is_unreadable else 2 if rows else 0), result.stderr
    return rows


# Ownership


def test_applied_files_manage_their_deployments_but_standard_input_does_not(project: Project, folder: Path) -> None:
    write(folder / "prompts" / "a.yaml", a_document("a"))
    write(folder / "prompts" / "deep" / "many.yaml", a_document("b"), a_document("c"))
    put(project, a_document("b"))

    run(project, folder, "apply", "./prompts/../prompts/", "-", stdin=json.dumps(a_document("d")).encode())

    assert ownership(project) == {
        "a": ("files", "prompts/a.yaml"),
        "b": ("files", "prompts/deep/many.yaml"),
        "c": ("files", "prompts/deep/many.yaml"),
        "d": ("api", None),
    }


def test_a_file_name_that_is_not_utf_8_fails_only_that_file(project: Project, folder: Path) -> None:
    write(folder / "prompts" / "good.yaml", a_document("good"))
    file = Path(os.fsdecode(bytes(folder / "prompts") + b"/b\xff.yaml"))
    write(file, a_document("bad"))

    result = moorage("apply", "prompts", folder=folder, project=project)

    assert (result.returncode, counts(result.stdout)) == (1, [1, 0, 0, 1])
    assert set(manifests(project)) == {"good"}


@pytest.mark.parametrize("command", [("publish", "a", "1.0"), ("delete", "a")], ids=" ".join)
def test_commands_reject_changes_to_deployments_managed_by_a_file_and_print_the_next_step(
    managed: Project, folder: Path, command: tuple[str, ...]
) -> None:
    before = manifests(managed)

    rejected = moorage("deployments", *command, folder=folder, project=managed)

    assert (rejected.returncode, rejected.stdout) == (1, "")
    message = " ".join(rejected.stderr.split())
    assert f"is managed by the file {FILE}. Edit the file and run `moorage apply`" in message
    assert "pass --take-ownership to manage it through the API" in message
    assert manifests(managed) == before


def test_apply_from_standard_input_does_not_change_deployments_managed_by_a_file(
    managed: Project, folder: Path
) -> None:
    rejected = moorage("apply", "-", folder=folder, project=managed, stdin=json.dumps(a_document("a")).encode())

    assert (rejected.returncode, counts(rejected.stdout)) == (1, [0, 0, 0, 1])
    assert FILE in rejected.stdout
    assert ownership(managed) == {"a": ("files", FILE)}


def test_apply_overwrites_a_deployment_taken_over_by_the_api_only_with_take_ownership(
    managed: Project, folder: Path
) -> None:
    published = run(managed, folder, "deployments", "publish", "a", "1.0", "--take-ownership", "--reason", "calmer")
    state = manifests(managed)
    rejected = moorage("apply", "prompts", folder=folder, project=managed)
    state_after_rejection = manifests(managed)
    applied = run(managed, folder, "apply", "--take-ownership", "prompts")
    rejected_again = moorage("deployments", "undo", "a", folder=folder, project=managed)

    assert published.stdout == "a: 1.0 is live in production.\n"
    assert (state["a"]["owner"], state["a"]["file"], state["a"]["version"]) == ("api", FILE, "1.0")
    assert (rejected.returncode, counts(rejected.stdout)) == (1, [0, 0, 0, 1])
    for part in (FILE, "moorage drift", "--take-ownership"):
        assert part in rejected.stdout
    assert state_after_rejection == state
    assert counts(applied.stdout) == [0, 1, 0, 0]
    assert "managed through the API: moorage deployments history a" in applied.stdout
    assert ownership(managed) == {"a": ("files", FILE)}
    assert FILE in rejected_again.stderr


def test_a_file_has_the_same_name_from_every_folder_of_a_repository(project: Project, repository: Path) -> None:
    prompts = repository / "prompts"
    run(project, prompts / "deep", "apply", ".")
    before = ownership(project), revision(project)

    for folder, path in ((prompts, "deep/a.yaml"), (repository / "docs", str(prompts))):
        again = run(project, folder, "apply", path)

        assert counts(again.stdout) == [0, 0, 1, 0]
        assert (ownership(project), revision(project)) == before, path
    assert before[0] == {"a": ("files", "prompts/deep/a.yaml")}


# Drift


def test_drift_lists_each_kind_of_difference_with_its_author_and_reason(project: Project, folder: Path) -> None:
    for key in ("same", "edited", "gone", "taken", "equal", "taken_and_gone"):
        put(project, a_document(key), f"prompts/{key}.yaml")
    for key in ("same", "taken", "equal", "new"):
        write(folder / "prompts" / f"{key}.yaml", a_document(key))
    write(folder / "prompts" / "edited.yaml", a_document("edited", "two"))
    (folder / "prompts" / "broken.yaml").write_text("key: [unclosed")
    put(project, a_document("elsewhere"), "others/elsewhere.yaml")
    put(project, a_document("never_in_a_file"))
    reason = {"X-Moorage-Change-Reason": "a calmer tone"}
    body = json.dumps({"description": "mine"}).encode()
    for key in ("taken", "taken_and_gone"):
        path = f"/v2/deployments/{key}?take_ownership=true"
        assert project.request("PATCH", path, body, reason).status == 200
    put(project, a_document("equal"), take_ownership="true")

    found = {row["key"]: row for row in drifted(project, folder, "prompts")}
    table = moorage("drift", "prompts", folder=folder, project=project)

    assert found["-"]["drift"] == "cannot be read: prompts/broken.yaml:1:6: the [ is not closed; add a ]"
    assert {key: (row["drift"].partition(":")[0], row["file"]) for key, row in found.items()} == {
        "-": ("cannot be read", "prompts/broken.yaml"),
        "edited": ("file changed, not applied", "prompts/edited.yaml"),
        "equal": ("managed through the API, content equal", "prompts/equal.yaml"),
        "gone": ("not in its file", "prompts/gone.yaml"),
        "new": ("not on the server", "prompts/new.yaml"),
        "taken": ("changed through the API", "prompts/taken.yaml"),
        "taken_and_gone": ("not in its file", "prompts/taken_and_gone.yaml"),
    }
    for key, why in {"taken": "a calmer tone", "equal": "managed by the API from now on"}.items():
        entry = entries(project, key)[0]
        who = {name: found[key][name] for name in ("version", "action", "by", "at", "why")}
        assert who == {"version": "1.0", "action": "changed", "by": "test", "at": entry["at"], "why": why}
    assert [key for key, row in found.items() if "by" in row] == ["equal", "taken", "taken_and_gone"]
    assert table.returncode == 1
    for row in found.values():
        (line,) = [line for line in table.stdout.splitlines() if row["drift"] in line and row["file"] in line]
        assert line.startswith(row["key"])
        assert row.get("why", "-") in line
        assert row.get("at", "-") in line
    assert "`moorage diff PATH` shows the differences" in table.stderr


def test_drift_does_not_report_deployments_of_an_unreadable_file_as_missing(managed: Project, folder: Path) -> None:
    (folder / FILE).write_text("key: [unclosed")

    rows = drifted(managed, folder, "prompts")

    assert [(row["file"], row["drift"].partition(":")[0]) for row in rows] == [(FILE, "cannot be read")]


def test_drift_rejects_a_path_that_does_not_exist(managed: Project, folder: Path) -> None:
    result = moorage("drift", "promts", folder=folder, project=managed)

    assert (result.returncode, result.stdout) == (1, "")
    assert "'promts' does not exist" in result.stderr


def test_no_drift_is_reported_and_exits_with_0(managed: Project, folder: Path) -> None:
    result = run(managed, folder, "drift", "--exit-code", "prompts")

    assert result.stdout == "No drift: the server matches the files.\n"
    assert result.stderr == ""


def test_drift_changes_nothing_on_the_server(managed: Project, folder: Path) -> None:
    write(folder / FILE, a_document("a", "three"))
    before = revision(managed), manifests(managed)

    drifted(managed, folder)

    assert (revision(managed), manifests(managed)) == before


def test_drift_without_a_path_reads_the_files_that_the_server_names(project: Project, folder: Path) -> None:
    put(project, a_document("a"), "prompts/a.yaml")
    put(project, a_document("b"), "more/b.json")
    put(project, a_document("c"), "more/gone.yaml")
    put(project, a_document("never_in_a_file"))
    write(folder / "prompts" / "a.yaml", a_document("a", "two"))
    write(folder / "prompts" / "unknown.yaml", a_document("unknown"))
    write(folder / "more" / "b.json", a_document("b"))

    found = [(row["key"], row["drift"], row["file"]) for row in drifted(project, folder)]

    assert found == [
        ("a", "file changed, not applied", "prompts/a.yaml"),
        ("c", "not in its file", "more/gone.yaml"),
    ]


def test_drift_is_the_same_from_every_folder_of_a_repository(project: Project, repository: Path) -> None:
    put(project, a_document("a"), "prompts/deep/a.yaml")
    put(project, a_document("b"), "prompts/b.yaml")
    folders = (repository / "docs", repository / "prompts" / "deep")
    write(repository / "prompts" / "b.yaml", a_document("b"))
    no_drift = drifted(project, repository / "docs")
    write(repository / "prompts" / "deep" / "a.yaml", a_document("a", "two"))

    found = [drifted(project, folder) for folder in folders]

    assert no_drift == []
    row = {"key": "a", "file": "prompts/deep/a.yaml", "drift": "file changed, not applied"}
    assert found == [[row], [row]]


# Prune


@pytest.fixture
def two_removed(project: Project, folder: Path) -> Project:
    """Return a project with `gone` and `old`, which were removed from `prompts`."""
    for key in ("stays", "gone", "old"):
        put(project, a_document(key), f"prompts/{key}.yaml")
    write(folder / "prompts" / "stays.yaml", a_document("stays"))
    return project


def prune(project: Project, folder: Path, *paths: str) -> subprocess.CompletedProcess[str]:
    """Run `moorage apply --prune --yes`."""
    return run(project, folder, "apply", "--prune", "--yes", *paths)


@pytest.mark.parametrize("answer", [b"n\n", b""], ids=["no", "end of input"])
def test_prune_without_confirmation_deletes_nothing(two_removed: Project, folder: Path, answer: bytes) -> None:
    before = manifests(two_removed)

    result = moorage("apply", "--prune", "prompts", folder=folder, project=two_removed, stdin=answer)

    assert result.returncode == 1
    assert "Removed from the files:\n  gone  (prompts/gone.yaml)\n  old  (prompts/old.yaml)\n" in result.stdout
    assert CONFIRMATION in result.stdout
    assert manifests(two_removed) == before


def test_prune_records_the_reason_and_prints_the_restore_commands(two_removed: Project, folder: Path) -> None:
    before = contents(two_removed)

    result = moorage("apply", "--prune", "prompts", folder=folder, project=two_removed, stdin=b"y\n")
    remaining = set(manifests(two_removed))
    restore_lines = [line.partition(": moorage ") for line in result.stdout.splitlines() if ": moorage " in line]
    reasons = {key: actions(two_removed, key)[0] for key in ("gone", "old")}
    run(two_removed, folder, *restore_lines[0][2].split())

    assert result.returncode == 0
    assert remaining == {"stays"}
    assert [start.rpartition("Deleted ")[2] for start, _, _ in restore_lines] == [
        "gone in all environments", "old in all environments"
    ]  # fmt: skip
    assert reasons == {key: ("deleted", f"pruned: no longer in prompts/{key}.yaml") for key in ("gone", "old")}
    assert contents(two_removed) == {key: content for key, content in before.items() if key != "old"}


def test_prune_with_yes_requires_no_confirmation(two_removed: Project, folder: Path) -> None:
    result = prune(two_removed, folder, "prompts")

    assert "?" not in result.stdout
    assert set(manifests(two_removed)) == {"stays"}


def test_a_dry_run_of_prune_lists_deployments_and_deletes_nothing(two_removed: Project, folder: Path) -> None:
    before = revision(two_removed), manifests(two_removed)

    result = run(two_removed, folder, "apply", "--prune", "--yes", "--dry-run", "prompts")

    assert "  gone  (prompts/gone.yaml)\n  old  (prompts/old.yaml)\n" in result.stdout
    assert "Dry run: nothing was changed." in result.stdout
    assert (revision(two_removed), manifests(two_removed)) == before


def test_apply_without_prune_deletes_nothing(two_removed: Project, folder: Path) -> None:
    result = run(two_removed, folder, "apply", "--yes", "prompts")

    assert "gone" not in result.stdout
    assert set(manifests(two_removed)) == {"stays", "gone", "old"}


def test_prune_deletes_only_deployments_managed_by_files_under_the_given_paths(project: Project, folder: Path) -> None:
    for key, file in {
        "in_the_folder": "a/gone.yaml",
        "deep_in_it": "a/deep/gone.yaml",
        "in_a_file": "more.yaml",
        "moved_inside": "a/old.yaml",
        "similar_folder_name": "a-b/gone.yaml",
        "file_named_as_the_folder": "a.yaml",
        "above_it": "gone.yaml",
        "elsewhere": "b/a/gone.yaml",
        "moved_away": "b/moved.yaml",
    }.items():
        put(project, a_document(key), file)
    put(project, a_document("never_in_a_file"))
    put(project, a_document("taken_over"), "a/taken.yaml")
    put(project, a_document("taken_over", "mine"), take_ownership="true")
    write(folder / "a" / "new.yaml", a_document("moved_inside"))
    write(folder / "more.yaml", a_document("more"), a_document("stays_in_the_file"))

    result = prune(project, folder, "./a/", "more.yaml")

    deleted = [line.split()[1].rstrip(":") for line in result.stdout.splitlines() if line.startswith("Deleted")]
    assert deleted == ["in_the_folder", "deep_in_it", "in_a_file"], "oldest first"
    assert set(manifests(project)) == {
        "moved_inside", "similar_folder_name", "file_named_as_the_folder", "above_it", "elsewhere", "moved_away",
        "never_in_a_file", "taken_over", "more", "stays_in_the_file",
    }  # fmt: skip


def test_prune_in_a_folder_of_a_repository_does_not_affect_other_folders(project: Project, repository: Path) -> None:
    for file in ("prompts/deep/gone.yaml", "prompts/other.yaml", "top.yaml"):
        put(project, a_document(file.replace("/", "_")), file)

    prune(project, repository / "prompts" / "deep", ".")

    assert set(manifests(project)) == {"a", "prompts_other.yaml", "top.yaml"}


def test_prune_deletes_nothing_if_a_file_cannot_be_applied(two_removed: Project, folder: Path) -> None:
    write(folder / "prompts" / "b.yaml", {"key": "b", "prompt_config": {}})

    result = moorage("apply", "--prune", "--yes", "prompts", folder=folder, project=two_removed)

    assert result.returncode == 1
    assert "Nothing was deleted, because some files could not be applied." in result.stderr
    assert set(manifests(two_removed)) == {"stays", "gone", "old"}


def test_prune_accepts_an_empty_folder_and_rejects_a_missing_folder(two_removed: Project, folder: Path) -> None:
    (folder / "prompts" / "stays.yaml").rename(folder / "stays.yaml")
    (folder / "prompts").rename(folder / "moved")
    missing = moorage("apply", "--prune", "--yes", "prompts", folder=folder, project=two_removed)
    remaining = set(manifests(two_removed))
    (folder / "prompts").mkdir()
    prune(two_removed, folder, "prompts", "stays.yaml")

    assert missing.returncode == 1
    assert remaining == {"stays", "gone", "old"}
    assert ownership(two_removed) == {"stays": ("files", "stays.yaml")}


def test_prune_with_standard_input_deletes_nothing(two_removed: Project, folder: Path) -> None:
    document = json.dumps(a_document("stays")).encode()

    result = run(two_removed, folder, "apply", "--prune", "--yes", "-", stdin=document)

    assert "There is nothing to delete." in result.stdout
    assert set(manifests(two_removed)) == {"stays", "gone", "old"}


def test_prune_does_not_delete_a_deployment_that_changed_before_the_confirmation(
    two_removed: Project, folder: Path
) -> None:
    environment = clean_environment(MOORAGE_URL=two_removed.server.url, MOORAGE_API_KEY=two_removed.token)
    with subprocess.Popen(
        [*PROGRAM, "apply", "--prune", "prompts"],
        cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        output = b""
        while CONFIRMATION.encode() not in output:
            assert select.select([running.stdout], [], [], HANG_SECONDS)[0], (
                f"no confirmation prompt: {output.decode()}"
            )
            output += (part := os.read(running.stdout.fileno(), 65_536))
            assert part, f"the program exited: {output.decode()}"
        put(two_removed, a_document("old", "wanted after all"), "prompts/old.yaml")
        _, errors = running.communicate(b"y\n", timeout=HANG_SECONDS)

    assert running.returncode == 1
    assert "Deployment 'old' has changed: If-Match was" in " ".join(errors.decode().split())
    assert set(manifests(two_removed)) == {"stays", "old"}


def test_prune_supports_file_names_in_any_script(project: Project, folder: Path) -> None:
    write(folder / "プロンプト" / "a.yaml", a_document("a"))
    write(folder / "プロンプト" / "b \u2013 alt.yaml", a_document("b"))
    run(project, folder, "apply", "プロンプト")
    (folder / "プロンプト" / "b \u2013 alt.yaml").unlink()

    prune(project, folder, "プロンプト")

    assert set(manifests(project)) == {"a"}
    assert actions(project, "b")[0] == ("deleted", "pruned: no longer in プロンプト/b \u2013 alt.yaml")
