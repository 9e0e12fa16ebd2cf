"""`moorage deployments versions|diff|publish|undo|history|delete|restore`."""

import json
from pathlib import Path

import pytest

from tests.support.program import moorage
from tests.support.server import Project, a_body


@pytest.fixture
def edited(project: Project) -> Project:
    """Return a project with a deployment `bot`; 1.0 and 1.1 (live) differ in a message."""
    for text in ("one\nfirst line", "one\nsecond line"):
        project.put("bot", a_body(messages=[{"role": "system", "content": text}]))
    return project


def run(project: Project, folder: Path, *arguments: str) -> str:
    result = moorage("deployments", *arguments, folder=folder, project=project)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_versions_are_compared_published_and_undone(edited: Project, folder: Path) -> None:
    difference = run(edited, folder, "diff", "bot", "1.0", "live")
    published = run(edited, folder, "publish", "bot", "1.0", "--reason", "it was better")
    after_publish = edited.get("bot").json["version"]
    undone = run(edited, folder, "undo", "bot")

    assert "-  first line" in difference
    assert "+  second line" in difference
    assert "   one" in difference
    assert (published, after_publish) == ("bot: 1.0 is live in production.\n", "1.0")
    assert undone == "bot: 1.1 is live again in production.\n"


def test_versions_show_the_status_and_history_shows_the_actor_and_the_reason(edited: Project, folder: Path) -> None:
    run(edited, folder, "publish", "bot", "1.0", "--reason", "it was better")

    listed = [line.split()[:2] for line in run(edited, folder, "versions", "bot").splitlines()[1:]]
    history = run(edited, folder, "history", "bot").splitlines()
    entries = json.loads(run(edited, folder, "history", "bot", "-o", "json"))["data"]

    assert listed == [["1.1", "published"], ["1.0", "live"]]
    assert history[1].split()[1:] == ["published", "1.1", "1.0", "test", "it", "was", "better"]
    assert [entry["action"] for entry in entries] == ["published", "published", "created"]


def test_delete_prints_the_command_that_restores_the_deployment(edited: Project, folder: Path) -> None:
    deleted = run(edited, folder, "delete", "bot")
    command = deleted.rpartition("moorage deployments ")[2].split()
    deleted_error = moorage("deployments", "show", "bot", folder=folder, project=edited)
    restored = run(edited, folder, *command)

    assert "was deleted at" in deleted_error.stderr
    assert restored == "Restored bot, in all environments.\n"
    assert edited.get("bot").json["version"] == "1.1"


def test_a_diff_as_json_lists_the_paths_that_differ(edited: Project, folder: Path) -> None:
    edited.put("bot", a_body(messages=[], model_parameters={"temperature": 1}) | {"variables": [{"key": "x"}]})

    difference = json.loads(run(edited, folder, "diff", "bot", "1.1", "1.2", "-o", "json"))

    assert (difference["from"], difference["to"]) == ("1.1", "1.2")
    assert {change["path"]: (change.get("before"), change.get("after")) for change in difference["changes"]} == {
        "prompt_config.model_parameters.temperature": (0.2, 1),
        "prompt_config.model_parameters.maxTokens": (512, None),
        "prompt_config.messages[0]": ({"role": "system", "content": "one\nsecond line"}, None),
        "variables[0]": (None, {"key": "x"}),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("publish", "bot", "9.9"), "has no version '9.9'"),
        (("diff", "bot", "1.0", "9.9"), "has no version '9.9'"),
        (("undo", "nothing"), "moorage deployments list"),
        (("restore", "bot"), "is not deleted"),
    ],
)
def test_impossible_changes_are_reported(
    edited: Project, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = moorage("deployments", *arguments, folder=folder, project=edited)

    assert result.returncode == 1
    assert message in result.stderr
