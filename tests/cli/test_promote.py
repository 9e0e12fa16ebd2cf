"""`moorage deployments promote` gives another environment the same versions."""

import json
from pathlib import Path

import pytest

from moorage.core.access import Scope
from tests.cli.environments import administrator, put_environment, version_in, with_key
from tests.cli.files import a_document, put, run
from tests.support.hostile import HostileServer, response
from tests.support.moorage_responses import DIFFERENCE, HEADERS, a_page, body_for
from tests.support.program import moorage
from tests.support.server import Project

#: The arguments of a promotion from staging to production.
TO_PRODUCTION = ("--from", "staging", "--to", "production")


@pytest.fixture
def staged(project: Project) -> Project:
    """Return a project with `a` in production, another version of it in staging, and `new` in staging alone."""
    put_environment(project, "staging")
    put(project, a_document("a", "one"))
    put(project, a_document("b"))
    put(project, a_document("a", "two"), environment="staging")
    put(project, a_document("new"), environment="staging")
    return project


def promote(project: Project, folder: Path, *arguments: str) -> str:
    """Return the output of a promotion that succeeds."""
    return run(project, folder, "deployments", "promote", *arguments).stdout


def test_a_promotion_publishes_the_same_version_and_leaves_the_source_as_it_is(staged: Project, folder: Path) -> None:
    promoted = promote(staged, folder, "a", *TO_PRODUCTION, "--reason", "tested")
    again = promote(staged, folder, "a", *TO_PRODUCTION)

    assert promoted == "a: 1.0 -> 1.1 in production\n"
    assert again == "a: 1.1 is live in production, unchanged\n"
    assert (version_in(staged, "production", "a"), version_in(staged, "staging", "a")) == ("1.1", "1.1")
    assert "from staging; tested" in run(staged, folder, "deployments", "history", "a").stdout


def test_all_that_differ_are_promoted_at_one_revision(staged: Project, folder: Path) -> None:
    shown = promote(staged, folder, "--all", *TO_PRODUCTION, "--dry-run")
    unchanged = version_in(staged, "production", "new")
    promoted = json.loads(promote(staged, folder, "--all", *TO_PRODUCTION, "-o", "json"))
    again = promote(staged, folder, "--all", *TO_PRODUCTION)

    assert shown == "a: 1.0 -> 1.1 in production\nnew: none -> 1.0 in production\nDry run: nothing was changed.\n"
    assert unchanged is None
    assert [(row["key"], row["result"]) for row in promoted["deployments"]] == [("a", "promoted"), ("new", "promoted")]
    assert again == "Nothing to promote: production has all live versions of staging.\n"


def test_a_deployment_that_is_only_in_the_target_is_not_promoted_by_all(staged: Project, folder: Path) -> None:
    promoted = promote(staged, folder, "--all", "--from", "production", "--to", "staging")

    assert promoted == "a: 1.1 -> 1.0 in staging\n"


def test_a_promotion_to_an_environment_makes_a_follower_own(staged: Project, folder: Path) -> None:
    put_environment(staged, "qa")

    assert promote(staged, folder, "a", "--from", "staging", "--to", "qa") == "a: 1.0 -> 1.1 in qa\n"
    assert promote(staged, folder, "b", "--from", "staging", "--to", "qa") == "b: 1.0 is live in qa, unchanged\n"


