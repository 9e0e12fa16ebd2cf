"""`moorage proposals`: list, show, wait for, approve, reject and withdraw proposals."""

import json
import re
from pathlib import Path

import pytest

from moorage.core.access import Scope
from tests.cli.environments import administrator, approver, put_environment, version_in, with_key
from tests.cli.files import a_document, put, run
from tests.cli.test_diff import run_on_a_terminal
from tests.support.program import moorage, moorage_process
from tests.support.server import Project
from tests.support.threads import Background


@pytest.fixture
def gated(project: Project) -> Project:
    """Return a project whose production requires an approval, with version 1.0 live and 1.1 as a draft."""
    put(project, a_document("a", "one"))
    saved = project.request("POST", "/v2/deployments/a/versions", json.dumps(a_version("two")).encode())
    assert saved.status == 201, saved.body
    put_environment(project, "production", b'{"required_approvals": 1}')
    return project


def a_version(text: str) -> dict[str, object]:
    """Return the body of a version."""
    return {"prompt_config": a_document("a", text)["prompt_config"]}


def propose(project: Project, folder: Path, *options: str) -> str:
    """Propose to publish 1.1; return the id of the proposal."""
    shown = run(project, folder, "deployments", "publish", "a", "1.1", "-o", "json", *options).stdout
    return str(json.loads(shown)["id"])


def test_a_change_that_requires_approval_is_printed_as_proposed(gated: Project, folder: Path) -> None:
    shown = run(gated, folder, "deployments", "publish", "a", "1.1").stdout.splitlines()

    proposal_id = propose(gated, folder)
    assert shown == [
        "proposed a: 1.0 -> 1.1 in production",
        f"Nothing is changed in production yet: proposal {proposal_id} has 0 of 1 approvals.",
        f"To wait for them: moorage proposals show {proposal_id} --wait 30m",
    ]
    assert version_in(gated, "production", "a") == "1.0"


def test_every_command_that_changes_a_live_version_proposes_it(gated: Project, folder: Path) -> None:
    (folder / "new.json").write_text(json.dumps(a_document("new")))
    before = gated.page().body

    for command in (("create", "new.json"), ("publish", "a", "1.1"), ("delete", "a")):
        assert run(gated, folder, "deployments", *command).stdout.startswith("proposed "), command

    assert gated.page().body == before
    assert [row["kind"] for row in listed(gated, folder)] == ["delete", "publish", "publish"]


def listed(project: Project, folder: Path, *options: str) -> list[dict[str, object]]:
    """Return the listed proposals."""
    shown = run(project, folder, "proposals", "list", "-o", "json", *options).stdout
    rows: list[dict[str, object]] = json.loads(shown)["data"]
    return rows


def test_the_last_approval_publishes(gated: Project, folder: Path) -> None:
    proposal_id = propose(gated, folder, "--reason", "calmer")

    approved = run(approver(gated), folder, "proposals", "approve", proposal_id, "--reason", "lgtm")

    assert (
        approved.stdout
        == f"Approved and published in production: proposal {proposal_id}\n  a: 1.0 -> 1.1 in production\n"
    )
    assert version_in(gated, "production", "a") == "1.1"
    assert "approved by more; calmer" in run(gated, folder, "deployments", "history", "a").stdout


def test_an_approval_that_is_not_the_last_one_publishes_nothing(gated: Project, folder: Path) -> None:
    put_environment(gated, "production", b'{"required_approvals": 2}')
    proposal_id = propose(gated, folder)

    approved = run(approver(gated), folder, "proposals", "approve", proposal_id)

    assert approved.stdout == f"Approved proposal {proposal_id} for production: 1 of 2 approvals, still open.\n"
    assert version_in(gated, "production", "a") == "1.0"


def test_the_author_of_a_proposal_cannot_approve_it(gated: Project, folder: Path) -> None:
    admin = administrator(gated)
    proposal_id = propose(admin, folder)

    result = moorage("proposals", "approve", proposal_id, folder=folder, project=admin)
    shown = run(admin, folder, "proposals", "show", proposal_id).stdout

    assert result.returncode == 1
    assert "it made the proposal" in result.stderr
    assert "Another person approves it" in result.stderr
    assert "no: it made the proposal" in shown


def test_show_lists_items_approvals_and_the_next_commands(gated: Project, folder: Path) -> None:
    put_environment(gated, "production", b'{"required_approvals": 3}')
    proposal_id = propose(gated, folder, "--reason", "calmer")
    first, second = approver(gated), approver(gated)
    run(first, folder, "proposals", "approve", proposal_id, "--reason", "lgtm")

    shown = run(second, folder, "proposals", "show", proposal_id)

    fields = [line.split(maxsplit=1)[0] for line in shown.stdout.split("\n\n")[0].splitlines()]
    assert fields[:3] == ["field", "id", "environment"]
    assert "1 of 3" in shown.stdout
    assert ": lgtm" in shown.stdout
    assert "calmer" in shown.stdout
    assert ["a", "1.0", "1.1"] in [line.split()[:3] for line in shown.stdout.splitlines()]
    assert "Compare: moorage deployments diff a 1.0 1.1\n" in shown.stdout
    assert f"Approve: moorage proposals approve {proposal_id}\n" in shown.stdout
    command = re.findall(r"moorage (deployments diff .*)", shown.stdout)[0]
    assert "two" in run(gated, folder, *command.split()).stdout


