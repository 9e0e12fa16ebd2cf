"""Tampering: `moorage db check` finds each change of the database that was made without Moorage, or the docs list it.

docs/operations.md has a table of what the check does not show; the tests compare it with the columns of the database.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import psycopg
import pytest

from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.core.compatibility.consumers import UsageRecord
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.ownership import WriteOptions
from moorage.registry.projects import get_project
from moorage.store.result_writes import StoredResult
from moorage.store.store import Store
from moorage.store.transfer.dump import TABLES
from tests.support import registry
from tests.support.environments import fill_with_environments
from tests.support.server import a_body
from tests.support.stores import Database, run_sql
from tests.support.tampering import columns, findings, tamper, value

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]

put = partial(registry.put, reason="because")


def text(content: str, description: str = "") -> dict[str, Any]:
    """Return a body with a message."""
    return a_body(messages=[{"role": "user", "content": content}]) | {"description": description}


def fill(store: Store) -> None:
    """Create something of each kind."""
    project = get_project(store, "default").id
    registry.create_project(store, "shop")
    put(store, project, "answers", text("one", "first"))
    put(store, project, "answers", text("two", "second") | {"notes": "a note"})
    put(store, project, "answers", text("three", "second") | {"aliases": ["pmpt_0123", "replies"]})
    registry.save(store, project, "answers", text("a draft", "of the draft"))
    registry.publish(store, project, "answers", "1.0")
    registry.undo(store, project, "answers")
    put(store, project, "from-a-file", text("managed"), WriteOptions(file="managed.yaml"))
    put(store, project, "purged", text("purged", "purged"))
    registry.delete(store, project, "purged")
    registry.delete_version(store, project, "answers", "1.0")
    registry.purge(store, 0)
    put(store, project, "deleted", text("deleted"))
    registry.delete(store, project, "deleted")
    put(store, project, "restored", text("restored"))
    registry.delete(store, project, "restored")
    registry.restore(store, project, "restored")
    registry.delete_version(store, project, "answers", "1.1")
    registry.fill_with_integrations(store, project)
    fill_with_environments(store, project)
    registry.create_api_key(store, project, "all", DEFAULT_SCOPES)
    registry.create_api_key(store, project, "for a while", [Scope.READ], store.now_us() + 10**12)
    key, _ = registry.create_api_key(store, project, "lost", [Scope.READ])
    registry.revoke_api_key(store, key.id)
    with store.write() as tx:
        tx.insert_result(project, "a key", StoredResult("00" * 32, "{}"))
    with store.read() as reader:
        live = reader.find_deployment(project, "answers")
    assert live is not None
    store.record_consumers([UsageRecord(live.live_version_id or "", key.id, 1, 2, ("customer",))])


@pytest.fixture
def url(database: Database) -> str:
    """Return the address of a database with something of each kind."""
    fill(database.store())
    assert findings(database.url) == []
    return database.url


_ALL = "'deployments:invoke deployments:publish deployments:read deployments:write keys:admin'"
_LAST = "(SELECT max(rev) FROM history)"


def version(minor: int, key: str) -> str:
    """Return the SQL of a version's id."""
    deployment = f"(SELECT id FROM deployment WHERE key = '{key}')"
    return f"(SELECT id FROM version WHERE minor = {minor} AND deployment_id = {deployment})"


