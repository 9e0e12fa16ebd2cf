"""`moorage keys` and `moorage projects`, which access the database directly."""

import json
from pathlib import Path

import pytest

from moorage.core.access import Scope, find_key_id
from tests.support.program import moorage
from tests.support.server import Project, Server
from tests.support.stores import create_database, run_sql


@pytest.fixture(scope="module")
def server(engine: str, request: pytest.FixtureRequest) -> Server:
    """Return a server of each engine, because these commands access the database."""
    running: Server = request.getfixturevalue(f"{engine}_server")
    return running


def test_keys_create_prints_only_the_token_and_the_key_is_valid_immediately(server: Server, folder: Path) -> None:
    result = moorage("keys", "create", "ci", "--database", server.database, folder=folder)

    token = result.stdout.strip()
    assert result.stdout == token + "\n"
    assert find_key_id(token)
    assert Project(server, "", "default", token).page().status == 200


def test_the_history_has_keys_and_projects_of_the_operator_and_the_first_key(folder: Path) -> None:
    with Server(folder) as server:
        database = ("--database", server.database)
        moorage("projects", "create", "shop", *database, folder=folder)
        moorage("keys", "create", "ci", "--project", "shop", *database, folder=folder)
        moorage("keys", "revoke", "ci", *database, folder=folder)
        moorage("keys", "revoke", "ci", *database, folder=folder)

        rows = run_sql(server.database, "SELECT action, api_key_id, changes FROM history ORDER BY rev")

    assert [(action, json.loads(changes or "{}").get("name")) for action, _, changes in rows] == [
        ("project_created", "default"), ("key_created", "first"), ("project_created", "shop"), ("key_created", "ci"),
        ("key_revoked", None),
    ]  # fmt: skip
    assert {author for _, author, _ in rows} == {None}


def test_keys_create_limits_a_key_to_its_project_and_scopes(server: Server, project: Project, folder: Path) -> None:
    project.put("mine")

    result = moorage(
        "keys", "create", "reader", "--project", project.name, "--scope", "deployments:read", "--database",
        server.database, folder=folder,
    )  # fmt: skip
    reader = Project(server, "", "", result.stdout.strip())

    assert reader.page().keys == ["mine"]
    assert reader.put("other").error["code"] == "insufficient_scope"


def test_keys_revoke_invalidates_a_key_by_its_name(server: Server, folder: Path) -> None:
    token = moorage("keys", "create", "temporary", "--database", server.database, folder=folder).stdout.strip()
    client = Project(server, "", "", token)
    assert client.page().status == 200

    result = moorage("keys", "revoke", "temporary", "--database", server.database, folder=folder)

    assert result.returncode == 0
    assert client.page().status == 401


def test_keys_rotate_prints_only_the_new_token_and_invalidates_the_old_one(server: Server, folder: Path) -> None:
    database = ("--database", server.database)
    old = moorage("keys", "create", "rotated", *database, folder=folder).stdout.strip()
    assert Project(server, "", "", old).page().status == 200

    result = moorage("keys", "rotate", "rotated", *database, folder=folder)
    new = result.stdout.strip()

    assert result.stdout == f"{new}\n"
    assert find_key_id(new) == find_key_id(old)
    assert result.stderr == f"Rotated {find_key_id(old)} (rotated). Its old token is invalid.\n"
    assert [Project(server, "", "", token).page().status for token in (old, new)] == [401, 200]


def test_keys_rotate_rejects_a_revoked_key(server: Server, folder: Path) -> None:
    database = ("--database", server.database)
    moorage("keys", "create", "gone", *database, folder=folder)
    moorage("keys", "revoke", "gone", *database, folder=folder)

    result = moorage("keys", "rotate", "gone", *database, folder=folder)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: API key 'gone' is revoked, so it gets no new token.")


