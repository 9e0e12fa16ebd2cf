"""Requests about a damaged row get a clear error, requests about others work, and a damaged version can be replaced."""

import logging
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from moorage.api.idempotency import run_idempotent
from moorage.catalog.catalog import Catalog
from moorage.core.access import DEFAULT_SCOPES, ApiKey
from moorage.core.compatibility.consumers import UsageRecord
from moorage.core.compatibility.errors import DeploymentInUse
from moorage.core.deployments.deployment import PostDeployment
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.api_keys import ApiKeyNotFound
from moorage.core.errors.base import DeploymentUnreadable, PreconditionFailed, VersionUnreadable
from moorage.core.errors.rows import ApiKeyUnreadable, HistoryUnreadable, ProjectUnreadable, ResultUnreadable
from moorage.registry import api_keys
from moorage.registry.api_keys import create_first_api_key
from moorage.registry.deployments import create_deployment
from moorage.registry.projects import get_project
from moorage.registry.results import DeploymentResult
from moorage.registry.write_context import WriteContext
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from tests.support import registry
from tests.support.damage import damage
from tests.support.server import a_body
from tests.support.stores import Clock, Database, run_sql, sqlite_in

pytestmark = pytest.mark.exhaustive

LIVE = "id = (SELECT live_version_id FROM deployment WHERE key = 'bad')"


class Project:
    """A project with the deployments `bad`, which has two versions, and `good`."""

    def __init__(self, database: Database) -> None:
        self.url = database.url
        self.clock = Clock()
        self.store: Store = database.store(self.clock)
        self.id = registry.create_project(self.store, "p").id
        self.key: ApiKey = registry.create_api_key(self.store, self.id, "app", DEFAULT_SCOPES)[0]
        for key in ("bad", "good"):
            registry.put(self.store, self.id, key, a_body(model="one"))
            registry.put(self.store, self.id, key, a_body(model="two"))
        self.catalog = Catalog(self.store)
        self.catalog.catch_up()

    def damage(self, table: str, column: str, value: str, where: str) -> None:
        """Store a value in a row as another program, which also increases the revisions."""
        damage(self.url, table, column, value, where)
        run_sql(self.url, "UPDATE revision SET rev = rev + 1")
        for changed in ("deployment", "api_key"):
            run_sql(self.url, f"UPDATE {changed} SET rev = (SELECT rev FROM revision)")
        self.store.current_revision()

    def model(self, key: str) -> str:
        """Return the model of a deployment in the catalog of a new server."""
        catalog = Catalog(self.store)
        catalog.catch_up()
        return catalog.project(self.id).live(key).content.decode().prompt_config.model

    def put(self, key: str, model: str, if_match: str | None = None) -> str:
        """Put a deployment; return the number of its version."""
        body, options = a_body(model=model), WriteOptions(if_match=if_match)
        return str(registry.put(self.store, self.id, key, body, options).deployment.version)


@pytest.fixture
def project(database: Database) -> Project:
    return Project(database)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("prompt_config", "'{broken'"), ("variables", "'{}'"), ("runtime_config", "''"), ("major", "-1"),
        ("id", "'another'"), ("deployment_id", "'another'"), ("content_sha256", "''"),
    ],
)  # fmt: skip
def test_undo_replaces_a_damaged_live_version(project: Project, column: str, value: str) -> None:
    project.damage("version", column, value, LIVE)
    if column != "content_sha256":
        with pytest.raises(DeploymentUnreadable, match="moorage deployments undo bad"):
            project.model("bad")

    registry.undo(project.store, project.id, "bad")

    assert (project.model("bad"), project.model("good")) == ("one", "two")


@pytest.mark.parametrize("value", ["X'ff'", "CAST(X'7bff7d' AS TEXT)"])
def test_undo_and_put_replace_a_content_that_is_no_text(folder: Path, value: str) -> None:
    with closing(sqlite_in(folder)) as database:
        project = Project(database)
        project.damage("version", "prompt_config", value, LIVE)
        with pytest.raises(DeploymentUnreadable, match="prompt_config is a"):
            project.model("bad")

        registry.undo(project.store, project.id, "bad")
        assert project.model("bad") == "one"
        project.damage("version", "prompt_config", value, LIVE)
        assert project.put("bad", "three") == "1.2"

        assert project.model("bad") == "three"


def test_a_pointer_to_the_version_of_another_deployment_is_not_served(project: Project) -> None:
    other = "(SELECT o.live_version_id FROM deployment o WHERE o.key = 'good')"
    project.damage("deployment", "live_version_id", other, "key = 'bad'")

    with pytest.raises(DeploymentUnreadable, match=r"its live version .* does not exist"):
        project.model("bad")
    registry.undo(project.store, project.id, "bad")

    assert project.model("bad") == "one"


