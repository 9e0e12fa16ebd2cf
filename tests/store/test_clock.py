"""A clock that was ahead by a year for one write: durations are right as soon as the clock is."""

import re
from pathlib import Path
from typing import Any

import pytest

from moorage.api.idempotency import run_idempotent
from moorage.core.access import DEFAULT_SCOPES
from moorage.core.compatibility.consumers import UsageRecord
from moorage.core.compatibility.errors import DeploymentInUse
from moorage.core.deployments.deployment import PostDeployment
from moorage.core.deployments.page import PageQuery
from moorage.core.environments import EnvironmentSettings
from moorage.core.errors.base import DeploymentDeleted, IdempotencyConflict, VersionDeleted
from moorage.core.errors.requests import InvalidRequest
from moorage.core.times import LAST_US
from moorage.diagnostics.integrity import check
from moorage.registry.clock import reset_clock, seconds_ahead
from moorage.registry.deployments import create_deployment
from moorage.registry.purge import delete_old_consumers, is_purge_due
from moorage.registry.results import DeploymentResult
from moorage.registry.write_context import WriteContext
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from moorage.store.unreadable import readable
from tests.cli.whole_database import contents
from tests.support import environments, registry
from tests.support.environments import actor, fill_with_environments, model, set_environment
from tests.support.program import moorage
from tests.support.registry import parsed
from tests.support.server import a_body
from tests.support.stores import Clock, Database, run_sql

DAY_US = 86_400_000_000
YEAR = 365


class ProjectStore:
    """A store with a project whose clock can be ahead for one write."""

    def __init__(self, database: Database) -> None:
        self.url = database.url
        self.clock = Clock()
        self.store: Store = database.store(self.clock)
        self.id = registry.create_project(self.store, "p").id
        self.key_id = registry.create_api_key(self.store, self.id, "app", DEFAULT_SCOPES)[0].id

    def wait(self, days: float) -> None:
        """Advance the clock; negative days move it back."""
        self.clock.now += round(days * DAY_US) * 1_000

    def put(self, key: str, model: str = "m") -> str:
        """Put a deployment; return its id."""
        return registry.put(self.store, self.id, key, a_body(model=model)).deployment.id

    def be_ahead_once(self) -> None:
        """Write once with a clock that is ahead by a year, and put the clock back."""
        self.wait(YEAR)
        self.put("ahead")
        self.wait(-YEAR)

    def deleted_us(self, key: str) -> int:
        """Return the time of a deletion."""
        with self.store.read() as reader:
            found = reader.find_tombstone(self.id, key)
        assert found is not None
        assert found.deleted_us is not None
        return found.deleted_us

    def serve(self, version_id: str) -> None:
        """Record that the API key was served a version now."""
        now_us = self.store.now_us()
        self.store.record_consumers([UsageRecord(version_id, self.key_id, now_us, now_us, ("name",))])

    def post_once(self, idempotency_key: str, key: str) -> bool:
        """Create a deployment with an `Idempotency-Key`; return whether the result was stored before."""
        body = parsed(a_body() | {"key": key}, PostDeployment)

        def create(tx: Transaction) -> DeploymentResult:
            return create_deployment(tx, WriteContext(self.id), body)

        return self.store.run(run_idempotent, WriteContext(self.id), idempotency_key, key, create)[1]


@pytest.fixture
def project(database: Database) -> ProjectStore:
    made = ProjectStore(database)
    made.put("a", "one")
    made.put("a", "two")
    return made


def findings(store: Store) -> list[str]:
    """Return all findings of `moorage db check`."""
    return [finding for result in check(store) for finding in result.findings]


def live_version(project: ProjectStore, key: str) -> str:
    with project.store.read() as reader:
        found = reader.find_deployment(project.id, key)
    assert found is not None
    return found.live_version_id or ""


def test_a_deletion_from_before_can_be_restored_for_its_30_days(project: ProjectStore) -> None:
    project.put("b")
    registry.delete(project.store, project.id, "b")
    registry.delete_version(project.store, project.id, "a", "1.0")

    project.be_ahead_once()
    project.wait(29)

    assert registry.restore(project.store, project.id, "b").key == "b"
    assert str(registry.restore_version(project.store, project.id, "a", "1.0").version.number) == "1.0"


