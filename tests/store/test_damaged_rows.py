"""Every column of every table is damaged, with each value that the database stores: that costs nothing else."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from moorage.catalog.catalog import Catalog
from moorage.core.access import DEFAULT_SCOPES
from moorage.core.compatibility.consumers import UsageRecord
from moorage.core.errors.base import DeploymentNotFound, DeploymentUnreadable
from moorage.core.errors.storage import InvalidDatabase
from moorage.core.times import LAST_US
from moorage.diagnostics.integrity import check
from moorage.store.columns import COLUMNS
from moorage.store.queries import load_migrations
from moorage.store.result_writes import StoredResult
from moorage.store.store import Store
from moorage.store.transfer.dump import TABLES
from tests.support import registry
from tests.support.damage import Damage, damage, damaged, values
from tests.support.environments import fill_with_environments
from tests.support.server import a_body
from tests.support.stores import Clock, Database, insert, run_sql, sqlite_in

#: Table -> the row that is damaged.
ROWS = {
    "project": "name = 'p'",
    "api_key": "name = 'bad'",
    "integration": "name = 'bad'",
    "deployment": "key = 'bad' AND deleted_us IS NULL",
    "version": "id = (SELECT live_version_id FROM deployment WHERE key = 'bad' AND deleted_us IS NULL)",
    "history": "rev = (SELECT max(rev) FROM history WHERE action = 'published')",
    "idempotency": "key = 'bad'",
    "consumer": "first_us = 1",
    "try_case": "name = 'bad'",
    "alias": "name = 'bad.alias'",
    "environment": "name = 'staging'",
    "pointer": "version_id = (SELECT v.id FROM version v JOIN deployment d ON d.id = v.deployment_id"
    " WHERE d.key = 'own' AND v.minor = 1)",
    "proposal": "status = 'published'",
    "proposal_item": "proposal_id = (SELECT id FROM proposal WHERE status = 'published')",
    "approval": "reason = 'as first' AND proposal_id = (SELECT id FROM proposal WHERE status = 'published')",
}

#: Columns with any text; a text in the others has a form.
FREE = frozenset({
    "deployment.description", "deployment.file", "version.description", "version.notes", "version.content_sha256",
    "version.api_key_id", "history.reason", "history.api_key_id", "history.api_key_name", "history.request_id",
    "history.from_version_id", "history.to_version_id", "history.content_sha256", "history.hash", "idempotency.key",
    "idempotency.request_sha256", "integration.base_url", "integration.credentials", "integration.headers",
    "integration.created_by", "integration.updated_by", "api_key.created_by", "environment.display_name",
    "environment.description", "environment.created_by", "environment.updated_by", "pointer.file", "proposal.source",
    "proposal.reason", "proposal.created_by", "proposal.created_name", "proposal.closed_by", "proposal.closed_name",
    "proposal.closed_reason", "proposal_item.base", "proposal_item.file", "approval.reason", "try_case.name",
})  # fmt: skip
FORMS = {
    "project.name": r"[ -~]{1,128}", "api_key.name": r"(?s).{1,128}", "api_key.scopes": r"",
    "deployment.key": r"[\w.-]{1,128}", "idempotency.result": r"-?\d+(\.\d+)?", "history.breaking": r"",
    "history.changes": r"", "history.mac": r"", "idempotency.api_key_id": r"[!#-\[\]-~]{0,128}",
    "integration.name": r"[\w.-]{1,128}", "integration.provider": r"openai", "integration.options": r"\{.*\}",
    "integration.key_id": r"([0-9a-f]{8})?", "proposal_item.breaking": r"",
    "try_case.body": r"\{\}", "alias.name": r"[\w.-]{1,128}",
    "deployment.aliases": r"([\w.-]{1,128}( [\w.-]{1,128})*)?",
    "consumer.environment_id": r"[!#-\[\]-~]{0,128}",
}  # fmt: skip
ID = r"[!#-\[\]-~]{1,128}"

OPTIONAL_TIMES = (
    "api_key.expires_us", "api_key.revoked_us", "deployment.deleted_us", "version.deleted_us", "integration.deleted_us",
    "environment.deleted_us", "proposal.closed_us",
)  # fmt: skip


def columns() -> list[tuple[str, str, str]]:
    """Return table, column and type of every column that the schema creates."""
    found = []
    script = "\n".join(load_migrations())
    for table, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\);", script, re.DOTALL):
        found += [(table, name, kind) for name, kind in re.findall(r"^    (\w+) (BIGINT|TEXT)\b", body, re.MULTILINE)]
    found += re.findall(r"ALTER TABLE (\w+) ADD COLUMN (\w+) (BIGINT|TEXT)\b", script)
    return list(dict.fromkeys(found))  # a migration can create a table again


#: The tables `revision` and `copy` have one row, and tests of their own.
ALL_COLUMNS = [each for each in columns() if each[0] in ROWS]


def must_be_found(table: str, column: str, stored: object) -> bool:
    """Return whether `moorage db check` must find a value. Some are values that Moorage could have written."""
    name = f"{table}.{column}"
    if isinstance(stored, bytes | float) or (isinstance(stored, str) and "\0" in stored):
        return True
    if column.endswith("_us"):
        is_time = isinstance(stored, int) and 0 <= stored <= LAST_US
        return not is_time and not (name in OPTIONAL_TIMES and stored is None)
    if column in ("rev", "seq", "major", "minor"):
        return not isinstance(stored, int) or stored < 0 or (column != "seq" and stored > 10**9)
    if stored is None:
        return column == "id"
    return name not in FREE and not re.fullmatch(FORMS.get(name, ID), str(stored))


@pytest.fixture(scope="module")
def url(new_database: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a database with rows in every table."""
    folder = tmp_path_factory.mktemp("damaged")
    made = new_database(folder)
    with closing(Database(made, folder)) as database:
        fill(database.store())
    return made


