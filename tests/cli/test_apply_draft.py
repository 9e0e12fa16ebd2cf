"""`moorage apply --draft`, and the git commit in the history."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import moorage
from tests.support.server import Project, a_body


def write(path: Path, key: str, **changes: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"key": key, **a_body(**changes)}))


def versions(project: Project, key: str) -> list[tuple[str, str]]:
    found = project.request("GET", f"/v2/deployments/{key}/versions").json["data"]
    return [(each["version"], each["status"]) for each in found]


def reasons(project: Project, key: str) -> list[str]:
    return [each["reason"] for each in project.request("GET", f"/v2/deployments/{key}/history").json["data"]]


def test_drafts_are_saved_once_and_published_by_the_next_apply(project: Project, folder: Path) -> None:
    write(folder / "a.json", "a")
    moorage("apply", ".", folder=folder, project=project)
    write(folder / "a.json", "a", model="other")

    first = moorage("apply", ".", "--draft", folder=folder, project=project)
    again = moorage("apply", ".", "--draft", folder=folder, project=project)

    assert first.stdout.splitlines()[0] == "drafted a: 1.1, publish: moorage apply a.json"
    assert again.stdout.splitlines()[:2] == ["unchanged a", "    draft 1.1 has this content"]
    assert first.stdout.splitlines()[-2].split() == ["drafted", "unchanged", "failed"]
    assert versions(project, "a") == [("1.1", "draft"), ("1.0", "live")]
    published = moorage("apply", "a.json", folder=folder, project=project)
    assert (
        published.stdout.splitlines()[0]
        == "updated a: 1.0 → 1.1 in production, undo: moorage deployments undo a --take-ownership"
    )
    assert versions(project, "a") == [("1.1", "live"), ("1.0", "published")]
    assert moorage("apply", ".", "--draft", folder=folder, project=project).stdout.splitlines()[1].split() == [
        "0", "1", "0"
    ]  # fmt: skip


def test_a_draft_of_a_deployment_that_the_api_manages_is_published_through_the_api(
    project: Project, folder: Path
) -> None:
    project.put("a", a_body())
    write(folder / "a.json", "a", model="other")

    shown = moorage("apply", ".", "--draft", folder=folder, project=project).stdout.splitlines()[0]

    assert shown == "drafted a: 1.1, publish: moorage deployments publish a 1.1"
    assert moorage(*shown.rpartition(": moorage ")[2].split(), folder=folder, project=project).returncode == 0
    assert versions(project, "a") == [("1.1", "live"), ("1.0", "published")]


def test_a_draft_needs_a_deployment(project: Project, folder: Path) -> None:
    write(folder / "a.json", "a")

    done = moorage("apply", ".", "--draft", folder=folder, project=project)

    assert done.returncode == 1
    assert "there is no such deployment" in done.stdout
    assert project.page().keys == []


def test_invalid_files_fail_and_a_dry_run_saves_nothing(project: Project, folder: Path) -> None:
    write(folder / "a.json", "a")
    moorage("apply", ".", folder=folder, project=project)
    write(folder / "a.json", "a", model="other")
    write(folder / "b.json", "b", provider="acme")
    (folder / "c.yaml").write_text("key: c\nprompt_config: [\n")

    done = moorage("apply", ".", "--draft", "--dry-run", folder=folder, project=project)

    assert done.returncode == 1
    assert "drafted a\n" in done.stdout
    assert "prompt_config.provider" in done.stdout
    assert "c.yaml" in done.stdout
    assert versions(project, "a") == [("1.0", "live")]


@pytest.mark.parametrize("option", ["--prune", "--take-ownership", "--allow-breaking"])
def test_draft_cannot_be_combined_with_options_for_publishing(project: Project, folder: Path, option: str) -> None:
    done = moorage("apply", ".", "--draft", option, folder=folder, project=project)

    assert done.returncode == 1
    assert "--draft publishes and deletes nothing" in done.stderr


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_history_has_the_git_commit_of_the_file(project: Project, folder: Path) -> None:
    write(folder / "prompts" / "a.json", "a")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    commit = git(folder, "rev-parse", "HEAD")[:12]

    moorage("apply", "prompts", "--reason", "launch", folder=folder, project=project)
    write(folder / "prompts" / "a.json", "a", model="other")
    moorage("apply", "a.json", folder=folder / "prompts", project=project)

    assert reasons(project, "a") == [f"git {commit}, modified", f"launch (git {commit})"]


@pytest.mark.parametrize("state", ["no repository", "no commit", "broken"])
def test_without_a_commit_the_history_has_the_reason_alone(project: Project, folder: Path, state: str) -> None:
    write(folder / "a.json", "a")
    if state == "no commit":
        git(folder, "init", "-q")
    elif state == "broken":
        (folder / ".git").write_text("gitdir: /nowhere\n")

    done = moorage("apply", "a.json", "--reason", "launch", folder=folder, project=project)

    assert done.returncode == 0, done.stderr
    assert reasons(project, "a") == ["launch"]


def test_nothing_of_a_repository_is_executed(project: Project, folder: Path) -> None:
    write(folder / "a.json", "a")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    (folder / "evil.sh").write_text(f"#!/bin/sh\ntouch {folder}/executed\n")
    (folder / "evil.sh").chmod(0o755)
    for setting in ("core.fsmonitor", "core.pager", "diff.external", "filter.x.clean"):
        git(folder, "config", setting, str(folder / "evil.sh"))

    assert moorage("apply", "a.json", folder=folder, project=project).returncode == 0
    assert not (folder / "executed").exists()