def test_a_purge_deletes_nothing_too_early(project: ProjectStore) -> None:
    project.put("before")
    registry.delete(project.store, project.id, "before")
    project.be_ahead_once()
    project.put("after")
    registry.delete(project.store, project.id, "after")
    registry.delete_version(project.store, project.id, "a", "1.0")

    for days in (0, 29):
        project.wait(days)
        assert not is_purge_due(project.store)
        assert registry.purge(project.store) == 0
    assert registry.restore(project.store, project.id, "before").key == "before"
    assert registry.restore(project.store, project.id, "after").key == "after"


def test_a_deletion_from_after_is_dated_by_the_clock_and_purged_after_30_days(project: ProjectStore) -> None:
    project.be_ahead_once()
    registry.delete_version(project.store, project.id, "a", "1.0")
    registry.delete(project.store, project.id, "a")

    assert project.deleted_us("a") == project.store.now_us()
    project.wait(30)
    with pytest.raises(DeploymentDeleted, match="permanently"):
        registry.restore(project.store, project.id, "a")
    assert is_purge_due(project.store)
    assert registry.purge(project.store) == 1


def test_a_version_that_was_deleted_after_is_purged_after_30_days(project: ProjectStore) -> None:
    project.be_ahead_once()
    registry.delete_version(project.store, project.id, "a", "1.0")

    project.wait(30)

    with pytest.raises(VersionDeleted, match="permanently"):
        registry.restore_version(project.store, project.id, "a", "1.0")
    assert (is_purge_due(project.store), registry.purge(project.store)) == (True, 1)


def test_a_deletion_dated_in_the_future_is_purged_on_request(project: ProjectStore) -> None:
    project.wait(YEAR)
    registry.delete(project.store, project.id, "a")
    project.wait(-YEAR)

    assert registry.purge(project.store, days=1) == 0
    assert registry.purge(project.store, days=0) == 1


@pytest.mark.parametrize("kind", ["deployment", "version"])
def test_a_deletion_while_the_clock_was_behind_is_not_purged_at_once(project: ProjectStore, kind: str) -> None:
    project.wait(-YEAR)
    if kind == "deployment":
        registry.delete(project.store, project.id, "a")
    else:
        registry.delete_version(project.store, project.id, "a", "1.0")
    project.wait(YEAR + 1)

    assert (is_purge_due(project.store), registry.purge(project.store)) == (False, 0)
    project.wait(30)
    assert (is_purge_due(project.store), registry.purge(project.store)) == (True, 1)


def test_a_deployment_in_use_is_not_deleted_without_force(project: ProjectStore) -> None:
    project.serve(live_version(project, "a"))

    project.be_ahead_once()
    project.wait(6)
    with pytest.raises(DeploymentInUse):
        registry.delete(project.store, project.id, "a")

    project.wait(2)
    assert registry.delete(project.store, project.id, "a").key == "a"


def test_a_consumer_of_the_future_is_in_use_until_it_is_served_again(project: ProjectStore) -> None:
    project.wait(YEAR)
    project.serve(live_version(project, "a"))
    project.wait(-YEAR)
    with pytest.raises(DeploymentInUse):
        registry.delete(project.store, project.id, "a")

    project.serve(live_version(project, "a"))
    project.wait(8)

    assert registry.delete(project.store, project.id, "a").key == "a"


def test_consumers_are_kept_for_30_days(project: ProjectStore) -> None:
    version_id = live_version(project, "a")
    project.serve(version_id)
    project.be_ahead_once()

    for days, count in ((29, 1), (2, 0)):
        project.wait(days)
        delete_old_consumers(project.store)
        with project.store.read() as reader:
            assert len(reader.consumers_of_version(version_id, 0)) == count


def test_an_api_key_expires_by_the_clock(project: ProjectStore) -> None:
    project.be_ahead_once()

    expires_us = project.store.now_us() + DAY_US
    key, _ = registry.create_api_key(project.store, project.id, "new", DEFAULT_SCOPES, expires_us)
    assert key.expires_us == expires_us
    with pytest.raises(InvalidRequest, match="in the past"):
        registry.create_api_key(project.store, project.id, "old", DEFAULT_SCOPES, project.store.now_us())


def test_an_idempotency_key_is_remembered_for_24_hours(project: ProjectStore) -> None:
    assert not project.post_once("k1", "x")
    project.be_ahead_once()

    project.wait(0.9)
    assert project.post_once("k1", "x")
    with pytest.raises(IdempotencyConflict):
        project.post_once("k1", "y")
    project.wait(0.2)
    assert not project.post_once("k1", "y")