def test_show_compares_with_production_if_the_deployment_follows_it_and_is_live_there(
    gated: Project, folder: Path
) -> None:
    put_environment(gated, "staging", b'{"required_approvals": 1}')
    follows = propose(gated, folder, "--environment", "staging")
    (folder / "new.json").write_text(json.dumps(a_document("new")))
    shown = run(gated, folder, "deployments", "create", "new.json", "--environment", "staging", "-o", "json").stdout

    followed, created = (
        run(gated, folder, "proposals", "show", proposal_id).stdout
        for proposal_id in (follows, str(json.loads(shown)["id"]))
    )

    command = re.findall(r"Compare: moorage (.*)", followed)[0]
    assert command == "deployments diff a production 1.1 --environment staging"
    assert "two" in run(gated, folder, *command.split()).stdout
    assert "Compare" not in created


def test_reject_and_withdraw_close_a_proposal(gated: Project, folder: Path) -> None:
    rejected_id = propose(gated, folder)
    rejected = run(approver(gated), folder, "proposals", "reject", rejected_id, "--reason", "too long")
    withdrawn_id = propose(gated, folder)
    withdrawn = run(gated, folder, "proposals", "withdraw", withdrawn_id)
    again = moorage("proposals", "withdraw", withdrawn_id, folder=folder, project=gated)

    assert rejected.stdout == f"Rejected: proposal {rejected_id}. Nothing is changed in production.\n"
    assert withdrawn.stdout == f"Withdrawn: proposal {withdrawn_id}. Nothing is changed in production.\n"
    assert again.returncode == 1
    assert "is withdrawn" in again.stderr
    assert "repeat the command that proposed it" in again.stderr
    assert "too long" in run(gated, folder, "proposals", "show", rejected_id).stdout
    assert version_in(gated, "production", "a") == "1.0"


def test_only_its_author_or_an_administrator_withdraws_a_proposal(gated: Project, folder: Path) -> None:
    proposal_id = propose(gated, folder)

    other = moorage("proposals", "withdraw", proposal_id, folder=folder, project=with_key(gated, Scope.READ))
    admin = moorage("proposals", "withdraw", proposal_id, folder=folder, project=administrator(gated))

    assert (other.returncode, admin.returncode) == (1, 0)
    assert "environments:admin" in other.stderr


def test_list_filters_by_environment_status_and_author(gated: Project, folder: Path) -> None:
    put_environment(gated, "staging", b'{"required_approvals": 1}')
    withdrawn = propose(gated, folder)
    run(gated, folder, "proposals", "withdraw", withdrawn)
    in_staging = propose(gated, folder, "--environment", "staging")
    by_admin = propose(administrator(gated), folder)

    def ids(*options: str) -> list[object]:
        return [row["id"] for row in listed(gated, folder, *options)]

    assert ids() == [by_admin, in_staging, withdrawn]
    assert ids("--environment", "staging") == [in_staging]
    assert ids("--status", "open") == [by_admin, in_staging]
    assert ids("--mine") == [in_staging, withdrawn]
    table = run(gated, folder, "proposals", "list").stdout
    assert table.splitlines()[0].split()[:4] == ["id", "environment", "status", "approvals"]
    empty = run(gated, folder, "proposals", "list", "--status", "expired")
    assert empty.stdout == "There are no such proposals.\n"
    limited = run(gated, folder, "proposals", "list", "--limit", "1")
    assert limited.stderr == "There are more proposals: increase --limit.\n"


def test_wait_returns_when_the_proposal_is_published(gated: Project, folder: Path) -> None:
    proposal_id = propose(gated, folder)
    command = ("proposals", "show", proposal_id, "--wait", "30m")
    waiting = Background(lambda: moorage_process(*command, folder=folder, project=gated))

    run(approver(gated), folder, "proposals", "approve", proposal_id)

    result = waiting.result()
    assert result.returncode == 0, result.stderr
    assert "published" in result.stdout


@pytest.mark.parametrize("decision", ["reject", "withdraw"])
def test_wait_exits_with_1_if_the_proposal_is_closed_otherwise(gated: Project, folder: Path, decision: str) -> None:
    proposal_id = propose(gated, folder)
    run(administrator(gated), folder, "proposals", decision, proposal_id)

    waited = moorage("proposals", "show", proposal_id, "--wait", "30m", folder=folder, project=gated)
    shown = moorage("proposals", "show", proposal_id, folder=folder, project=gated)

    assert (waited.returncode, shown.returncode) == (1, 0)
    assert "and not published" in waited.stderr


def test_wait_exits_with_1_after_its_time(gated: Project, folder: Path) -> None:
    proposal_id = propose(gated, folder)

    waited = moorage("proposals", "show", proposal_id, "--wait", "1s", folder=folder, project=gated)

    assert waited.returncode == 1
    assert waited.stderr == f"Error: Proposal {proposal_id} is still open after 1 seconds.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "nowhere"), "moorage proposals list"),
        (("show", "../keys"), "is not the id of a proposal"),
        (("show", "a", "--wait", "soon"), "not a time such as 90s, 30m or 2h"),
        (("list", "--status", "new"), "'open'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_arguments_are_reported(gated: Project, folder: Path, arguments: tuple[str, ...], message: str) -> None:
    result = moorage("proposals", *arguments, folder=folder, project=gated)

    assert result.returncode == 1
    assert message in result.stderr


def test_the_tables_of_proposals_fit_80_columns(gated: Project, folder: Path) -> None:
    proposal_id = propose(gated, folder, "--reason", "a long reason " * 20)

    for command in (("proposals", "list"), ("proposals", "show", proposal_id)):
        shown = run_on_a_terminal(*command, folder=folder, project=gated)
        lines = re.sub(r"\x1b\[[\d;]*m", "", shown).replace("\r", "").splitlines()
        assert proposal_id in shown
        assert max(map(len, lines)) <= 80, lines