#: What is changed, and what is found.
MANIPULATIONS = {
    "a live pointer that was moved": (
        f"UPDATE deployment SET live_version_id = {version(3, 'answers')} WHERE key = 'answers'",
        r"deployment answers \(.*\): live_version_id is ",
    ),
    "a deletion that was undone": (
        "UPDATE deployment SET deleted_us = NULL WHERE key = 'deleted'",
        r"deployment deleted \(.*\): deleted_us is empty, and \d+ in the history",
    ),
    "a deletion that was made": (
        "UPDATE deployment SET deleted_us = updated_us WHERE key = 'from-a-file'",
        r"deployment from-a-file \(.*\): deleted_us is \d+, and empty in the history",
    ),
    "a version that was restored": (
        f"UPDATE version SET deleted_us = NULL WHERE id = {version(1, 'answers')}",
        r"version 1\.1 \(.*: deleted_us is empty, and \d+ in the history",
    ),
    "a deployment that was renamed": (
        "UPDATE deployment SET key = 'other' WHERE key = 'answers'",
        r"deployment other \(.*\): key is other, and answers in the history",
    ),
    "a description that was changed": (
        "UPDATE deployment SET description = 'harmless' WHERE key = 'answers'",
        r"deployment answers \(.*\): its description differs from the history",
    ),
    "an owner that was changed": (
        "UPDATE deployment SET owner = 'api' WHERE key = 'from-a-file'",
        r"owner is api, and files in the history",
    ),
    "a revoked key that is valid again": (
        f"UPDATE api_key SET revoked_us = NULL, scopes = {_ALL} WHERE name = 'lost'",
        r"API key lost \(.*\): (revoked_us is empty|scopes is deployments:invoke)",
    ),
    "a key that got scopes": (
        f"UPDATE api_key SET scopes = {_ALL} WHERE name = 'for a while'",
        r"API key for a while \(.*\): scopes is",
    ),
    "a key that lost its expiry": (
        "UPDATE api_key SET expires_us = NULL WHERE name = 'for a while'",
        r"expires_us is empty, and \d+ in the history",
    ),
    "a key that got another token": (
        f"UPDATE api_key SET token_sha256 = '{'0' * 64}' WHERE name = 'all'",
        r"API key all .*: token_sha256 differs",
    ),
    "a key that was planted": (
        "INSERT INTO api_key SELECT 'planted', project_id, 'planted', scopes, token_sha256, created_us, NULL, NULL,"
        " rev, NULL, NULL"
        " FROM api_key WHERE name = 'all'",
        r"API key planted \(planted\): no history entry created it",
    ),
    "a key that was removed": (
        "DELETE FROM api_key WHERE name = 'for a while'",
        r"API key \w+: it is missing, and the history has",
    ),
    "a version that was planted": (
        "INSERT INTO version SELECT 'planted', deployment_id, major, 9, prompt_config, variables, notes,"
        " content_sha256, created_us, api_key_id, rev, made_as, description, deleted_us, runtime_config"
        f" FROM version WHERE id = {version(2, 'answers')}",
        r"version 1\.9 \(planted\) .*: no history entry created it",
    ),
    "a draft that was changed": (
        "UPDATE version SET notes = 'approved' WHERE made_as = 'draft'",
        r"version 1\.3 .*: its content, notes or description differs",
    ),
    "a draft that looks published": (
        "UPDATE version SET made_as = 'published' WHERE made_as = 'draft'",
        r"made_as is published, and draft in the history",
    ),
    "a content with another space": (
        f"UPDATE version SET prompt_config = ' ' || prompt_config WHERE id = {version(2, 'answers')}",
        r"version 1\.2 .*: its content, notes or description differs",
    ),
    "a content that was emptied as by a purge": (
        "UPDATE version SET prompt_config = '', variables = '', runtime_config = '', notes = '', description = ''"
        f" WHERE id = {version(1, 'answers')}",
        r"4 deployments and versions have no texts, and 3 were purged",
    ),
    "a content in place of a purged one": (
        "UPDATE version SET variables = '[]', runtime_config = '{}', prompt_config = ("
        "SELECT v.prompt_config FROM version v WHERE v.prompt_config <> '' ORDER BY v.rev LIMIT 1"
        f") WHERE id = {version(0, 'purged')}",
        r"version 1\.0 .*: its content, notes or description differs",
    ),
    "an integration that sends its key to another host": (
        "UPDATE integration SET base_url = 'https://attacker.example' WHERE name = 'vendor'",
        r"integration vendor \(.*\): its address, with its options, differs from the history",
    ),
    "an integration with other credentials": (
        "UPDATE integration SET credentials = '' WHERE name = 'vendor'",
        r"integration vendor \(.*\): the text of its encrypted credentials differs from the history",
    ),
    "an integration that was restored": (
        "UPDATE integration SET deleted_us = NULL WHERE name = 'gone'",
        r"integration gone \(.*\): deleted_us is empty, and \d+ in the history",
    ),
    "a project that was renamed": (
        "UPDATE project SET name = 'shop2' WHERE name = 'shop'",
        r"project shop2 .*: name is shop2, and shop in the history",
    ),
    "a deployment that was taken out of production": (
        "UPDATE deployment SET live_version_id = NULL WHERE key = 'answers'",
        r"deployment answers .*: live_version_id is empty, and \S+ in the history",
    ),
    "a live version in another environment that was moved": (
        f"UPDATE pointer SET version_id = {version(0, 'own')} WHERE version_id = {version(1, 'own')}",
        r"pointer \(\S+ env_\S+\): version_id is ",
    ),
    "a live version in another environment that is one of another deployment": (
        f"UPDATE pointer SET version_id = {version(0, 'answers')} WHERE version_id = {version(1, 'own')}",
        r"deployment own \(.*\): its live version \S+ is not one of its versions",
    ),
    "a deployment that follows production again": (
        f"UPDATE pointer SET version_id = NULL WHERE version_id = {version(1, 'own')}",
        r"pointer \(\S+ env_\S+\): version_id is empty, and \S+ in the history",
    ),
    "the row of a follower that was removed": (
        "DELETE FROM pointer WHERE deployment_id = (SELECT id FROM deployment WHERE key = 'follower')",
        r"pointer \S+ env_\S+: it is missing, and the history has it since revision",
    ),
    "a live version in another environment that was planted": (
        "INSERT INTO pointer SELECT id, (SELECT id FROM environment WHERE name = 'staging'), live_version_id,"
        " updated_us, 'api', NULL, rev FROM deployment WHERE key = 'answers'",
        r"pointer \(\S+ env_\S+\): no history entry created it",
    ),
    "an environment that needs no approvals any more": (
        "UPDATE environment SET required_approvals = 0 WHERE name = 'strict'",
        r"environment strict .*: required_approvals is 0, and 2 in the history",
    ),
    "production that is not protected": (
        "UPDATE environment SET is_protected = 0 WHERE name = 'production'",
        r"environment production .*: is_protected is 0, and 1 in the history",
    ),
    "a deleted environment that is back": (
        "UPDATE environment SET deleted_us = NULL WHERE name = 'closed'",
        r"environment closed .*: deleted_us is empty",
    ),
    "production that was removed": (
        "DELETE FROM environment WHERE name = 'production' AND project_id ="
        " (SELECT id FROM project WHERE name = 'shop')",
        r"environment env_\w+: it is missing, and the history has",
    ),
    "a bound key that was released": (
        "UPDATE api_key SET environment_id = NULL WHERE name = 'bound'",
        r"API key bound .*: environment_id is empty, and env_\S+ in the history",
    ),
    "a key with another author": (
        "UPDATE api_key SET created_by = NULL WHERE name = 'bound'",
        r"API key bound .*: created_by is empty, and \S+ in the history",
    ),
    "a closed proposal that is open again": (
        "UPDATE proposal SET status = 'open' WHERE status = 'rejected'",
        r"proposal \S+: status is open, and rejected in the history",
    ),
    "a proposal of somebody else": (
        "UPDATE proposal SET created_by = 'nobody' WHERE status = 'open'",
        r"proposal \S+: created_by is nobody, and \S+ in the history",
    ),
    "a proposal that was removed": (
        "DELETE FROM approval WHERE proposal_id IN (SELECT id FROM proposal WHERE status = 'rejected');"
        " DELETE FROM proposal_item WHERE proposal_id IN (SELECT id FROM proposal WHERE status = 'rejected');"
        " DELETE FROM proposal WHERE status = 'rejected'",
        r"proposal \S+: it is missing, and the history has",
    ),
    "a proposal of another version": (
        f"UPDATE proposal_item SET version_id = {version(0, 'contested')} WHERE version_id = {version(1, 'contested')}",
        r"item of proposal \S+ \(0\): version_id is ",
    ),
    "an item that was added": (
        "INSERT INTO proposal_item SELECT proposal_id, 7, deployment_id, base, version_id, breaking, owner, file"
        " FROM proposal_item LIMIT 1",
        r"item of proposal \S+ \(7\): no history entry created it",
    ),
    "an approval that was removed": (
        "DELETE FROM approval WHERE reason = 'as first'",
        r"approval of proposal \S+ \(\S+\): it is missing, and the history has it",
    ),
    "an approval that was planted": (
        "INSERT INTO approval SELECT o.id, k.id, o.created_us, '' FROM proposal o, api_key k"
        " WHERE o.status = 'open' AND k.name = 'second'",
        r"approval of proposal \S+ \(\S+\): no history entry created it",
    ),
    "a history without its last entries": (
        f"DELETE FROM history WHERE rev > {_LAST} - 2;"
        f" UPDATE revision SET history_hash = (SELECT hash FROM history WHERE rev = {_LAST})",
        r"API key lost .*: no history entry created it",
    ),
    "a history that was emptied": (
        "DELETE FROM history; UPDATE revision SET history_hash = ''",
        r"deployment answers .*: no history entry created it",
    ),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("manipulation", MANIPULATIONS)
def test_a_manipulation_is_found_and_named(url: str, manipulation: str) -> None:
    statement, found = MANIPULATIONS[manipulation]

    tamper(url, statement)

    assert any(re.search(found, finding) for finding in findings(url)), findings(url)


def swap_live_prompt(url: str) -> None:
    """Replace a live prompt together with its hash."""
    selected = "FROM version WHERE id = (SELECT live_version_id FROM deployment WHERE key = 'answers')"
    config, variables, runtime_config = run_sql(url, f"SELECT prompt_config, variables, runtime_config {selected}")[0]
    other = config.replace("three", "ignore all rules")
    digest = StoredContent(other, variables, runtime_config).sha256()
    tamper(
        url,
        f"UPDATE version SET prompt_config = '{other}', content_sha256 = '{digest}' WHERE prompt_config = '{config}'",
    )


def test_a_live_prompt_that_was_replaced_with_its_hash_is_found(url: str) -> None:
    swap_live_prompt(url)

    found = findings(url)

    assert any("its content, notes or description differs from the history" in finding for finding in found), found
    assert any("content_sha256 differs from the history" in finding for finding in found), found


def test_a_replaced_prompt_is_still_found_after_it_was_published_again(database: Database, url: str) -> None:
    store = database.store()
    project = get_project(store, "default").id
    swap_live_prompt(url)

    registry.publish(store, project, "answers", "1.3")
    registry.undo(store, project, "answers")

    assert any("different content hashes" in finding for finding in findings(url))


# Every column of every table


def not_shown() -> set[str]:
    """Return what the docs list, as `table.column` or `table.*`."""
    _, _, section = (ROOT / "docs/operations.md").read_text().partition("### What the check does not show")
    rows = re.findall(r"^\| (`.*`) \|", section.partition("\n## ")[0], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(.*?)`", row)}


def literal(value: object) -> str:
    """Return a value as SQL."""
    if value is None or isinstance(value, int):
        return "NULL" if value is None else str(value)
    return "'" + str(value).replace("'", "''") + "'"


def others(column: str, before: Any) -> list[Any]:
    """Return other values for a column."""
    if before is None:
        return [1 if column.endswith("_us") else "x"]
    if isinstance(before, datetime):
        return [before + timedelta(days=1)]
    if isinstance(before, int):
        return [before + 1_000_000, before - 1, None]
    return [f"{before}x", before[:-1], "", None]


KEYS = {
    "moorage_schema": "version", "idempotency": "key", "consumer": "version_id",
    "pointer": "deployment_id || ' ' || environment_id", "proposal_item": "proposal_id || ' ' || n",
    "approval": "proposal_id || ' ' || api_key_id", "unknown_name": "name", "session": "token_sha256",
    "try_case": "deployment_id || ' ' || name", "alias": "name",
    "call_result": "key", "cached_response": "key",
}  # fmt: skip


def tampered_values(url: str, table: str, column: str) -> Iterator[str]:
    """Change one value of a column in several ways; yield the way, and then restore the value."""
    key = KEYS.get(table, "id")
    tamper(url, f"CREATE TABLE aside AS SELECT * FROM {table}")
    for condition in ("IS NOT NULL", "IS NULL"):
        row = value(url, f"SELECT {key} FROM {table} WHERE {column} {condition} ORDER BY {key} LIMIT 1")
        if row is None:
            continue
        before = value(url, f"SELECT {column} FROM {table} WHERE {key} = {literal(row)}")
        for other in others(column, before):
            if other == before:
                continue
            try:
                tamper(url, f"UPDATE {table} SET {column} = {literal(other)} WHERE {key} = {literal(row)}")
            except (apsw.Error, psycopg.Error):
                continue  # the database rejects it
            yield f"{table}.{column}: {literal(before)} -> {literal(other)}"
            tamper(url, f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM aside")
    tamper(url, "DROP TABLE aside")


@pytest.mark.system
@pytest.mark.exhaustive
def test_a_change_of_each_column_is_found_or_listed_in_the_docs(url: str) -> None:
    """A listed column must not be found either: then the list would be wrong."""
    listed, wrong, count = not_shown(), [], 0

    for table, column in columns(url):
        is_listed = bool({f"{table}.*", f"{table}.{column}"} & listed)
        for way in tampered_values(url, table, column):
            count += 1
            # A value that cannot be decoded is found in every table.
            found = [finding for finding in findings(url) if not (is_listed and finding.startswith("row "))]
            if bool(found) == is_listed and not is_reference(table, column):
                wrong.append(way)

    assert wrong == []
    assert count > 150
    assert findings(url) == [], "everything was restored"


#: The tables whose rows the history does not have: their removal is in the list of the docs.
REMOVABLE = ("idempotency", "consumer", "try_case")


def is_reference(table: str, column: str) -> bool:
    """Whether the database itself checks a column of a table that the docs list."""
    return f"{table}.*" in not_shown() and column in ("project_id", "deployment_id", "version_id", "api_key_id")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "table", [table.name for table in TABLES if table.name not in ("idempotency", "consumer", "try_case")]
)
def test_each_removed_row_is_found(database: Database, url: str, table: str) -> None:
    key = KEYS.get(table, "id")
    for (row,) in run_sql(url, f"SELECT {key} FROM {table} ORDER BY {key}"):
        names = ", ".join(column for each, column in columns(url) if each == table)
        tamper(url, f"CREATE TABLE aside AS SELECT * FROM {table} WHERE {key} = {literal(row)}")
        tamper(url, f"DELETE FROM {table} WHERE {key} = {literal(row)}")

        assert findings(url) != [], row

        tamper(url, f"INSERT INTO {table} ({names}) SELECT {names} FROM aside; DROP TABLE aside")
    assert findings(url) == []


def test_an_unfinished_copy_that_was_planted_is_found(url: str) -> None:
    tamper(url, "INSERT INTO copy (id, source, epoch, rev) VALUES (1, 'nowhere', '', 0)")

    (found,) = findings(url)
    assert "holds an unfinished copy of nowhere" in found