def test_a_result_that_is_stored_while_the_clock_is_ahead_deletes_no_other(project: ProjectStore) -> None:
    project.post_once("k1", "x")
    project.wait(YEAR)
    project.post_once("k2", "y")
    project.wait(-YEAR)
    project.post_once("k3", "z")

    assert [project.post_once(*each) for each in (("k1", "x"), ("k2", "y"), ("k3", "z"))] == [True] * 3


def test_old_results_are_deleted(project: ProjectStore) -> None:
    for number in range(5):
        project.post_once(f"k{number}", f"d{number}")
        project.wait(1)

    assert run_sql(project.url, "SELECT key FROM idempotency ORDER BY key") == [("k3",), ("k4",)]


def test_the_deployment_that_was_deleted_last_is_the_one_of_its_key(project: ProjectStore) -> None:
    project.wait(YEAR)
    first = project.put("b")
    registry.delete(project.store, project.id, "b")
    project.wait(-YEAR)
    second = project.put("b")
    registry.delete(project.store, project.id, "b")

    assert registry.restore(project.store, project.id, "b").id == second != first


def test_creation_times_increase_until_the_clock_is_reset(project: ProjectStore, database: Database) -> None:
    project.be_ahead_once()
    project.put("b")
    assert seconds_ahead(project.store) == YEAR * 86_400

    project.store.run(reset_clock)
    project.put("c")

    assert seconds_ahead(project.store) == 0
    with project.store.read() as reader:
        page, _ = reader.manifests(project.id, PageQuery(10))
    created = {deployment.key: deployment.created_us for deployment in readable(page)}
    assert list(created) == ["c", "b", "ahead", "a"], "the order of the list does not change"
    assert sorted(created.values()) == list(created.values())[::-1]
    assert max(created.values()) <= project.store.now_us() + 10
    assert [finding for result in check(project.store) for finding in result.findings] == []


def test_a_reset_replaces_every_time_in_the_future_but_those_of_the_history(project: ProjectStore) -> None:
    project.wait(YEAR)
    project.put("b")
    registry.delete(project.store, project.id, "b")
    registry.delete_version(project.store, project.id, "a", "1.0")
    registry.create_project(project.store, "q")
    registry.revoke_api_key(project.store, registry.create_api_key(project.store, project.id, "k")[0].id)
    project.serve(live_version(project, "a"))
    project.post_once("k1", "x")
    registry.fill_with_integrations(project.store, project.id)
    fill_with_environments(project.store, project.id)
    project.wait(-YEAR)
    project.put("a", "three")
    now_us = project.store.now_us()

    project.store.run(reset_clock)

    with project.store.dump() as dump:
        assert dump.last_created_us == now_us
    times = {
        "project": ("created_us",), "api_key": ("created_us", "revoked_us"), "idempotency": ("created_us",),
        "deployment": ("created_us", "updated_us", "deleted_us"), "version": ("created_us", "deleted_us"),
        "consumer": ("first_us", "last_us"), "integration": ("created_us", "updated_us", "deleted_us"),
        "environment": ("created_us", "updated_us", "deleted_us"), "pointer": ("updated_us",),
        "proposal": ("created_us", "closed_us"), "approval": ("at_us",),
    }  # fmt: skip
    for table, columns in times.items():
        for column in columns:
            ((newest,),) = run_sql(project.url, f"SELECT max({column}) FROM {table}")
            assert newest <= now_us, (table, column)
    ((newest,),) = run_sql(project.url, "SELECT max(at_us) FROM history")
    assert newest > now_us
    assert [finding for result in check(project.store) for finding in result.findings] == []