def fill(store: Store) -> None:
    """Store two projects; the rows of `ROWS` are in the first one."""
    for name, keys in (("p", ("a", "bad", "z")), ("q", ("a", "other"))):
        project = registry.create_project(store, name).id
        for key in keys:
            registry.put(store, project, key, a_body(model="one"))
            registry.put(store, project, key, {**a_body(model="two"), "aliases": [f"{key}.alias"]})
            registry.create_api_key(store, project, key, DEFAULT_SCOPES)
        registry.put(store, project, "gone", a_body())
        registry.delete(store, project, "gone")
        registry.fill_with_integrations(store, project)
    p = store.projects()[0].id
    fill_with_environments(store, p)
    with store.write() as tx:
        for key in ("bad", "good"):
            tx.insert_result(p, key, StoredResult("00" * 32, '{"a": 1}'))
    with store.read() as reader:
        live = [found.live_version_id for key in ("a", "bad") if (found := reader.find_deployment(p, key))]
    usage = [
        UsageRecord(version, store.api_keys()[0].id, first, 10, ("x",))
        for first, version in enumerate(filter(None, live))
    ]
    store.record_consumers(usage)
    with store.read() as reader:
        found = reader.find_deployment(p, "a")
    assert found is not None
    assert store.cases.put(found.id, "bad", b'{"inputs":{"name":"Ada"}}')
    assert findings_of(store) == []


@pytest.fixture
def store(url: str, folder: Path) -> Iterator[Store]:
    with closing(Database(url, folder)) as database:
        yield database.store()


class Served:
    """What a server that starts on a database serves: deployments by project, key and id, and API keys by id."""

    def __init__(self, store: Store) -> None:
        self.catalog = Catalog(store)
        self.catalog.catch_up()
        self.deployments = {
            (project_id, live.key, live.id): live.content
            for project_id, project in self.catalog.state.projects.items()
            for live in project.live_versions()
        }
        self.api_keys = dict(self.catalog.state.api_keys)
        self.integrations = dict(self.catalog.state.integrations.stored())

    def check_others(self, before: "Served", deployment: str, api_key: str, case: str) -> None:
        """Check that all but one deployment and one API key are served as before."""
        for name, content in before.deployments.items():
            assert name[2] == deployment or self.deployments.get(name) == content, case
        for key_id, key in before.api_keys.items():
            assert key_id == api_key or self.api_keys.get(key_id) == key, case
        for integration_id, integration in before.integrations.items():
            assert integration.name == "bad" or self.integrations.get(integration_id) == integration, case


