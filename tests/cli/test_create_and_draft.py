"""`moorage deployments create` and `draft`, and the commands for their results."""

import json
from pathlib import Path
from typing import Any

import pytest

from moorage.documents.yaml import load_documents
from tests.cli.files import a_document, manifests, ownership, put, revision, run, write
from tests.cli.test_apply import counts
from tests.support.program import moorage
from tests.support.server import Project


def json_output(project: Project, folder: Path, *arguments: str, stdin: bytes = b"") -> Any:
    """Return the parsed output of `moorage deployments … -o json`."""
    return json.loads(run(project, folder, "deployments", *arguments, "-o", "json", stdin=stdin).stdout)


def version(project: Project, number: str) -> Any:
    """Return a version of `bot` from the API."""
    return project.request("GET", f"/v2/deployments/bot/versions/{number}").json


def as_stdin(document: dict[str, Any]) -> bytes:
    """Return a document as bytes for standard input."""
    return json.dumps(document).encode()


@pytest.fixture
def bot(project: Project, folder: Path) -> Project:
    """Return a project with a deployment `bot` managed by the API; `bot.yaml` differs."""
    put(project, a_document("bot", "one"))
    write(folder / "bot.yaml", a_document("bot", "two"))
    return project


def test_aliases_are_set_all_at_once_and_shown(bot: Project, folder: Path) -> None:
    put(bot, a_document("other", "one"))

    done = run(bot, folder, "deployments", "set-aliases", "bot", "pmpt_68b0a1c2", "replies")
    assert done.stdout == "bot: pmpt_68b0a1c2, replies\n"
    shown = run(bot, folder, "deployments", "show", "pmpt_68b0a1c2").stdout
    assert "aliases" in shown
    assert "pmpt_68b0a1c2, replies" in shown
    taken = moorage("deployments", "set-aliases", "other", "replies", folder=folder, project=bot)
    assert taken.returncode == 1
    assert "'replies' is an alias of the deployment 'bot'." in taken.stderr
    assert "moorage deployments set-aliases bot ALIASES" in taken.stderr
    assert run(bot, folder, "deployments", "set-aliases", "bot").stdout == "bot: no aliases\n"


def test_a_deployment_is_created_drafted_compared_published_undone_deleted_and_restored(
    project: Project, folder: Path
) -> None:
    file = folder / "bot.yaml"
    write(file, a_document("bot", "one"))
    created = run(project, folder, "deployments", "create", "bot.yaml", "--reason", "to try it")
    write(file, a_document("bot", "two"))
    drafted = run(project, folder, "deployments", "draft", "bot.yaml")
    compare, serve = (line.partition("moorage ")[2].split() for line in drafted.stdout.splitlines()[1:])
    compared = run(project, folder, *compare)
    before = project.get("bot")
    rejected = moorage(*serve, "--if-live", "1.1", folder=folder, project=project)
    after_rejection = project.get("bot")
    published = run(project, folder, *serve, "--if-live", "1.0", "--reason", "it is better")
    undone = run(project, folder, "deployments", "undo", "bot", "--if-live", "1.1")
    deleted = run(project, folder, "deployments", "delete", "bot", "--if-live", "1.0")
    restored = run(project, folder, *deleted.stdout.rpartition("moorage ")[2].split(), "--reason", "it was used")
    history = project.request("GET", "/v2/deployments/bot/history").json["data"]

    assert created.stdout == "Created bot: 1.0 is live in production.\n"
    assert drafted.stdout.startswith("bot: saved 1.1 as a draft.\n")
    assert [line for line in compared.stdout.splitlines() if line[0] in "+-"] == [
        "--- 1.0",
        "+++ 1.1",
        '-prompt_config.messages[0].content: "one"',
        '+prompt_config.messages[0].content: "two"',
    ]
    assert rejected.returncode == 1
    assert rejected.stderr == (
        "Error: bot: 1.0 is live, not 1.1. Nothing was changed. To see what changed: moorage deployments history bot\n"
    )
    assert (after_rejection.body, after_rejection.headers["etag"]) == (before.body, before.headers["etag"])
    assert published.stdout == "bot: 1.1 is live in production.\n"
    assert undone.stdout == "bot: 1.0 is live again in production.\n"
    assert deleted.stdout.startswith("Deleted bot, in all environments.\nTo restore it until 20")
    assert restored.stdout == "Restored bot, in all environments.\n"
    assert [(entry["action"], entry["reason"]) for entry in history] == [
        ("restored", "it was used"),
        ("deleted", ""),
        ("undone", ""),
        ("published", "it is better"),
        ("created", "to try it"),
    ]


