"""`moorage login`, and `moorage keys` over HTTP."""

import json
import stat
from pathlib import Path

import pytest

from moorage.core.access import Scope
from tests.support.program import moorage
from tests.support.server import Project, Server
from tests.support.stores import create_database


def profile(folder: Path) -> Path:
    return folder / "config" / "moorage" / "profile.json"


def settings(folder: Path, **others: str) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(folder / "config"), **others}


def admin(project: Project) -> str:
    return project.key(*Scope)[1]


def test_after_a_login_commands_need_no_environment(project: Project, folder: Path) -> None:
    project.put("a")

    done = moorage(
        "login", project.server.url, folder=folder, settings=settings(folder), stdin=f"{project.token}\n".encode()
    )
    listed = moorage("deployments", "list", "-o", "json", folder=folder, settings=settings(folder))

    assert done.returncode == 0, done.stderr
    assert project.token not in done.stdout + done.stderr
    assert [item["key"] for item in json.loads(listed.stdout)["data"]] == ["a"]
    assert stat.S_IMODE(profile(folder).stat().st_mode) == 0o600


def test_the_environment_takes_precedence_and_a_profile_s_key_goes_to_its_server_only(
    server: Server, project: Project, folder: Path
) -> None:
    other = server.new_project()
    moorage("login", server.url, folder=folder, settings=settings(folder, MOORAGE_API_KEY=project.token))
    project.put("a")

    with_key = moorage("deployments", "list", folder=folder, settings=settings(folder, MOORAGE_API_KEY=other.token))
    elsewhere = moorage(
        "deployments", "list", folder=folder, settings=settings(folder, MOORAGE_URL="http://127.0.0.1:1")
    )

    assert "There are no deployments" in with_key.stdout
    assert elsewhere.returncode == 1
    assert "MOORAGE_API_KEY is not set, so http://127.0.0.1:1 is not used" in elsewhere.stderr


def test_logout_deletes_the_profile(project: Project, folder: Path) -> None:
    moorage("login", project.server.url, folder=folder, settings=settings(folder, MOORAGE_API_KEY=project.token))

    done = moorage("logout", folder=folder, settings=settings(folder))
    again = moorage("logout", folder=folder, settings=settings(folder))

    assert (done.returncode, again.returncode) == (0, 0)
    assert again.stdout == "There is no profile.\n"
    assert not profile(folder).exists()


def test_a_key_that_the_server_rejects_is_not_stored(project: Project, folder: Path) -> None:
    done = moorage("login", project.server.url, folder=folder, settings=settings(folder), stdin=b"mrg_wrong\n")

    assert done.returncode == 1
    assert "not valid" in done.stderr
    assert not profile(folder).exists()


def test_a_key_without_the_scope_to_read_is_stored(project: Project, folder: Path) -> None:
    token = project.key(Scope.INVOKE)[1]

    done = moorage("login", project.server.url, folder=folder, settings=settings(folder, MOORAGE_API_KEY=token))

    assert done.returncode == 0
    assert token in profile(folder).read_text()


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        ('{"url": "http://127.0.0.1:1", "api_key": "mrg_x"}', 0o644, "other users have access to this API key"),
        ("not json", 0o600, "is not a profile"),
        ("[]", 0o600, "is not a profile"),
        ('{"url": "http://127.0.0.1:1", "api_key": "a\\nb"}', 0o600, "is not a profile"),
        ('{"url": "", "api_key": "mrg_x"}', 0o600, "is not a profile"),
    ],
)
def test_an_unusable_profile_is_an_error_with_its_fix(folder: Path, content: str, mode: int, reason: str) -> None:
    profile(folder).parent.mkdir(parents=True)
    profile(folder).write_text(content)
    profile(folder).chmod(mode)

    done = moorage("deployments", "list", folder=folder, settings=settings(folder))

    assert done.returncode == 1
    assert reason in done.stderr
    assert "mrg_x" not in done.stderr


def test_a_profile_that_is_a_link_or_a_folder_is_an_error(folder: Path) -> None:
    profile(folder).mkdir(parents=True)

    done = moorage("deployments", "list", folder=folder, settings=settings(folder))

    assert done.returncode == 1
    assert "it is not a regular file" in done.stderr


def test_a_login_over_a_network_without_tls_is_pointed_out(project: Project, folder: Path) -> None:
    url = f"http://127.0.0.1.nip.invalid:{project.server.port}"

    done = moorage("login", url, folder=folder, settings=settings(folder, MOORAGE_API_KEY=project.token))

    assert done.returncode == 1, "the name does not exist"
    assert not profile(folder).exists()


