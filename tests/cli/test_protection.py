"""What protects those who use a deployment, with the command line alone: `--allow-breaking` and `--force`."""

import json
from pathlib import Path

import pytest

from tests.cli.files import a_document, done, write
from tests.support.program import moorage
from tests.support.server import Project, Server


@pytest.fixture
def served(project: Project, folder: Path) -> Project:
    """`bot` and `other`, applied from `prompts`, of which `bot` has served the key `test` with a `customer`."""
    write(folder / "prompts" / "bot.yaml", a_document("bot", "Dear {{customer}}"))
    write(folder / "prompts" / "other.yaml", a_document("other"))
    done(project, folder, "apply", "prompts")
    body = json.dumps({"key": "bot", "inputs": {"customer": "Ada"}}).encode()
    assert project.request("POST", "/v2/deployments/get_config", body).status == 200
    return project


def test_apply_refuses_what_breaks_programs_and_says_what_whom_and_how_to_go_on(served: Project, folder: Path) -> None:
    write(folder / "prompts" / "bot.yaml", a_document("bot", "Dear {{client}}"))

    refused = moorage("apply", "prompts", folder=folder, project=served)
    allowed = done(served, folder, "apply", "--allow-breaking", "prompts")

    assert refused.returncode == 1
    for told in ("breaking: customer", "breaking: client", "affected: test (", "does not send client",
                 "sends customer without effect", "--allow-breaking"):  # fmt: skip
        assert told in refused.stdout
    assert "breaking: variables.customer, variables.client" in allowed.stdout
    assert served.get("bot").json["version"] == "1.1"
    history = done(served, folder, "deployments", "history", "bot").stdout
    assert "breaking variables.customer, variables.client" in history


def test_a_dry_run_and_diff_tell_what_would_break(served: Project, folder: Path) -> None:
    write(folder / "prompts" / "bot.yaml", a_document("bot", "Hello"))

    dry = moorage("apply", "--dry-run", "prompts", folder=folder, project=served)
    plan = moorage("diff", "prompts", folder=folder, project=served)
    data = json.loads(moorage("diff", "-o", "json", "prompts", folder=folder, project=served).stdout)

    assert dry.returncode == plan.returncode == 1
    assert "breaking: customer is no longer used" in dry.stdout
    assert "breaking: customer is no longer used" in plan.stdout
    assert "--allow-breaking" in plan.stdout
    assert next(step for step in data if step["key"] == "bot")["action"] == "refuse"
    assert served.get("bot").json["version"] == "1.0"


def test_publish_refuses_what_breaks_programs_and_does_it_when_told_so(served: Project, folder: Path) -> None:
    write(folder / "draft.yaml", a_document("bot", "Hello"))
    done(served, folder, "deployments", "draft", "draft.yaml")
    publish = ("deployments", "publish", "bot", "1.1", "--take-ownership")

    refused = moorage(*publish, folder=folder, project=served)
    allowed = done(served, folder, *publish, "--allow-breaking")

    assert refused.returncode == 1
    assert "breaking: customer is no longer used" in refused.stderr
    assert "To publish anyway, pass --allow-breaking" in refused.stderr
    assert allowed.stdout == "bot: 1.1 is live.\n"
    assert done(served, folder, "deployments", "undo", "bot").stdout == "bot: 1.0 is live again.\n"


def test_delete_refuses_what_is_in_use_and_does_it_when_told_so(served: Project, folder: Path) -> None:
    delete = ("deployments", "delete", "bot", "--take-ownership")

    refused = moorage(*delete, folder=folder, project=served)
    forced = done(served, folder, *delete, "--force")

    assert refused.returncode == 1
    assert "version 1.0 to test (" in refused.stderr
    assert "To delete it anyway, pass --force." in refused.stderr
    assert forced.stdout.startswith("Deleted bot.")


def test_a_version_in_use_is_deleted_by_force_only(served: Project, folder: Path) -> None:
    write(folder / "prompts" / "bot.yaml", a_document("bot", "Hello {{customer}}"))
    done(served, folder, "apply", "prompts")
    delete = ("deployments", "delete", "bot", "--version", "1.0")

    refused = moorage(*delete, folder=folder, project=served)
    forced = done(served, folder, *delete, "--force")

    assert refused.returncode == 1
    assert "Version 1.0 of deployment 'bot' was served in the last 7 days" in refused.stderr
    assert forced.stdout.startswith("Deleted version 1.0 of bot.")


def test_prune_keeps_what_is_in_use_deletes_the_rest_and_fails(served: Project, folder: Path) -> None:
    write(folder / "prompts" / "new.yaml", a_document("new"))
    for name in ("bot", "other"):
        (folder / "prompts" / f"{name}.yaml").unlink()

    kept = moorage("apply", "--prune", "--yes", "prompts", folder=folder, project=served)
    after = served.page().keys
    forced = done(served, folder, "apply", "--prune", "--yes", "--force", "prompts")

    assert kept.returncode == 1
    assert "Not deleted: bot. Deployment 'bot' was served in the last 7 days" in kept.stderr
    assert "--force" in kept.stderr
    assert after == ["new", "bot"]
    assert "Deleted bot" in forced.stdout
    assert served.page().keys == ["new"]


def test_what_is_loaded_at_the_start_may_break_programs_and_the_history_says_so(folder: Path) -> None:
    file = folder / "loaded.yaml"
    write(file, a_document("bot", "Dear {{customer}}"))
    with Server(folder, "--load", str(file)) as server:
        token = next(word for word in server.greeting().split() if word.startswith("mrg_"))
        server.stop()
        write(file, a_document("bot", "Hello"))
        server.start()
        default = Project(server, "", "default", token)
        (entry,) = default.request("GET", "/v2/deployments/bot/history?limit=1").json["data"]

    assert (entry["to_version"], entry["breaking"]) == ("1.1", ["variables.customer"])