def test_each_command_prints_the_response_of_the_api_as_json(project: Project, folder: Path) -> None:
    created = json_output(project, folder, "create", "-", stdin=as_stdin(a_document("bot", "one")))
    assert created == project.get("bot").json

    drafted = json_output(project, folder, "draft", "-", stdin=as_stdin(a_document("bot", "two")))
    assert drafted == version(project, "1.1")
    assert drafted["status"] == "draft"

    difference = json_output(project, folder, "diff", "bot", "live", "1.1")
    assert difference == project.request("GET", "/v2/deployments/bot/diff?from=live&to=1.1").json
    assert [change["path"] for change in difference["changes"]] == ["prompt_config.messages[0].content"]

    published = json_output(project, folder, "publish", "bot", "1.1")
    assert published == version(project, "1.1")
    assert published["status"] == "live"

    undone = json_output(project, folder, "undo", "bot")
    assert undone == version(project, "1.0")
    assert undone["status"] == "live"

    deleted = json_output(project, folder, "delete", "bot")
    assert (deleted["id"], deleted["key"], deleted["deleted"]) == (created["id"], "bot", True)
    assert set(deleted) == {"id", "key", "deleted", "deleted_at", "restorable_until"}
    assert project.get("bot").error["code"] == "deployment_deleted"

    restored = json_output(project, folder, "restore", created["id"])
    assert restored == project.get("bot").json


def test_yaml_output_is_the_response_of_the_api(bot: Project, folder: Path) -> None:
    result = run(bot, folder, "deployments", "draft", "bot.yaml", "-o", "yaml")

    assert load_documents(result.stdout) == [version(bot, "1.1")]
    assert not result.stdout.startswith("{"), "the output is JSON, which is also valid YAML"


def test_a_created_deployment_is_managed_by_a_file_only_after_apply(project: Project, folder: Path) -> None:
    write(folder / "bot.yaml", a_document("bot"))
    run(project, folder, "deployments", "create", "bot.yaml")
    created = ownership(project)

    applied = run(project, folder, "apply", "bot.yaml")

    assert created == {"bot": ("api", None)}
    assert counts(applied.stdout) == [0, 0, 1, 0]
    assert ownership(project) == {"bot": ("files", "bot.yaml")}


def test_create_rejects_an_existing_key_and_changes_nothing(bot: Project, folder: Path) -> None:
    before = manifests(bot), revision(bot)

    result = moorage("deployments", "create", "bot.yaml", folder=folder, project=bot)

    assert (result.returncode, result.stdout) == (1, "")
    assert "Deployment 'bot' already exists" in result.stderr
    assert (manifests(bot), revision(bot)) == before


def test_a_draft_of_a_deployment_managed_by_a_file_is_saved_but_not_published(project: Project, folder: Path) -> None:
    put(project, a_document("bot", "one"), "prompts/bot.yaml")

    drafted = json_output(project, folder, "draft", "-", stdin=as_stdin(a_document("bot", "two")))
    rejected = moorage("deployments", "publish", "bot", "1.1", folder=folder, project=project)

    assert drafted["status"] == "draft"
    assert rejected.returncode == 1
    assert "prompts/bot.yaml" in rejected.stderr
    assert ownership(project) == {"bot": ("files", "prompts/bot.yaml")}


