"""`moorage doctor`: each finding is provoked, and the command changes nothing."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import apsw
import msgspec
import pytest

from moorage import __version__
from moorage.cli.main import main
from moorage.core.access import Scope
from moorage.diagnostics.finding import Finding
from moorage.diagnostics.run import diagnose
from moorage.diagnostics.sqlite import PROBLEM_BYTES, WARNING_BYTES
from moorage.store import queries
from moorage.store.opening import open_store
from moorage.store.postgres import schema as postgres_schema
from moorage.store.transfer.copy import Copy
from tests.support import golden
from tests.support.golden import NEWEST, NEWEST_IN_TESTS
from tests.support.ports import reserve_port
from tests.support.postgres import PASSWORD, PostgresServer, names_of_tables, sql
from tests.support.program import moorage
from tests.support.server import PROGRAM, Server, a_body, clean_environment
from tests.support.stores import Database, run_sql

EXAMPLES = Path(__file__).parents[2] / "examples"

#: No server listens on this port.
UNREACHABLE_URL = "http://127.0.0.1:1"

#: The only finding about settings without a problem.
VALID_SETTINGS = [("ok", "the settings are valid and do not conflict")]


def doctor(folder: Path, database: str, url: str = UNREACHABLE_URL, **settings: str) -> list[Finding]:
    """Return the findings of `moorage doctor`; check its exit code, and that each problem has a fix."""
    result = moorage(
        "doctor", "--database", database, "--url", url, "-o", "json", folder=folder, settings=settings
    )  # fmt: skip
    assert result.stderr == ""
    findings = msgspec.json.decode(result.stdout, type=list[Finding])
    assert result.returncode == any(finding.state == "problem" for finding in findings)
    assert not [finding for finding in findings if (finding.state == "ok") != (finding.fix == "")], "a fix is missing"
    return findings


def select(findings: list[Finding], subject: str) -> list[tuple[str, str]]:
    """Return the states and texts of the findings about a subject."""
    return [(finding.state, finding.finding) for finding in findings if finding.subject == subject]


def text_of(findings: list[Finding], subject: str, state: str) -> str:
    """Return the text and the fix of the only finding about a subject with this state."""
    (found,) = [finding for finding in findings if (finding.subject, finding.state) == (subject, state)]
    return f"{found.finding} — {found.fix}"


def fix_command(findings: list[Finding], subject: str, state: str) -> str:
    """Return the command in the fix of the only finding about a subject with this state, without alternatives."""
    return re.split(", (?=for |or |with )", text_of(findings, subject, state).rpartition(" — ")[2])[0]


@pytest.fixture
def migrated(database: Database) -> Database:
    """Return a database with its tables."""
    database.engine()
    return database


def test_a_healthy_server_has_only_ok_findings(migrated: Database, folder: Path) -> None:
    with Server(folder, database=migrated.url) as server:
        project = server.new_project()
        project.put("a")
        settings = {"MOORAGE_API_KEY": project.token, "MOORAGE_DATABASE": migrated.url, "MOORAGE_URL": server.url}
        settings["MOORAGE_PORT"] = str(server.port)

        findings = doctor(folder, migrated.url, server.url, **settings)
        shown = moorage("doctor", folder=folder, settings=settings)

    assert {finding.state for finding in findings} == {"ok"}
    subjects = [finding.subject for finding in findings]
    assert {"settings", "database", "permissions", "schema", "clock", "server"} <= set(subjects)
    assert {"version", "API key", "orq-ai-sdk 3.14.45"} <= set(subjects)
    assert shown.returncode == 0
    lines = [re.fullmatch(r"(ok|warning|problem) +(.+?)  — (.+)", line) for line in shown.stdout.splitlines()]
    assert [line and line[2] for line in lines] == subjects
    assert "sesame" not in str(findings) + shown.stdout


def test_a_new_installation_with_its_examples_has_only_ok_findings(folder: Path) -> None:
    with Server(folder, "--load", str(EXAMPLES)) as server:
        token = server.new_project().token

        shown = moorage("doctor", folder=folder, settings={"MOORAGE_URL": server.url, "MOORAGE_API_KEY": token})

    assert {line.split()[0] for line in shown.stdout.splitlines()} == {"ok"}, shown.stdout


def test_the_secret_key_is_compared_with_that_of_the_history(folder: Path) -> None:
    key, other = "k" * 32, "o" * 32
    with Server(folder, prefix=("env", f"MOORAGE_SECRET_KEY={key}")):
        pass  # the first API key is the first entry of the history
    database = f"sqlite:///{folder}/moorage.db"

    def history(**settings: str) -> list[tuple[str, str]]:
        return select(doctor(folder, database, **settings), "history")

    assert history(MOORAGE_SECRET_KEY=key) == [("ok", "authenticated with MOORAGE_SECRET_KEY")]
    assert history(MOORAGE_SECRET_KEY=f"{other},{key}") == [("ok", "authenticated with MOORAGE_SECRET_KEY")]
    for settings, reason in (({}, "is not set"), ({"MOORAGE_SECRET_KEY": other}, "has no such key")):
        ((state, text),) = history(**settings)
        assert state == "problem"
        assert text.endswith(f"but MOORAGE_SECRET_KEY {reason}")
        assert key not in text


def test_a_history_that_is_older_than_the_secret_key_is_reported(folder: Path) -> None:
    with Server(folder) as server:
        server.new_project()

    findings = doctor(folder, f"sqlite:///{folder}/moorage.db", MOORAGE_SECRET_KEY="k" * 32)

    assert text_of(findings, "history", "warning").endswith("moorage db authenticate")


def test_a_missing_file_is_reported_and_not_created(folder: Path) -> None:
    findings = doctor(folder, "sqlite:///new.db")

    assert "does not exist; the next start creates it" in text_of(findings, "database", "warning")
    assert select(findings, "permissions") == [("ok", "the file can be created")]
    assert list(folder.iterdir()) == []


def test_an_empty_database_is_reported_and_stays_empty(empty: Database, folder: Path) -> None:
    if empty.url.startswith("sqlite"):
        (folder / "moorage.db").touch()

    findings = doctor(folder, empty.url)

    text = f"the database has no tables; the next start creates them (schema {NEWEST})"
    assert select(findings, "schema") == [("ok", text)]
    assert run_sql(empty.url, query_for_tables(empty)) == []


@pytest.mark.parametrize("schema", range(1, NEWEST + 1))
def test_an_older_database_is_checked_and_not_upgraded(
    empty: Database, folder: Path, schema: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MIGRATIONS", golden.write_migrations(folder / "migrations"))
    golden.load(schema, empty.url)
    before = read_files(folder), golden.rows(empty.url), golden.structure(empty.url)

    findings = doctor(folder, empty.url)

    warning = text_of(findings, "schema", "warning")
    assert warning.startswith(f"{schema}; the next start upgrades it to {NEWEST_IN_TESTS}")
    assert select(findings, "orq-ai-sdk 4.17.13") == [("ok", "can parse every live version")]
    assert (read_files(folder), golden.rows(empty.url), golden.structure(empty.url)) == before
    assert golden.schema_of(empty.url) == schema


def test_a_database_in_use_is_checked(migrated: Database, folder: Path) -> None:
    with migrated.store().write() as write:
        write.insert_project("p")

        findings = doctor(folder, migrated.url)

    assert select(findings, "schema") == [("ok", f"{NEWEST} (current)")]


def test_a_newer_schema_is_reported_and_the_rows_are_not_read(migrated: Database, folder: Path) -> None:
    newer = "PRAGMA user_version = 999"
    run_sql(migrated.url, newer if "sqlite" in migrated.url else "INSERT INTO moorage_schema (version) VALUES (999)")

    findings = doctor(folder, migrated.url)

    problem = text_of(findings, "schema", "problem")
    assert problem.startswith("999 is not supported: this Moorage supports schemas up to")
    assert findings[-1].subject == "server"
    assert findings[-2].subject == "schema"


def test_a_database_of_another_program_is_reported(empty: Database, folder: Path) -> None:
    run_sql(empty.url, "CREATE TABLE theirs (a INTEGER)")

    assert "another program" in text_of(doctor(folder, empty.url), "database", "problem")


def test_a_missing_revision_is_reported(migrated: Database, folder: Path) -> None:
    run_sql(migrated.url, "DELETE FROM revision")

    assert "the row with the revision is missing" in text_of(doctor(folder, migrated.url), "revision", "problem")


def test_a_write_dated_in_the_future_is_reported(migrated: Database, folder: Path) -> None:
    ahead_us = 3 * 86_400_000_000 + 60_000_000
    run_sql(migrated.url, f"UPDATE revision SET last_created_us = {time.time_ns() // 1000 + ahead_us}")

    assert "which is 3 days ahead of the local clock" in text_of(doctor(folder, migrated.url), "clock", "warning")


def test_deployments_that_an_sdk_version_cannot_parse_are_reported_by_name(migrated: Database, folder: Path) -> None:
    with Server(folder, database=migrated.url) as server:
        project = server.new_project()
        messages = [{"role": "developer", "content": "Hello"}]
        parameters = {"reasoningEffort": "xhigh", "thinkingLevel": "medium"}
        project.put("old", a_body(provider="contextualai"))
        project.put("new", a_body(provider="xai", messages=messages, model_parameters=parameters))
        project.put("scan", a_body(model_type="ocr", provider="deepseek"))
        project.put("gone", a_body(provider="minimax"))
        project.request("DELETE", "/v2/deployments/gone")
        for number in range(7):
            project.put(f"many{number}", a_body(provider="zai"))

    findings = doctor(folder, migrated.url)

    newest, middle, oldest = (
        "\n".join(text for state, text in select(findings, f"orq-ai-sdk {version}") if "cannot parse" in text)
        for version in ("4.17.13", "4.1.0rc44", "3.14.45")
    )
    name = project.name
    states = {version: select(findings, f"orq-ai-sdk {version}")[0][0] for version in ("4.17.13", "3.14.45")}
    assert states == {"4.17.13": "warning", "3.14.45": "ok"}, "few users still have the older one"
    assert newest == f"cannot parse a page with provider contextualai ({name}/old)"
    for value in ("provider xai", "role developer", "reasoningEffort xhigh", "thinkingLevel medium"):
        assert f"{value} ({name}/new)" in middle
        assert f"{value} ({name}/new)" in oldest
    assert f"model_type ocr ({name}/scan)" in middle
    assert "deepseek" not in middle + newest
    assert f"provider contextualai ({name}/old)" in oldest
    assert f"provider deepseek ({name}/scan)" in oldest
    assert f"{name}/many4 and 2 more)" in oldest
    assert "minimax" not in oldest, "deleted deployments are on no page"


def test_content_that_cannot_be_decoded_is_reported(migrated: Database, folder: Path) -> None:
    with Server(folder, database=migrated.url) as server:
        project = server.new_project()
        project.put("a")
    run_sql(migrated.url, "UPDATE version SET prompt_config = '{\"model\": 1}'")

    findings = doctor(folder, migrated.url)

    assert f"the content of {project.name}/a cannot be decoded" in text_of(findings, "values", "problem")


def test_an_unfinished_copy_is_reported_with_the_command_that_resumes_it(empty: Database, folder: Path) -> None:
    with closing(open_store(f"sqlite:///{folder}/old one.db")) as source, source.dump() as dump:
        Copy(source, dump, empty.engine()).begin()

    findings = doctor(folder, empty.url)
    program, *arguments = shlex.split(fix_command(findings, "copy", "problem"))
    # The fix contains no password.
    done = moorage(*arguments, folder=folder, settings={"PGUSER": "moorage", "PGPASSWORD": PASSWORD})

    assert "old one.db is unfinished, so no server can start" in text_of(findings, "copy", "problem")
    assert (program, done.returncode) == ("moorage", 0), done.stderr
    assert select(doctor(folder, empty.url), "copy") == []


# SQLite


@pytest.mark.parametrize(
    ("make", "database", "reason"),
    [
        (lambda folder: (folder / "x.db").write_text("hello\n" * 1000), "sqlite:///x.db", "not a SQLite database"),
        (lambda folder: (folder / "x.db").mkdir(), "sqlite:///x.db", "is a folder"),
        (lambda folder: None, "sqlite:///nowhere/x.db", "nowhere does not exist"),
        (
            lambda folder: (folder / "x.db").touch(),
            "sqlite:///x.db/y/z.db",
            "x.db is not a folder — set MOORAGE_DATABASE",
        ),
        (
            lambda folder: (folder / "x").symlink_to("gone"),
            "sqlite:///x/y.db",
            "x is not a folder — set MOORAGE_DATABASE",
        ),
        (lambda folder: None, "mysql://user:sesame@host/d", "mysql://host/d is not a valid database URL"),
    ],
)
def test_an_invalid_database_is_reported(
    folder: Path, make: Callable[[Path], object], database: str, reason: str
) -> None:  # fmt: skip
    make(folder)
    before = read_files(folder)

    findings = doctor(folder, database)

    assert reason in text_of(findings, "database", "problem")
    assert "sesame" not in str(findings)
    assert read_files(folder) == before


def test_a_file_that_other_users_can_read_is_reported(folder: Path) -> None:
    Database(f"sqlite:///{folder}/moorage.db", folder).engine().close()
    (folder / "moorage.db").chmod(0o644)

    warning = text_of(doctor(folder, "sqlite:///moorage.db"), "permissions", "warning")

    assert f"chmod 600 {folder}/moorage.db" in warning
    assert "-revision" not in warning


def test_the_fix_for_a_missing_folder_creates_it(folder: Path) -> None:
    database = f"sqlite:///{folder}/no such folder/it's deeper/moorage.db"

    run_in_shell(fix_command(doctor(folder, database), "database", "problem"))

    assert "does not exist; the next start creates it" in text_of(doctor(folder, database), "database", "warning")


def test_the_fix_for_a_file_that_other_users_can_read_protects_it(folder: Path) -> None:
    (folder / "my folder").mkdir()
    database = Database(f"sqlite:///{folder}/my folder/moorage.db", folder)
    database.engine().close()
    (folder / "my folder" / "moorage.db").chmod(0o644)

    run_in_shell(fix_command(doctor(folder, database.url), "permissions", "warning"))

    assert text_of(doctor(folder, database.url), "permissions", "ok")


def test_the_fix_for_a_folder_that_is_not_writable_is_a_chown_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    (folder / "my folder").mkdir()

    command = fix_command(list(diagnose(f"sqlite:///{folder}/my folder/moorage.db")), "permissions", "problem")

    assert shlex.split(command) == ["chown", str(os.geteuid()), f"{folder}/my folder"]


def test_a_sqlite_with_the_wal_reset_bug_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")

    assert "3.51.2 can corrupt a database" in text_of(list(diagnose(f"sqlite:///{folder}/a.db")), "SQLite", "problem")


@pytest.mark.parametrize(
    ("options", "subject", "state", "text"),
    [
        ("ro", "permissions", "problem", "this user cannot write to"),
        (f"size={PROBLEM_BYTES - 4096}", "disk", "problem", "15 MiB are free"),
        (f"size={WARNING_BYTES - 4096}", "disk", "warning", "511 MiB are free"),
    ],
)
def test_a_read_only_or_nearly_full_disk_is_reported(
    folder: Path, options: str, subject: str, state: str, text: str
) -> None:
    (folder / "disk").mkdir()
    script = f'mount -t tmpfs -o {options} tmpfs "$0" && exec "$@"'
    disk = ("unshare", "--mount", "--user", "--map-root-user", "--", "sh", "-c", script, str(folder / "disk"))
    done = subprocess.run(
        [*disk, *PROGRAM, "doctor", "--database", "sqlite:///disk/a.db", "--url", UNREACHABLE_URL, "-o", "json"],
        cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip

    findings = msgspec.json.decode(done.stdout, type=list[Finding])

    assert text in text_of(findings, subject, state)
    assert done.returncode == (state == "problem")


# PostgreSQL


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://user:sesame@127.0.0.1:1/d", "refused"),
        ("postgresql://user:open@sesame@127.0.0.1:1/d", "write special characters"),
        ("postgresql://user:sesame@nowhere.invalid/d", "nowhere.invalid"),
    ],
)
def test_an_unreachable_database_is_reported_without_its_password(folder: Path, url: str, reason: str) -> None:
    findings = doctor(folder, url)

    assert reason in text_of(findings, "database", "problem")
    assert "sesame" not in str(findings)


def test_a_wrong_password_is_reported_and_not_shown(postgresql: Database, folder: Path) -> None:
    findings = doctor(folder, postgresql.url.replace("open", "closed"))

    assert "password authentication failed" in text_of(findings, "database", "problem")
    assert "sesame" not in str(findings)
    assert PASSWORD not in str(findings)


def test_settings_that_can_lose_committed_data_are_reported(
    postgresql: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(postgresql.url, f"ALTER DATABASE {database_name(postgresql.url)} SET synchronous_commit = off")
    assert "synchronous_commit is off" in text_of(doctor(folder, postgresql.url), "database", "problem")

    monkeypatch.setattr(postgres_schema, "_SETTINGS", "SELECT 'off', 'on', 'UTF8'")
    problem = text_of(list(diagnose(postgresql.url)), "database", "problem")
    assert "its setting fsync is off: it can lose committed data — set fsync = on in postgresql.conf" in problem


def test_an_unsupported_postgresql_version_is_reported(postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_schema, "OLDEST_VERSION", 990_000)

    assert "upgrade PostgreSQL" in text_of(list(diagnose(postgresql.url)), "database", "problem")


def test_an_encoding_other_than_utf_8_is_reported(postgres: PostgresServer, folder: Path) -> None:
    url = postgres.new_database("template0 ENCODING 'SQL_ASCII'")

    assert "ENCODING 'UTF8'" in text_of(doctor(folder, url), "database", "problem")
    assert names_of_tables(url) == []


def test_a_difference_between_the_clocks_is_reported(postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 90_000_000_000)

    assert "differ by 90 seconds" in text_of(list(diagnose(postgresql.url)), "clock", "warning")


def test_missing_privileges_of_a_role_are_reported(
    postgresql: Database, postgres: PostgresServer, folder: Path
) -> None:
    role = f"limited_{database_name(postgresql.url)}"
    sql(postgresql.url, f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    at = f"postgresql://{role}:x@127.0.0.1:{postgres.port}"
    as_role = f"{at}/{database_name(postgresql.url)}"
    empty = f"{at}/{database_name(postgres.new_database('template0'))}"

    unreadable = doctor(folder, as_role)
    sql(postgresql.url, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    foreign = doctor(folder, as_role)
    nothing = doctor(folder, empty)
    for table in names_of_tables(postgresql.url):
        sql(postgresql.url, f"ALTER TABLE {table} OWNER TO {role}")
    sql(postgresql.url, f"GRANT CREATE ON SCHEMA public TO {role}")
    owner = doctor(folder, as_role)

    problems = [text for state, text in select(unreadable, "permissions") if state == "problem"]
    assert [text for text in problems if re.match(rf"the role {role} cannot write to .*deployment", text)] == problems
    assert select(unreadable, "database")[-1] == ("problem", "the role cannot read the tables")
    warnings = [text for state, text in select(foreign, "permissions") if state == "warning"]
    assert "does not own" in warnings[0]
    assert "cannot create tables in public" in warnings[1]
    assert select(nothing, "permissions") == [("problem", f"the role {role} cannot create tables in public")]
    assert select(owner, "permissions") == [("ok", f"the role {role} can create and write tables in public")]


@pytest.mark.parametrize(
    "statement",
    [
        "REVOKE ALL ON SCHEMA public FROM public",
        "REVOKE CREATE ON SCHEMA public FROM public",
        "ALTER ROLE {role} SET search_path = nowhere, elsewhere",
        'CREATE SCHEMA "My Schema"; ALTER ROLE {role} SET search_path = nowhere, "My Schema"',
        "CREATE SCHEMA {role}; REVOKE ALL ON SCHEMA public FROM public",
        "DROP SCHEMA public",
        "GRANT CREATE ON SCHEMA public TO {role}; ALTER ROLE {role} SET search_path = ''",
    ],
)
def test_the_fix_for_a_role_that_cannot_create_tables_grants_the_privilege(
    postgres: PostgresServer, folder: Path, statement: str
) -> None:
    url = postgres.new_database("template0")
    as_role, role = create_role(postgres, url)
    sql(url, statement.format(role=role))

    sql(url, fix_command(doctor(folder, as_role), "permissions", "problem"))

    text = text_of(doctor(folder, as_role), "permissions", "ok")
    assert text.startswith(f"the role {role} can create and write tables in ")
    open_store(as_role).close()


def test_the_fix_for_a_role_that_does_not_own_the_tables_makes_it_the_owner(
    postgresql: Database, postgres: PostgresServer, folder: Path
) -> None:
    as_role, role = create_role(postgres, postgresql.url)
    sql(postgresql.url, f"GRANT CREATE ON SCHEMA public TO {role}")

    statement = fix_command(doctor(folder, as_role), "permissions", "problem")
    for table in names_of_tables(postgresql.url):
        sql(postgresql.url, statement.replace("…", table))

    assert {state for state, _ in select(doctor(folder, as_role), "permissions")} == {"ok"}


def test_a_read_only_database_is_reported(postgresql: Database, folder: Path) -> None:
    sql(postgresql.url, f"ALTER DATABASE {database_name(postgresql.url)} SET default_transaction_read_only = on")

    assert "the database is read-only" in text_of(doctor(folder, postgresql.url), "permissions", "problem")


def test_missing_notifications_are_reported(postgresql: Database, postgres: PostgresServer, folder: Path) -> None:
    """Notifications do not reach another database, so it has the effect of a pgbouncer."""
    elsewhere = doctor(folder, postgresql.url, MOORAGE_DATABASE_LISTEN=postgres.new_database("template0"))
    nowhere = doctor(folder, postgresql.url, MOORAGE_DATABASE_LISTEN="postgresql://u:sesame@127.0.0.1:1/d")

    assert "notifications do not arrive" in text_of(elsewhere, "notifications", "warning")
    assert "refused" in text_of(nowhere, "notifications", "problem")
    assert "sesame" not in str(elsewhere + nowhere)


def test_an_invalid_listen_address_is_reported_by_the_name_of_the_setting(postgresql: Database, folder: Path) -> None:
    findings = doctor(folder, postgresql.url, MOORAGE_DATABASE_LISTEN="postgresql://user:open@sesame@127.0.0.1/d")

    assert "MOORAGE_DATABASE_LISTEN cannot be read" in text_of(findings, "notifications", "problem")
    assert [state for state, _ in select(findings, "database")] == ["ok"]
    assert select(findings, "schema") == [("ok", f"{NEWEST} (current)")]
    assert "sesame" not in str(findings)


def test_without_psycopg_the_missing_extra_is_named() -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None; from moorage.diagnostics.run import diagnose;"
        "print(*diagnose('postgresql://user:sesame@host/d'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "psycopg is not installed" in done.stdout
    assert "moorage[postgres]" in done.stdout


# The server


@contextmanager
def stub_server(responses: dict[str, tuple[int, object]]) -> Iterator[str]:
    """Run a server that returns a status and body for each path; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = responses.get(self.path, (404, "nothing"))
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (UNREACHABLE_URL, "connection refused"),
        ("http://user:sesame@127.0.0.1:1", "connection refused"),
        ("http://nowhere.invalid", "http://nowhere.invalid is unreachable"),
    ],
)
def test_an_unreachable_server_is_reported(folder: Path, url: str, reason: str) -> None:
    findings = doctor(folder, "sqlite:///a.db", url)

    assert reason in text_of(findings, "server", "warning")
    assert "sesame" not in str(findings)


