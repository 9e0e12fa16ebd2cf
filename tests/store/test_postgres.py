"""The requirements on a PostgreSQL database, and the errors of an unusable one."""

import re
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest

from moorage.core.errors.storage import InvalidDatabase, SchemaTooNew, StorageFull, StorageUnavailable
from moorage.store.opening import open_store
from moorage.store.postgres.connections import Address
from moorage.store.postgres.engine import PostgresEngine
from moorage.store.postgres.schema import check_version
from moorage.store.queries import for_psycopg, load_migrations, load_queries
from tests.support.ports import reserve_port
from tests.support.postgres import PASSWORD, PostgresServer, names_of_tables, sql
from tests.support.program import moorage
from tests.support.registry import create_project
from tests.support.stores import Database
from tests.support.threads import run_concurrently


def test_concurrent_programs_can_start_on_a_new_database(postgres: PostgresServer, folder: Path) -> None:
    url = postgres.new_database("template0")

    run_concurrently(*[lambda: PostgresEngine(url, folder=folder).close()] * 6)

    assert sql(url, "SELECT version FROM moorage_schema ORDER BY version") == [
        (number,) for number in range(1, len(load_migrations()) + 1)
    ]


def test_a_database_of_a_newer_moorage_is_rejected(postgresql: Database) -> None:
    sql(postgresql.url, "INSERT INTO moorage_schema (version) VALUES (999)")

    with pytest.raises(SchemaTooNew, match="999"):
        postgresql.engine()


def test_a_database_of_another_program_is_not_changed(postgres: PostgresServer, folder: Path) -> None:
    url = postgres.new_database("template0")
    sql(url, "CREATE TABLE other_table (a INTEGER)")

    with pytest.raises(InvalidDatabase, match=r"another program \(other_table\)"):
        PostgresEngine(url, folder=folder)
    assert names_of_tables(url) == ["other_table"]


@pytest.mark.parametrize(("found", "version"), [(130_023, "13.23"), (90_624, "9.624")])
def test_an_old_postgresql_is_rejected(found: int, version: str) -> None:
    with pytest.raises(InvalidDatabase, match=f"{version}, but the oldest supported version is 14"):
        check_version(found, "postgresql://host/d")


def test_postgresql_16_is_supported(folder: Path) -> None:
    with PostgresServer(16) as server, closing(Database(server.new_database(), folder)) as database:
        store = database.store()
        assert create_project(store, "p") in store.projects()
        assert sql(database.url, "SHOW server_version")[0][0].startswith("16.")


