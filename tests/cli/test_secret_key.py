"""The secret key and the head: what detects a history that was cut off, or forged and chained again."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from moorage.core.deployments.history import description_sha256
from moorage.core.errors.storage import InvalidBackup, SecretKeyMissing
from moorage.core.secret_keys import MIN_LENGTH, SecretKeys
from moorage.registry.backups import backup, checked_backup
from moorage.registry.history import authenticate
from moorage.store.store import Store
from tests.cli.test_tampering import fill
from tests.support.program import moorage
from tests.support.registry import create_project
from tests.support.server import Server
from tests.support.stores import Clock, Database, run_sql
from tests.support.tampering import chain_again, findings, head, tamper, value

pytestmark = pytest.mark.system

KEY, OTHER = "0123456789abcdef" * 2, "fedcba9876543210" * 2


def keys(*texts: str) -> SecretKeys:
    return SecretKeys(texts)


def store_with(database: Database, *texts: str) -> Store:
    """Open another store with secret keys."""
    return Store(database.engine(), Clock(), keys(*texts))


def forge(store: Store, url: str) -> None:
    """Change a description, and the history to match it, as somebody without the secret key can."""
    rev, changes, deployment = run_sql(
        url, "SELECT rev, changes, deployment_id FROM history WHERE changes LIKE '%from-a-file%'"
    )[0]
    forged = re.sub(r'("description_sha256":)"\w+"', rf'\1"{description_sha256("forged")}"', changes)
    tamper(url, f"UPDATE history SET changes = '{forged}' WHERE rev = {rev}")
    tamper(url, f"UPDATE deployment SET description = 'forged' WHERE id = '{deployment}'")
    chain_again(store, url)


def cut_off(url: str) -> None:
    """Remove the newest project and its entry, so that rows and history match again."""
    rev = value(url, "SELECT max(rev) FROM history")
    for table in ("environment", "project", "history"):  # a project has an environment
        tamper(url, f"DELETE FROM {table} WHERE rev = {rev}")
    tamper(url, "UPDATE revision SET history_hash = (SELECT hash FROM history ORDER BY rev DESC LIMIT 1)")


# The secret key


def test_a_new_database_is_authenticated_from_its_first_entry_on(database: Database, folder: Path) -> None:
    fill(store_with(database, KEY))

    result = moorage("db", "check", "--database", database.url, folder=folder, settings={"MOORAGE_SECRET_KEY": KEY})

    assert result.returncode == 0, result.stdout
    count = value(database.url, "SELECT count(*) FROM history")
    assert f"ok     secret key of the history ({count} of {count} entries)\n" in result.stdout
    assert {mac.partition(":")[0] for (mac,) in run_sql(database.url, "SELECT mac FROM history")} == {
        keys(KEY).current_id
    }


def test_a_forged_history_is_found_with_the_secret_key_alone(database: Database) -> None:
    store = store_with(database, KEY)
    fill(store)

    forge(store, database.url)

    assert findings(database.url) == [], "without the key it matches"
    assert any("written without a secret key" in finding for finding in findings(database.url, keys(KEY)))


def test_a_history_that_was_forged_while_no_server_ran_is_found_after_the_next_write(database: Database) -> None:
    store = store_with(database, KEY)
    fill(store)
    forge(store, database.url)

    create_project(store_with(database, KEY), "later")

    assert any("written without a secret key" in finding for finding in findings(database.url, keys(KEY)))


def test_a_forged_history_with_a_key_of_the_forger_is_found(database: Database) -> None:
    store = store_with(database, KEY)
    fill(store)
    forge(store, database.url)
    store_with(database, OTHER).run(authenticate)

    found = findings(database.url, keys(KEY))

    assert any(f"were written with the secret key '{keys(OTHER).current_id}'" in finding for finding in found), found


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE history SET mac = '' WHERE rev = (SELECT max(rev) FROM history)",
        "UPDATE history SET mac = '' WHERE rev = (SELECT min(rev) FROM history)",
        "UPDATE history SET mac = (SELECT mac FROM history ORDER BY rev LIMIT 1)",
        "UPDATE history SET mac = mac || '0' WHERE rev = (SELECT min(rev) FROM history)",
        "UPDATE history SET mac = 'x' || mac WHERE rev = (SELECT min(rev) FROM history)",
        "UPDATE revision SET history_key = ''",
        "UPDATE revision SET history_key = 'x'",
    ],
)  # fmt: skip
def test_a_changed_mac_or_key_id_is_found(database: Database, change: str) -> None:
    fill(store_with(database, KEY))

    tamper(database.url, change)

    assert findings(database.url, keys(KEY)) != []


def test_an_entry_that_was_added_with_its_row_is_found_with_the_secret_key_alone(database: Database) -> None:
    fill(database.store())
    database_head = head(database.url)
    store_with(database, KEY).run(authenticate)
    tamper(database.url, "UPDATE revision SET history_key = ''")

    create_project(database.store(), "of somebody else")
    create_project(store_with(database, KEY), "later")

    assert any("2 entries" in finding for finding in findings(database.url, keys(KEY)))
    tamper(database.url, "UPDATE history SET mac = ''")
    assert findings(database.url, expected=database_head) == []


def test_a_process_without_the_key_writes_nothing(database: Database, folder: Path) -> None:
    fill(store_with(database, KEY))
    before = value(database.url, "SELECT count(*) FROM history")

    for command in (("keys", "create", "k"), ("keys", "revoke", "all"), ("projects", "create", "p"), ("serve",)):
        result = moorage(*command, "--database", database.url, folder=folder)

        assert result.returncode == 1
        assert f"authenticated with the secret key {keys(KEY).current_id}" in result.stderr
        assert "Set MOORAGE_SECRET_KEY" in result.stderr
    with pytest.raises(SecretKeyMissing):
        create_project(database.store(), "p")
    assert value(database.url, "SELECT count(*) FROM history") == before


def test_a_check_without_the_key_says_which_key_it_needs(database: Database, folder: Path) -> None:
    fill(store_with(database, KEY))

    result = moorage("db", "check", "--database", database.url, folder=folder)

    assert result.returncode == 1
    assert f"were written with the secret key '{keys(KEY).current_id}'; add it to MOORAGE_SECRET_KEY" in result.stdout


def test_a_server_gets_503_for_writes_once_another_process_has_authenticated_the_history(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        assert project.put("a").status == 201
        moorage(
            "db", "authenticate", "--database", server.database, folder=folder, settings={"MOORAGE_SECRET_KEY": KEY}
        )

        rejected, read = project.put("b"), project.get("a")

    assert (rejected.status, rejected.error["code"], read.status) == (503, "secret_key_missing", 200)


# Existing databases, other keys, lost keys


def test_an_existing_database_is_authenticated_by_the_operator_only(database: Database, folder: Path) -> None:
    fill(database.store())
    settings = {"MOORAGE_SECRET_KEY": KEY}
    create_project(store_with(database, KEY), "still without")

    before = moorage("db", "check", "--database", database.url, folder=folder, settings=settings)
    done = moorage("db", "authenticate", "--database", database.url, folder=folder, settings=settings)
    create_project(store_with(database, KEY), "authenticated")
    after = moorage("db", "check", "--database", database.url, folder=folder, settings=settings)

    assert (before.returncode, done.returncode, after.returncode) == (1, 0, 0), (done.stderr, after.stdout)
    assert "written without a secret key" in before.stdout
    assert "moorage db authenticate" in before.stdout
    count = value(database.url, "SELECT count(*) FROM history")
    assert f"ok     secret key of the history (2 of {count} entries)\n" in after.stdout


def test_a_database_that_is_not_sound_is_not_authenticated(database: Database, folder: Path) -> None:
    fill(database.store())
    tamper(database.url, "UPDATE deployment SET description = 'harmless' WHERE key = 'answers'")

    result = moorage(
        "db", "authenticate", "--database", database.url, folder=folder, settings={"MOORAGE_SECRET_KEY": KEY}
    )

    assert result.returncode == 1
    assert "moorage db check" in result.stderr
    assert value(database.url, "SELECT count(*) FROM history WHERE action = 'authenticated'") == 0


def test_authentication_needs_a_key(database: Database, folder: Path) -> None:
    database.store()

    result = moorage("db", "authenticate", "--database", database.url, folder=folder)

    assert result.returncode == 1
    assert "openssl rand -hex 32" in result.stderr


def test_a_replaced_key_verifies_older_entries(database: Database) -> None:
    fill(store_with(database, KEY))
    create_project(store_with(database, OTHER, KEY), "with the new key")

    assert findings(database.url, keys(OTHER, KEY)) == []
    assert findings(database.url, keys(KEY, OTHER)) == []
    assert any("add it to MOORAGE_SECRET_KEY" in finding for finding in findings(database.url, keys(OTHER)))


def test_after_a_key_was_lost_the_operator_authenticates_with_another_one(database: Database) -> None:
    fill(store_with(database, KEY))
    store = store_with(database, OTHER)

    store.run(authenticate)

    create_project(store, "later")
    assert findings(database.url, keys(OTHER)) == []


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("short and secret", f"the key has 16 characters, and needs at least {MIN_LENGTH}"),
        (f"{KEY},short", "key 2 of 2 has 5 characters"),
        (f"{KEY},", "key 2 of 2 has 0 characters"),
        ("ü" * 40, "the key has a character that is not printable ASCII"),
        (f"{KEY} {KEY}", "the key has a character that is not printable ASCII"),
        (f"{KEY}\x1b", "the value contains a control character"),
    ],
)
def test_an_unusable_key_is_rejected_without_being_shown(
    database: Database, folder: Path, setting: str, reason: str
) -> None:
    database.store()
    for command in (("db", "check"), ("keys", "create", "k"), ("serve",)):
        result = moorage(*command, "--database", database.url, folder=folder, settings={"MOORAGE_SECRET_KEY": setting})

        assert result.returncode == 1
        assert f"MOORAGE_SECRET_KEY: {reason}" in result.stderr
        assert "openssl rand -hex 32" in result.stderr or "control character" in reason
        assert setting not in result.stderr
        assert "Traceback" not in result.stderr


def test_the_text_of_a_key_is_in_no_representation() -> None:
    assert KEY not in repr(keys(KEY))
    assert KEY not in keys(KEY).mac("digest")
    assert KEY not in str(keys(KEY).current_id)


# Backups


def back_up(store: Store, folder: Path) -> Path:
    """Return a backup of a database."""
    backup(store, folder / "backup")
    return folder / "backup"


@pytest.mark.parametrize("texts", [(), (OTHER,), (KEY,)])
def test_a_backup_can_be_restored_without_the_key(database: Database, folder: Path, texts: tuple[str, ...]) -> None:
    store = store_with(database, KEY)
    fill(store)

    with checked_backup(back_up(store, folder), keys(*texts)) as restored:
        assert restored.current_revision() == store.current_revision()


def test_a_backup_from_before_the_key_can_be_restored(database: Database, folder: Path) -> None:
    store = database.store()
    fill(store)

    with checked_backup(back_up(store, folder), keys(KEY)) as restored:
        assert restored.current_revision() == store.current_revision()


def test_a_backup_with_a_wrong_mac_is_rejected(database: Database, folder: Path) -> None:
    store = store_with(database, KEY)
    fill(store)
    file = back_up(store, folder)
    tamper(f"sqlite:///{file}", "UPDATE history SET mac = (SELECT mac FROM history ORDER BY rev LIMIT 1)")

    with pytest.raises(InvalidBackup, match="was not written with the secret key"), checked_backup(file, keys(KEY)):
        pass


# The head


def test_a_check_prints_the_head_and_accepts_it_later(database: Database, folder: Path) -> None:
    fill(database.store())
    first = moorage("db", "check", "--database", database.url, folder=folder)
    printed = first.stdout.splitlines()[-1]
    count, digest = run_sql(database.url, "SELECT (SELECT count(*) FROM history), history_hash FROM revision")[0]
    create_project(database.store(), "later")

    for expected in (f"{count}:{digest}", digest):
        later = moorage("db", "check", "--expect", expected, "--database", database.url, folder=folder)

        assert printed == f"head   {count}:{digest}"
        assert later.returncode == 0, later.stdout
        assert f"ok     head of the history ({expected})\n" in later.stdout
        assert later.stdout.splitlines()[-1].startswith(f"head   {count + 1}:")


def emptied(store: Store, url: str) -> None:
    tamper(url, "DELETE FROM history; UPDATE revision SET history_hash = ''")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda store, url: cut_off(url), "fewer than the head: it was cut off, or an older state was restored"),
        (forge, "has another hash: the history was replaced"),
        (emptied, "fewer than the head"),
    ],
    ids=["cut off", "forged", "emptied"],
)
def test_a_history_without_the_head_is_found(
    database: Database, folder: Path, change: Callable[[Store, str], None], reason: str
) -> None:
    store = database.store()
    fill(store)
    create_project(store, "the newest")
    expected = head(database.url)

    change(store, database.url)

    result = moorage("db", "check", "--expect", str(expected), "--database", database.url, folder=folder)
    assert result.returncode == 1
    assert f"FAILED head of the history ({expected})\n" in result.stdout
    assert reason in result.stdout
    assert "head   " not in result.stdout, "the head of a wrong history is not to be stored"


def test_newest_entries_that_were_cut_off_with_their_rows_are_found_by_the_head_alone(database: Database) -> None:
    store = store_with(database, KEY)
    fill(store)
    create_project(store, "the newest")
    expected = head(database.url, keys(KEY))

    cut_off(database.url)

    assert findings(database.url, keys(KEY)) == []
    assert findings(database.url, keys(KEY), expected) != []


def test_the_head_of_an_empty_history_is_not_printed(database: Database, folder: Path) -> None:
    database.store()

    result = moorage("db", "check", "--database", database.url, folder=folder)

    assert (result.returncode, "head" in result.stdout) == (0, False)


@pytest.mark.parametrize("text", ["", "24", "24:", "0:" + "a" * 64, "x:" + "a" * 64, "24:" + "A" * 64, "a" * 63])
def test_a_text_that_is_no_head_is_rejected(database: Database, folder: Path, text: str) -> None:
    database.store()

    result = moorage("db", "check", "--expect", text, "--database", database.url, folder=folder)

    assert result.returncode == 1
    assert "is not a head such as 24:HASH" in result.stderr
