"""`moorage apply`, `diff` and `drift` in an environment, and as a proposal."""

import json
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.cli.environments import administrator, approver, put_environment, version_in, with_key
from tests.cli.files import a_document, put, run, write
from tests.support.program import moorage
from tests.support.server import Project

IN_STAGING = ("--environment", "staging")

#: The settings of an environment that requires an approval.
GATED = b'{"required_approvals": 1}'


@pytest.fixture
def staging(project: Project) -> Project:
    """Return a project with the environment `staging`."""
    put_environment(project, "staging")
    return project


def out(project: Project, folder: Path, *arguments: str) -> str:
    """Return the standard output of a command that succeeds."""
    return run(project, folder, *arguments).stdout


def totals(output: str, *results: str) -> list[int]:
    """Return the counts of the summary."""
    lines = output.splitlines()
    heading = next(number for number, line in enumerate(lines) if line.split() == [*results])
    return [int(word) for word in lines[heading + 1].split()]


def owners(project: Project, environment: str) -> dict[str, tuple[str, str | None]]:
    """Return the owner of each deployment in an environment, and its file there."""
    page = project.request("GET", f"/v2/manifests?limit=50&environment={environment}").json
    return {each["key"]: (each["owner"], each["file"]) for each in page["data"]}


def proposals(project: Project) -> list[dict[str, Any]]:
    """Return the proposals, newest first."""
    found: list[dict[str, Any]] = project.request("GET", "/v2/proposals").json["data"]
    return found


def test_a_branch_is_applied_to_staging_promoted_with_an_approval_and_merged_unchanged(
    staging: Project, folder: Path
) -> None:
    write(folder / "prompts" / "a.yaml", a_document("a", "on main"))
    run(staging, folder, "apply", "prompts")
    put_environment(staging, "production", GATED)
    token = out(administrator(staging), folder, "keys", "create", "app", *IN_STAGING).strip()
    app = Project(staging.server, staging.id, staging.name, token)

    write(folder / "prompts" / "a.yaml", a_document("a", "on the branch"))
    applied = out(staging, folder, "apply", "prompts", *IN_STAGING)
    in_staging = out(app, folder, "deployments", "get-config", "a")
    in_production = out(staging, folder, "deployments", "get-config", "a")
    promote = ("deployments", "promote", "a", "--from", "staging", "--to", "production", "-o", "json")
    proposal_id = json.loads(out(staging, folder, *promote))["id"]
    own = moorage("proposals", "approve", proposal_id, folder=folder, project=staging)
    run(approver(staging), folder, "proposals", "approve", proposal_id)
    waited = out(staging, folder, "proposals", "show", proposal_id, "--wait", "30m")
    merged = out(staging, folder, "apply", "prompts")

    assert applied.startswith(
        "updated a: 1.0 → 1.1 in staging, undo: moorage deployments undo a --environment staging --take-ownership\n"
    )
    assert "on the branch" in in_staging
    assert "on main" in in_production
    assert own.returncode == 1
    assert "published" in waited
    assert version_in(staging, "production", "a") == "1.1"
    assert totals(merged, "proposed", "unchanged", "failed") == [0, 1, 0]
    assert merged.endswith("Nothing to propose: production matches the files.\n")
    assert owners(staging, "production") == {"a": ("files", "prompts/a.yaml")}


def test_apply_to_another_environment_changes_nothing_in_production(staging: Project, folder: Path) -> None:
    put(staging, a_document("a", "one"))
    before = staging.page().body, owners(staging, "production")
    write(folder / "a.yaml", a_document("a", "two", description="another description"), a_document("new"))

    applied = out(staging, folder, "apply", "a.yaml", *IN_STAGING)

    assert "updated a: 1.0 → 1.1 in staging" in applied
    assert "created new: 1.0 in staging" in applied
    assert "description: is shared by all environments" in applied
    assert "`moorage deployments set-description` changes it" in applied
    assert (staging.page().body, owners(staging, "production")) == before
    assert owners(staging, "staging") == {"a": ("files", "a.yaml"), "new": ("files", "a.yaml")}