def test_a_running_server_serves_the_previous_state_of_a_damaged_deployment(project: Project) -> None:
    project.damage("deployment", "owner", "'nobody'", "key = 'bad'")
    project.catalog.catch_up()

    assert project.catalog.project(project.id).live("bad").version == "1.1"
    assert project.catalog.unreadable == 1


def test_a_damaged_revision_of_a_deployment_is_not_that_of_its_project(project: Project) -> None:
    run_sql(project.url, f"UPDATE deployment SET rev = {2**63 - 1} WHERE key = 'bad'")
    catalog = Catalog(project.store)
    catalog.catch_up()

    assert catalog.project(project.id).live("bad").version == "1.1"
    assert catalog.project(project.id).revision == project.store.current_revision()


@pytest.mark.parametrize("write", ["put", "delete", "undo", "save", "publish"])
def test_a_write_to_a_damaged_deployment_is_an_error_and_changes_nothing(project: Project, write: str) -> None:
    project.damage("deployment", "updated_us", "-1", "key = 'bad'")
    before = project.store.current_revision()
    writes: dict[str, Callable[[], object]] = {
        "put": lambda: project.put("bad", "three"),
        "delete": lambda: registry.delete(project.store, project.id, "bad"),
        "undo": lambda: registry.undo(project.store, project.id, "bad"),
        "save": lambda: registry.save(project.store, project.id, "bad", {"prompt_config": a_body()["prompt_config"]}),
        "publish": lambda: registry.publish(project.store, project.id, "bad", "1.0"),
    }

    with pytest.raises(DeploymentUnreadable, match=r"updated_us is -1; .*moorage db check"):
        writes[write]()

    assert project.store.current_revision() == before
    assert project.put("good", "three") == "1.2"


def test_a_damaged_tombstone_is_not_restored_and_does_not_hide_its_key(project: Project) -> None:
    registry.delete(project.store, project.id, "bad")
    project.damage("deployment", "created_us", "-1", "key = 'bad'")
    with pytest.raises(DeploymentUnreadable):
        registry.restore(project.store, project.id, "bad")

    assert project.put("bad", "new") == "1.0"
    assert project.model("bad") == "new"


@pytest.mark.parametrize("value", ["-1", "9223372036854775807"])
@pytest.mark.parametrize("table", ["deployment", "version"])
def test_a_damaged_time_of_deletion_deletes_nothing(project: Project, table: str, value: str) -> None:
    project.damage(table, "deleted_us", value, {"deployment": "key = 'bad'", "version": LIVE}[table])

    assert registry.purge(project.store) == 0

    project.damage(table, "deleted_us", "NULL", {"deployment": "key = 'bad'", "version": LIVE}[table])
    assert project.model("bad") == "two"


@pytest.mark.parametrize(("column", "value"), [("major", "-5"), ("created_us", "9223372036854775807")])
def test_a_damaged_version_is_an_error_of_its_deployment_alone(project: Project, column: str, value: str) -> None:
    project.damage("version", column, value, f"major = 1 AND minor = 0 AND NOT {LIVE} AND deployment_id ="
                   " (SELECT d.id FROM deployment d WHERE d.key = 'bad')")  # fmt: skip
    with project.store.read() as reader:
        bad, good = reader.find_deployment(project.id, "bad"), reader.find_deployment(project.id, "good")
        assert bad is not None
        assert good is not None
        with pytest.raises(VersionUnreadable, match=f"{column} is {value}"):
            reader.versions(bad, PageQuery())
        assert len(reader.versions(good, PageQuery())[0]) == 2

    with pytest.raises(VersionUnreadable):
        registry.undo(project.store, project.id, "bad")
    assert project.put("bad", "three") == "1.2"


@pytest.mark.parametrize(("column", "value"), [("at_us", "-1"), ("breaking", "'{broken'"), ("action", "'eaten'")])
def test_a_damaged_history_entry_is_an_error_of_its_history_alone(project: Project, column: str, value: str) -> None:
    project.damage("history", column, value, "deployment_id = (SELECT id FROM deployment WHERE key = 'bad')")
    with project.store.read() as reader:
        bad, good = reader.find_deployment(project.id, "bad"), reader.find_deployment(project.id, "good")
        assert bad is not None
        assert good is not None
        with pytest.raises(HistoryUnreadable, match=column):
            reader.history(bad.id, PageQuery())
        assert len(reader.history(good.id, PageQuery())[0]) == 2

    with pytest.raises(PreconditionFailed) as failed:
        project.put("bad", "three", if_match='"1-x"')
    assert failed.value.history == ()
    assert project.put("bad", "three") == "1.2"