def findings_of(store: Store) -> list[str]:
    """Return all findings of `moorage db check`."""
    return [finding for result in check(store) for finding in result.findings]


def stored_values(store: Store, table: str, column: str) -> Counter[object]:
    """Return the values of a column, as the engine reads them."""
    (spec,) = [each for each in TABLES if each.name == table]
    place = spec.columns.index(column)
    with store.dump() as dump:
        return Counter(row[place] for row in dump.rows(spec))


def affected_by(url: str, table: str) -> tuple[str, str, str]:
    """Return the project, and the deployment and API key whose row is damaged; a dash for none."""
    ((project, deployment),) = run_sql(url, f"SELECT project_id, id FROM deployment WHERE {ROWS['deployment']}")
    ((api_key,),) = run_sql(url, f"SELECT id FROM api_key WHERE {ROWS['api_key']}")
    return project, deployment if table in ("deployment", "version") else "-", api_key if table == "api_key" else "-"


@pytest.mark.system
@pytest.mark.parametrize(("table", "column", "kind"), ALL_COLUMNS)
def test_a_damaged_value_costs_at_most_one_deployment_or_key_and_is_found(
    store: Store, url: str, engine: str, table: str, column: str, kind: str
) -> None:
    before, undamaged = Served(store), stored_values(store, table, column)
    project, deployment, api_key = affected_by(url, table)

    for value in values(engine, kind):
        case = f"{table}.{column} = {value}"
        with damaged(url, Damage(table, column, value, ROWS[table])) as is_stored:
            if not is_stored:
                continue
            after, findings = Served(store), findings_of(store)
            stored = stored_values(store, table, column) - undamaged

        after.check_others(before, deployment, api_key, case)
        if column == "scopes" and any(stored):
            assert api_key not in after.api_keys, case
        if deployment != "-" and (project, "bad", deployment) not in after.deployments:
            is_elsewhere = column in ("key", "project_id") or (column, value) == ("live_version_id", "NULL")
            error = DeploymentNotFound if is_elsewhere else DeploymentUnreadable
            with pytest.raises(error):
                after.catalog.project(project).get("bad")
        if any(must_be_found(table, column, each) for each in stored):
            assert any(f" of table {table}: " in finding for finding in findings), (case, findings)


ANY_VALUE = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=20), st.text(max_size=20),
    st.sampled_from(["{}", "[]", "null", '{"model":1}', "[" * 5_000, "live", "deployments:read", "0" * 64]),
)  # fmt: skip


@pytest.mark.system
@hypothesis.settings(max_examples=150, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(place=st.sampled_from(ALL_COLUMNS), value=ANY_VALUE, as_text=st.booleans())
def test_no_value_at_all_stops_a_start_or_the_check(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, str, str], value: Any, as_text: bool
) -> None:
    store, url = _on_sqlite(tmp_path_factory)
    table, column, _ = place
    before = Served(store)
    _, deployment, api_key = affected_by(url, table)

    with damaged(url, Damage(table, column, "CAST(? AS TEXT)" if as_text else "?", ROWS[table], (value,))):
        after = Served(store)
        findings_of(store)

    after.check_others(before, deployment, api_key, f"{table}.{column} = {value!r}")


_made: list[tuple[Store, str]] = []


def _on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """Return one store for all examples."""
    if not _made:
        database = sqlite_in(tmp_path_factory.mktemp("any-value"))
        _made.append((database.store(), database.url))
        fill(_made[0][0])
    return _made[0]


def test_the_columns_of_the_rows_are_those_of_the_tables() -> None:
    assert {table.name: table.columns for table in TABLES} == {
        name: list(kind.__struct_fields__) for name, kind in COLUMNS.items()
    }
    assert {table for table, _, _ in ALL_COLUMNS} == set(ROWS) == set(COLUMNS)


