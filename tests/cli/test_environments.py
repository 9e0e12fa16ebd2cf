"""`moorage environments`, and `--environment` of the other commands."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.cli.environments import administrator, put_environment, version_in, with_key
from tests.cli.files import a_document, put, run, write
from tests.cli.test_diff import run_on_a_terminal
from tests.support.hostile import HostileServer, Request, response
from tests.support.moorage_responses import HEADERS, body_for
from tests.support.program import moorage
from tests.support.server import Project


@pytest.fixture
def admin(project: Project) -> Project:
    """Return a project with an API key of all scopes, and the environment `staging`."""
    put_environment(project, "staging")
    return administrator(project)


@pytest.fixture
def staged(admin: Project) -> Project:
    """Return a project with `a` in production, another version of it in staging, and `new` in staging alone."""
    put(admin, a_document("a", "one"))
    put(admin, a_document("a", "two"), environment="staging")
    put(admin, a_document("new"), environment="staging")
    put(admin, a_document("b"))
    return admin


def output_of(project: Project, folder: Path, *arguments: str) -> str:
    """Return the standard output of a command that succeeds."""
    return run(project, folder, *arguments).stdout


# Settings


def test_an_environment_is_created_changed_shown_and_deleted(project: Project, folder: Path) -> None:
    admin = administrator(project)

    created = output_of(admin, folder, "environments", "create", "staging", "--description", "for tests")
    changed = output_of(admin, folder, "environments", "set", "staging", "--protected", "--approvals", "2")
    again = output_of(admin, folder, "environments", "set", "staging", "--protected")
    shown = json.loads(output_of(admin, folder, "environments", "show", "staging", "-o", "json"))
    deleted = output_of(admin, folder, "environments", "delete", "staging", "--yes", "--reason", "done")

    assert created == "Environment staging: created, not protected, no approvals\n"
    assert changed == "Environment staging: updated, protected, 2 approvals\n"
    assert again == "Environment staging: unchanged, protected, 2 approvals\n"
    assert (shown["description"], shown["protected"], shown["required_approvals"]) == ("for tests", True, 2)
    assert deleted == "Deleted the environment staging.\n"
    assert "staging" not in output_of(admin, folder, "environments", "list")


def test_create_changes_no_existing_environment_and_set_creates_none(admin: Project, folder: Path) -> None:
    existing = moorage("environments", "create", "staging", "--protected", folder=folder, project=admin)
    missing = moorage("environments", "set", "stagin", "--protected", folder=folder, project=admin)

    assert (existing.returncode, missing.returncode) == (1, 1)
    assert existing.stderr == (
        "Error: Environment 'staging' already exists.\nTo change it: moorage environments set staging\n"
    )
    assert "'stagin' not found; this project has: production, staging." in missing.stderr
    assert "moorage environments create NAME" in missing.stderr
    assert [row["protected"] for row in admin.request("GET", "/v2/environments").json["data"]] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", "Staging"), "for example 'staging'"),
        (("create", "live"), "it is reserved"),
        (("set", "staging"), "Pass a setting to change"),
        (("set", "staging", "--approvals", "6"), "not in the range"),
        (("set", "production", "--no-protected"), "can be neither deleted nor unprotected"),
        (("delete", "production", "--yes"), "can be neither deleted nor unprotected"),
        (("delete", "staging"), "Aborted"),
        (("show", "../keys"), "is not the name of an environment"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_settings_are_rejected(admin: Project, folder: Path, arguments: tuple[str, ...], message: str) -> None:
    result = moorage("environments", *arguments, folder=folder, project=admin)

    assert result.returncode == 1
    assert message in result.stderr
    assert len(admin.request("GET", "/v2/environments").json["data"]) == 2


def test_settings_need_a_scope_of_their_own(project: Project, folder: Path) -> None:
    result = moorage("environments", "create", "staging", folder=folder, project=project)

    assert result.returncode == 1
    assert "Missing scope: environments:admin" in result.stderr


def test_delete_lists_the_keys_that_are_bound_and_force_revokes_them(admin: Project, folder: Path) -> None:
    token = output_of(admin, folder, "keys", "create", "app", "--environment", "staging").strip()
    bound = Project(admin.server, admin.id, admin.name, token)
    assert bound.page().status == 200

    rejected = moorage("environments", "delete", "staging", "--yes", folder=folder, project=admin)
    forced = run(admin, folder, "environments", "delete", "staging", "--yes", "--force")

    assert rejected.returncode == 1
    assert "bound to the environment 'staging': app" in rejected.stderr
    assert "pass --force" in rejected.stderr
    assert forced.stdout == "Deleted the environment staging.\n"
    assert bound.page().status == 401


def test_list_shows_production_first_and_unknown_names_below(admin: Project, folder: Path) -> None:
    put(admin, a_document("a"))
    put_environment(admin, "an-early-name")
    run(admin, folder, "deployments", "get-config", "a", "--context", "environments=stagin")

    listed = output_of(admin, folder, "environments", "list").splitlines()
    called = run(admin, folder, "deployments", "invoke", "a", "--mock", "x", "--context", "environments=stagin")
    run(admin, folder, "environments", "set", "production", "--unknown-names", "reject")
    rejected = moorage(
        "deployments", "get-config", "a", "--context", "environments=stagin", folder=folder, project=admin
    )

    assert "warning: context.environments: names no environment of the project" in called.stderr
    assert listed[0].split()[:4] == ["name", "display", "name", "protected"]
    assert listed[1].startswith("production")
    assert listed[-1] == "Calls of the last 7 days that named unknown environments got production: stagin"
    assert rejected.returncode == 1
    assert "were rejected: stagin" in output_of(admin, folder, "environments", "list")


# Differences


def test_diff_lists_the_deployments_whose_live_versions_differ(staged: Project, folder: Path) -> None:
    shown = run(staged, folder, "environments", "diff", "staging", "production")
    rows = json.loads(output_of(staged, folder, "environments", "diff", "staging", "production", "-o", "json"))
    reverse = output_of(staged, folder, "environments", "diff", "production", "staging")

    cells = [line.split() for line in shown.stdout.splitlines()]
    assert cells[0] == ["key", "staging", "production", "relation", "breaking"]
    assert cells[1:] == [["a", "1.1", "1.0", "ahead", "-"], ["new", "1.0", "-", "only", "in", "staging", "-"]]
    assert "moorage deployments promote a --from staging --to production" in shown.stderr
    assert [(row["key"], row["from_version"], row["to_version"]) for row in rows] == [
        ("a", "1.1", "1.0"), ("new", "1.0", None)
    ]  # fmt: skip
    assert "behind" in reverse


def test_diff_of_equal_environments_says_so(admin: Project, folder: Path) -> None:
    put(admin, a_document("a"))

    shown = output_of(admin, folder, "environments", "diff", "staging", "production")

    assert shown == "No differences: staging and production have the same live versions.\n"


# The option --environment


def test_commands_read_the_environment_that_they_name(staged: Project, folder: Path) -> None:
    def read(*arguments: str) -> str:
        return output_of(staged, folder, "deployments", *arguments, "--environment", "staging")

    assert "new" in read("list")
    assert "new" not in output_of(staged, folder, "deployments", "list")
    assert '"version": "1.1"' in read("show", "a", "-o", "json")
    assert "staging (follows production)" in read("show", "b")
    assert ["1.1", "live", "staging"] in [line.split()[:3] for line in read("versions", "a").splitlines()]
    assert "two" in read("get-config", "a")
    assert "The environment is staging, because --environment names it." in read("explain", "a")
    assert read("invoke", "a", "--mock", "Hello") == "Hello\n"
    assert "+" in read("diff", "a", "production", "live")
    assert "No API key" not in read("callers", "a")
    assert "published" in read("history", "a")
    assert "created" not in read("history", "a")


def test_the_history_names_the_environment_of_each_change(staged: Project, folder: Path) -> None:
    rows = output_of(staged, folder, "deployments", "history", "a").splitlines()

    assert rows[0].split()[:3] == ["at", "action", "environment"]
    assert [row.split()[1:3] for row in rows[1:]] == [["published", "staging"], ["created", "production"]]


def test_changes_name_their_environment_and_leave_production_as_it_is(staged: Project, folder: Path) -> None:
    def change(*arguments: str) -> str:
        return output_of(staged, folder, "deployments", *arguments, "--environment", "staging")

    before = staged.page().body

    assert change("publish", "a", "1.0", "--if-live", "1.1") == "a: 1.0 is live in staging.\n"
    assert change("undo", "a") == "a: 1.1 is live again in staging.\n"
    assert change("unpublish", "a") == "a: it follows production again in staging, with version 1.0.\n"
    assert change("unpublish", "new") == "new: it follows production again in staging, where it is not live.\n"
    assert staged.page().body == before
    assert (version_in(staged, "staging", "a"), version_in(staged, "staging", "new")) == ("1.0", None)


def test_production_follows_no_other_environment(staged: Project, folder: Path) -> None:
    result = moorage("deployments", "unpublish", "a", folder=folder, project=staged)

    assert result.returncode == 1
    assert "moorage deployments publish a VERSION" in result.stderr
    assert "moorage deployments delete a" in result.stderr


def test_a_deployment_that_is_not_in_an_environment_is_reported_with_the_next_command(
    staged: Project, folder: Path
) -> None:
    result = moorage("deployments", "show", "new", folder=folder, project=staged)

    assert result.returncode == 1
    assert "is not in the environment 'production'; it is in: staging." in result.stderr
    assert "moorage deployments promote new --from NAME --to NAME" in result.stderr


def test_a_bound_key_needs_no_option_and_rejects_another_environment(staged: Project, folder: Path) -> None:
    token = output_of(
        staged, folder, "keys", "create", "app", "--environment", "staging", "--scope", "deployments:read",
        "--scope", "deployments:write",
    ).strip()  # fmt: skip
    bound = Project(staged.server, staged.id, staged.name, token)

    assert output_of(bound, folder, "deployments", "publish", "a", "1.0") == "a: 1.0 is live in staging.\n"
    other = moorage("deployments", "list", "--environment", "production", folder=folder, project=bound)

    assert other.returncode == 1
    assert "bound to the environment 'staging'" in other.stderr
    assert "moorage keys create NAME --environment ENVIRONMENT" in other.stderr


@pytest.mark.parametrize("place", ["server", "database"])
def test_keys_are_bound_to_an_environment_and_the_list_shows_it(admin: Project, folder: Path, place: str) -> None:
    database = ("--database", admin.server.database)
    where = () if place == "server" else (*database, "--project", admin.name)
    created = run(admin, folder, "keys", "create", "app", "--environment", "staging", *where)
    listed = run(admin, folder, "keys", "list", *(() if place == "server" else database), "-o", "json")
    table = run(admin, folder, "keys", "list", *(() if place == "server" else database))
    unknown = moorage("keys", "create", "x", "--environment", "stagin", *where, folder=folder, project=admin)

    assert "bound to the environment staging" in created.stderr
    rows = {row["id"]: row.get("environment") for row in json.loads(listed.stdout)}
    assert rows[created.stdout.split("_")[1]] == "staging"
    assert "environment" in table.stdout.splitlines()[0]
    assert (unknown.returncode, "this project has: production, staging" in unknown.stderr) == (1, True)


def test_keys_list_has_no_column_of_environments_without_a_bound_key(project: Project, folder: Path) -> None:
    listed = run(administrator(project), folder, "keys", "list")

    assert "environment" not in listed.stdout.splitlines()[0]


def test_lock_and_export_write_what_is_live_in_the_environment(staged: Project, folder: Path) -> None:
    run(staged, folder, "lock", "--out", "production.json")
    run(staged, folder, "lock", "--environment", "staging", "--out", "staging.json")
    run(staged, folder, "export", "files", "--environment", "staging")

    production, staging = (json.loads((folder / f"{name}.json").read_bytes()) for name in ("production", "staging"))
    assert list(production) == ["format", "project", "deployments"]
    assert list(staging) == ["format", "project", "environment", "deployments"]
    assert staging["environment"] == "staging"
    assert [(each["key"], each["version"]) for each in staging["deployments"]] == [
        ("a", "1.1"), ("b", "1.0"), ("new", "1.0")
    ]  # fmt: skip
    assert sorted(file.name for file in (folder / "files").iterdir()) == ["a.yaml", "b.yaml", "new.yaml"]
    assert "two" in (folder / "files" / "a.yaml").read_text()


def test_a_new_environment_makes_no_lockfile_out_of_date(staged: Project, folder: Path) -> None:
    for name in ("production", "staging"):
        run(staged, folder, "lock", "--environment", name, "--out", name)
    put_environment(staged, "qa")

    for name in ("production", "staging"):
        run(staged, folder, "lock", "--check", "--environment", name, "--out", name)
    outdated = moorage("lock", "--check", "--environment", "qa", "--out", "staging", folder=folder, project=staged)

    assert outdated.returncode == 2
    assert outdated.stderr == "staging is out of date. Run: moorage lock --out staging --environment qa\n"


def test_emergency_needs_a_reason(admin: Project, folder: Path) -> None:
    put(admin, a_document("a"))

    for command in (("publish", "a", "1.0"), ("undo", "a"), ("delete", "a"), ("restore", "a")):
        result = moorage("deployments", *command, "--emergency", folder=folder, project=admin)
        assert result.returncode == 1
        assert "--emergency needs --reason" in result.stderr


def test_an_emergency_is_published_at_once_and_the_history_says_so(admin: Project, folder: Path) -> None:
    put(admin, a_document("a", "one"))
    put(admin, a_document("a", "two"))
    put_environment(admin, "production", b'{"required_approvals": 1}')
    writer = with_key(admin, Scope.READ, Scope.WRITE, Scope.PUBLISH)
    command = ("deployments", "publish", "a", "1.0", "--emergency", "--reason", "fire")

    missing = moorage(*command, folder=folder, project=writer)
    published = run(admin, folder, *command)

    assert missing.returncode == 1
    assert "deployments:emergency" in missing.stderr
    assert published.stdout == "a: 1.0 is live in production.\n"
    assert "emergency; fire" in output_of(admin, folder, "deployments", "history", "a")


def test_the_tables_of_environments_fit_80_columns(staged: Project, folder: Path) -> None:
    name = "a-long-name-of-an-environment-for-a-team"
    put_environment(staged, name, b'{"description": "%b"}' % (b"a long description " * 20))
    put(staged, a_document("customer-support.answers.refunds", "x"), environment="staging")

    for command in (
        ("environments", "list"), ("environments", "show", name),
        ("environments", "diff", "staging", "production"), ("environments", "diff", "staging", name),
        ("deployments", "versions", "a"),
        ("deployments", "history", "a"), ("keys", "list"),
    ):  # fmt: skip
        shown = run_on_a_terminal(*command, folder=folder, project=staged)
        lines = re.sub(r"\x1b\[[\d;]*m", "", shown).replace("\r", "").splitlines()
        tabular = [line for line in lines if "To promote" not in line]
        assert max(map(len, tabular)) <= 80, tabular


# Servers without environments


def as_earlier(request: Request) -> bytes:
    """Respond as a Moorage without environments does."""
    if re.match("/v2/(environments|promotions|proposals)", request.path):
        return response(an_error("not_found", f"There is no route {request.path}. See /docs for all routes."), 404)
    if "environment" in request.query:
        message = "Unknown query parameter 'environment'; this route has: limit."
        return response(an_error("unknown_parameter", message), 400)
    return response(body_for(request), headers=HEADERS)


def an_error(code: str, message: str) -> dict[str, Any]:
    """Return the body of an error."""
    return {"message": message, "error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    "command",
    [
        "environments list", "environments create staging", "proposals list", "deployments list --environment staging",
        "deployments promote --all --from staging --to production", "deployments publish a 1.0 --environment staging",
        "export out --environment staging", "lock --environment staging", "drift --environment staging",
    ],
)  # fmt: skip
def test_a_server_without_environments_is_reported(folder: Path, command: str) -> None:
    with HostileServer(as_earlier) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        result = moorage(*command.split(), folder=folder, settings=settings)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: This server has no environments: it is older than this command line.\nUpdate the server.\n"
    )


def test_commands_without_the_option_work_with_a_server_without_environments(folder: Path) -> None:
    write(folder / "a.yaml", a_document("a"))
    with HostileServer(as_earlier) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        applied = moorage("apply", "a.yaml", folder=folder, settings=settings)
        listed = moorage("deployments", "list", folder=folder, settings=settings)

    assert (applied.returncode, listed.returncode) == (0, 0), applied.stderr
    assert applied.stdout.startswith("updated a: 1.0 in production\n")