@pytest.mark.parametrize("url", ["http://127.0.0.1:x", "nonsense", "ftp://host", "http://"])
def test_an_invalid_server_url_is_reported(folder: Path, url: str) -> None:
    assert "is not a valid server URL: " in text_of(doctor(folder, "sqlite:///a.db", url), "server", "problem")


@pytest.mark.parametrize(
    ("status", "health", "state"),
    [(200, "degraded", "warning"), (503, "stale", "problem"), (200, "ready", "ok")],
)
def test_the_health_and_version_of_the_server_are_reported(folder: Path, status: int, health: str, state: str) -> None:
    document = {"info": {"version": "0.0.7"}}
    with stub_server({"/health/ready": (status, {"status": health}), "/openapi.json": (200, document)}) as url:
        findings = doctor(folder, "sqlite:///a.db", url)

    assert health in text_of(findings, "server", state)
    versions = f"the server has version 0.0.7, and this program has version {__version__}"
    assert versions in text_of(findings, "version", "warning")
    assert "MOORAGE_API_KEY is not set" in text_of(findings, "API key", "warning")


def test_a_server_of_another_program_is_reported(folder: Path) -> None:
    with stub_server({}) as url:
        assert "is not a Moorage server" in text_of(doctor(folder, "sqlite:///a.db", url), "server", "problem")


