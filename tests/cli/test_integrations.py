"""`moorage integrations`: no credential is an argument, and none is printed."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import Scope
from moorage.core.secret_keys import SecretKeys
from moorage.store.opening import open_store
from moorage.store.sealing import KeyRing
from tests.support.hostile import HostileServer, response
from tests.support.program import moorage
from tests.support.registry import create_project, put_integration, vendor_body
from tests.support.server import Project, Server
from tests.support.stores import run_sql
from tests.support.tampering import findings

KEY = "sk-0123456789-wxyz"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server with a key file."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def admin(project: Project) -> Project:
    """Return the project with a key that has all scopes."""
    return Project(project.server, project.id, project.name, project.key(*Scope)[1])


def put_vendor(admin: Project, folder: Path, *options: str, stdin: str = f"{KEY}\n") -> Any:
    return moorage(
        "integrations", "set", "vendor", "--provider", "openai", "--api-key-stdin", *options,
        folder=folder, project=admin, stdin=stdin.encode(),
    )  # fmt: skip


def test_an_integration_is_set_listed_shown_and_deleted(admin: Project, folder: Path) -> None:
    options = ("--option", "timeout_total_s=60", "--header", "X-Team=the-support-team", "--reason", "for the shop")

    created, again = put_vendor(admin, folder, *options), put_vendor(admin, folder, *options)
    listed = moorage("integrations", "list", folder=folder, project=admin)
    shown = moorage("integrations", "show", "vendor", "-o", "json", folder=folder, project=admin)
    table = moorage("integrations", "show", "vendor", folder=folder, project=admin)
    deleted = moorage("integrations", "delete", "vendor", folder=folder, project=admin)

    assert created.stdout == "vendor: created, openai at https://api.openai.com/v1\n"
    assert again.stdout.startswith("vendor: unchanged")
    assert "api_key=…wxyz" in listed.stdout
    assert json.loads(shown.stdout)["options"] == {"timeout_total_s": 60}
    assert "headers.x-team" in table.stdout
    assert deleted.stdout == "Deleted vendor, with its credentials.\n"
    for result in (created, again, listed, shown, table, deleted):
        assert result.returncode == 0, result.stderr
        assert KEY not in result.stdout + result.stderr
        assert "the-support" not in result.stdout + result.stderr
    missing = moorage("integrations", "show", "vendor", folder=folder, project=admin)
    assert missing.returncode == 1
    assert "moorage integrations list" in missing.stderr


def test_credentials_are_a_json_object(admin: Project, folder: Path) -> None:
    keys = {"access_key_id": "AKIA0123456789", "secret_access_key": KEY}
    command = ("integrations", "set", "aws", "--provider", "aws", "--option", "region=eu-west-1", "--credentials-stdin")

    result = moorage(*command, folder=folder, project=admin, stdin=json.dumps(keys).encode())

    assert result.returncode == 0, result.stderr
    assert result.stdout == "aws: created, aws at https://bedrock-runtime.eu-west-1.amazonaws.com\n"


@pytest.mark.parametrize(
    ("options", "stdin", "expected"),
    [
        (("--api-key", KEY), b"", "--api-key-stdin"),
        ((f"--api-key={KEY}",), b"", "Other users of this machine"),
        (("--credentials", KEY), b"", "--credentials-stdin"),
        (("--api-key-stdin", "--credentials-stdin"), b"x", "exclude each other"),
        (("--api-key-stdin",), b" \n", "Standard input is empty"),
        (("--api-key-stdin",), b"\xff", "not UTF-8"),
        (("--api-key-stdin",), b"x" * 100_000, "more than 65536 bytes"),
        (("--api-key-stdin",), f"{KEY} {KEY}".encode(), "credentials.api_key: has a space"),
        (("--credentials-stdin",), KEY.encode(), "is not a JSON object"),
        (("--credentials-stdin",), b"[" * 60_000, "is not a JSON object"),
        (("--header", KEY), b"", "NAME=VALUE"),
        (("--option", "a=1", "--option", "a=2"), b"", "a occurs twice"),
    ],
    ids=str,
)
def test_a_mistake_is_explained_without_a_secret(
    admin: Project, folder: Path, options: tuple[str, ...], stdin: bytes, expected: str
) -> None:
    result = moorage(
        "integrations", "set", "vendor", "--provider", "openai", *options, folder=folder, project=admin, stdin=stdin
    )

    assert result.returncode == 1
    assert expected in " ".join(result.stderr.split())
    assert KEY not in result.stdout + result.stderr


# rotate-key

NEW, OLD = "n" * 40, "s" * 40


def rotate(folder: Path, keys: str = "") -> tuple[int, str]:
    settings = {"MOORAGE_SECRET_KEY": keys} if keys else {}
    result = moorage(
        "integrations", "rotate-key", "--database", f"sqlite:///{folder}/m.db", folder=folder, settings=settings
    )
    return result.returncode, result.stdout + result.stderr


def sealed(url: str) -> list[tuple[Any, ...]]:
    return run_sql(url, "SELECT name, credentials, headers, key_id FROM integration ORDER BY name, id")


@pytest.fixture
def url(folder: Path) -> str:
    """Return a database whose credentials are encrypted with the key `OLD`."""
    url = f"sqlite:///{folder}/m.db"
    local = {"provider": "openailike", "base_url": "https://llm.example:8443/v1"}
    with closing(open_store(url)) as store:
        project = create_project(store, "p").id
        for name in ("a", "b"):
            put_integration(store, project, name, vendor_body(), KeyRing(SecretKeys([OLD])))
        put_integration(store, project, "local", local)
    return url


def test_all_credentials_are_encrypted_again_with_the_first_key(url: str, folder: Path) -> None:
    before = sealed(url)

    code, text = rotate(folder, f"{NEW},{OLD}")

    new_id = SecretKeys([NEW]).current_id
    assert (code, f"Encrypted 2 integrations again with the secret key {new_id}; 0 had it" in text) == (0, True), text
    after = sealed(url)
    assert [row[3] for row in after] == [new_id, new_id, ""]
    assert all(new[1] != old[1] and new[2] != old[2] for new, old in zip(after[:2], before[:2], strict=True))
    with closing(open_store(url)) as store, store.read() as reader:
        found = reader.sealed_integrations()
    ring = KeyRing(SecretKeys([NEW]))
    assert [ring.open(each).values for each in found] == [{"api_key": "sk-0123456789abcd"}] * 2  # type: ignore[arg-type]  # the rows are all present
    again = rotate(folder, NEW)
    assert "Encrypted 0 integrations again" in again[1]
    assert sealed(url) == after
    assert findings(url) == []


@pytest.mark.parametrize("damage", ["the key is missing", "a text was changed", "a text of another row"])
def test_one_unreadable_integration_prevents_the_rotation(url: str, folder: Path, damage: str) -> None:
    keys = f"{NEW},{OLD}"
    if damage == "the key is missing":
        keys = NEW
    elif damage == "a text was changed":
        run_sql(url, "UPDATE integration SET headers = substr(headers, 1, 20) || 'AAAA' WHERE name = 'b'")
    else:
        run_sql(url, "UPDATE integration SET credentials = (SELECT credentials FROM integration WHERE name = 'a')"
                     " WHERE name = 'b'")  # fmt: skip
    before = sealed(url)

    code, text = rotate(folder, keys)

    assert code == 1
    assert "cannot be decrypted" in text
    assert sealed(url) == before


def test_a_database_without_credentials_needs_no_key(folder: Path) -> None:
    open_store(f"sqlite:///{folder}/m.db").close()

    assert rotate(folder) == (0, "There are no encrypted credentials.\n")
    assert not (folder / "moorage.key").exists()


def test_the_key_of_a_file_is_replaced_by_the_setting(admin: Project, folder: Path, server: Server) -> None:
    put_vendor(admin, folder)

    result = moorage(
        "integrations", "rotate-key", "--database", server.database, folder=folder,
        settings={"MOORAGE_SECRET_KEY": NEW},
    )  # fmt: skip

    assert result.returncode == 0, result.stderr
    new_id = SecretKeys([NEW]).current_id
    unreadable = admin.request("GET", "/v2/integrations/vendor").json
    assert (unreadable["status"], unreadable["key_id"]) == ("unreadable", new_id), "the server has only the old key"


# Backups


def test_a_backup_names_the_keys_that_it_does_not_contain(url: str, folder: Path) -> None:
    key_id = SecretKeys([OLD]).current_id
    backup = moorage("db", "backup", "b.db", "--database", url, folder=folder)

    restored = {
        keys: moorage(
            "db", "restore", "b.db", "--database", f"sqlite:///{folder}/{keys or 'none'}.db", folder=folder,
            settings={"MOORAGE_SECRET_KEY": keys} if keys else {},
        )
        for keys in ("", f"{NEW},{OLD}")
    }  # fmt: skip

    needed = f"The credentials of 2 integrations are encrypted with the secret key {key_id}"
    assert backup.stderr == f"{needed}, which is not in the backup. Store it elsewhere: without it, they are lost.\n"
    assert (restored[""].returncode, needed in restored[""].stderr) == (0, True)
    assert "which is missing here. Add it to MOORAGE_SECRET_KEY" in restored[""].stderr
    assert restored[f"{NEW},{OLD}"].stderr == ""
    assert OLD.encode() not in (folder / "b.db").read_bytes()


def test_a_copy_says_which_key_is_missing(url: str, folder: Path) -> None:
    result = moorage("db", "copy", "--from", url, "--to", f"sqlite:///{folder}/copy.db", folder=folder)

    assert result.returncode == 0
    assert "which is missing here" in result.stderr


def test_the_doctor_knows_whether_the_key_is_there(url: str, folder: Path) -> None:
    key_id = SecretKeys([OLD]).current_id

    without, with_key = (
        moorage("doctor", "--database", url, folder=folder, settings=settings).stdout
        for settings in ({}, {"MOORAGE_SECRET_KEY": OLD})
    )

    assert f"encrypted with the secret key {key_id}, which is missing" in " ".join(without.split())
    assert "which is missing" not in " ".join(with_key.split())
    assert f"encrypted with the secret key {key_id}" in " ".join(with_key.split())


@pytest.mark.parametrize(("is_ok", "code"), [(True, 0), (False, 1)])
def test_a_test_shows_the_result_and_its_exit_code_is_that_of_the_provider(
    folder: Path, is_ok: bool, code: int
) -> None:
    status = {"status": 200} if is_ok else {}
    result = {"name": "vendor", "provider": "openai", "url": "https://x/v1/models", "ok": is_ok, "milliseconds": 12.4}
    body = {**result, "message": "The reason.", **status}
    with HostileServer(lambda request: response(body)) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        text = moorage("integrations", "test", "vendor", folder=folder, settings=settings)
        data = moorage("integrations", "test", "vendor", "-o", "json", folder=folder, settings=settings)

    facts = "ok (status 200, 12 ms)" if is_ok else "failed (12 ms)"
    assert (text.returncode, text.stdout) == (code, f"vendor: {facts}, https://x/v1/models\nThe reason.\n")
    assert (data.returncode, json.loads(data.stdout)) == (code, body)
    assert {(request.method, request.path) for request in server.requests} == {("POST", "/v2/integrations/vendor/test")}