def test_keys_list_shows_statuses_but_no_tokens(folder: Path) -> None:
    create_database(folder)
    tokens = [
        moorage("keys", "create", name, *options, folder=folder).stdout.strip()
        for name, options in (("a", ("--expires", "90d")), ("b", ()), ("c", ("--expires", "2099-01-01T00:00Z")))
    ]
    moorage("keys", "revoke", "b", folder=folder)

    table = moorage("keys", "list", folder=folder)
    rows = json.loads(moorage("keys", "list", "-o", "json", folder=folder).stdout)

    assert [(row["name"], row["status"]) for row in rows] == [("a", "active"), ("b", "revoked"), ("c", "active")]
    assert rows[2]["expires"] == "2099-01-01T00:00:00.000Z"
    assert not any(token in table.stdout or token in json.dumps(rows) for token in tokens)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("keys", "create", "a", "--project", "nowhere"), "moorage projects create nowhere"),
        (("keys", "create", "a", "--scope", "everything"), "deployments:read"),
        (("keys", "create", "a", "--expires", "soon"), "90d"),
        (("keys", "create", "a", "--expires", "2001-01-01"), "is in the past"),
        (("keys", "create", "a", "--expires", "9999-12-31T23:59:59-23:00"), "the latest expiry is 9999-12-31"),
        (("keys", "create", "a", "--expires", "999999w"), "the latest expiry is 9999-12-31"),
        (("keys", "create", ""), "printable"),
        (("keys", "revoke", "unknown"), "moorage keys list"),
        (("keys", "list", "--database", "mysql://u:secret@h/d"), "sqlite:///PATH"),
    ],
)
def test_invalid_arguments_are_reported_without_secrets(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    create_database(folder)

    result = moorage(*arguments, folder=folder)

    assert result.returncode == 1
    assert message in result.stderr
    assert "secret" not in result.stderr
    assert result.stdout == ""


def test_keys_revoke_requires_an_id_if_two_keys_have_the_same_name(folder: Path) -> None:
    create_database(folder)
    for _ in range(2):
        moorage("keys", "create", "twin", folder=folder)
    ids = [row["id"] for row in json.loads(moorage("keys", "list", "-o", "json", folder=folder).stdout)]

    ambiguous = moorage("keys", "revoke", "twin", folder=folder)
    by_id = moorage("keys", "revoke", ids[0], folder=folder)

    assert ambiguous.returncode == 1
    assert all(key_id in ambiguous.stderr for key_id in ids)
    assert by_id.returncode == 0


def test_projects_create_rejects_an_existing_name_and_projects_list_shows_each_project(folder: Path) -> None:
    create_database(folder)
    created = moorage("projects", "create", "shop", folder=folder)
    again = moorage("projects", "create", "shop", folder=folder)
    rows = json.loads(moorage("projects", "list", "-o", "json", folder=folder).stdout)

    assert created.returncode == 0
    assert (again.returncode, "already exists" in again.stderr) == (1, True)
    assert [row["name"] for row in rows] == ["shop"]
    assert created.stdout.strip() == rows[0]["id"]


def test_the_api_key_can_be_read_from_a_file(project: Project, folder: Path) -> None:
    (folder / "key").write_text(project.token + "\n")

    settings = {"MOORAGE_URL": project.server.url, "MOORAGE_API_KEY_FILE": str(folder / "key")}
    result = moorage("deployments", "list", folder=folder, settings=settings)

    assert result.returncode == 0


def test_keys_list_has_the_time_of_the_last_use(server: Server, project: Project, folder: Path) -> None:
    written = project.put("a").json["updated"]
    unused, _ = project.key(Scope.READ)

    result = moorage("keys", "list", "-o", "json", "--database", server.database, folder=folder)
    table = moorage("keys", "list", "--database", server.database, folder=folder)

    rows = {row["id"]: row for row in json.loads(result.stdout)}
    assert rows[project.token.split("_")[1]]["last_used"] == written
    assert "last_used" not in rows[unused]
    assert "last used" in table.stdout
