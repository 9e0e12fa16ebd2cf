"""Files that keep deployments: who may change what, where both have come apart, and what is in no file any more."""

import json
import os
import select
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.files import a_document, contents, done, kept, manifests, put, revision, write
from tests.cli.test_apply import counts
from tests.support.program import moorage
from tests.support.server import PROGRAM, Project, clean_environment
from tests.support.threads import HANG_SECONDS

FILE = "prompts/a.yaml"

#: What is asked before two deployments are deleted.
QUESTION = "Delete 2 deployments? They can be restored for 30 days."


@pytest.fixture
def in_a_file(project: Project, folder: Path) -> Project:
    """A project whose deployment `a`, with the versions 1.0 and 1.1, is kept in `FILE`."""
    for text in ("one", "two"):
        put(project, a_document("a", text), FILE)
    write(folder / FILE, a_document("a", "two"))
    return project


@pytest.fixture
def repository(folder: Path) -> Path:
    """A git repository with a folder of prompts, and one that has nothing to do with them."""
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    write(folder / "prompts" / "deep" / "a.yaml", a_document("a"))
    (folder / "docs").mkdir()
    return folder


def entries(project: Project, key: str) -> list[dict[str, Any]]:
    """A history, newest first."""
    found: list[dict[str, Any]] = project.request("GET", f"/v2/deployments/{key}/history").json["data"]
    return found


def actions(project: Project, key: str) -> list[tuple[str, str]]:
    """What was done and why, newest first."""
    return [(entry["action"], entry["reason"]) for entry in entries(project, key)]


