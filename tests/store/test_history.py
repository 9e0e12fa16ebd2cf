"""The history costs a write two queries, and its verification a constant amount of memory."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from moorage.core.deployments.history import Changes, Entry, decode_changes
from moorage.core.secret_keys import SecretKeys
from moorage.diagnostics.ledger import verify_ledger
from moorage.registry.projects import get_project
from moorage.store.engine import Engine, Run
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from tests.support import registry
from tests.support.server import a_body
from tests.support.stores import Clock, Database, insert

KEYS = SecretKeys(["0123456789abcdef" * 2])


def text(content: str) -> dict[str, Any]:
    """Return a body with a message."""
    return a_body(messages=[{"role": "user", "content": content}])


@contextmanager
def recorded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record the names of the queries of writes."""
    names: list[str] = []
    write = engine.write

    @contextmanager
    def recording() -> Iterator[Run]:
        with write() as run:

            def recorded_run(name: str, *arguments: Any, **parameters: Any) -> Any:
                names.append(name)
                return run(name, *arguments, **parameters)

            yield recorded_run

    with monkeypatch.context() as patch:
        patch.setattr(engine, "write", recording)
        yield names


@pytest.mark.parametrize("secret_keys", [SecretKeys(), KEYS], ids=["plain", "secret key"])
def test_the_history_of_a_publish_takes_two_queries(
    database: Database, monkeypatch: pytest.MonkeyPatch, secret_keys: SecretKeys
) -> None:
    engine = database.engine()
    store = Store(engine, Clock(), secret_keys)
    project = get_project(store, "default").id
    registry.put(store, project, "a", text("one"))

    with recorded(engine, monkeypatch) as names:
        registry.put(store, project, "a", text("two"))

    assert [name for name in names if "entry" in name or "history" in name] == ["insert_entry", "set_history_head"]


@pytest.mark.exhaustive
def test_the_memory_of_a_verification_does_not_depend_on_the_number_of_entries(database: Database) -> None:
    store = database.store()
    project = get_project(store, "default").id

    def peak() -> int:
        tracemalloc.start()
        assert verify_ledger(store) == []
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    def write(count: int) -> None:
        numbers = range(store.current_revision(), store.current_revision() + count)
        store.group_commit([partial(insert, project_id=project, key=f"d{number}") for number in numbers])

    write(1_500)  # several batches of a cursor
    peak()  # fills the caches
    few = peak()
    write(3_000)

    assert peak() < few + 500_000, "the entries alone are some megabytes"


def test_every_value_of_changes_survives_its_stored_form() -> None:
    changes = Changes(
        key="k", description_sha256="d", owner="files", file=None, version="1.0", text_sha256="t", name="n", scopes="s",
        token_sha256="h", expires_us=None, created_us=1, revoked_us=2, deleted_us=3, purged=4, purged_sum="5",
    )  # fmt: skip

    assert decode_changes(changes.encode()) == changes
    assert Changes().encode() == ""


def test_the_hash_of_an_entry_depends_on_each_field() -> None:
    fields: dict[str, Any] = {name: f"{name} 1" for name in Entry.__struct_fields__}
    entry = Entry(**fields)
    hashes = {entry.hash(""), entry.hash("before")} | {
        Entry(**fields | {name: other}).hash("") for name in fields for other in ("other", None, "", 1)
    }

    assert len(hashes) == 2 + 4 * len(fields) - 1, "the last field is not covered if it is None or empty"


def test_a_change_after_the_entry_of_a_write_is_a_programming_error(database: Database) -> None:
    store = database.store()
    project = get_project(store, "default").id

    def create_then_describe(tx: Transaction) -> None:
        tx.set_description(insert(tx, project, "a"), "not in the entry")

    with pytest.raises(AssertionError):
        store.run(create_then_describe)

    assert verify_ledger(store) == []