def test_a_role_without_write_privileges_is_rejected(postgresql: Database) -> None:
    """Without this check, the error would come only with the first write."""
    name = postgresql.url.rpartition("/")[2]
    reader = f"reader_{name}"
    as_reader = f"postgresql://{reader}:x@{postgresql.url.rpartition('@')[2]}"
    sql(
        postgresql.url,
        f"CREATE ROLE {reader} LOGIN PASSWORD 'x'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}",
    )

    with closing(Database(as_reader, postgresql.folder)) as read_only:
        with pytest.raises(InvalidDatabase, match="its user lacks the privilege to write into the table alias"):
            read_only.store()
        sql(postgresql.url, f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {reader}")
        assert read_only.store().current_revision() == 0
        sql(postgresql.url, "CREATE TABLE other_table (a int)")  # as an extension would
        assert read_only.store().current_revision() == 0


def test_a_database_that_can_lose_commits_is_rejected(postgresql: Database) -> None:
    name = postgresql.url.rpartition("/")[2]
    sql(postgresql.url, f"ALTER DATABASE {name} SET synchronous_commit = off")

    with pytest.raises(InvalidDatabase, match="synchronous_commit is off"):
        postgresql.engine()


def test_each_write_turns_synchronous_commit_on(postgresql: Database) -> None:
    store, name = postgresql.store(), postgresql.url.rpartition("/")[2]
    for statement in (
        "CREATE SCHEMA other",
        "CREATE TABLE other.settings (setting TEXT)",
        "CREATE FUNCTION other.record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO other.settings VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$",
        "CREATE TRIGGER record AFTER INSERT ON project EXECUTE FUNCTION other.record()",
        f"ALTER DATABASE {name} SET synchronous_commit = off",
    ):
        sql(postgresql.url, statement)
    sessions = f"datname = '{name}' AND pid <> pg_backend_pid()"
    sql(postgresql.url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {sessions}")

    assert sql(postgresql.url, "SHOW synchronous_commit") == [("off",)]
    with suppress(StorageUnavailable):  # its connections were terminated
        create_project(store, "p")
    create_project(store, "q")

    assert {setting for (setting,) in sql(postgresql.url, "SELECT setting FROM other.settings")} == {"on"}


def test_a_database_that_cannot_store_every_character_is_rejected(postgres: PostgresServer, folder: Path) -> None:
    url = postgres.new_database("template0 ENCODING 'SQL_ASCII'")

    with pytest.raises(InvalidDatabase, match="its encoding is SQL_ASCII"):
        PostgresEngine(url, folder=folder)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://user:sesame@127.0.0.1:1/d", "127.0.0.1:1/d cannot be used: .*refused"),
        ("postgres://user:sesame@127.0.0.1:1/d?password=sesame", "refused"),
        ("postgresql://user:open@sesame@127.0.0.1:1/d", "write special characters"),
        ("postgresql://user:12/sesame@127.0.0.1:1/d", "write special characters"),
        ("postgresql://user:open/sesame@127.0.0.1:1/d", "write special characters"),
        ("postgresql://user:open%sesame@127.0.0.1:1/d", "write special characters"),
        ("postgresql://user:sesame", "write special characters"),
        ("postgresql://127.0.0.1/d?sesame", "write special characters"),
        ("postgresql://user:open/?sesame=1@127.0.0.1/d", "write special characters"),
        ("postgresql://127.0.0.1/d?password=open&sesame=1", "write special characters"),
        ("postgresql://user:sesame@127.0.0.1/d?sslmode=prefer&foo=bar", "its address has the option foo, which"),
    ],
)
def test_the_error_of_an_unusable_address_has_the_reason_without_the_password(
    url: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidDatabase, match=reason) as raised:
        open_store(url)
    assert "sesame" not in str(raised.value) + caplog.text


@pytest.mark.parametrize("listen", ["postgresql://user:p@sesame@h/d", "postgresql://h:abc/d", "sqlite:///moorage.db"])
def test_a_server_with_an_invalid_address_for_listen_does_not_start(
    postgresql: Database, folder: Path, listen: str
) -> None:
    result = moorage(
        "serve", "--port", str(reserve_port()), "--database", postgresql.url, "--database-listen", listen, folder=folder
    )

    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch("Error: .* its address for LISTEN cannot be read as postgresql://.*\n", result.stderr)
    assert "sesame" not in result.stderr


@pytest.mark.parametrize(
    ("given", "redacted"),
    [
        ("a/d", "a/d"),
        ("a:1/d", "a:1/d"),
        ("a:1,b:2/d", "a:1,b:2/d"),
        ("a,b:2/d", "a,b:2/d"),
        ("a,b/d?port=1", "a:1,b:1/d"),
        ("[::1]:1,b/d", "[::1]:1,b/d"),
    ],
)
def test_each_host_of_an_address_has_its_port(given: str, redacted: str) -> None:
    assert Address(f"postgresql://user:sesame@{given}").redacted == f"postgresql://{redacted}"


def test_no_message_and_no_file_has_the_password(postgresql: Database, postgres: PostgresServer, folder: Path) -> None:
    wrong = postgresql.url.replace("open", "closed")

    with pytest.raises(InvalidDatabase, match="password authentication failed") as raised:
        PostgresEngine(wrong, folder=folder)
    assert "sesame" not in str(raised.value)
    assert postgresql.engine().url == f"postgresql://127.0.0.1:{postgres.port}/{postgresql.url.rpartition('/')[2]}"
    assert [path.name for path in folder.iterdir() if PASSWORD in path.name] == []