def test_diff_of_an_environment_says_what_apply_does(staging: Project, folder: Path) -> None:
    for key in ("same", "changed", "follows"):
        put(staging, a_document(key))
    put(staging, a_document("gone"), file="prompts/gone.yaml", environment="staging")
    put(staging, a_document("same"), file="prompts/a.yaml", environment="staging")
    write(
        folder / "prompts" / "a.yaml", a_document("same", description="of the file"), a_document("changed", "two"),
        a_document("follows"), a_document("new"),
    )  # fmt: skip

    shown = moorage("diff", "prompts", *IN_STAGING, "--exit-code", folder=folder, project=staging)
    run(staging, folder, "apply", "--prune", "--yes", "prompts", *IN_STAGING)
    again = moorage("diff", "prompts", *IN_STAGING, "--exit-code", folder=folder, project=staging)

    assert shown.returncode == 2
    assert [line.partition("  (")[0] for line in shown.stdout.splitlines() if line[:2] in ("+ ", "~ ", "- ")] == [
        "~ changed", "~ follows", "+ new", "- gone"
    ]  # fmt: skip
    assert "follows production, and gets this version as its own in staging" in shown.stdout
    assert shown.stdout.endswith(
        "Plan in staging: 1 to create, 2 to update, 1 to unpublish (with --prune), 1 unchanged, 0 cannot be applied.\n"
    )
    assert (again.returncode, again.stderr) == (0, "")


def test_drift_of_an_environment_is_about_the_deployments_that_files_manage_there(
    staging: Project, folder: Path
) -> None:
    documents = [a_document(key) for key in ("equal", "taken", "edited", "follows")]
    write(folder / "prompts" / "a.yaml", *documents)
    for document in documents:
        put(staging, document, file="prompts/a.yaml")
    for document in documents[:3]:
        put(staging, document, file="prompts/a.yaml", environment="staging")
    put(staging, a_document("taken", "two"), take_ownership="true", environment="staging")
    documents[0]["description"] = "of the file"
    documents[2] = a_document("edited", "two")
    write(folder / "prompts" / "a.yaml", *documents)

    found = moorage("drift", *IN_STAGING, "-o", "json", folder=folder, project=staging)
    shown = moorage("drift", "prompts", *IN_STAGING, folder=folder, project=staging)

    assert (found.returncode, shown.returncode) == (2, 2)
    assert [(row["key"], row["drift"]) for row in json.loads(found.stdout)] == [
        ("edited", "file changed, not applied"), ("taken", "changed through the API")
    ]  # fmt: skip
    assert "moorage diff PATH --environment staging" in shown.stderr


def test_no_drift_names_the_environment(staging: Project, folder: Path) -> None:
    assert out(staging, folder, "drift", *IN_STAGING) == "No drift: staging matches the files.\n"


def test_prune_outside_production_unpublishes_and_deletes_nothing(staging: Project, folder: Path) -> None:
    put(staging, a_document("a", "one"), file="prompts/a.yaml")
    put(staging, a_document("a", "two"), file="prompts/a.yaml", environment="staging")
    (folder / "prompts").mkdir()

    aborted = moorage("apply", "--prune", "prompts", *IN_STAGING, folder=folder, project=staging, stdin=b"n\n")
    pruned = out(staging, folder, "apply", "--prune", "--yes", "prompts", *IN_STAGING)
    again = out(staging, folder, "apply", "--prune", "--yes", "prompts", *IN_STAGING)

    assert aborted.returncode == 1
    assert "Unpublish 1 deployment from staging? They follow production then." in aborted.stdout
    undo = "moorage deployments undo a --environment staging --take-ownership"
    assert pruned.splitlines()[-1] == f"Unpublished a from staging: {undo}"
    assert again == "There is nothing to unpublish from staging.\n"
    assert (version_in(staging, "production", "a"), version_in(staging, "staging", "a")) == ("1.0", "1.0")
    assert owners(staging, "production") == {"a": ("files", "prompts/a.yaml")}


def test_drafts_are_saved_against_the_environment(staging: Project, folder: Path) -> None:
    put(staging, a_document("a", "one"))
    put(staging, a_document("a", "two"), file="a.yaml", environment="staging")
    write(folder / "a.yaml", a_document("a", "three"))

    drafted = out(staging, folder, "apply", "--draft", "a.yaml", *IN_STAGING)

    assert drafted.startswith("drafted a: 1.2, publish: moorage apply a.yaml --environment staging\n")
    assert version_in(staging, "staging", "a") == "1.1"


# Environments that require approvals


@pytest.fixture
def gated(staging: Project, folder: Path) -> Project:
    """Return a project whose production requires an approval, with three deployments of files, of which two changed."""
    for key in ("a", "b", "c"):
        write(folder / "prompts" / f"{key}.yaml", a_document(key, "one"))
    run(staging, folder, "apply", "prompts")
    for key in ("a", "b"):
        write(folder / "prompts" / f"{key}.yaml", a_document(key, "two"))
    put_environment(staging, "production", GATED)
    return staging