def test_accepted_and_rejected_api_keys_are_reported(server: Server, folder: Path) -> None:
    project = server.new_project()

    def check_key(token: str) -> list[tuple[str, str]]:
        return select(doctor(folder, server.database, server.url, MOORAGE_API_KEY=token), "API key")

    assert check_key(project.token) == [("ok", "accepted")]
    ((state, text),) = check_key(project.key(Scope.INVOKE)[1])
    assert (state, text.partition(";")[0]) == ("ok", "accepted")
    ((state, text),) = check_key("mrg_invented")
    assert state == "problem"
    assert text.startswith("the server returns 401: ")
    assert "mrg_invented" not in text


# The settings


def test_conflicting_and_unknown_settings_are_reported(folder: Path) -> None:
    (folder / "key").write_text("mrg_x\n")
    (folder / "key").chmod(0o644)
    settings = {
        "MOORAGE_DATABASE_LISTEN": "postgresql://u:sesame@h/d",
        "MOORAGE_PORT": str(reserve_port()),
        "MOORAGE_LOAD": "nowhere",
        "MOORAGE_DATABSE": "sqlite:///a.db",
        "MOORAGE_API_KEY_FILE": str(folder / "key"),
    }
    findings = doctor(folder, "sqlite:///a.db", **settings)

    about_settings = [finding for finding in findings if finding.subject == "settings"]
    lines = [f"{finding.state}: {finding.finding} — {finding.fix}" for finding in about_settings]
    assert len(lines) == 5
    for line, words in zip(
        lines,
        (
            "problem: MOORAGE_LOAD: nowhere does not exist",
            f"warning: every user can read the secret in {folder}/key — chmod 600",
            "warning: MOORAGE_DATABASE_LISTEN is set, but MOORAGE_DATABASE is SQLite",
            "warning: MOORAGE_URL has port 8700, but `moorage serve` listens on port ",
            "warning: MOORAGE_DATABSE is not a setting of Moorage — unset it, or set MOORAGE_DATABASE instead",
        ),
        strict=True,
    ):
        assert words in line
    assert "sesame" not in str(findings)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"MOORAGE_PORT": "x"}, "MOORAGE_PORT: 'x' is not a valid"),
        ({"MOORAGE_WORKERS": "0"}, "MOORAGE_WORKERS: 0 is not in the range"),
        ({"MOORAGE_LOG_FORMAT": "xml"}, "MOORAGE_LOG_FORMAT: 'xml' is not one of"),
        ({"MOORAGE_LOAD": "a", "MOORAGE_LOAD_FILE": "b"}, "MOORAGE_LOAD and MOORAGE_LOAD_FILE are both set"),
        ({"MOORAGE_LOAD_FILE": "nowhere"}, "MOORAGE_LOAD_FILE: "),
        ({"MOORAGE_SECRET_KEY": "short"}, "MOORAGE_SECRET_KEY: the key has 5 characters, and needs at least 32"),
    ],
)
def test_an_invalid_setting_is_reported(folder: Path, settings: dict[str, str], reason: str) -> None:
    assert reason in "\n".join(
        finding.finding for finding in doctor(folder, "sqlite:///a.db", **settings) if finding.state == "problem"
    )