# The row with the revision

#: Column -> values that must be found.
BAD_STATES = {
    "last_created_us": ("-1", "9223372036854775807", "X'ff'", "'nothing that exists'", "9e999"),
    "history_hash": ("'a\"b'", "'nothing that exists'", "X'ff'", "CAST(X'61ff62' AS TEXT)"),
    "history_key": ("'a\"b'", "'nothing that exists'", "X'ff'", "CAST(X'61ff62' AS TEXT)"),
    "epoch": ("'a\"b'", "'nothing that exists'", "X'ff'", "CAST(X'61ff62' AS TEXT)"),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("column", list(BAD_STATES))
def test_a_damaged_revision_row_is_served_and_written_and_found(
    store: Store, url: str, engine: str, folder: Path, column: str
) -> None:
    before = Served(store)

    for value in values(engine, "BIGINT" if column.endswith("_us") else "TEXT"):
        with damaged(url, Damage("revision", column, value, "id = 1")) as is_stored:
            if not is_stored:
                continue
            with closing(Database(url, folder)) as database:
                restarted = database.store()
                after, findings = Served(restarted), findings_of(restarted)
                with restarted.write() as tx:
                    tx.insert_project("new")
                    assert isinstance(tx.now_us, int), value
                    assert tx.clock_us <= tx.now_us <= LAST_US, value
                    tx.discard()
                with restarted.dump() as dump:
                    expected = column in dump.state_problems
        after.check_others(before, "-", "-", value)
        assert any("row 1 of table revision: " in finding for finding in findings) == expected, value
        assert expected or value not in BAD_STATES[column], value


@pytest.mark.parametrize("value", ["-1", "9223372036854775807", "'text'", "X'ff'", "CAST(X'ff' AS TEXT)", "1.5"])
def test_a_database_with_an_impossible_revision_is_rejected_with_what_to_do(folder: Path, value: str) -> None:
    with closing(sqlite_in(folder)) as database:
        registry.create_project(database.store(), "p")
        damage(database.url, "revision", "rev", value, "id = 1")

        with pytest.raises(InvalidDatabase, match=r"the revision cannot be decoded; .* restore a backup"):
            database.store()


# Texts that are not UTF-8


def test_the_rows_around_texts_that_are_not_utf8_are_read_in_order(folder: Path) -> None:
    with closing(sqlite_in(folder)) as database:
        store = database.store()
        project = registry.create_project(store, "p").id
        store.group_commit([partial(insert, project_id=project, key=f"d{number}") for number in range(1_000)])
        run_sql(database.url, "UPDATE deployment SET description = CAST(X'ff' AS TEXT) WHERE seq % 3 = 0")

        catalog = Catalog(store)
        catalog.catch_up()

        served = [live.key for live in catalog.project(project).live_versions()]
        unreadable = set(catalog.project(project).unreadable)
        expected = run_sql(database.url, "SELECT key, id FROM deployment WHERE seq % 3 > 0 ORDER BY seq")
        assert served == [key for key, _ in expected]
        assert len(unreadable) == 1_000 - len(served)
        assert unreadable.isdisjoint(id_ for _, id_ in expected)


def test_a_write_that_returns_such_a_text_happens_once(folder: Path) -> None:
    clock = Clock()
    with closing(sqlite_in(folder)) as database:
        store = database.store(clock)
        project = registry.create_project(store, "p").id
        for key in ("a", "b"):
            registry.put(store, project, key, a_body(model="one"))
            registry.put(store, project, key, a_body(model="two"))
            registry.delete_version(store, project, key, "1.0")
        damage(database.url, "version", "deployment_id", "CAST(X'ff' AS TEXT) || id", "minor = 0")
        clock.now += 31 * 86_400_000_000_000

        assert (registry.purge(store), registry.purge(store)) == (2, 0)
        assert run_sql(database.url, "SELECT count(*) FROM version WHERE prompt_config = ''") == [(2,)]