def test_the_error_of_a_missing_extra_names_it() -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None; from moorage.store.opening import open_store;"
        "open_store('postgresql://user:sesame@host/d')"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (
        "postgresql://host/d cannot be used: PostgreSQL requires additional packages: pip install 'moorage[postgres]'"
        in (result.stderr)
    )


def test_a_full_disk_has_its_own_error_and_the_store_recovers(postgresql: Database) -> None:
    """A trigger raises the error that PostgreSQL raises."""
    store = postgresql.store()
    sql(
        postgresql.url,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$",
    )
    sql(postgresql.url, "CREATE TRIGGER full_disk BEFORE INSERT ON project EXECUTE FUNCTION full_disk()")

    with pytest.raises(StorageFull):
        create_project(store, "p")

    sql(postgresql.url, "DROP TRIGGER full_disk ON project")
    assert create_project(store, "p") in store.projects()
    assert store.current_revision() == 1


def test_only_the_parameters_of_a_query_are_translated() -> None:
    for name, query in load_queries().items():
        literals = query.split("'")[1::2]
        assert not [literal for literal in literals if ":" in literal or "%" in literal], name
        assert "::" not in query, f"{name}: a cast looks like a parameter"
        assert '"' not in query
        assert "%" not in query, f"{name}: psycopg reads it as a parameter"
        assert "--" not in query
        assert for_psycopg(query).replace("%(", ":").replace(")s", "") == query.replace(")s", "")


def test_a_folder_that_another_user_can_write_is_rejected(
    postgresql: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    PostgresEngine(postgresql.url).close()
    (shared,) = folder.iterdir()
    assert (shared.stat().st_mode & 0o777, [path.stat().st_mode & 0o777 for path in shared.iterdir()]) == (
        0o700,
        [0o600],
    )

    shared.chmod(0o777)
    with pytest.raises(InvalidDatabase, match="not a folder of this user alone"):
        PostgresEngine(postgresql.url)
    shared.rename(folder / "moved")
    shared.symlink_to(folder / "moved")
    with pytest.raises(InvalidDatabase, match="not a folder of this user alone"):
        PostgresEngine(postgresql.url)


def test_a_large_result_is_fetched_in_batches_and_allows_other_queries(postgresql: Database) -> None:
    engine = postgresql.engine()
    with engine.write() as run:
        run("insert_project", id="p", name="p", created_us=0, rev=1)
        for seq in range(1_100):
            names = {"id": f"d{seq}", "project_id": "p", "key": f"k{seq}", "version_id": f"v{seq}"}
            run("insert_deployment", **names, description="", owner="api", file=None, now_us=0, rev=seq)
            run(
                "insert_version", id=f"v{seq}", deployment_id=f"d{seq}", major=1, minor=0, prompt_config="", rev=seq,
                variables="", notes="", content_sha256="", created_us=0, api_key_id=None, made_as="published",
                description="", runtime_config="",
            )  # fmt: skip

    with engine.read() as stream:
        rows = stream("deployments")
        first = next(rows)
        assert list(stream("projects")) == [("p", "p", 0)]
        seqs = [first[4], *(row[4] for row in rows)]

    assert seqs == list(range(1_100))


def test_a_transaction_without_a_free_connection_waits_and_then_fails(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moorage.store.postgres.connections._ACQUIRE_SECONDS", 0.1)
    store = postgresql.store()
    transactions = [store.read() for _ in range(8)]
    for transaction in transactions:
        transaction.__enter__()

    with pytest.raises(StorageUnavailable, match="all connections to it are in use"):
        store.current_revision()

    for transaction in transactions:
        transaction.__exit__(None, None, None)
    assert store.current_revision() == 0