def test_the_id_of_a_deployment_is_as_good_as_its_key(staged: Project, folder: Path) -> None:
    deployment_id = staged.get("a").json["id"]

    assert promote(staged, folder, deployment_id, *TO_PRODUCTION).endswith("1.0 -> 1.1 in production\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (TO_PRODUCTION, "Name deployments, or pass --all"),
        (("a", "--all", *TO_PRODUCTION), "Name deployments, or pass --all"),
        (("a", "--from", "staging"), "Missing option '--to'"),
        (("a", "--from", "stagin", "--to", "production"), "this project has: production, staging"),
        (("a", "--from", "staging", "--to", "staging"), "the same environment"),
        (("nowhere", *TO_PRODUCTION), "'nowhere' not found"),
        (("new", "--from", "production", "--to", "staging"), "not in the environment 'production'"),
        (("a", *TO_PRODUCTION, "--emergency"), "--emergency needs --reason"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_promotion_changes_nothing(
    staged: Project, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = moorage("deployments", "promote", *arguments, folder=folder, project=staged)

    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert (version_in(staged, "production", "a"), version_in(staged, "production", "new")) == ("1.0", None)


def test_a_breaking_change_is_promoted_only_with_the_option(staged: Project, folder: Path) -> None:
    needs_more = a_document("a", "{{question}}", variables=[{"key": "question"}])
    put(staged, needs_more, environment="staging", allow_breaking="true")

    rejected = moorage("deployments", "promote", "--all", *TO_PRODUCTION, folder=folder, project=staged)
    allowed = promote(staged, folder, "--all", *TO_PRODUCTION, "--allow-breaking")

    assert rejected.returncode == 1
    assert "a: " in rejected.stderr
    assert "deployments[" not in rejected.stderr
    assert "--allow-breaking" in rejected.stderr
    assert allowed.splitlines()[0] == "a: 1.0 -> 1.2 in production"
    assert allowed.splitlines()[1].startswith("    breaking: ")


def test_a_deployment_that_a_file_manages_is_promoted_with_its_owner(staged: Project, folder: Path) -> None:
    put(staged, a_document("new"), file="prompts/new.yaml", environment="staging")
    put(staged, a_document("b", "by a file"), file="prompts/b.yaml")
    put(staged, a_document("b", "by the API"), environment="staging")

    rejected = moorage("deployments", "promote", "--all", *TO_PRODUCTION, folder=folder, project=staged)
    taken = promote(staged, folder, "--all", *TO_PRODUCTION, "--take-ownership")

    assert rejected.returncode == 1
    assert "is managed by the file prompts/b.yaml" in rejected.stderr
    assert "pass --take-ownership" in rejected.stderr
    assert "take_ownership=true" not in rejected.stderr
    assert taken.count("in production\n") == 3


def test_a_promotion_to_an_environment_with_approvals_is_a_proposal(staged: Project, folder: Path) -> None:
    put_environment(staged, "production", b'{"required_approvals": 1}')

    proposed = promote(staged, folder, "--all", *TO_PRODUCTION, "--reason", "tested").splitlines()
    as_json = json.loads(promote(staged, folder, "--all", *TO_PRODUCTION, "-o", "json"))

    proposal_id = as_json["id"]
    assert proposed == [
        "proposed a: 1.0 -> 1.1 in production",
        "proposed new: none -> 1.0 in production",
        f"Nothing is changed in production yet: proposal {proposal_id} has 0 of 1 approvals.",
        f"To wait for them: moorage proposals show {proposal_id} --wait 30m",
    ]
    assert (version_in(staged, "production", "a"), version_in(staged, "production", "new")) == ("1.0", None)


def test_an_emergency_needs_no_approvals(staged: Project, folder: Path) -> None:
    put_environment(staged, "production", b'{"required_approvals": 1}')

    promoted = promote(administrator(staged), folder, "a", *TO_PRODUCTION, "--emergency", "--reason", "fire")

    assert promoted == "a: 1.0 -> 1.1 in production\n"


def test_a_key_without_the_scope_to_publish_promotes_nothing_to_production(staged: Project, folder: Path) -> None:
    writer = with_key(staged, Scope.READ, Scope.WRITE)

    result = moorage("deployments", "promote", "a", *TO_PRODUCTION, folder=folder, project=writer)

    assert result.returncode == 1
    assert "deployments:publish" in result.stderr


def test_the_request_names_the_versions_that_were_shown(folder: Path) -> None:
    with HostileServer(lambda request: response(body_for(request), headers=HEADERS)) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        result = moorage("deployments", "promote", "--all", *TO_PRODUCTION, folder=folder, settings=settings)
        sent = json.loads(server.requests[-1].body)

    assert result.returncode == 0, result.stderr
    assert sent == {
        "from": "staging", "to": "production", "allow_breaking": False,
        "deployments": [{"key": "a", "version": "1.1", "base": "1.0"}],
    }  # fmt: skip


def test_more_deployments_than_one_promotion_has_are_an_error(folder: Path) -> None:
    rows = [DIFFERENCE | {"id": f"i{number}", "key": f"d{number}"} for number in range(1_001)]
    with HostileServer(lambda request: response(a_page(*rows), headers=HEADERS)) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        result = moorage("deployments", "promote", "--all", *TO_PRODUCTION, folder=folder, settings=settings)
        requests = len(server.requests)

    assert (result.returncode, requests) == (1, 1)
    assert "1001 deployments differ, and at most 1000 can be promoted at once." in result.stderr