def test_keys_are_created_listed_and_revoked_over_http(project: Project, folder: Path) -> None:
    remote = {"MOORAGE_URL": project.server.url, "MOORAGE_API_KEY": admin(project)}

    created = moorage(
        "keys", "create", "app", "--scope", "deployments:read", "--expires", "1d", folder=folder, settings=remote
    )
    listed = moorage("keys", "list", "-o", "json", folder=folder, settings=remote)
    as_table = moorage("keys", "list", folder=folder, settings=remote)
    works = moorage(
        "deployments", "list", folder=folder, settings={**remote, "MOORAGE_API_KEY": created.stdout.strip()}
    )
    revoked = moorage("keys", "revoke", "app", folder=folder, settings=remote)
    status = {row["name"]: row["status"] for row in json.loads(
        moorage("keys", "list", "-o", "json", folder=folder, settings=remote).stdout
    )}  # fmt: skip

    assert created.returncode == 0, created.stderr
    assert "Scopes: deployments:read" in created.stderr
    assert [row["scopes"] for row in json.loads(listed.stdout) if row["name"] == "app"] == [["deployments:read"]]
    assert created.stdout.strip() not in listed.stdout + as_table.stdout
    assert (works.returncode, revoked.returncode) == (0, 0)
    assert status["app"] == "revoked"
    assert list(folder.iterdir()) == [], "no database is created"


def test_the_database_is_used_if_it_is_named(server: Server, project: Project, folder: Path) -> None:
    remote = {"MOORAGE_URL": "http://127.0.0.1:1", "MOORAGE_API_KEY": "mrg_x"}

    by_option = moorage("keys", "create", "a", "--database", server.database, folder=folder, settings=remote)
    by_setting = moorage("keys", "create", "a", folder=folder, settings={**remote, "MOORAGE_DATABASE": server.database})

    assert (by_option.returncode, by_setting.returncode) == (0, 0)


def test_keys_are_rotated_over_http(project: Project, folder: Path) -> None:
    remote = {"MOORAGE_URL": project.server.url, "MOORAGE_API_KEY": admin(project)}
    old = moorage("keys", "create", "app", folder=folder, settings=remote).stdout.strip()

    rotated = moorage("keys", "rotate", "app", folder=folder, settings=remote)
    new = rotated.stdout.strip()

    assert (rotated.returncode, new.split("_")[1]) == (0, old.split("_")[1]), rotated.stderr
    assert "Its old token is invalid." in rotated.stderr
    statuses = [Project(project.server, project.id, "", token).page().status for token in (old, new)]
    assert statuses == [401, 200]
    moorage("keys", "revoke", "app", folder=folder, settings=remote)
    gone = moorage("keys", "rotate", "app", folder=folder, settings=remote)
    assert (gone.returncode, "API key 'app' not found" in gone.stderr) == (1, True)


def test_without_an_api_key_the_database_is_used_and_with_a_profile_the_server(
    server: Server, project: Project, folder: Path
) -> None:
    create_database(folder)
    by_url = moorage("keys", "create", "a", folder=folder, settings=settings(folder, MOORAGE_URL=server.url))
    moorage("login", server.url, folder=folder, settings=settings(folder, MOORAGE_API_KEY=admin(project)))
    by_profile = moorage("keys", "create", "remote", folder=folder, settings=settings(folder))

    local = moorage("keys", "list", "-o", "json", "--database", "sqlite:///moorage.db", folder=folder)
    assert (by_url.returncode, by_profile.returncode) == (0, 0)
    assert [row["name"] for row in json.loads(local.stdout)] == ["a"]
    assert Project(server, "", "", by_profile.stdout.strip()).page().status == 200


@pytest.mark.parametrize("command", [("keys", "create", "a"), ("keys", "list"), ("projects", "create", "a")])
def test_a_missing_database_is_not_created(folder: Path, command: tuple[str, ...]) -> None:
    done = moorage(*command, folder=folder)

    assert done.returncode == 1
    assert "the file does not exist" in done.stderr
    assert "moorage serve" in done.stderr
    assert "MOORAGE_URL" in done.stderr
    assert list(folder.iterdir()) == []


def test_keys_over_http_name_what_is_missing(project: Project, folder: Path) -> None:
    url = {"MOORAGE_URL": project.server.url}

    without_key = moorage("keys", "create", "a", folder=folder, settings=url)
    without_scope = moorage("keys", "create", "a", folder=folder, settings={**url, "MOORAGE_API_KEY": project.token})
    with_project = moorage(
        "keys", "create", "a", "--project", "shop", folder=folder, settings={**url, "MOORAGE_API_KEY": admin(project)}
    )
    unknown = moorage("keys", "revoke", "nobody", folder=folder, settings={**url, "MOORAGE_API_KEY": admin(project)})

    assert "keys:admin" in without_key.stderr
    assert "keys:admin" in without_scope.stderr
    assert (with_project.returncode, unknown.returncode) == (1, 1)
    assert "nobody" in unknown.stderr


def test_an_error_says_where_a_rejected_key_was_sent_and_who_can_create_one(project: Project, folder: Path) -> None:
    url = {"MOORAGE_URL": project.server.url, "MOORAGE_API_KEY": "mrg_wrong"}

    done = moorage("deployments", "list", folder=folder, settings=url)

    assert f"{project.server.url} rejects the API key of MOORAGE_API_KEY" in done.stderr
    assert "moorage keys create NAME" in done.stderr
    assert "keys:admin" in done.stderr
    assert "mrg_wrong" not in done.stderr


def test_the_first_key_of_a_new_installation_has_all_scopes(folder: Path) -> None:
    with Server(folder) as server:
        listed = moorage("keys", "list", "-o", "json", "--database", server.database, folder=folder)

    (first,) = json.loads(listed.stdout)
    assert set(first["scopes"]) == {scope.value for scope in Scope}
