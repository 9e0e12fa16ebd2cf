"""A purge permanently deletes data that was deleted at least 30 days ago, and no other data."""

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from moorage.api.idempotency import run_idempotent
from moorage.core.deployments.deployment import PostDeployment
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.base import DeploymentDeleted, KeyTaken, VersionDeleted
from moorage.diagnostics.ledger import verify_ledger
from moorage.registry.deployments import create_deployment
from moorage.registry.lookup import get_deployment
from moorage.registry.purge import is_purge_due
from moorage.registry.results import DeploymentResult
from moorage.registry.write_context import WriteContext
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from moorage.store.transfer.dump import HISTORY
from tests.support import registry
from tests.support.registry import create_project, parsed, purge
from tests.support.server import a_body
from tests.support.stores import Clock, a_store

US = 1_000
DAY = 86_400_000_000 * US

#: The text of prompts, descriptions and notes.
SECRET = "the words of the prompt"


class ProjectStore:
    """A store with one project and a clock."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "moorage.db"
        self.clock = Clock()
        self.store: Store = a_store(folder, self.clock)
        self.id = create_project(self.store, "p").id

    def wait(self, days: int) -> None:
        """Advance the clock by days and a second; writes can be slightly ahead of the clock."""
        self.clock.now += days * DAY + 1_000_000 * US

    def put(self, key: str, text: str = SECRET, description: str = SECRET) -> str:
        """Put a deployment with `text` in every text field; return its id."""
        body = content(text) | {"description": description, "notes": text}
        return registry.put(self.store, self.id, key, body).deployment.id

    def draft(self, key: str, text: str = SECRET) -> str:
        """Save a draft; return its number."""
        body = content(text) | {"notes": text, "description": text}
        return str(registry.save(self.store, self.id, key, body).version.number)

    def delete(self, key_or_id: str) -> None:
        """Delete a deployment."""
        registry.delete(self.store, self.id, key_or_id)

    def restore(self, key_or_id: str) -> None:
        """Restore a deployment."""
        registry.restore(self.store, self.id, key_or_id)

    def delete_version(self, key: str, number: str) -> None:
        """Delete a version."""
        registry.delete_version(self.store, self.id, key, number)

    def restore_version(self, key: str, number: str) -> None:
        """Restore a version."""
        registry.restore_version(self.store, self.id, key, number)

    def post_once(self, key: str, idempotency_key: str) -> None:
        """Create a deployment with an `Idempotency-Key`, so that its result is stored."""
        body = parsed(content(SECRET) | {"key": key, "description": SECRET}, PostDeployment)

        def create(tx: Transaction) -> DeploymentResult:
            return create_deployment(tx, WriteContext(self.id), body)

        self.store.run(run_idempotent, WriteContext(self.id), idempotency_key, "", create)

    def count_rows(self, text: str = SECRET) -> dict[str, int]:
        """Return the number of rows with a text by table, as another program reads them."""
        with closing(apsw.Connection(str(self.file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            rows = {name: list(connection.execute(f"SELECT * FROM {name}")) for name in tables}
        found = {name: sum(text in str(row) for row in rows[name]) for name in tables}
        return {name: count for name, count in found.items() if count}


def content(text: str) -> dict[str, Any]:
    """Return a configuration with `text` in its message and its variables."""
    config = a_body(messages=[{"role": "user", "content": text}])["prompt_config"]
    return {"prompt_config": config, "variables": [{"key": "customer", "value": text}]}


@pytest.fixture
def project(folder: Path) -> ProjectStore:
    return ProjectStore(folder)


def message_of(error: pytest.ExceptionInfo[Exception]) -> str:
    return str(error.value)


def test_a_deployment_is_purged_after_exactly_30_days(project: ProjectStore) -> None:
    old, recent = (project.put(key, f"of the {key} one", f"of the {key} one") for key in ("old", "recent"))
    project.clock.now += DAY
    start = project.clock.now
    project.delete(old)
    project.clock.now = start + 1 * US
    project.delete(recent)

    project.clock.now = start + 30 * DAY
    count = purge(project.store)
    left = project.count_rows("of the recent one")
    project.clock.now += 1 * US
    rest = purge(project.store)

    assert (count, rest) == (1, 1)
    assert project.count_rows("of the old one") == {}
    assert left == {"deployment": 1, "version": 1}
    assert project.count_rows("of the recent one") == {}


def test_a_version_is_purged_after_exactly_30_days(project: ProjectStore) -> None:
    project.put("a", "of the live one")
    old, recent = project.draft("a", "of the old one"), project.draft("a", "of the recent one")
    project.clock.now += DAY
    start = project.clock.now
    project.delete_version("a", old)
    project.clock.now = start + 1 * US
    project.delete_version("a", recent)

    project.clock.now = start + 30 * DAY
    count = purge(project.store)
    left = project.count_rows("of the recent one")
    project.clock.now += 1 * US
    rest = purge(project.store)

    assert (count, rest) == (1, 1)
    assert project.count_rows("of the old one") == {}
    assert left == {"version": 1}
    assert project.count_rows("of the recent one") == {}
    assert project.count_rows("of the live one") == {"version": 1}


def test_a_deletion_can_be_restored_for_exactly_30_days(project: ProjectStore) -> None:
    for key in ("old", "recent", "a"):
        project.put(key)
    old, recent = project.draft("a"), project.draft("a")
    project.clock.now += DAY
    start = project.clock.now
    project.delete("old")
    project.clock.now = start + 1 * US
    project.delete("recent")
    project.clock.now = start + 30 * DAY
    with pytest.raises(DeploymentDeleted):
        project.restore("old")
    project.restore("recent")

    project.clock.now += DAY
    start = project.clock.now
    project.delete_version("a", old)
    project.clock.now = start + 1 * US
    project.delete_version("a", recent)
    project.clock.now = start + 30 * DAY
    with pytest.raises(VersionDeleted):
        project.restore_version("a", old)
    project.restore_version("a", recent)


def test_data_that_is_not_deleted_is_not_purged(project: ProjectStore) -> None:
    for key in ("active", "restored"):
        project.put(key)
        project.draft(key)
    project.delete("restored")
    project.delete_version("active", "1.1")
    project.restore("restored")
    project.restore_version("active", "1.1")
    before = project.count_rows()

    project.wait(1_000)

    assert (purge(project.store), purge(project.store, days=0)) == (0, 0)
    assert project.count_rows() == before == {"deployment": 2, "version": 4}


def test_no_row_has_a_text_of_a_purged_deployment(project: ProjectStore) -> None:
    project.post_once("a", "k1")
    project.put("a", f"{SECRET}, again")
    project.draft("a")
    project.put("b", "of b", "")
    before = project.count_rows()

    project.delete("a")
    project.wait(31)
    count = purge(project.store)

    assert before == {"deployment": 1, "version": 3, "idempotency": 1}
    assert count == 1, "its versions are not counted"
    assert project.count_rows() == {}
    assert project.count_rows("of b") == {"version": 1}


def test_no_row_has_a_text_of_a_purged_version(project: ProjectStore) -> None:
    project.put("a", "of a", "")
    project.draft("a")
    project.draft("a")
    project.delete_version("a", "1.1")
    project.wait(31)
    project.delete_version("a", "1.2")

    count = purge(project.store)

    assert count == 1
    assert project.count_rows() == {"version": 1}, "version 1.2, which was deleted just now"
    assert project.count_rows("of a") == {"version": 1}


@pytest.mark.parametrize("days", [0, 1])
def test_an_early_purge_deletes_the_stored_results_too(project: ProjectStore, days: int) -> None:
    project.post_once("a", "k1")
    project.delete("a")
    project.wait(days)

    assert purge(project.store, days=days) == 1
    assert project.count_rows() == {}


def test_the_days_of_a_purge_are_the_age_of_the_deletion(project: ProjectStore) -> None:
    project.put("a")
    project.delete("a")
    project.wait(5)

    assert purge(project.store, days=6) == 0
    assert project.count_rows() == {"deployment": 1, "version": 1}
    assert purge(project.store, days=5) == 1
    assert project.count_rows() == {}


def test_purge_counts_deployments_and_the_versions_of_others(project: ProjectStore) -> None:
    for key in ("a", "b", "c"):
        project.put(key)
        project.draft(key)
        project.draft(key)
    project.delete_version("a", "1.1")
    project.delete("a")  # counts 1, with all its versions
    project.delete("b")  # counts 1
    project.delete_version("c", "1.1")  # counts 2
    project.delete_version("c", "1.2")
    project.wait(30)

    assert (purge(project.store), purge(project.store)) == (4, 0)


def test_a_version_that_was_purged_before_its_deployment_is_counted_once(project: ProjectStore) -> None:
    project.put("a")
    project.draft("a")
    project.delete_version("a", "1.1")
    project.wait(30)
    first = purge(project.store)
    project.delete("a")
    project.wait(30)

    assert (first, purge(project.store)) == (1, 1)
    assert project.count_rows() == {}


def test_a_purge_is_one_write_and_an_empty_purge_is_none(project: ProjectStore) -> None:
    project.put("a")
    project.put("b")
    before = project.store.current_revision()
    nothing = purge(project.store, days=0)
    untouched = project.store.current_revision()
    project.delete("a")
    project.delete("b")

    purged = purge(project.store, days=0)

    assert (nothing, untouched) == (0, before)
    assert (purged, project.store.current_revision()) == (2, before + 3)
    assert purge(project.store, days=0) == 0
    assert project.store.current_revision() == before + 3


@pytest.mark.parametrize("kind", ["deployment", "version"])
def test_a_due_purge_is_detected_without_a_write(project: ProjectStore, kind: str) -> None:
    project.put("a")
    project.draft("a")
    project.clock.now += DAY
    start = project.clock.now
    if kind == "deployment":
        project.delete("a")
    else:
        project.delete_version("a", "1.1")
    before = project.store.current_revision()

    project.clock.now = start + 30 * DAY - 1 * US
    early = is_purge_due(project.store)
    project.clock.now = start + 30 * DAY
    due = is_purge_due(project.store)
    unchanged = project.store.current_revision()
    count = purge(project.store)

    assert (early, due, unchanged) == (False, True, before)
    assert (count, is_purge_due(project.store), is_purge_due(project.store, days=0)) == (1, False, False)


def test_a_purged_deployment_cannot_be_restored_and_its_key_is_free(project: ProjectStore) -> None:
    purged = project.put("a")
    project.delete("a")
    project.wait(30)
    purge(project.store)

    for name in ("a", purged):
        with pytest.raises(DeploymentDeleted) as rejected:
            project.restore(name)
        assert "It was permanently deleted." in message_of(rejected)
        assert "POST" not in message_of(rejected)
    assert project.put("a") != purged


def test_a_purged_deployment_cannot_be_restored_while_another_has_its_key(project: ProjectStore) -> None:
    purged = project.put("a")
    project.delete("a")
    second = project.put("a")
    with pytest.raises(KeyTaken):  # before the purge
        project.restore(purged)
    project.wait(30)
    purge(project.store)

    with pytest.raises(DeploymentDeleted) as rejected:
        project.restore(purged)

    assert "It was permanently deleted." in message_of(rejected)
    with project.store.read() as reader:
        assert get_deployment(reader, project.id, "a").id == second


def test_a_purged_version_is_reported_as_permanently_deleted_and_its_number_is_not_reused(
    project: ProjectStore,
) -> None:
    project.put("a", "one")
    project.put("a", "two")
    project.draft("a", "three")
    project.delete_version("a", "1.0")
    project.delete_version("a", "1.2")
    project.wait(30)
    assert purge(project.store) == 2

    with pytest.raises(VersionDeleted, match=r"1\.0 of deployment 'a' .* It was permanently deleted\."):
        registry.undo(project.store, project.id, "a")
    with pytest.raises(VersionDeleted, match=r"1\.2 of deployment 'a' .* It was permanently deleted\."):
        registry.publish(project.store, project.id, "a", "1.2")
    with pytest.raises(VersionDeleted, match=r"It was permanently deleted\."):
        project.restore_version("a", "1.2")
    assert project.draft("a") == "1.3"


def test_a_purge_adds_one_entry_to_the_history_and_changes_none(project: ProjectStore) -> None:
    project.put("a", "one")
    deployment_id = project.put("a", "two")
    project.delete_version("a", "1.0")
    project.delete("a")
    project.wait(30)
    with project.store.dump() as dump:
        history = list(dump.rows(HISTORY))

    assert purge(project.store) == 1

    with project.store.read() as reader:
        page, _ = reader.history(deployment_id, PageQuery())
    assert [(entry.action, entry.from_version, entry.to_version) for entry in page] == [
        ("deleted", "1.1", None),
        ("deleted", "1.0", "1.0"),
        ("published", "1.0", "1.1"),
        ("created", None, "1.0"),
    ]
    with project.store.dump() as dump:
        *before, added = dump.rows(HISTORY)
    assert before == history
    assert added[HISTORY.columns.index("action")] == "purged"
    assert verify_ledger(project.store) == []


def test_cursors_to_purged_deployments_and_versions_stay_valid(project: ProjectStore) -> None:
    ids = [project.put(key) for key in ("a", "b", "c")]
    numbers = [project.draft("a", text) for text in ("1", "2", "3")]
    with project.store.read() as reader:
        cursor = reader.find_version(ids[0], numbers[1])
    assert cursor is not None
    project.delete("b")
    project.delete_version("a", numbers[1])
    project.wait(30)
    purge(project.store)

    with project.store.read() as reader:
        first = reader.find_deployment(project.id, ids[0])
        assert first is not None
        older, _ = reader.manifests(project.id, PageQuery(starting_after=ids[1]))
        newer, _ = reader.manifests(project.id, PageQuery(ending_before=ids[1]))
        versions, _ = reader.versions(first, PageQuery(starting_after=cursor.id))

    assert [deployment.id for deployment in older] == [ids[0]]
    assert [deployment.id for deployment in newer] == [ids[2]]
    assert [str(version.number) for version in versions] == ["1.1", "1.0"]


def test_a_lookup_by_key_finds_the_tombstone_that_was_deleted_last(project: ProjectStore) -> None:
    first = project.put("a")
    project.delete("a")
    project.wait(30)
    second = project.put("a")
    project.delete("a")
    purge(project.store)

    with project.store.read() as reader:
        tombstones = [reader.find_tombstone(project.id, name) for name in ("a", first, second)]

    assert [tombstone.id for tombstone in tombstones if tombstone] == [second, first, second]
    assert [found.tombstone.is_purged for found in tombstones if found] == [False, True, False]
    project.restore("a")
    with project.store.read() as reader:
        assert get_deployment(reader, project.id, "a").id == second


def test_deployments_of_another_project_are_purged_by_their_own_age(project: ProjectStore) -> None:
    project.put("a")
    project.delete("a")
    project.wait(30)
    other = create_project(project.store, "other").id
    registry.put(project.store, other, "a", content("of the other") | {"description": ""})
    registry.delete(project.store, other, "a")

    assert purge(project.store) == 1
    assert (project.count_rows(), project.count_rows("of the other")) == ({}, {"version": 1})
    assert registry.restore(project.store, other, "a").key == "a"


def test_a_clock_that_steps_back_purges_nothing_too_early(project: ProjectStore) -> None:
    project.put("a")
    project.wait(30)
    project.put("b")
    project.clock.now -= 30 * DAY
    project.delete("a")  # one microsecond after the last write
    project.wait(30)

    assert purge(project.store) == 0
    project.clock.now += 30 * DAY + 1 * US
    assert purge(project.store) == 1


def test_the_cases_of_a_deleted_deployment_are_purged_with_it(folder: Path) -> None:
    project = ProjectStore(folder)
    kept, gone = project.put("kept"), project.put("gone")
    for id_ in (kept, gone):
        assert project.store.cases.put(id_, "first", b'{"inputs":{"name":"Ada"}}')
    project.delete("gone")
    project.wait(31)

    purge(project.store)

    assert [len(project.store.cases.of_deployment(id_)) for id_ in (kept, gone)] == [1, 0]