def test_options_set_the_version_number_the_description_and_the_notes_of_a_draft(bot: Project, folder: Path) -> None:
    options = ("--bump", "major", "--description", "A calmer tone", "--notes", "requested by Ada")

    drafted = json_output(bot, folder, "draft", "bot.yaml", *options)

    assert (drafted["version"], drafted["description"], drafted["notes"]) == (
        "2.0",
        "A calmer tone",
        "requested by Ada",
    )
    assert bot.get("bot").json["version"] == "1.0"


def test_a_draft_uses_the_version_bump_and_the_notes_of_the_file(bot: Project, folder: Path) -> None:
    write(folder / "bot.yaml", a_document("bot", "two", version_bump="major", notes="requested by Ada"))

    drafted = json_output(bot, folder, "draft", "bot.yaml")

    assert (drafted["version"], drafted["notes"]) == ("2.0", "requested by Ada")


@pytest.mark.parametrize("command", ["create", "draft"])
def test_an_unknown_field_is_rejected_with_a_suggestion(project: Project, folder: Path, command: str) -> None:
    if command == "draft":
        put(project, a_document("bot"))
    write(folder / "bot.yaml", a_document("bot", "two", variabels=[{"key": "customer"}]))

    result = moorage("deployments", command, "bot.yaml", folder=folder, project=project)

    assert result.returncode == 1
    assert "variabels: is an unknown field. Did you mean 'variables'?" in result.stderr


def test_a_draft_of_a_missing_deployment_is_rejected(project: Project, folder: Path) -> None:
    result = moorage("deployments", "draft", "-", folder=folder, project=project, stdin=as_stdin(a_document("bot")))

    assert result.returncode == 1
    assert "'bot'" in result.stderr
    assert "moorage deployments list" in result.stderr


TWO_DOCUMENTS = b"---\n" + as_stdin(a_document("a")) + b"\n---\n" + as_stdin(a_document("b"))


@pytest.mark.parametrize(
    ("command", "content", "message"),
    [
        (
            "create",
            TWO_DOCUMENTS,
            "- has 2 deployments, but this command accepts exactly one. To apply several, run `moorage apply`.",
        ),
        ("draft", TWO_DOCUMENTS, "- has 2 deployments, but this command accepts exactly one."),
        ("create", b"[]", "- has 0 deployments, but this command accepts exactly one."),
        ("draft", b"", "standard input: the file has no deployment"),
    ],
    ids=["create-two", "draft-two", "create-empty-list", "draft-empty-input"],
)
def test_input_without_exactly_one_deployment_is_rejected(
    project: Project, folder: Path, command: str, content: bytes, message: str
) -> None:
    result = moorage("deployments", command, "-", folder=folder, project=project, stdin=content)

    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert manifests(project) == {}


def test_every_problem_of_a_body_is_reported(project: Project, folder: Path) -> None:
    document = a_document("bot")
    document["prompt_config"] |= {"provider": "acme", "model_type": "talk"}

    result = moorage("deployments", "create", "-", folder=folder, project=project, stdin=as_stdin(document))

    assert result.returncode == 1
    assert "prompt_config.provider" in result.stderr
    assert "prompt_config.model_type" in result.stderr


@pytest.mark.parametrize(
    ("reason", "stored"),
    [("sch\u00f6ner \u2013 \u65e5\u672c", "sch\u00f6ner \u2013 \u65e5\u672c"), ("first\n  second", "first second")],
    ids=["any script", "two lines"],
)
def test_a_reason_can_be_in_any_script_and_is_stored_as_one_line(
    bot: Project, folder: Path, reason: str, stored: str
) -> None:
    put(bot, a_document("bot", "two"))

    run(bot, folder, "deployments", "publish", "bot", "1.0", "--reason", reason)

    (entry,) = bot.request("GET", "/v2/deployments/bot/history?limit=1").json["data"]
    assert (entry["action"], entry["reason"]) == ("published", stored)