def test_the_fix_for_an_unreadable_settings_file_names_its_variable(folder: Path) -> None:
    findings = doctor(folder, "sqlite:///a.db", MOORAGE_DATABASE_FILE="nowhere")

    assert text_of(findings, "settings", "problem").endswith(" — correct MOORAGE_DATABASE_FILE, or unset it")


@pytest.mark.parametrize("port", ["abc", "0", "99999"])
def test_an_invalid_port_is_not_compared_with_the_server_url(folder: Path, port: str) -> None:
    findings = doctor(folder, "sqlite:///a.db", MOORAGE_PORT=port)

    assert [state for state, _ in select(findings, "settings")] == ["problem"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:abc", "http://[", "http://127.0.0.1"])
def test_a_server_url_without_a_valid_port_does_not_conflict_with_the_port(folder: Path, url: str) -> None:
    assert select(doctor(folder, "sqlite:///a.db", MOORAGE_URL=url), "settings") == VALID_SETTINGS


def test_the_fix_for_a_secret_that_every_user_can_read_protects_it(folder: Path) -> None:
    (folder / "my key").write_text("mrg_x\n")
    (folder / "my key").chmod(0o644)

    findings = doctor(folder, "sqlite:///a.db", MOORAGE_API_KEY_FILE=f"{folder}/my key")
    run_in_shell(fix_command(findings, "settings", "warning"))

    findings = doctor(folder, "sqlite:///a.db", MOORAGE_API_KEY_FILE=f"{folder}/my key")
    assert select(findings, "settings") == VALID_SETTINGS


def test_a_secret_file_of_another_user_is_not_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a container, a secret file belongs to a user of the host, so `chmod` fails."""
    (folder / "key").write_text("mrg_x\n")
    (folder / "key").chmod(0o644)
    monkeypatch.setenv("MOORAGE_API_KEY_FILE", f"{folder}/key")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    main(
        ["doctor", "--database", f"sqlite:///{folder}/a.db", "--url", UNREACHABLE_URL, "-o", "json"],
        standalone_mode=False,
    )

    findings = msgspec.json.decode(capsys.readouterr().out, type=list[Finding])
    assert select(findings, "settings") == VALID_SETTINGS


def run_in_shell(command: str) -> None:
    """Run a command in a shell."""
    subprocess.run(command, shell=True, check=True)


def database_name(url: str) -> str:
    return url.rpartition("/")[2]


def create_role(postgres: PostgresServer, url: str) -> tuple[str, str]:
    """Create a role whose name must be quoted; return the URL of a database with this role, and the quoted name."""
    name = f"my-app-{database_name(url)}"
    sql(url, f"CREATE ROLE \"{name}\" LOGIN PASSWORD 'x'")
    return f"postgresql://{name}:x@127.0.0.1:{postgres.port}/{database_name(url)}", f'"{name}"'


def query_for_tables(database: Database) -> str:
    sqlite_query = "SELECT name FROM sqlite_schema"
    return sqlite_query if "sqlite" in database.url else "SELECT 1 FROM pg_tables WHERE schemaname = 'public'"


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the content of each file in a folder by its name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def empty(engine: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """Return a database without tables, on each engine."""
    postgresql = engine == "postgresql"
    url = (
        request.getfixturevalue("postgres").new_database("template0")
        if postgresql
        else f"sqlite:///{folder}/moorage.db"
    )
    with closing(Database(url, folder)) as database:
        yield database
