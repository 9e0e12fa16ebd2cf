"""A deployment from its first version to its restoration, with the command line alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from moorage.documents.yaml import load_documents
from tests.cli.files import a_document, done, kept, manifests, put, revision, write
from tests.cli.test_apply import counts
from tests.support.program import moorage
from tests.support.server import Project


def answer(project: Project, folder: Path, *arguments: str, stdin: bytes = b"") -> Any:
    """What `moorage deployments … -o json` prints."""
    return json.loads(done(project, folder, "deployments", *arguments, "-o", "json", stdin=stdin).stdout)


def version(project: Project, number: str) -> Any:
    """A version of `bot`, as the API has it."""
    return project.request("GET", f"/v2/deployments/bot/versions/{number}").json


def text(document: dict[str, Any]) -> bytes:
    """A document as standard input has it."""
    return json.dumps(document).encode()


@pytest.fixture
def bot(project: Project, folder: Path) -> Project:
    """A deployment `bot`, kept through the API, and a file `bot.yaml` that says something else."""
    put(project, a_document("bot", "one"))
    write(folder / "bot.yaml", a_document("bot", "two"))
    return project


def test_a_deployment_is_created_drafted_compared_published_undone_deleted_and_restored(
    project: Project, folder: Path
) -> None:
    file = folder / "bot.yaml"
    write(file, a_document("bot", "one"))
    created = done(project, folder, "deployments", "create", "bot.yaml", "--reason", "to try it")
    write(file, a_document("bot", "two"))
    drafted = done(project, folder, "deployments", "draft", "bot.yaml")
    compare, serve = (line.partition("moorage ")[2].split() for line in drafted.stdout.splitlines()[1:])
    compared = done(project, folder, *compare)
    before = project.get("bot")
    wrong = moorage(*serve, "--if-live", "1.1", folder=folder, project=project)
    after_wrong = project.get("bot")
    published = done(project, folder, *serve, "--if-live", "1.0", "--reason", "it is better")
    undone = done(project, folder, "deployments", "undo", "bot", "--if-live", "1.1")
    deleted = done(project, folder, "deployments", "delete", "bot", "--if-live", "1.0")
    restored = done(project, folder, *deleted.stdout.rpartition("moorage ")[2].split(), "--reason", "it was used")
    history = project.request("GET", "/v2/deployments/bot/history").json["data"]

    assert created.stdout == "Created bot: 1.0 is live.\n"
    assert drafted.stdout.startswith("bot: saved 1.1 as a draft.\n")
    assert [line for line in compared.stdout.splitlines() if line[0] in "+-"] == [
        "--- 1.0",
        "+++ 1.1",
        '-prompt_config.messages[0].content: "one"',
        '+prompt_config.messages[0].content: "two"',
    ]
    assert wrong.returncode == 1
    assert wrong.stderr == (
        "Error: bot: 1.0 is live, not 1.1. Nothing was changed. To see what changed: moorage deployments history bot\n"
    )
    assert (after_wrong.body, after_wrong.headers["etag"]) == (before.body, before.headers["etag"])
    assert published.stdout == "bot: 1.1 is live.\n"
    assert undone.stdout == "bot: 1.0 is live again.\n"
    assert deleted.stdout.startswith("Deleted bot.\nTo restore it until 20")
    assert restored.stdout == "Restored bot: 1.0 is live.\n"
    assert [(entry["action"], entry["reason"]) for entry in history] == [
        ("restored", "it was used"),
        ("deleted", ""),
        ("undone", ""),
        ("published", "it is better"),
        ("created", "to try it"),
    ]


def test_each_command_prints_the_answer_of_the_api_as_json(project: Project, folder: Path) -> None:
    created = answer(project, folder, "create", "-", stdin=text(a_document("bot", "one")))
    assert created == project.get("bot").json

    drafted = answer(project, folder, "draft", "-", stdin=text(a_document("bot", "two")))
    assert drafted == version(project, "1.1")
    assert drafted["status"] == "draft"

    difference = answer(project, folder, "diff", "bot", "live", "1.1")
    assert difference == project.request("GET", "/v2/deployments/bot/diff?from=live&to=1.1").json
    assert [change["path"] for change in difference["changes"]] == ["prompt_config.messages[0].content"]

    published = answer(project, folder, "publish", "bot", "1.1")
    assert published == version(project, "1.1")
    assert published["status"] == "live"

    undone = answer(project, folder, "undo", "bot")
    assert undone == version(project, "1.0")
    assert undone["status"] == "live"

    deleted = answer(project, folder, "delete", "bot")
    assert (deleted["id"], deleted["key"], deleted["deleted"]) == (created["id"], "bot", True)
    assert set(deleted) == {"id", "key", "deleted", "deleted_at", "restorable_until"}
    assert project.get("bot").error["code"] == "deployment_deleted"

    restored = answer(project, folder, "restore", created["id"])
    assert restored == project.get("bot").json


def test_yaml_is_the_same_answer(bot: Project, folder: Path) -> None:
    result = done(bot, folder, "deployments", "draft", "bot.yaml", "-o", "yaml")

    assert load_documents(result.stdout) == [version(bot, "1.1")]
    assert not result.stdout.startswith("{"), "JSON is YAML too"


def test_what_is_created_is_nobodys_file_until_it_is_applied(project: Project, folder: Path) -> None:
    write(folder / "bot.yaml", a_document("bot"))
    done(project, folder, "deployments", "create", "bot.yaml")
    created = kept(project)

    applied = done(project, folder, "apply", "bot.yaml")

    assert created == {"bot": ("api", None)}
    assert counts(applied.stdout) == [0, 0, 1, 0]
    assert kept(project) == {"bot": ("files", "bot.yaml")}


def test_what_exists_already_is_told_and_not_changed(bot: Project, folder: Path) -> None:
    before = manifests(bot), revision(bot)

    result = moorage("deployments", "create", "bot.yaml", folder=folder, project=bot)

    assert (result.returncode, result.stdout) == (1, "")
    assert "Deployment 'bot' already exists" in result.stderr
    assert (manifests(bot), revision(bot)) == before


def test_a_draft_of_what_a_file_keeps_may_be_saved(project: Project, folder: Path) -> None:
    put(project, a_document("bot", "one"), "prompts/bot.yaml")

    drafted = answer(project, folder, "draft", "-", stdin=text(a_document("bot", "two")))
    refused = moorage("deployments", "publish", "bot", "1.1", folder=folder, project=project)

    assert drafted["status"] == "draft"
    assert refused.returncode == 1
    assert "prompts/bot.yaml" in refused.stderr
    assert kept(project) == {"bot": ("files", "prompts/bot.yaml")}


def test_a_draft_says_what_it_is_and_which_number_grows(bot: Project, folder: Path) -> None:
    options = ("--bump", "major", "--description", "A calmer tone", "--notes", "asked for by Ada")

    drafted = answer(bot, folder, "draft", "bot.yaml", *options)

    assert (drafted["version"], drafted["description"], drafted["notes"]) == (
        "2.0",
        "A calmer tone",
        "asked for by Ada",
    )
    assert bot.get("bot").json["version"] == "1.0"


def test_what_the_file_says_of_its_next_version_is_heeded_by_a_draft(bot: Project, folder: Path) -> None:
    write(folder / "bot.yaml", a_document("bot", "two", version_bump="major", notes="asked for by Ada"))

    drafted = answer(bot, folder, "draft", "bot.yaml")

    assert (drafted["version"], drafted["notes"]) == ("2.0", "asked for by Ada")


@pytest.mark.parametrize("command", ["create", "draft"])
def test_a_field_that_is_none_is_refused_and_not_left_out(project: Project, folder: Path, command: str) -> None:
    if command == "draft":
        put(project, a_document("bot"))
    write(folder / "bot.yaml", a_document("bot", "two", variabels=[{"key": "customer"}]))

    result = moorage("deployments", command, "bot.yaml", folder=folder, project=project)

    assert result.returncode == 1
    assert "variabels: is not a field here. Did you mean 'variables'?" in result.stderr


def test_a_draft_of_what_is_not_there_is_told(project: Project, folder: Path) -> None:
    result = moorage("deployments", "draft", "-", folder=folder, project=project, stdin=text(a_document("bot")))

    assert result.returncode == 1
    assert "'bot'" in result.stderr
    assert "moorage deployments list" in result.stderr


TWO = b"---\n" + text(a_document("a")) + b"\n---\n" + text(a_document("b"))


@pytest.mark.parametrize(
    ("command", "content", "told"),
    [
        ("create", TWO, "- has 2 deployments, and this command takes one. `moorage apply` takes several."),
        ("draft", TWO, "- has 2 deployments, and this command takes one."),
        ("create", b"[]", "- has 0 deployments, and this command takes one."),
        ("draft", b"", "standard input: it has no deployment"),
    ],
    ids=["two", "two drafts", "none", "nothing"],
)
def test_what_does_not_hold_one_deployment_is_refused(
    project: Project, folder: Path, command: str, content: bytes, told: str
) -> None:
    result = moorage("deployments", command, "-", folder=folder, project=project, stdin=content)

    assert (result.returncode, result.stdout) == (1, "")
    assert told in result.stderr
    assert manifests(project) == {}


def test_every_problem_of_a_body_is_told(project: Project, folder: Path) -> None:
    document = a_document("bot")
    document["prompt_config"] |= {"provider": "acme", "model_type": "talk"}

    result = moorage("deployments", "create", "-", folder=folder, project=project, stdin=text(document))

    assert result.returncode == 1
    assert "prompt_config.provider" in result.stderr
    assert "prompt_config.model_type" in result.stderr


@pytest.mark.parametrize(
    ("reason", "told"),
    [("sch\u00f6ner \u2013 \u65e5\u672c", "sch\u00f6ner \u2013 \u65e5\u672c"), ("first\n  second", "first second")],
    ids=["any script", "two lines"],
)
def test_a_reason_may_be_in_any_script_and_is_kept_as_one_line(
    bot: Project, folder: Path, reason: str, told: str
) -> None:
    put(bot, a_document("bot", "two"))

    done(bot, folder, "deployments", "publish", "bot", "1.0", "--reason", reason)

    (entry,) = bot.request("GET", "/v2/deployments/bot/history?limit=1").json["data"]
    assert (entry["action"], entry["reason"]) == ("published", told)