def test_one_apply_is_one_proposal_and_exits_with_0(gated: Project, folder: Path) -> None:
    write(folder / "prompts" / "new.yaml", a_document("new"))
    before = gated.page().body

    applied = out(gated, folder, "apply", "prompts", "--reason", "calmer")
    repeated = out(gated, folder, "apply", "prompts", "--reason", "calmer")

    (proposal,) = proposals(gated)
    assert [(item["key"], item["base_version"], item["version"]) for item in proposal["items"]] == [
        ("a", "1.0", "1.1"), ("b", "1.0", "1.1"), ("new", None, "1.0")
    ]  # fmt: skip
    assert applied.splitlines()[:3] == [
        "proposed a: 1.0 → 1.1 in production", "proposed b: 1.0 → 1.1 in production",
        "proposed new: none → 1.0 in production",
    ]  # fmt: skip
    assert applied.splitlines()[-2:] == [
        f"Nothing is changed in production yet: proposal {proposal['id']} has 0 of 1 approvals.",
        f"To wait for them: moorage proposals show {proposal['id']} --wait 30m",
    ]
    assert totals(applied, "proposed", "unchanged", "failed") == [3, 1, 0]
    assert repeated == applied
    assert (proposal["reason"], gated.page().body) == ("calmer", before)


def test_the_approval_publishes_all_of_an_apply_with_the_file_as_owner(gated: Project, folder: Path) -> None:
    write(folder / "prompts" / "new.yaml", a_document("new"))
    run(gated, folder, "apply", "prompts")

    run(approver(gated), folder, "proposals", "approve", proposals(gated)[0]["id"])
    again = out(gated, folder, "apply", "prompts")

    assert owners(gated, "production") == {key: ("files", f"prompts/{key}.yaml") for key in ("a", "b", "c", "new")}
    assert again.endswith("Nothing to propose: production matches the files.\n")
    assert [version_in(gated, "production", key) for key in ("a", "b", "c", "new")] == ["1.1", "1.1", "1.0", "1.0"]


def test_a_rejected_apply_is_proposed_again_with_the_same_versions(gated: Project, folder: Path) -> None:
    write(folder / "prompts" / "new.yaml", a_document("new"))
    run(gated, folder, "apply", "prompts")
    run(approver(gated), folder, "proposals", "reject", proposals(gated)[0]["id"])

    run(gated, folder, "apply", "prompts")

    second, first = proposals(gated)
    assert (second["status"], first["status"]) == ("open", "rejected")
    assert second["items"] == first["items"]


def test_a_repeated_apply_with_notes_and_a_major_number_stores_no_second_version(gated: Project, folder: Path) -> None:
    for key, extra in (("a", {"notes": "calmer"}), ("b", {"version_bump": "major"})):
        write(folder / "prompts" / f"{key}.yaml", a_document(key, "two", **extra))

    first = out(gated, folder, "apply", "prompts")
    again = out(gated, folder, "apply", "prompts")

    assert again == first
    assert "proposed b: 1.0 → 2.0 in production" in first
    assert len(proposals(gated)) == 1


def test_a_dry_run_stores_and_proposes_nothing(gated: Project, folder: Path) -> None:
    versions = gated.request("GET", "/v2/deployments/a/versions").body

    shown = out(gated, folder, "apply", "prompts", "--dry-run")

    assert shown.splitlines()[0] == "proposed a: 1.1 in production"
    assert shown.endswith("Dry run: nothing was changed.\n")
    assert proposals(gated) == []
    assert gated.request("GET", "/v2/deployments/a/versions").body == versions


def test_nothing_is_proposed_if_a_file_fails(gated: Project, folder: Path) -> None:
    write(folder / "prompts" / "bad.yaml", {"key": "bad", "prompt_config": {"model": 1}})

    result = moorage("apply", "prompts", folder=folder, project=gated)

    assert result.returncode == 1
    assert "drafted a: 1.1\n" in result.stdout
    assert "failed bad" in result.stdout
    assert "Nothing was proposed, because some files could not be applied." in result.stderr
    assert proposals(gated) == []


