"""`--allow-breaking` and `--force`: without them, changes that affect callers fail."""

import json
from pathlib import Path

import pytest

from tests.cli.files import a_document, run, write
from tests.support.program import moorage
from tests.support.server import Project, Server


@pytest.fixture
def served(project: Project, folder: Path) -> Project:
    """Return a project with two applied deployments; `test` sent `customer` to `bot`."""
    write(folder / "prompts" / "bot.yaml", a_document("bot", "Dear {{customer}}"))
    write(folder / "prompts" / "other.yaml", a_document("other"))
    run(project, folder, "apply", "prompts")
    body = json.dumps({"key": "bot", "inputs": {"customer": "Ada"}}).encode()
    assert project.request("POST", "/v2/deployments/get_config", body).status == 200
    return project


def test_apply_rejects_a_breaking_change_and_reports_affected_callers_and_the_option(
    served: Project, folder: Path
) -> None:
    write(folder / "prompts" / "bot.yaml", a_document("bot", "Dear {{client}}"))

    rejected = moorage("apply", "prompts", folder=folder, project=served)
    allowed = run(served, folder, "apply", "--allow-breaking", "prompts")

    assert rejected.returncode == 1
    for message in ("breaking: customer", "breaking: client", "affected: test (", "does not send client",
                    "sends customer without effect", "--allow-breaking"):  # fmt: skip
        assert message in rejected.stdout
    assert "breaking: variables.customer, variables.client" in allowed.stdout
    assert served.get("bot").json["version"] == "1.1"
    history = run(served, folder, "deployments", "history", "bot").stdout
    assert "breaking variables.customer, variables.client" in history


def test_dry_run_and_diff_report_breaking_changes(served: Project, folder: Path) -> None:
    write(folder / "prompts" / "bot.yaml", a_document("bot", "Hello"))

    dry = moorage("apply", "--dry-run", "prompts", folder=folder, project=served)
    plan = moorage("diff", "prompts", folder=folder, project=served)
    data = json.loads(moorage("diff", "-o", "json", "prompts", folder=folder, project=served).stdout)

    assert dry.returncode == plan.returncode == 1
    assert "breaking: customer is no longer used" in dry.stdout
    assert "breaking: customer is no longer used" in plan.stdout
    assert "--allow-breaking" in plan.stdout
    assert next(step for step in data if step["key"] == "bot")["action"] == "reject"
    assert served.get("bot").json["version"] == "1.0"


def test_publish_requires_allow_breaking_for_a_breaking_change(served: Project, folder: Path) -> None:
    write(folder / "draft.yaml", a_document("bot", "Hello"))
    run(served, folder, "deployments", "draft", "draft.yaml")
    publish = ("deployments", "publish", "bot", "1.1", "--take-ownership")

    rejected = moorage(*publish, folder=folder, project=served)
    allowed = run(served, folder, *publish, "--allow-breaking")

    assert rejected.returncode == 1
    assert "breaking: customer is no longer used" in rejected.stderr
    assert "To publish anyway, pass --allow-breaking" in rejected.stderr
    assert allowed.stdout == "bot: 1.1 is live in production.\n"
    assert run(served, folder, "deployments", "undo", "bot").stdout == "bot: 1.0 is live again in production.\n"


def test_delete_requires_force_for_a_deployment_in_use(served: Project, folder: Path) -> None:
    delete = ("deployments", "delete", "bot", "--take-ownership")

    rejected = moorage(*delete, folder=folder, project=served)
    forced = run(served, folder, *delete, "--force")

    assert rejected.returncode == 1
    assert "version 1.0 to test (" in rejected.stderr
    assert "To delete it anyway, pass --force." in rejected.stderr
    assert forced.stdout.startswith("Deleted bot, in all environments.")


def test_delete_requires_force_for_a_version_in_use(served: Project, folder: Path) -> None:
    write(folder / "prompts" / "bot.yaml", a_document("bot", "Hello {{customer}}"))
    run(served, folder, "apply", "prompts")
    delete = ("deployments", "delete", "bot", "--version", "1.0")

    rejected = moorage(*delete, folder=folder, project=served)
    forced = run(served, folder, *delete, "--force")

    assert rejected.returncode == 1
    assert "Version 1.0 of deployment 'bot' was served in the last 7 days" in rejected.stderr
    assert forced.stdout.startswith("Deleted version 1.0 of bot.")


def test_prune_deletes_all_but_the_deployments_in_use_and_exits_with_1(served: Project, folder: Path) -> None:
    write(folder / "prompts" / "new.yaml", a_document("new"))
    for name in ("bot", "other"):
        (folder / "prompts" / f"{name}.yaml").unlink()

    pruned = moorage("apply", "--prune", "--yes", "prompts", folder=folder, project=served)
    after = served.page().keys
    forced = run(served, folder, "apply", "--prune", "--yes", "--force", "prompts")

    assert pruned.returncode == 1
    assert "Not deleted: bot. Deployment 'bot' was served in the last 7 days" in pruned.stderr
    assert "--force" in pruned.stderr
    assert after == ["new", "bot"]
    assert "Deleted bot" in forced.stdout
    assert served.page().keys == ["new"]


def test_serve_load_publishes_a_breaking_change_and_records_it_in_the_history(folder: Path) -> None:
    file = folder / "loaded.yaml"
    write(file, a_document("bot", "Dear {{customer}}"))
    with Server(folder, "--load", str(file)) as server:
        token = server.token()
        server.stop()
        write(file, a_document("bot", "Hello"))
        server.start()
        default = Project(server, "", "default", token)
        (entry,) = default.request("GET", "/v2/deployments/bot/history?limit=1").json["data"]

    assert (entry["to_version"], entry["breaking"]) == ("1.1", ["variables.customer"])
