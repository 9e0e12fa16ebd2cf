"""`moorage doctor`: each finding is provoked, and nothing is changed by looking."""

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
from moorage.diagnostics.run import examine
from moorage.diagnostics.sqlite import LEAST_ROOM, ROOM
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
from tests.support.stores import Database, behind

#: Nobody listens there.
INITIAL = "http://127.0.0.1:1"


def doctor(folder: Path, database: str, url: str = INITIAL, **settings: str) -> list[Finding]:
    """What it finds; its exit code tells of problems."""
    result = moorage(
        "doctor", "--database", database, "--url", url, "-o", "json", folder=folder, settings=settings
    )  # fmt: skip
    assert result.stderr == ""
    found = msgspec.json.decode(result.stdout, type=list[Finding])
    assert result.returncode == any(each.state == "problem" for each in found)
    assert not [each for each in found if (each.state == "ok") != (each.fix == "")], "what is wrong comes with a fix"
    return found


def told(found: list[Finding], what: str) -> list[tuple[str, str]]:
    """The states and findings about one thing."""
    return [(each.state, each.finding) for each in found if each.what == what]


def one(found: list[Finding], what: str, state: str) -> str:
    """The one finding about a thing that has this state."""
    (finding,) = [each for each in found if (each.what, each.state) == (what, state)]
    return f"{finding.finding} — {finding.fix}"


def command(found: list[Finding], what: str, state: str) -> str:
    """What is to be run, by the one finding about a thing that has this state; what else could be done is left out."""
    return re.split(", (?=for |or |with )", one(found, what, state).rpartition(" — ")[2])[0]


@pytest.fixture
def made(database: Database) -> Database:
    """A database with its tables."""
    database.engine()
    return database


def test_a_healthy_server_has_nothing_but_oks(made: Database, folder: Path) -> None:
    with Server(folder, database=made.url) as server:
        project = server.new_project()
        project.put("a")
        settings = {"MOORAGE_API_KEY": project.token, "MOORAGE_DATABASE": made.url, "MOORAGE_URL": server.url}
        settings["MOORAGE_PORT"] = str(server.port)

        found = doctor(folder, made.url, server.url, **settings)
        shown = moorage("doctor", folder=folder, settings=settings)

    assert {each.state for each in found} == {"ok"}
    assert {each.what for each in found} >= {"settings", "database", "permissions", "schema", "clock", "server"}
    assert {"version", "API key", "orq-ai-sdk 3.14.45"} <= {each.what for each in found}
    assert shown.returncode == 0
    lines = [re.fullmatch(r"(ok|warning|problem) +(.+?)  — (.+)", line) for line in shown.stdout.splitlines()]
    assert [line and line[2] for line in lines] == [each.what for each in found]
    assert "sesame" not in str(found) + shown.stdout


def test_a_file_that_is_not_there_is_told_and_not_made(folder: Path) -> None:
    found = doctor(folder, "sqlite:///new.db")

    assert "there is no file" in one(found, "database", "warning")
    assert told(found, "permissions") == [("ok", "it can be made")]
    assert list(folder.iterdir()) == []


def test_an_empty_database_is_told_and_left_empty(empty: Database, folder: Path) -> None:
    if empty.url.startswith("sqlite"):
        (folder / "moorage.db").touch()

    found = doctor(folder, empty.url)

    assert told(found, "schema") == [("ok", f"there are no tables yet; the next start makes them (schema {NEWEST})")]
    assert behind(empty.url, tables(empty)) == []