def drifted(project: Project, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """The rows of `moorage drift`, as a program reads them."""
    rows: list[dict[str, Any]] = json.loads(done(project, folder, "drift", "-o", "json", *arguments).stdout)
    return rows


# Who keeps what


def test_apply_keeps_a_deployment_in_its_file(project: Project, folder: Path) -> None:
    write(folder / "prompts" / "a.yaml", a_document("a"))
    write(folder / "prompts" / "deep" / "many.yaml", a_document("b"), a_document("c"))
    put(project, a_document("b"))

    done(project, folder, "apply", "./prompts/../prompts/", "-", stdin=json.dumps(a_document("d")).encode())

    assert kept(project) == {
        "a": ("files", "prompts/a.yaml"),
        "b": ("files", "prompts/deep/many.yaml"),
        "c": ("files", "prompts/deep/many.yaml"),
        "d": ("api", None),
    }


def test_a_file_whose_name_is_no_text_fails_alone(project: Project, folder: Path) -> None:
    write(folder / "prompts" / "good.yaml", a_document("good"))
    file = Path(os.fsdecode(bytes(folder / "prompts") + b"/b\xff.yaml"))
    write(file, a_document("bad"))

    result = moorage("apply", "prompts", folder=folder, project=project)

    assert (result.returncode, counts(result.stdout)) == (1, [1, 0, 0, 1])
    assert set(manifests(project)) == {"good"}


@pytest.mark.parametrize("command", [("publish", "a", "1.0"), ("delete", "a")], ids=" ".join)
def test_a_command_that_changes_what_a_file_keeps_names_the_file_and_the_next_command(
    in_a_file: Project, folder: Path, command: tuple[str, ...]
) -> None:
    before = manifests(in_a_file)

    refused = moorage("deployments", *command, folder=folder, project=in_a_file)

    assert (refused.returncode, refused.stdout) == (1, "")
    told = " ".join(refused.stderr.split())
    assert f"is managed by the file {FILE}. Edit the file and run `moorage apply`" in told
    assert "pass --take-ownership to manage it through the API" in told
    assert manifests(in_a_file) == before


def test_what_is_applied_from_standard_input_does_not_change_what_a_file_keeps(
    in_a_file: Project, folder: Path
) -> None:
    refused = moorage("apply", "-", folder=folder, project=in_a_file, stdin=json.dumps(a_document("a")).encode())

    assert (refused.returncode, counts(refused.stdout)) == (1, [0, 0, 0, 1])
    assert FILE in refused.stdout
    assert kept(in_a_file) == {"a": ("files", FILE)}


def test_who_takes_a_deployment_over_is_not_overwritten_until_the_file_takes_it_back(
    in_a_file: Project, folder: Path
) -> None:
    taken = done(in_a_file, folder, "deployments", "publish", "a", "1.0", "--take-ownership", "--reason", "calmer")
    state = manifests(in_a_file)
    refused = moorage("apply", "prompts", folder=folder, project=in_a_file)
    state_after_refusal = manifests(in_a_file)
    back = done(in_a_file, folder, "apply", "--take-ownership", "prompts")
    refused_again = moorage("deployments", "undo", "a", folder=folder, project=in_a_file)

    assert taken.stdout == "a: 1.0 is live.\n"
    assert (state["a"]["owner"], state["a"]["file"], state["a"]["version"]) == ("api", FILE, "1.0")
    assert (refused.returncode, counts(refused.stdout)) == (1, [0, 0, 0, 1])
    for told in (FILE, "moorage drift", "--take-ownership"):
        assert told in refused.stdout
    assert state_after_refusal == state
    assert counts(back.stdout) == [0, 1, 0, 0]
    assert "managed through the API: moorage deployments history a" in back.stdout
    assert kept(in_a_file) == {"a": ("files", FILE)}
    assert FILE in refused_again.stderr


def test_a_file_has_one_name_from_every_folder_of_a_repository(project: Project, repository: Path) -> None:
    prompts = repository / "prompts"
    done(project, prompts / "deep", "apply", ".")
    before = kept(project), revision(project)

    for folder, path in ((prompts, "deep/a.yaml"), (repository / "docs", str(prompts))):
        again = done(project, folder, "apply", path)

        assert counts(again.stdout) == [0, 0, 1, 0]
        assert (kept(project), revision(project)) == before, path
    assert before[0] == {"a": ("files", "prompts/deep/a.yaml")}


# Drift


def test_drift_lists_everything_that_came_apart_and_who_did_it(project: Project, folder: Path) -> None:
    for key in ("same", "edited", "moved_on", "gone", "taken", "equal", "taken_and_gone"):
        put(project, a_document(key), f"prompts/{key}.yaml")
    for key in ("same", "moved_on", "taken", "equal", "new"):
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

    found = {row["key"]: row for row in drifted(project, folder, "prompts")}  # which is no failure
    table = moorage("drift", "prompts", "--exit-code", folder=folder, project=project)

    assert found["-"]["drift"].startswith("cannot be read: did not find expected ',' or ']', line ")
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


def test_what_is_in_a_file_that_cannot_be_read_is_not_said_to_be_missing_from_it(
    in_a_file: Project, folder: Path
) -> None:
    (folder / FILE).write_text("key: [unclosed")

    rows = drifted(in_a_file, folder, "prompts")

    assert [(row["file"], row["drift"].partition(":")[0]) for row in rows] == [(FILE, "cannot be read")]


def test_a_path_that_is_not_there_is_no_drift(in_a_file: Project, folder: Path) -> None:
    result = moorage("drift", "promts", folder=folder, project=in_a_file)

    assert (result.returncode, result.stdout) == (2, "")
    assert "'promts' does not exist" in result.stderr


def test_no_drift_is_told_and_is_no_failure(in_a_file: Project, folder: Path) -> None:
    result = done(in_a_file, folder, "drift", "--exit-code", "prompts")

    assert result.stdout == "No drift: the server has the content of the files.\n"
    assert result.stderr == ""


def test_looking_for_drift_changes_nothing(in_a_file: Project, folder: Path) -> None:
    write(folder / FILE, a_document("a", "three"))
    before = revision(in_a_file), manifests(in_a_file)

    drifted(in_a_file, folder)

    assert (revision(in_a_file), manifests(in_a_file)) == before


def test_without_a_path_the_files_that_the_server_names_are_looked_for_from_here(
    project: Project, folder: Path
) -> None:
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
    without = drifted(project, repository / "docs")
    write(repository / "prompts" / "deep" / "a.yaml", a_document("a", "two"))

    found = [drifted(project, folder) for folder in folders]

    assert without == []
    row = {"key": "a", "file": "prompts/deep/a.yaml", "drift": "file changed, not applied"}
    assert found == [[row], [row]]


# Prune


@pytest.fixture
def two_gone(project: Project, folder: Path) -> Project:
    """A folder `prompts` of which `gone` and `too` were applied once, and are not in it any more."""
    for key in ("stays", "gone", "too"):
        put(project, a_document(key), f"prompts/{key}.yaml")
    write(folder / "prompts" / "stays.yaml", a_document("stays"))
    return project


def prune(project: Project, folder: Path, *paths: str) -> subprocess.CompletedProcess[str]:
    """`moorage apply --prune --yes`."""
    return done(project, folder, "apply", "--prune", "--yes", *paths)


@pytest.mark.parametrize("answer", [b"n\n", b""], ids=["no", "nothing"])
def test_prune_asks_and_without_a_yes_nothing_is_deleted(two_gone: Project, folder: Path, answer: bytes) -> None:
    before = manifests(two_gone)

    result = moorage("apply", "--prune", "prompts", folder=folder, project=two_gone, stdin=answer)

    assert result.returncode == 1
    assert "Removed from the files:\n  gone  (prompts/gone.yaml)\n  too  (prompts/too.yaml)\n" in result.stdout
    assert "Delete 2 deployments? They can be restored for 30 days." in result.stdout
    assert manifests(two_gone) == before


def test_what_was_pruned_says_why_and_how_to_restore_it(two_gone: Project, folder: Path) -> None:
    before = contents(two_gone)

    result = moorage("apply", "--prune", "prompts", folder=folder, project=two_gone, stdin=b"y\n")
    left = set(manifests(two_gone))
    told = [line.partition(": moorage ") for line in result.stdout.splitlines() if ": moorage " in line]
    reasons = {key: actions(two_gone, key)[0] for key in ("gone", "too")}
    done(two_gone, folder, *told[0][2].split())

    assert result.returncode == 0
    assert left == {"stays"}
    assert [what.rpartition("Deleted ")[2] for what, _, _ in told] == ["gone", "too"]
    assert reasons == {key: ("deleted", f"pruned: no longer in prompts/{key}.yaml") for key in ("gone", "too")}
    assert contents(two_gone) == {key: said for key, said in before.items() if key != "too"}


def test_who_said_yes_is_not_asked(two_gone: Project, folder: Path) -> None:
    result = prune(two_gone, folder, "prompts")

    assert "?" not in result.stdout
    assert set(manifests(two_gone)) == {"stays"}


def test_a_dry_run_of_a_prune_tells_and_deletes_nothing(two_gone: Project, folder: Path) -> None:
    before = revision(two_gone), manifests(two_gone)

    result = done(two_gone, folder, "apply", "--prune", "--yes", "--dry-run", "prompts")

    assert "  gone  (prompts/gone.yaml)\n  too  (prompts/too.yaml)\n" in result.stdout
    assert "Dry run: nothing was changed." in result.stdout
    assert (revision(two_gone), manifests(two_gone)) == before


def test_without_prune_what_is_in_no_file_any_more_stays(two_gone: Project, folder: Path) -> None:
    result = done(two_gone, folder, "apply", "--yes", "prompts")

    assert "gone" not in result.stdout
    assert set(manifests(two_gone)) == {"stays", "gone", "too"}


def test_prune_deletes_only_what_was_kept_under_the_paths_that_are_given(project: Project, folder: Path) -> None:
    for key, file in {
        "in_the_folder": "a/gone.yaml",
        "deep_in_it": "a/deep/gone.yaml",
        "in_a_file": "more.yaml",
        "moved_inside": "a/old.yaml",
        "beside_the_folder": "a-b/gone.yaml",
        "of_the_same_letters": "a.yaml",
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
        "moved_inside", "beside_the_folder", "of_the_same_letters", "above_it", "elsewhere", "moved_away",
        "never_in_a_file", "taken_over", "more", "stays_in_the_file",
    }  # fmt: skip


def test_a_prune_from_a_folder_of_a_repository_leaves_the_others_alone(project: Project, repository: Path) -> None:
    for file in ("prompts/deep/gone.yaml", "prompts/other.yaml", "top.yaml"):
        put(project, a_document(file.replace("/", "_")), file)

    prune(project, repository / "prompts" / "deep", ".")

    assert set(manifests(project)) == {"a", "prompts_other.yaml", "top.yaml"}


def test_nothing_is_pruned_while_something_failed(two_gone: Project, folder: Path) -> None:
    write(folder / "prompts" / "b.yaml", {"key": "b", "prompt_config": {}})

    result = moorage("apply", "--prune", "--yes", "prompts", folder=folder, project=two_gone)

    assert result.returncode == 1
    assert "Nothing was deleted, because some files could not be applied." in result.stderr
    assert set(manifests(two_gone)) == {"stays", "gone", "too"}


def test_what_was_in_a_folder_that_is_empty_is_pruned_and_of_one_that_is_missing_not(
    two_gone: Project, folder: Path
) -> None:
    (folder / "prompts" / "stays.yaml").rename(folder / "stays.yaml")
    (folder / "prompts").rename(folder / "moved")
    missing = moorage("apply", "--prune", "--yes", "prompts", folder=folder, project=two_gone)
    left = set(manifests(two_gone))
    (folder / "prompts").mkdir()
    prune(two_gone, folder, "prompts", "stays.yaml")

    assert missing.returncode == 1
    assert left == {"stays", "gone", "too"}
    assert kept(two_gone) == {"stays": ("files", "stays.yaml")}


def test_standard_input_prunes_nothing(two_gone: Project, folder: Path) -> None:
    document = json.dumps(a_document("stays")).encode()

    alone = done(two_gone, folder, "apply", "--prune", "--yes", "-", stdin=document)

    assert "There is nothing to delete." in alone.stdout
    assert set(manifests(two_gone)) == {"stays", "gone", "too"}


def test_what_changed_since_it_was_shown_is_not_deleted(two_gone: Project, folder: Path) -> None:
    environment = clean_environment(MOORAGE_URL=two_gone.server.url, MOORAGE_API_KEY=two_gone.token)
    with subprocess.Popen(
        [*PROGRAM, "apply", "--prune", "prompts"],
        cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        shown = b""
        while QUESTION.encode() not in shown:
            assert select.select([running.stdout], [], [], HANG_SECONDS)[0], f"it did not ask: {shown.decode()}"
            shown += (part := os.read(running.stdout.fileno(), 65_536))
            assert part, f"it ended: {shown.decode()}"
        put(two_gone, a_document("too", "wanted after all"), "prompts/too.yaml")
        _, told = running.communicate(b"y\n", timeout=HANG_SECONDS)

    assert running.returncode == 1
    assert "Deployment 'too' has changed: If-Match was" in " ".join(told.decode().split())
    assert set(manifests(two_gone)) == {"stays", "too"}


def test_a_file_of_any_script_is_pruned_too(project: Project, folder: Path) -> None:
    write(folder / "プロンプト" / "a.yaml", a_document("a"))
    write(folder / "プロンプト" / "b \u2013 alt.yaml", a_document("b"))
    done(project, folder, "apply", "プロンプト")
    (folder / "プロンプト" / "b \u2013 alt.yaml").unlink()

    prune(project, folder, "プロンプト")

    assert set(manifests(project)) == {"a"}
    assert actions(project, "b")[0] == ("deleted", "pruned: no longer in プロンプト/b \u2013 alt.yaml")