def test_a_breaking_change_is_proposed_only_with_the_option(gated: Project, folder: Path) -> None:
    put(gated, a_document("b", "one"), file="prompts/b.yaml")
    write(folder / "prompts" / "b.yaml", a_document("b", "{{name}}", variables=[{"key": "name"}]))

    rejected = moorage("apply", "prompts", folder=folder, project=gated)
    allowed = out(gated, folder, "apply", "prompts", "--allow-breaking")

    assert rejected.returncode == 1
    assert "--allow-breaking" in rejected.stderr
    assert "deployments[" not in rejected.stderr
    assert "allow_breaking=true" not in rejected.stderr
    assert "drafted a: 1.1\n" in rejected.stdout
    assert "proposed b: 1.0 → " in allowed
    assert proposals(gated)[0]["items"][1]["breaking"]


def test_prune_in_production_proposes_each_deletion(gated: Project, folder: Path) -> None:
    for key in ("a", "b", "c"):
        (folder / "prompts" / f"{key}.yaml").unlink()
    write(folder / "prompts" / "c.yaml", a_document("c", "one"))

    pruned = out(gated, folder, "apply", "--prune", "--yes", "prompts")

    assert "proposed a: 1.0 -> deleted in production" in pruned
    assert "proposed b: 1.0 -> deleted in production" in pruned
    assert [(each["kind"], each["status"]) for each in proposals(gated)] == [("delete", "open")] * 2
    assert gated.page().keys == ["c", "b", "a"]


def test_prune_elsewhere_is_a_part_of_the_proposal(staging: Project, folder: Path) -> None:
    for key in ("a", "gone"):
        write(folder / "prompts" / f"{key}.yaml", a_document(key, "one"))
    run(staging, folder, "apply", "prompts", *IN_STAGING)
    put_environment(staging, "staging", GATED)
    (folder / "prompts" / "gone.yaml").unlink()
    write(folder / "prompts" / "a.yaml", a_document("a", "two"))

    applied = out(staging, folder, "apply", "--prune", "--yes", "prompts", *IN_STAGING)
    (proposal,) = proposals(staging)
    run(approver(staging), folder, "proposals", "approve", proposal["id"])

    again = out(staging, folder, "apply", "--prune", "--yes", "prompts", *IN_STAGING)

    assert again.startswith("There is nothing to unpublish from staging.\n")
    assert "proposed a: 1.0 → 1.1 in staging\n" in applied
    assert "proposed gone: 1.0 → follows in staging\n" in applied
    assert [(item["key"], item["version"]) for item in proposal["items"]] == [("a", "1.1"), ("gone", None)]
    assert (version_in(staging, "staging", "a"), version_in(staging, "staging", "gone")) == ("1.1", None)


def test_a_key_that_may_not_read_environments_proposes_each_change(gated: Project, folder: Path) -> None:
    writer = with_key(gated, Scope.WRITE, Scope.PUBLISH)

    applied = out(writer, folder, "apply", "prompts")

    assert totals(applied, "created", "updated", "unchanged", "failed", "proposed") == [0, 0, 1, 0, 2]
    ids = [each["id"] for each in proposals(gated)]
    assert len(ids) == 2
    assert all(f"moorage proposals show {proposal_id} --wait 30m" in applied for proposal_id in ids)


def test_a_key_that_is_bound_to_the_environment_proposes_each_change(staging: Project, folder: Path) -> None:
    for key in ("a", "b", "gone"):
        write(folder / "prompts" / f"{key}.yaml", a_document(key, "one"))
    run(staging, folder, "apply", "prompts", *IN_STAGING)
    token = out(administrator(staging), folder, "keys", "create", "ci", *IN_STAGING).strip()
    put_environment(staging, "staging", GATED)
    for key in ("a", "b"):
        write(folder / "prompts" / f"{key}.yaml", a_document(key, "two"))
    (folder / "prompts" / "gone.yaml").unlink()

    bound = Project(staging.server, staging.id, staging.name, token)
    applied = run(bound, folder, "apply", "--prune", "--yes", "prompts")

    assert applied.stderr == "The API key is bound to staging, so each change is a proposal of its own.\n"
    assert [(each["kind"], each["items"][0]["key"]) for each in proposals(staging)] == [
        ("unpublish", "gone"), ("publish", "b"), ("publish", "a")
    ]  # fmt: skip
    assert [version_in(staging, "staging", key) for key in ("a", "b", "gone")] == ["1.0", "1.0", "1.0"]


def test_an_unknown_environment_is_reported(staging: Project, folder: Path) -> None:
    write(folder / "a.yaml", a_document("a"))

    for command in ("apply a.yaml", "diff a.yaml", "drift", "export out", "lock"):
        result = moorage(*command.split(), "--environment", "stagin", folder=folder, project=staging)
        assert result.returncode == 1, command
        assert "'stagin' not found; this project has: production, staging" in result.stdout + result.stderr, command
