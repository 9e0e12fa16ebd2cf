"""What was deleted 30 days ago is erased for good, and nothing else: by a clock that the test holds."""

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from moorage.api.idempotency import run_idempotent
from moorage.core.deployments.deployment import PostDeployment
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.base import DeploymentDeleted, KeyTaken, VersionDeleted
from moorage.diagnostics.history import verify_history
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

#: What prompts are made of here, wherever in a deployment it stands.
SECRET = "the words of the prompt"


class Desk:
    """A project in a store of its own, with a clock."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "moorage.db"
        self.clock = Clock()
        self.store: Store = a_store(folder, self.clock)
        self.project = create_project(self.store, "desk").id

    def wait(self, days: int) -> None:
        """Let days pass, and a second: no two writes have the same time, so some are later than the clock says."""
        self.clock.now += days * DAY + 1_000_000 * US

    def put(self, key: str, text: str = SECRET, description: str = SECRET) -> str:
        """Put a deployment that has `text` wherever there can be one; its id."""
        body = content(text) | {"description": description, "notes": text}
        return registry.put(self.store, self.project, key, body).deployment.id

    def draft(self, key: str, text: str = SECRET) -> str:
        """Save a draft; its number."""
        body = content(text) | {"notes": text, "description": text}
        return str(registry.save(self.store, self.project, key, body).version.number)

    def delete(self, key_or_id: str) -> None:
        """Delete a deployment."""
        registry.delete(self.store, self.project, key_or_id)

    def restore(self, key_or_id: str) -> None:
        """Restore a deployment."""
        registry.restore(self.store, self.project, key_or_id)

    def delete_version(self, key: str, number: str) -> None:
        """Delete a version."""
        registry.delete_version(self.store, self.project, key, number)

    def restore_version(self, key: str, number: str) -> None:
        """Restore a version."""
        registry.restore_version(self.store, self.project, key, number)

    def post_once(self, key: str, idempotency_key: str) -> None:
        """Create a deployment with an `Idempotency-Key`, so that its result is stored."""
        body = parsed(content(SECRET) | {"key": key, "description": SECRET}, PostDeployment)

        def create(tx: Transaction) -> DeploymentResult:
            return create_deployment(tx, WriteContext(self.project), body)

        self.store.run(run_idempotent, self.project, idempotency_key, "", create)

    def holds(self, text: str = SECRET) -> dict[str, int]:
        """In how many rows of each table the text stands, as another program finds them in the file."""
        with closing(apsw.Connection(str(self.file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            rows = {name: list(connection.execute(f"SELECT * FROM {name}")) for name in tables}
        found = {name: sum(text in str(row) for row in rows[name]) for name in tables}
        return {name: count for name, count in found.items() if count}


def content(text: str) -> dict[str, Any]:
    """A configuration that has `text` in its message and its variables."""
    config = a_body(messages=[{"role": "user", "content": text}])["prompt_config"]
    return {"prompt_config": config, "variables": [{"key": "customer", "value": text}]}


@pytest.fixture
def desk(folder: Path) -> Desk:
    return Desk(folder)


def told(error: pytest.ExceptionInfo[Exception]) -> str:
    return str(error.value)


def test_what_was_deleted_thirty_days_ago_is_erased_and_a_microsecond_later_is_not(desk: Desk) -> None:
    old, young = (desk.put(key, f"of the {key} one", f"of the {key} one") for key in ("old", "young"))
    desk.clock.now += DAY
    start = desk.clock.now
    desk.delete(old)
    desk.clock.now = start + 1 * US
    desk.delete(young)

    desk.clock.now = start + 30 * DAY
    count = purge(desk.store)
    left = desk.holds("of the young one")
    desk.clock.now += 1 * US
    rest = purge(desk.store)

    assert (count, rest) == (1, 1)
    assert desk.holds("of the old one") == {}
    assert left == {"deployment": 1, "version": 1}
    assert desk.holds("of the young one") == {}


def test_a_version_deleted_thirty_days_ago_is_erased_and_a_microsecond_later_is_not(desk: Desk) -> None:
    desk.put("a", "of the live one")
    old, young = desk.draft("a", "of the old one"), desk.draft("a", "of the young one")
    desk.clock.now += DAY
    start = desk.clock.now
    desk.delete_version("a", old)
    desk.clock.now = start + 1 * US
    desk.delete_version("a", young)

    desk.clock.now = start + 30 * DAY
    count = purge(desk.store)
    left = desk.holds("of the young one")
    desk.clock.now += 1 * US
    rest = purge(desk.store)

    assert (count, rest) == (1, 1)
    assert desk.holds("of the old one") == {}
    assert left == {"version": 1}
    assert desk.holds("of the young one") == {}
    assert desk.holds("of the live one") == {"version": 1}


def test_until_thirty_days_are_over_it_can_be_restored_and_then_not(desk: Desk) -> None:
    for key in ("old", "young", "a"):
        desk.put(key)
    old, young = desk.draft("a"), desk.draft("a")
    desk.clock.now += DAY
    start = desk.clock.now
    desk.delete("old")
    desk.clock.now = start + 1 * US
    desk.delete("young")
    desk.clock.now = start + 30 * DAY
    with pytest.raises(DeploymentDeleted):
        desk.restore("old")
    desk.restore("young")

    desk.clock.now += DAY
    start = desk.clock.now
    desk.delete_version("a", old)
    desk.clock.now = start + 1 * US
    desk.delete_version("a", young)
    desk.clock.now = start + 30 * DAY
    with pytest.raises(VersionDeleted):
        desk.restore_version("a", old)
    desk.restore_version("a", young)


def test_nothing_that_is_there_is_ever_erased(desk: Desk) -> None:
    for key in ("kept", "restored"):
        desk.put(key)
        desk.draft(key)
    desk.delete("restored")
    desk.delete_version("kept", "1.1")
    desk.restore("restored")
    desk.restore_version("kept", "1.1")
    before = desk.holds()

    desk.wait(1_000)

    assert (purge(desk.store), purge(desk.store, days=0)) == (0, 0)
    assert desk.holds() == before == {"deployment": 2, "version": 4}


def test_no_word_of_a_prompt_is_left_in_any_row(desk: Desk) -> None:
    desk.post_once("a", "k1")
    desk.put("a", f"{SECRET}, again")
    desk.draft("a")
    desk.put("b", "of b", "")
    before = desk.holds()

    desk.delete("a")
    desk.wait(31)
    count = purge(desk.store)

    assert before == {"deployment": 1, "version": 3, "idempotency": 1}
    assert count == 1, "its versions are part of it"
    assert desk.holds() == {}
    assert desk.holds("of b") == {"version": 1}


def test_no_word_of_a_deleted_version_is_left_in_any_row(desk: Desk) -> None:
    desk.put("a", "of a", "")
    desk.draft("a")
    desk.draft("a")
    desk.delete_version("a", "1.1")
    desk.wait(31)
    desk.delete_version("a", "1.2")

    count = purge(desk.store)

    assert count == 1
    assert desk.holds() == {"version": 1}, "that of 1.2, which was deleted just now"
    assert desk.holds("of a") == {"version": 1}


@pytest.mark.parametrize("days", [0, 1])
def test_who_purges_at_once_leaves_no_word_in_the_answers_that_are_kept_either(desk: Desk, days: int) -> None:
    desk.post_once("a", "k1")
    desk.delete("a")
    desk.wait(days)

    assert purge(desk.store, days=days) == 1
    assert desk.holds() == {}


def test_the_number_of_days_is_how_long_ago_it_was_deleted(desk: Desk) -> None:
    desk.put("a")
    desk.delete("a")
    desk.wait(5)

    assert purge(desk.store, days=6) == 0
    assert desk.holds() == {"deployment": 1, "version": 1}
    assert purge(desk.store, days=5) == 1
    assert desk.holds() == {}


def test_purge_counts_deployments_and_the_versions_of_others(desk: Desk) -> None:
    for key in ("a", "b", "c"):
        desk.put(key)
        desk.draft(key)
        desk.draft(key)
    desk.delete_version("a", "1.1")
    desk.delete("a")  # one, with all its versions
    desk.delete("b")  # one more
    desk.delete_version("c", "1.1")  # and two
    desk.delete_version("c", "1.2")
    desk.wait(30)

    assert (purge(desk.store), purge(desk.store)) == (4, 0)


def test_a_version_that_was_erased_before_its_deployment_is_not_counted_again(desk: Desk) -> None:
    desk.put("a")
    desk.draft("a")
    desk.delete_version("a", "1.1")
    desk.wait(30)
    first = purge(desk.store)
    desk.delete("a")
    desk.wait(30)

    assert (first, purge(desk.store)) == (1, 1)
    assert desk.holds() == {}


def test_a_purge_is_one_write_and_none_where_there_is_nothing_to_erase(desk: Desk) -> None:
    desk.put("a")
    desk.put("b")
    before = desk.store.current_revision()
    nothing = purge(desk.store, days=0)
    untouched = desk.store.current_revision()
    desk.delete("a")
    desk.delete("b")

    erased = purge(desk.store, days=0)

    assert (nothing, untouched) == (0, before)
    assert (erased, desk.store.current_revision()) == (2, before + 3)
    assert purge(desk.store, days=0) == 0
    assert desk.store.current_revision() == before + 3


@pytest.mark.parametrize("what", ["deployment", "version"])
def test_whether_there_is_something_to_erase_is_known_without_a_write(desk: Desk, what: str) -> None:
    desk.put("a")
    desk.draft("a")
    desk.clock.now += DAY
    start = desk.clock.now
    if what == "deployment":
        desk.delete("a")
    else:
        desk.delete_version("a", "1.1")
    before = desk.store.current_revision()

    desk.clock.now = start + 30 * DAY - 1 * US
    early = is_purge_due(desk.store)
    desk.clock.now = start + 30 * DAY
    due = is_purge_due(desk.store)
    unchanged = desk.store.current_revision()
    count = purge(desk.store)

    assert (early, due, unchanged) == (False, True, before)
    assert (count, is_purge_due(desk.store), is_purge_due(desk.store, days=0)) == (1, False, False)


def test_what_was_erased_cannot_be_restored_and_its_key_is_free(desk: Desk) -> None:
    erased = desk.put("a")
    desk.delete("a")
    desk.wait(30)
    purge(desk.store)

    for name in ("a", erased):
        with pytest.raises(DeploymentDeleted) as refused:
            desk.restore(name)
        assert "It was permanently deleted." in told(refused)
        assert "POST" not in told(refused)
    assert desk.put("a") != erased


def test_what_was_erased_is_gone_for_good_whoever_has_its_key_by_now(desk: Desk) -> None:
    erased = desk.put("a")
    desk.delete("a")
    second = desk.put("a")
    with pytest.raises(KeyTaken):  # as long as it could come back
        desk.restore(erased)
    desk.wait(30)
    purge(desk.store)

    with pytest.raises(DeploymentDeleted) as refused:
        desk.restore(erased)

    assert "It was permanently deleted." in told(refused)
    with desk.store.read() as reading:
        assert get_deployment(reading, desk.project, "a").id == second


def test_an_erased_version_says_so_and_keeps_its_number(desk: Desk) -> None:
    desk.put("a", "one")
    desk.put("a", "two")
    desk.draft("a", "three")
    desk.delete_version("a", "1.0")
    desk.delete_version("a", "1.2")
    desk.wait(30)
    assert purge(desk.store) == 2

    with pytest.raises(VersionDeleted, match=r"1\.0 of deployment 'a' .* It was permanently deleted\."):
        registry.undo(desk.store, desk.project, "a")
    with pytest.raises(VersionDeleted, match=r"1\.2 of deployment 'a' .* It was permanently deleted\."):
        registry.publish(desk.store, desk.project, "a", "1.2")
    with pytest.raises(VersionDeleted, match=r"It was permanently deleted\."):
        desk.restore_version("a", "1.2")
    assert desk.draft("a") == "1.3"


def test_the_history_keeps_what_was_done_to_what_was_erased(desk: Desk) -> None:
    desk.put("a", "one")
    deployment_id = desk.put("a", "two")
    desk.delete_version("a", "1.0")
    desk.delete("a")
    desk.wait(30)
    with desk.store.whole() as whole:
        ledger = [*whole.rows(HISTORY), whole.history_hash]

    assert purge(desk.store) == 1

    with desk.store.read() as reading:
        page, _ = reading.history(deployment_id, PageQuery())
    assert [(each.action, each.from_version, each.to_version) for each in page] == [
        ("deleted", "1.1", None),
        ("deleted", "1.0", "1.0"),
        ("published", "1.0", "1.1"),
        ("created", None, "1.0"),
    ]
    with desk.store.whole() as whole:
        assert [*whole.rows(HISTORY), whole.history_hash] == ledger
    assert verify_history(desk.store) == []


def test_cursors_to_what_was_erased_still_page(desk: Desk) -> None:
    ids = [desk.put(key) for key in ("a", "b", "c")]
    numbers = [desk.draft("a", text) for text in ("1", "2", "3")]
    with desk.store.read() as reading:
        cursor = reading.find_version(ids[0], numbers[1])
    assert cursor is not None
    desk.delete("b")
    desk.delete_version("a", numbers[1])
    desk.wait(30)
    purge(desk.store)

    with desk.store.read() as reading:
        older, _ = reading.manifests(desk.project, PageQuery(starting_after=ids[1]))
        newer, _ = reading.manifests(desk.project, PageQuery(ending_before=ids[1]))
        versions, _ = reading.versions(ids[0], PageQuery(starting_after=cursor.id))

    assert [each.id for each in older] == [ids[0]]
    assert [each.id for each in newer] == [ids[2]]
    assert [str(each.number) for each in versions] == ["1.1", "1.0"]


def test_of_several_that_had_a_key_the_one_deleted_last_is_told_of(desk: Desk) -> None:
    first = desk.put("a")
    desk.delete("a")
    desk.wait(30)
    second = desk.put("a")
    desk.delete("a")
    purge(desk.store)

    with desk.store.read() as reading:
        stones = [reading.find_tombstone(desk.project, name) for name in ("a", first, second)]

    assert [stone.id for stone in stones if stone] == [second, first, second]
    assert [stone.tombstone.is_erased for stone in stones if stone] == [False, True, False]
    desk.restore("a")
    with desk.store.read() as reading:
        assert get_deployment(reading, desk.project, "a").id == second


def test_another_projects_deployments_are_erased_by_their_own_age(desk: Desk) -> None:
    desk.put("a")
    desk.delete("a")
    desk.wait(30)
    other = create_project(desk.store, "other").id
    registry.put(desk.store, other, "a", content("of the other") | {"description": ""})
    registry.delete(desk.store, other, "a")

    assert purge(desk.store) == 1
    assert (desk.holds(), desk.holds("of the other")) == ({}, {"version": 1})
    assert registry.restore(desk.store, other, "a").key == "a"


def test_a_clock_that_steps_back_erases_nothing_too_early(desk: Desk) -> None:
    desk.put("a")
    desk.wait(30)
    desk.put("b")
    desk.clock.now -= 30 * DAY
    desk.delete("a")  # at the time of the last write, and a microsecond
    desk.wait(30)

    assert purge(desk.store) == 0
    desk.clock.now += 30 * DAY + 1 * US
    assert purge(desk.store) == 1