def test_the_rows_follow_from_the_history_after_resets_and_purges(project: ProjectStore) -> None:
    project.put("kept")
    for _ in range(2):
        project.wait(YEAR)
        for key in ("purged", "deleted"):
            project.put(key)
            registry.delete(project.store, project.id, key)
            registry.purge(project.store, 0 if key == "purged" else 30)
        project.put("kept", "later")
        registry.delete_version(project.store, project.id, "kept", "1.0")
        registry.restore_version(project.store, project.id, "kept", "1.0")
        project.wait(-YEAR)
        project.store.run(reset_clock)
        project.put("kept", "now")
        registry.restore(project.store, project.id, "deleted")
        registry.delete(project.store, project.id, "deleted")
        assert [finding for result in check(project.store) for finding in result.findings] == []
    project.wait(31)
    assert registry.purge(project.store) > 0
    assert [finding for result in check(project.store) for finding in result.findings] == []

    for table, column in (("deployment", "created_us"), ("deployment", "updated_us"), ("version", "created_us")):
        ((before, row),) = run_sql(project.url, f"SELECT {column}, id FROM {table} ORDER BY rev DESC LIMIT 1")
        run_sql(project.url, f"UPDATE {table} SET {column} = {before - 1} WHERE id = '{row}'")
        assert [finding for result in check(project.store) for finding in result.findings if column in finding]
        run_sql(project.url, f"UPDATE {table} SET {column} = {before} WHERE id = '{row}'")


def test_environments_and_proposals_follow_from_the_history_after_resets_and_purges(project: ProjectStore) -> None:
    """Each step follows a reset: it changes rows whose times the reset replaced, or did not."""
    store = project.store
    staging = set_environment(store, project.id, "staging")
    strict = set_environment(store, project.id, "strict", EnvironmentSettings(required_approvals=2))
    by, first, second = (actor(store, project.id, name, name) for name in ("by", "first", "second"))
    for number in range(2):
        keys = [f"{name}-{number}" for name in ("purged", "kept", "proposed", "rejected")]
        project.wait(YEAR)
        for key in keys:
            environments.put(store, staging, key, model("one"), file="one.yaml")
        published = environments.propose(store, strict, keys[2], model("proposed"), by)
        rejected = environments.propose(store, strict, keys[3], model("proposed"), by)
        environments.approve(store, strict, published, first)
        environments.put(store, staging, keys[1], model("two"), file="one.yaml")
        registry.delete(store, project.id, keys[0], take_ownership=True)
        project.wait(-YEAR)
        project.store.run(reset_clock)
        assert findings(store) == []
        environments.approve(store, strict, published, second, is_last=True)
        environments.reject(store, strict, rejected, second)
        environments.undo(store, staging, keys[1])
        registry.delete(store, project.id, keys[1], take_ownership=True)
        registry.restore(store, project.id, keys[1])
        set_environment(store, project.id, "staging", EnvironmentSettings(f"after reset {number}"))
        assert findings(store) == []
        project.wait(31)
        assert registry.purge(store) == 1
        assert findings(store) == []
    environments.delete_environment(store, staging)
    assert findings(store) == []


def test_a_reset_of_a_clock_that_is_right_changes_nothing(project: ProjectStore) -> None:
    before = contents(project.store)

    project.store.run(reset_clock)

    assert contents(project.store) == before


@pytest.mark.parametrize("stored", [LAST_US, 2**63 - 1])
def test_a_stored_time_after_the_calendar_does_not_stop_writes(project: ProjectStore, stored: int) -> None:
    run_sql(project.url, f"UPDATE revision SET last_created_us = {stored}")

    project.put("b")

    with project.store.dump() as dump:
        assert dump.last_created_us == project.store.now_us()


def test_the_command_replaces_times_only_after_a_confirmation(database: Database, folder: Path) -> None:
    store = database.store(Clock())
    project = registry.create_project(store, "p").id
    registry.put(store, project, "a", a_body())
    reset = ("db", "reset-clock", "--database", database.url)
    assert "nothing to replace" in moorage(*reset, folder=folder).stdout
    run_sql(database.url, f"UPDATE revision SET last_created_us = {LAST_US - 1}")

    refused = moorage(*reset, folder=folder, stdin=b"n\n")
    assert (refused.returncode, "Is the clock of this machine right?" in refused.stdout) == (1, True)
    assert seconds_ahead(store) > 0
    done = moorage(*reset, "--yes", folder=folder)

    assert (done.returncode, done.stderr) == (0, "")
    assert "The next write is dated by the clock." in done.stdout
    assert "nothing to replace" in moorage(*reset, folder=folder).stdout


def test_one_module_reads_the_time_of_day() -> None:
    source = Path(__file__).parents[2] / "src/moorage"
    readers: list[Any] = [
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(r"\btime\.time(_ns)?\b|datetime\.(now|utcnow|today)\(|date\.today\(", path.read_text())
    ]

    assert readers == ["clock.py"]
