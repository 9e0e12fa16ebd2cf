"""Golden databases: one for each schema, as SQL for both engines (tests/store/golden).

`schema_N.json` has the tokens of its API keys, and the responses that the API of that version returned.
"""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import msgspec

from moorage.core.environments import production_id
from moorage.store import queries
from tests.support.postgres import sql

FOLDER = Path(__file__).parents[1] / "store" / "golden"

#: The application id of a SQLite database.
APPLICATION_ID = 0x4D4F4F52

NEWEST = len(queries.load_migrations())

_SCHEMA_TABLE = "CREATE TABLE moorage_schema (version BIGINT PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now());"

Row = dict[str, Any]

#: The schema whose migration adds environments.
_WITH_ENVIRONMENTS = 3

#: Schema -> the columns that its migration adds, with their defaults, by table. Schemas after `NEWEST` are those of
#: `TEST_MIGRATIONS`.
ADDED: dict[int, dict[str, Row]] = {
    2: {"history": {"integration_id": None}},
    3: {
        "history": {"environment_id": None, "proposal_id": None, "n": 0},
        "api_key": {"environment_id": None},
        "consumer": {"environment_id": ""},
    },
    5: {"deployment": {"aliases": ""}},
    NEWEST + 1: {"project": {"colour": "blue"}},
    NEWEST + 2: {"history": {"note": ""}},
}

#: Two migrations for tests, so that upgrades over several schemas are tested. Each has a statement before the one that
#: needs a table which a test can lock.
TEST_MIGRATIONS = {
    f"{NEWEST + 1:04}_labels.sql": """
CREATE TABLE label (id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project (id), name TEXT NOT NULL);
CREATE INDEX label_project ON label (project_id);
ALTER TABLE project ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue';
""",
    f"{NEWEST + 2:04}_notes.sql": """
CREATE INDEX label_name ON label (name);
ALTER TABLE history ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE INDEX history_note ON history (note);
""",
}

#: The schema after the test migrations.
NEWEST_IN_TESTS = NEWEST + len(TEST_MIGRATIONS)


def write_migrations(folder: Path) -> Path:
    """Write all migrations and the migrations for tests into a folder."""
    folder.mkdir()
    for name, text in TEST_MIGRATIONS.items():
        (folder / name).write_text(text)
    for entry in queries.MIGRATIONS.iterdir():
        if entry.name.endswith(".sql"):
            (folder / entry.name).write_text(entry.read_text("utf-8"))
    return folder


class RecordedResponse(msgspec.Struct, frozen=True):
    """The response to a GET with the token `by`; it has a body only if the status is 200."""

    by: str
    path: str
    status: int
    body: Any = None


class Recording(msgspec.Struct, frozen=True):
    """The tokens of a golden database, and the recorded responses."""

    tokens: dict[str, str]
    responses: list[RecordedResponse]


def script(schema: int) -> str:
    """Return the SQL of a golden database."""
    return (FOLDER / f"schema_{schema}.sql").read_text("utf-8")


def recording(schema: int) -> Recording:
    """Return the recording of a golden database."""
    return msgspec.json.decode((FOLDER / f"schema_{schema}.json").read_bytes(), type=Recording)


def load(schema: int, url: str) -> None:
    """Load a golden database into an empty database."""
    if url.startswith("sqlite"):
        with closing(apsw.Connection(url.removeprefix("sqlite:///"))) as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {schema}")
            with connection:
                connection.execute(script(schema))
    else:
        numbers = ", ".join(f"({number})" for number in range(1, schema + 1))
        sql(url, f"{_SCHEMA_TABLE} INSERT INTO moorage_schema (version) VALUES {numbers}; {script(schema)}")


def original(schema: int) -> dict[str, list[Row]]:
    """Return the rows of each table of a golden database."""
    with closing(apsw.Connection(":memory:")) as connection:
        connection.execute(script(schema))
        return _sqlite_rows(connection)


def upgraded(schema: int, tables: Iterable[str], newest: int = NEWEST_IN_TESTS) -> dict[str, list[Row]]:
    """Return the rows of a golden database with the columns that later migrations add."""
    found = original(schema)
    for number, added in ADDED.items():
        for table, columns in added.items() if schema < number <= newest else ():
            found[table] = [row | columns for row in found.get(table, [])]
        if schema < number == _WITH_ENVIRONMENTS <= newest:
            _add_environments(found)
    return {table: in_order(found.get(table, [])) for table in tables}


def _add_environments(found: dict[str, list[Row]]) -> None:
    """Add what migration 3 computes: production of each project, and the authors of API keys."""
    created = {"is_protected": 1, "required_approvals": 0, "approve_undo": 0, "unknown_names": "production"}
    texts = {"name": "production", "display_name": "Production", "description": ""}
    found["environment"] = [
        created | texts | {
            "id": production_id(project["id"]), "project_id": project["id"], "created_us": project["created_us"],
            "created_by": None, "updated_us": project["created_us"], "updated_by": None, "deleted_us": None,
            "rev": project["rev"],
        }
        for project in found["project"]
    ]  # fmt: skip
    authors = {
        entry["subject_key_id"]: entry["api_key_id"]
        for entry in found["history"] if entry["action"] == "key_created"
    }  # fmt: skip
    found["api_key"] = [key | {"created_by": authors[key["id"]]} for key in found["api_key"]]


def rows(url: str) -> dict[str, list[Row]]:
    """Return the rows of each table of a database, sorted."""
    if url.startswith("sqlite"):
        with closing(apsw.Connection(url.removeprefix("sqlite:///"), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            return _sqlite_rows(connection)
    return {
        table: in_order([row for (row,) in sql(url, f"SELECT to_jsonb(t) FROM {table} t")])
        for (table,) in sql(url, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
        if table != "moorage_schema"
    }


def in_order(unsorted: list[Row]) -> list[Row]:
    """Return rows sorted by their values, with sorted columns."""
    return sorted((dict(sorted(row.items())) for row in unsorted), key=lambda row: str(list(row.values())))


def structure(url: str) -> list[tuple[Any, ...]]:
    """Return the columns and indexes of a database."""
    if not url.startswith("sqlite"):
        columns = sql(
            url,
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text, column_default::text"
            " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
        )
        indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
        constraints = "SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) FROM pg_constraint"
        return columns + sql(url, f"{indexes} UNION {constraints} WHERE conrelid <> 0 ORDER BY 1")
    with closing(apsw.Connection(url.removeprefix("sqlite:///"), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        return list(
            connection.execute(
                'SELECT s.name, c.name, c.type, c."notnull", c.dflt_value, c.pk'
                " FROM sqlite_schema s JOIN pragma_table_info(s.name) c WHERE s.type = 'table' ORDER BY 1, 2"
            )
        ) + list(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY 1"))


def schema_of(url: str) -> int:
    """Return the schema of a database."""
    if url.startswith("sqlite"):
        with closing(apsw.Connection(url.removeprefix("sqlite:///"), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            return int(connection.pragma("user_version"))
    versions = [version for (version,) in sql(url, "SELECT version FROM moorage_schema ORDER BY version")]
    assert versions == list(range(1, len(versions) + 1)), "each migration is recorded once"
    return len(versions)


def _sqlite_rows(connection: apsw.Connection) -> dict[str, list[Row]]:
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    found = {}
    for (table,) in list(connection.execute(tables)):
        names = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        values = connection.execute(f"SELECT * FROM {table}")
        found[table] = in_order([dict(zip(names, row, strict=True)) for row in values])
    return found