@pytest.mark.parametrize(("column", "value"), [("last_us", "9223372036854775807"), ("inputs", "'{broken'")])
def test_a_damaged_consumer_counts_as_one_and_the_next_request_replaces_it(
    project: Project, column: str, value: str
) -> None:
    def serve() -> None:
        with project.store.read() as reader:
            bad = reader.find_deployment(project.id, "bad")
        assert bad is not None
        now_us = project.store.now_us()
        project.store.record_consumers([UsageRecord(bad.live_version_id or "", project.key.id, now_us, now_us, ("x",))])

    serve()
    project.damage("consumer", column, value, "first_us > 0")
    with pytest.raises(DeploymentInUse, match="app"):
        registry.delete(project.store, project.id, "bad")

    serve()

    assert run_sql(project.url, "SELECT last_us, inputs FROM consumer") == [(project.store.now_us(), '["x"]')]
    registry.delete(project.store, project.id, "good")


@pytest.mark.parametrize("value", ["'{broken'", "''", "'[]'", '\'{"type": "Nothing"}\''])
def test_a_damaged_result_is_an_error_and_the_request_is_not_executed_again(project: Project, value: str) -> None:
    def post(key: str, idempotency_key: str) -> bool:
        body = registry.parsed(a_body() | {"key": key}, PostDeployment)

        def create(tx: Transaction) -> DeploymentResult:
            return create_deployment(tx, WriteContext(project.id), body)

        return project.store.run(run_idempotent, WriteContext(project.id), idempotency_key, "", create)[1]

    post("new", "k1")
    project.damage("idempotency", "result", value, "key = 'k1'")

    with pytest.raises(ResultUnreadable, match="was executed"):
        post("new", "k1")
    assert not post("newer", "k2")


def test_a_damaged_project_is_an_error_and_its_deployments_are_served(project: Project) -> None:
    project.damage("project", "created_us", "-1", "name = 'p'")
    other = registry.create_project(project.store, "q")

    assert [each.id for each in project.store.projects()] == [other.id]
    with project.store.read() as reader:
        assert [row.id for row in reader.unreadable_rows("project")] == [project.id]
    with pytest.raises(ProjectUnreadable, match="created_us is -1"):
        registry.create_project(project.store, "p")
    assert get_project(project.store, "q").id == other.id
    assert project.model("good") == "two"


# API keys


@pytest.mark.parametrize(
    ("column", "value"),
    [("scopes", "'deployments:fly'"), ("expires_us", "-1"), ("token_sha256", "'00'"), ("created_us", "-1")],
)
def test_a_damaged_api_key_is_rejected_at_once_and_logged_once(
    project: Project, caplog: pytest.LogCaptureFixture, column: str, value: str
) -> None:
    other, _ = registry.create_api_key(project.store, project.id, "other", DEFAULT_SCOPES)
    project.catalog.catch_up()
    assert project.catalog.find_api_key(project.key.id) is not None

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            project.damage("api_key", column, value, f"id = '{project.key.id}'")
            project.catalog.catch_up()

    assert project.catalog.find_api_key(project.key.id) is None
    assert project.catalog.find_api_key(other.id) is not None
    assert [key.id for key in project.store.api_keys()] == [other.id]
    assert [record.getMessage() for record in caplog.records if project.key.id in record.getMessage()] == [
        record.getMessage() for record in caplog.records
    ]
    assert len(caplog.records) == 1


def test_a_damaged_api_key_is_an_error_in_its_project_and_unknown_in_others(project: Project) -> None:
    other = registry.create_project(project.store, "q").id
    project.damage("api_key", "scopes", "'deployments:fly'", f"id = '{project.key.id}'")

    with pytest.raises(ApiKeyUnreadable, match="'deployments:fly', which is no scope"):
        project.store.run(api_keys.revoke_api_key, WriteContext(project.id), project.key.id)
    with pytest.raises(ApiKeyNotFound):
        project.store.run(api_keys.revoke_api_key, WriteContext(other), project.key.id)
    with pytest.raises(ApiKeyUnreadable):
        registry.revoke_api_key(project.store, project.key.id)


def test_no_first_key_is_created_because_the_others_are_damaged(project: Project) -> None:
    project.damage("api_key", "scopes", "'deployments:fly'", "id > ''")

    assert create_first_api_key(project.store) is None
    assert project.store.api_keys() == []