@pytest.mark.parametrize("schema", range(1, NEWEST + 1))
def test_an_older_database_is_examined_and_not_upgraded(
    empty: Database, folder: Path, schema: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MIGRATIONS", golden.write_migrations(folder / "migrations"))
    golden.load(schema, empty.url)
    before = contents(folder), golden.rows(empty.url), golden.structure(empty.url)

    found = doctor(folder, empty.url)

    assert one(found, "schema", "warning").startswith(f"{schema}; the next start upgrades it to {NEWEST_IN_TESTS}")
    assert told(found, "orq-ai-sdk 4.17.13") == [("ok", "can read every live version")]
    assert (contents(folder), golden.rows(empty.url), golden.structure(empty.url)) == before
    assert golden.schema_of(empty.url) == schema


def test_a_database_that_is_in_use_is_looked_at_too(made: Database, folder: Path) -> None:
    with made.store().write() as write:
        write.insert_project("p")

        found = doctor(folder, made.url)

    assert told(found, "schema") == [("ok", f"{NEWEST}, the newest")]


def test_the_database_of_a_newer_moorage_is_told_and_its_rows_are_not_read(made: Database, folder: Path) -> None:
    newer = "PRAGMA user_version = 999"
    behind(made.url, newer if "sqlite" in made.url else "INSERT INTO moorage_schema (version) VALUES (999)")

    found = doctor(folder, made.url)

    assert one(found, "schema", "problem").startswith("999, and this Moorage knows schemas up to")
    assert found[-1].what == "server"
    assert found[-2].what == "schema"


def test_another_programs_database_is_told(empty: Database, folder: Path) -> None:
    behind(empty.url, "CREATE TABLE theirs (a INTEGER)")

    assert "another program" in one(doctor(folder, empty.url), "database", "problem")


def test_a_database_whose_row_of_the_revision_is_gone_is_told(made: Database, folder: Path) -> None:
    behind(made.url, "DELETE FROM revision")

    assert "its row is gone" in one(doctor(folder, made.url), "revision", "problem")


def test_a_write_that_is_dated_in_the_future_is_told(made: Database, folder: Path) -> None:
    ahead_us = 3 * 86_400_000_000 + 60_000_000
    behind(made.url, f"UPDATE revision SET last_created_us = {time.time_ns() // 1000 + ahead_us}")

    assert "which is 3 days ahead of this machine's clock" in one(doctor(folder, made.url), "clock", "warning")


def test_who_cannot_read_a_deployment_is_told_with_its_name(made: Database, folder: Path) -> None:
    with Server(folder, database=made.url) as server:
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

    found = doctor(folder, made.url)

    newest, middle, oldest = (
        "\n".join(text for state, text in told(found, f"orq-ai-sdk {version}") if state == "warning")
        for version in ("4.17.13", "4.1.0rc44", "3.14.45")
    )
    name = project.name
    assert newest == f"cannot read a page that has provider contextualai ({name}/old)"
    for value in ("provider xai", "role developer", "reasoningEffort xhigh", "thinkingLevel medium"):
        assert f"{value} ({name}/new)" in middle
        assert f"{value} ({name}/new)" in oldest
    assert f"model_type ocr ({name}/scan)" in middle
    assert "deepseek" not in middle + newest
    assert f"provider contextualai ({name}/old)" in oldest
    assert f"provider deepseek ({name}/scan)" in oldest
    assert f"{name}/many4 and 2 more)" in oldest
    assert "minimax" not in oldest, "what is deleted is on no page"


def test_a_version_that_moorage_did_not_write_is_told(made: Database, folder: Path) -> None:
    with Server(folder, database=made.url) as server:
        project = server.new_project()
        project.put("a")
    behind(made.url, "UPDATE version SET prompt_config = '{\"model\": 1}'")

    assert f"{project.name}/a is not as Moorage writes it" in one(doctor(folder, made.url), "values", "problem")


def test_a_copy_that_is_not_finished_is_told_with_the_command_that_finishes_it(empty: Database, folder: Path) -> None:
    with closing(open_store(f"sqlite:///{folder}/old one.db")) as source, source.dump() as dump:
        Copy(source, dump, empty.engine()).begin()

    found = doctor(folder, empty.url)
    told_to, *arguments = shlex.split(command(found, "copy", "problem"))
    # What is told has no password.
    done = moorage(*arguments, folder=folder, settings={"PGUSER": "moorage", "PGPASSWORD": PASSWORD})

    assert "old one.db is not finished, so no server starts" in one(found, "copy", "problem")
    assert (told_to, done.returncode) == ("moorage", 0), done.stderr
    assert told(doctor(folder, empty.url), "copy") == []


# What is SQLite's own.


@pytest.mark.parametrize(
    ("make", "database", "reason"),
    [
        (lambda folder: (folder / "x.db").write_text("hello\n" * 1000), "sqlite:///x.db", "not a SQLite database"),
        (lambda folder: (folder / "x.db").mkdir(), "sqlite:///x.db", "is a folder"),
        (lambda folder: None, "sqlite:///nowhere/x.db", "there is no folder"),
        (lambda folder: (folder / "x.db").touch(), "sqlite:///x.db/y/z.db", "x.db is no folder — set MOORAGE_DATABASE"),
        (lambda folder: (folder / "x").symlink_to("gone"), "sqlite:///x/y.db", "x is no folder — set MOORAGE_DATABASE"),
        (lambda folder: None, "mysql://user:sesame@host/d", "mysql://host/d is no address of a database"),
    ],
)
def test_what_is_no_database_is_told(
    folder: Path, make: Callable[[Path], object], database: str, reason: str
) -> None:  # fmt: skip
    make(folder)
    before = contents(folder)

    found = doctor(folder, database)

    assert reason in one(found, "database", "problem")
    assert "sesame" not in str(found)
    assert contents(folder) == before


def test_a_file_that_others_may_open_is_told(folder: Path) -> None:
    Database(f"sqlite:///{folder}/moorage.db", folder).engine().close()
    (folder / "moorage.db").chmod(0o644)

    warning = one(doctor(folder, "sqlite:///moorage.db"), "permissions", "warning")

    assert f"chmod 600 {folder}/moorage.db" in warning
    assert "-revision" not in warning


def test_a_folder_that_is_not_there_is_made_by_what_is_told(folder: Path) -> None:
    database = f"sqlite:///{folder}/no such folder/it's deeper/moorage.db"

    run(command(doctor(folder, database), "database", "problem"))

    assert "there is no file" in one(doctor(folder, database), "database", "warning")


def test_a_file_that_others_may_open_is_closed_by_what_is_told(folder: Path) -> None:
    (folder / "my folder").mkdir()
    database = Database(f"sqlite:///{folder}/my folder/moorage.db", folder)
    database.engine().close()
    (folder / "my folder" / "moorage.db").chmod(0o644)

    run(command(doctor(folder, database.url), "permissions", "warning"))

    assert one(doctor(folder, database.url), "permissions", "ok")


def test_who_is_to_own_a_file_is_told_as_a_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    (folder / "my folder").mkdir()

    told_to = command(list(examine(f"sqlite:///{folder}/my folder/moorage.db")), "permissions", "problem")

    assert shlex.split(told_to) == ["chown", str(os.geteuid()), f"{folder}/my folder"]


def test_a_sqlite_with_the_wal_reset_bug_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")

    assert "3.51.2 can corrupt a database" in one(list(examine(f"sqlite:///{folder}/a.db")), "SQLite", "problem")


@pytest.mark.parametrize(
    ("options", "what", "state", "reason"),
    [
        ("ro", "permissions", "problem", "this user cannot write"),
        (f"size={LEAST_ROOM - 4096}", "disk", "problem", "15 MiB are free"),
        (f"size={ROOM - 4096}", "disk", "warning", "511 MiB are free"),
    ],
)
def test_a_disk_that_cannot_take_more_is_told(folder: Path, options: str, what: str, state: str, reason: str) -> None:
    (folder / "disk").mkdir()
    script = f'mount -t tmpfs -o {options} tmpfs "$0" && exec "$@"'
    disk = ("unshare", "--mount", "--user", "--map-root-user", "--", "sh", "-c", script, str(folder / "disk"))
    done = subprocess.run(
        [*disk, *PROGRAM, "doctor", "--database", "sqlite:///disk/a.db", "--url", INITIAL, "-o", "json"],
        cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip

    found = msgspec.json.decode(done.stdout, type=list[Finding])

    assert reason in one(found, what, state)
    assert done.returncode == (state == "problem")


# What is PostgreSQL's own.


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://user:sesame@127.0.0.1:1/d", "refused"),
        ("postgresql://user:open@sesame@127.0.0.1:1/d", "write special characters"),
        ("postgresql://user:sesame@nowhere.invalid/d", "nowhere.invalid"),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_without_its_password(folder: Path, url: str, reason: str) -> None:
    found = doctor(folder, url)

    assert reason in one(found, "database", "problem")
    assert "sesame" not in str(found)


def test_a_wrong_password_is_told_and_not_shown(postgresql: Database, folder: Path) -> None:
    found = doctor(folder, postgresql.url.replace("open", "closed"))

    assert "password authentication failed" in one(found, "database", "problem")
    assert "sesame" not in str(found)
    assert PASSWORD not in str(found)


def test_a_database_that_may_lose_what_it_committed_is_told(
    postgresql: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(postgresql.url, f"ALTER DATABASE {name_of(postgresql)} SET synchronous_commit = off")
    assert "synchronous_commit is off" in one(doctor(folder, postgresql.url), "database", "problem")

    monkeypatch.setattr(postgres_schema, "_SETTINGS", "SELECT 'off', 'on', 'UTF8'")
    problem = one(list(examine(postgresql.url)), "database", "problem")
    assert "its setting fsync is off: it can lose committed data — fsync = on in postgresql.conf" in problem


def test_a_postgresql_that_is_too_old_is_told(postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_schema, "OLDEST_VERSION", 990_000)

    assert "upgrade PostgreSQL" in one(list(examine(postgresql.url)), "database", "problem")


def test_a_database_that_cannot_keep_every_character_is_told(postgres: PostgresServer, folder: Path) -> None:
    url = postgres.new_database("template0 ENCODING 'SQL_ASCII'")

    assert "ENCODING 'UTF8'" in one(doctor(folder, url), "database", "problem")
    assert names_of_tables(url) == []


def test_clocks_that_are_apart_are_told(postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 90_000_000_000)

    assert "are 90 seconds apart" in one(list(examine(postgresql.url)), "clock", "warning")


def test_what_a_user_may_not_do_is_told(postgresql: Database, postgres: PostgresServer, folder: Path) -> None:
    role = f"limited_{name_of(postgresql)}"
    sql(postgresql.url, f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    at = f"postgresql://{role}:x@127.0.0.1:{postgres.port}"
    as_role, empty = f"{at}/{name_of(postgresql)}", f"{at}/{name_of_url(postgres.new_database('template0'))}"

    unreadable = doctor(folder, as_role)
    sql(postgresql.url, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    foreign = doctor(folder, as_role)
    nothing = doctor(folder, empty)
    for table in names_of_tables(postgresql.url):
        sql(postgresql.url, f"ALTER TABLE {table} OWNER TO {role}")
    sql(postgresql.url, f"GRANT CREATE ON SCHEMA public TO {role}")
    owner = doctor(folder, as_role)

    problems = [text for state, text in told(unreadable, "permissions") if state == "problem"]
    assert [text for text in problems if re.match(rf"{role} may not write .*deployment", text)] == problems
    assert told(unreadable, "database")[-1] == ("problem", "its tables cannot be read")
    warnings = [text for state, text in told(foreign, "permissions") if state == "warning"]
    assert "does not own" in warnings[0]
    assert "may not make tables in public" in warnings[1]
    assert told(nothing, "permissions") == [("problem", f"{role} may not make tables in public")]
    assert told(owner, "permissions") == [("ok", f"{role} may make and write tables in public")]


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
def test_a_role_that_may_not_make_tables_may_once_it_is_given_what_is_told(
    postgres: PostgresServer, folder: Path, statement: str
) -> None:
    url = postgres.new_database("template0")
    as_role, role = with_role(postgres, url)
    sql(url, statement.format(role=role))

    sql(url, command(doctor(folder, as_role), "permissions", "problem"))

    assert one(doctor(folder, as_role), "permissions", "ok").startswith(f"{role} may make and write tables in ")
    open_store(as_role).close()


def test_a_role_that_does_not_own_the_tables_does_once_it_is_given_what_is_told(
    postgresql: Database, postgres: PostgresServer, folder: Path
) -> None:
    as_role, role = with_role(postgres, postgresql.url)
    sql(postgresql.url, f"GRANT CREATE ON SCHEMA public TO {role}")

    for_each = command(doctor(folder, as_role), "permissions", "problem")
    for table in names_of_tables(postgresql.url):
        sql(postgresql.url, for_each.replace("…", table))

    assert {state for state, _ in told(doctor(folder, as_role), "permissions")} == {"ok"}


def test_a_database_that_can_only_be_read_is_told(postgresql: Database, folder: Path) -> None:
    sql(postgresql.url, f"ALTER DATABASE {name_of(postgresql)} SET default_transaction_read_only = on")

    assert "it can only be read" in one(doctor(folder, postgresql.url), "permissions", "problem")


def test_notifications_that_do_not_arrive_are_told(
    postgresql: Database, postgres: PostgresServer, folder: Path
) -> None:
    """They are those of one database: at another one they never arrive, as behind a pgbouncer."""
    elsewhere = doctor(folder, postgresql.url, MOORAGE_DATABASE_LISTEN=postgres.new_database("template0"))
    nowhere = doctor(folder, postgresql.url, MOORAGE_DATABASE_LISTEN="postgresql://u:sesame@127.0.0.1:1/d")

    assert "none arrives" in one(elsewhere, "notifications", "warning")
    assert "refused" in one(nowhere, "notifications", "problem")
    assert "sesame" not in str(elsewhere + nowhere)


def test_an_address_for_listen_that_cannot_be_read_is_told_by_its_name(postgresql: Database, folder: Path) -> None:
    found = doctor(folder, postgresql.url, MOORAGE_DATABASE_LISTEN="postgresql://user:open@sesame@127.0.0.1/d")

    assert "MOORAGE_DATABASE_LISTEN cannot be read" in one(found, "notifications", "problem")
    assert [state for state, _ in told(found, "database")] == ["ok"]
    assert told(found, "schema") == [("ok", f"{NEWEST}, the newest")]
    assert "sesame" not in str(found)


def test_without_the_extra_it_is_named() -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None; from moorage.diagnostics.run import examine;"
        "print(*examine('postgresql://user:sesame@host/d'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "psycopg is not installed" in done.stdout
    assert "moorage[postgres]" in done.stdout


# The server.


@contextmanager
def stub(answers: dict[str, tuple[int, object]]) -> Iterator[str]:
    """A server that answers what it is told to, by path; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, "nothing"))
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
        (INITIAL, "connection refused"),
        ("http://user:sesame@127.0.0.1:1", "connection refused"),
        ("http://nowhere.invalid", "there is no answer"),
    ],
)
def test_a_server_that_does_not_answer_is_told(folder: Path, url: str, reason: str) -> None:
    found = doctor(folder, "sqlite:///a.db", url)

    assert reason in one(found, "server", "warning")
    assert "sesame" not in str(found)


@pytest.mark.parametrize("url", ["http://127.0.0.1:x", "nonsense", "ftp://host", "http://"])
def test_what_is_no_address_of_a_server_is_told(folder: Path, url: str) -> None:
    assert "is no address of a server: " in one(doctor(folder, "sqlite:///a.db", url), "server", "problem")


@pytest.mark.parametrize(
    ("status", "health", "state"),
    [(200, "degraded", "warning"), (503, "stale", "problem"), (200, "ready", "ok")],
)
def test_what_a_server_says_of_itself_is_told(folder: Path, status: int, health: str, state: str) -> None:
    document = {"info": {"version": "0.0.7"}}
    with stub({"/health/ready": (status, {"status": health}), "/openapi.json": (200, document)}) as url:
        found = doctor(folder, "sqlite:///a.db", url)

    assert health in one(found, "server", state)
    assert f"the server is Moorage 0.0.7, and this program {__version__}" in one(found, "version", "warning")
    assert "MOORAGE_API_KEY is not set" in one(found, "API key", "warning")


def test_a_server_of_another_program_is_told(folder: Path) -> None:
    with stub({}) as url:
        assert "not as Moorage does" in one(doctor(folder, "sqlite:///a.db", url), "server", "problem")


def test_whether_the_api_key_is_accepted_is_told(server: Server, folder: Path) -> None:
    project = server.new_project()

    def of(token: str) -> list[tuple[str, str]]:
        return told(doctor(folder, server.database, server.url, MOORAGE_API_KEY=token), "API key")

    assert of(project.token) == [("ok", "accepted")]
    ((state, text),) = of(project.key(Scope.INVOKE)[1])
    assert (state, text.partition(";")[0]) == ("ok", "accepted")
    ((state, text),) = of("mrg_invented")
    assert state == "problem"
    assert text.startswith("the server answers 401: ")
    assert "mrg_invented" not in text


# The settings.


def test_settings_that_make_no_sense_are_told(folder: Path) -> None:
    (folder / "key").write_text("mrg_x\n")
    (folder / "key").chmod(0o644)
    settings = {
        "MOORAGE_DATABASE_LISTEN": "postgresql://u:sesame@h/d",
        "MOORAGE_PORT": str(reserve_port()),
        "MOORAGE_LOAD": "nowhere",
        "MOORAGE_DATABSE": "sqlite:///a.db",
        "MOORAGE_API_KEY_FILE": str(folder / "key"),
    }
    found = doctor(folder, "sqlite:///a.db", **settings)

    lines = [f"{each.state}: {each.finding} — {each.fix}" for each in found if each.what == "settings"]
    assert len(lines) == 5
    for line, words in zip(
        lines,
        (
            "problem: there is no nowhere to load",
            f"warning: every user may read the secret in {folder}/key — chmod 600",
            "warning: MOORAGE_DATABASE_LISTEN is set, and of no use to SQLite",
            "warning: the command line looks for the server on port 8700",
            "warning: MOORAGE_DATABSE is no setting — unset it, or set MOORAGE_DATABASE instead",
        ),
        strict=True,
    ):
        assert words in line
    assert "sesame" not in str(found)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"MOORAGE_PORT": "x"}, "MOORAGE_PORT: 'x' is not a valid"),
        ({"MOORAGE_WORKERS": "0"}, "MOORAGE_WORKERS: 0 is not in the range"),
        ({"MOORAGE_LOG_FORMAT": "xml"}, "MOORAGE_LOG_FORMAT: 'xml' is not one of"),
        ({"MOORAGE_LOAD": "a", "MOORAGE_LOAD_FILE": "b"}, "MOORAGE_LOAD and MOORAGE_LOAD_FILE are both set"),
        ({"MOORAGE_LOAD_FILE": "nowhere"}, "MOORAGE_LOAD_FILE: "),
    ],
)
def test_a_setting_that_cannot_be_read_is_told(folder: Path, settings: dict[str, str], reason: str) -> None:
    assert reason in "\n".join(
        each.finding for each in doctor(folder, "sqlite:///a.db", **settings) if each.state == "problem"
    )


def test_a_setting_whose_file_cannot_be_read_is_told_with_the_variable_to_change(folder: Path) -> None:
    found = doctor(folder, "sqlite:///a.db", MOORAGE_DATABASE_FILE="nowhere")

    assert one(found, "settings", "problem").endswith(" — put MOORAGE_DATABASE_FILE right, or unset it")


@pytest.mark.parametrize("port", ["abc", "0", "99999"])
def test_a_port_that_is_none_is_in_no_address_that_is_told(folder: Path, port: str) -> None:
    found = doctor(folder, "sqlite:///a.db", MOORAGE_PORT=port)

    assert [state for state, _ in told(found, "settings")] == ["problem"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:abc", "http://[", "http://127.0.0.1"])
def test_an_address_without_a_port_contradicts_none(folder: Path, url: str) -> None:
    assert told(doctor(folder, "sqlite:///a.db", MOORAGE_URL=url), "settings") == [("ok", "go together")]


def test_a_secret_that_every_user_may_read_is_closed_by_what_is_told(folder: Path) -> None:
    (folder / "my key").write_text("mrg_x\n")
    (folder / "my key").chmod(0o644)

    run(command(doctor(folder, "sqlite:///a.db", MOORAGE_API_KEY_FILE=f"{folder}/my key"), "settings", "warning"))

    found = doctor(folder, "sqlite:///a.db", MOORAGE_API_KEY_FILE=f"{folder}/my key")
    assert told(found, "settings") == [("ok", "go together")]


def test_a_secret_of_another_user_is_that_users_to_close(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the secrets are that a container is given: `chmod` fails there, and on the host it would lock them out."""
    (folder / "key").write_text("mrg_x\n")
    (folder / "key").chmod(0o644)
    monkeypatch.setenv("MOORAGE_API_KEY_FILE", f"{folder}/key")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    main(["doctor", "--database", f"sqlite:///{folder}/a.db", "--url", INITIAL, "-o", "json"], standalone_mode=False)

    found = msgspec.json.decode(capsys.readouterr().out, type=list[Finding])
    assert told(found, "settings") == [("ok", "go together")]


def run(told_to: str) -> None:
    """As in a shell."""
    subprocess.run(told_to, shell=True, check=True)


def name_of(database: Database) -> str:
    return name_of_url(database.url)


def name_of_url(url: str) -> str:
    return url.rpartition("/")[2]


def with_role(postgres: PostgresServer, url: str) -> tuple[str, str]:
    """A new role, whose name must be quoted: the address of a database with it, and its name in a statement."""
    name = f"my-app-{name_of_url(url)}"
    sql(url, f"CREATE ROLE \"{name}\" LOGIN PASSWORD 'x'")
    return f"postgresql://{name}:x@127.0.0.1:{postgres.port}/{name_of_url(url)}", f'"{name}"'


def tables(database: Database) -> str:
    of_sqlite = "SELECT name FROM sqlite_schema"
    return of_sqlite if "sqlite" in database.url else "SELECT 1 FROM pg_tables WHERE schemaname = 'public'"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file there, as it is."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def empty(engine: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """A database without a table, on each engine."""
    postgresql = engine == "postgresql"
    url = (
        request.getfixturevalue("postgres").new_database("template0")
        if postgresql
        else f"sqlite:///{folder}/moorage.db"
    )
    with closing(Database(url, folder)) as made:
        yield made
