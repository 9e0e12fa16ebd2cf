"""Group commits: several writes share one commit, and each has the result that it would have alone."""

import asyncio
import fcntl
import gc
import http.client
import json
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from moorage.catalog.catalog import Catalog
from moorage.core.access import Project as StoredProject
from moorage.core.deployments.deployment import PostDeployment
from moorage.core.errors.base import KeyTaken, NameTaken
from moorage.core.errors.storage import StorageFull, StorageUnavailable
from moorage.diagnostics.history import verify_history
from moorage.diagnostics.ledger import verify_ledger
from moorage.registry.deployments import create_deployment, delete_deployment
from moorage.registry.purge import purge
from moorage.registry.write_context import WriteContext
from moorage.registry.write_queue import MAX_GROUP, NICE, WriteQueue
from moorage.store.engine import Run
from moorage.store.opening import open_store
from moorage.store.sqlite.engine import SqliteEngine
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from moorage.store.transfer.dump import HISTORY
from tests.support.registry import create_project, parsed
from tests.support.server import Server, a_body
from tests.support.stores import Clock
from tests.support.threads import HANG_SECONDS

Operation = Callable[[Transaction], Any]


class CountingEngine(SqliteEngine):
    """A SQLite engine that counts its commits, and fails them while `is_failing`."""

    commits = 0
    is_failing = False

    @contextmanager
    def write(self) -> Iterator[Run]:
        with super().write() as run:
            yield run
            if self.is_failing:
                raise StorageUnavailable(reason="the disk failed")
        self.commits += 1


class CountingStore(Store):
    """A store on a `CountingEngine`."""

    def __init__(self, folder: Path) -> None:
        self.engine = CountingEngine(folder / "moorage.db")
        super().__init__(self.engine, Clock())

    @property
    def names(self) -> list[str]:
        """The names of the stored projects."""
        return [project.name for project in self.projects()]


@pytest.fixture
def store(folder: Path) -> Iterator[CountingStore]:
    with closing(CountingStore(folder)) as store:
        yield store


def insert(name: str) -> Callable[[Transaction], StoredProject]:
    """Return an operation that inserts a project; the database rejects a used name."""

    def operation(tx: Transaction) -> StoredProject:
        return tx.insert_project(name)

    return operation


def insert_if_free(name: str) -> Callable[[Transaction], StoredProject]:
    """Return an operation that first checks whether the name is free."""

    def operation(tx: Transaction) -> StoredProject:
        if tx.find_project(name):
            raise NameTaken(kind="project", name=name)
        return tx.insert_project(name)

    return operation


def revision_and_time() -> Callable[[Transaction], tuple[int, int]]:
    """Return an operation that returns its revision and time."""

    def operation(tx: Transaction) -> tuple[int, int]:
        return tx.rev, tx.now_us

    return operation


def fail_after(name: str, error: Exception) -> Operation:
    """Return an operation that inserts a project, and then raises."""

    def operation(tx: Transaction) -> None:
        tx.insert_project(name)
        raise error

    return operation


def names(results: list[Any]) -> list[str]:
    """Return the name of the project or of the error in each result."""
    return [result.name if isinstance(result, StoredProject) else type(result).__name__ for result in results]


def test_several_writes_are_one_commit_with_a_revision_each(store: CountingStore) -> None:
    create_project(store, "first")
    before = store.engine.commits

    results = store.group_commit([revision_and_time() for _ in range(5)])

    revisions, times = zip(*results, strict=True)
    assert store.engine.commits == before + 1
    assert revisions == (2, 3, 4, 5, 6)
    assert list(times) == sorted(set(times))
    assert (store.current_revision(), store.newest_revision()) == (6, 6)


def test_a_group_commit_is_stored(store: CountingStore, folder: Path) -> None:
    results = store.group_commit([insert(name) for name in "abc"])

    assert names(results) == ["a", "b", "c"]
    with closing(open_store(f"sqlite:///{folder}/moorage.db")) as other:
        assert [project.name for project in other.projects()] == ["a", "b", "c"]


def test_an_empty_group_changes_nothing(store: CountingStore) -> None:
    assert store.group_commit([]) == []
    assert store.current_revision() == 0


def test_a_rejected_write_is_rolled_back_alone(store: CountingStore) -> None:
    error = NameTaken(kind="project", name="b")

    results = store.group_commit([insert("a"), fail_after("b", error), insert("c")])

    assert names(results) == ["a", "NameTaken", "c"]
    assert results[1] is error
    assert store.names == ["a", "c"]
    assert store.engine.commits == 1
    assert store.current_revision() == 2, "a write that was rolled back has no revision"


@pytest.mark.parametrize("index", [0, 1, 2])
def test_an_unexpected_error_rolls_back_its_write_alone(store: CountingStore, index: int) -> None:
    operations: list[Operation] = [insert("a"), insert("b")]
    operations.insert(index, fail_after("c", ZeroDivisionError()))

    results = store.group_commit(operations)

    assert names(results) == [*"ab"[:index], "ZeroDivisionError", *"ab"[index:]]
    assert store.names == ["a", "b"]


def test_a_group_of_rejected_writes_stores_nothing(store: CountingStore) -> None:
    results = store.group_commit([fail_after(name, KeyError(name)) for name in "ab"])

    assert names(results) == ["KeyError", "KeyError"]
    assert (store.names, store.current_revision(), store.newest_revision()) == ([], 0, 0)
    assert create_project(store, "next").name == "next"


def test_each_write_reads_the_earlier_writes_of_the_group_but_not_the_rolled_back_ones(store: CountingStore) -> None:
    operations = [insert_if_free("a"), fail_after("b", KeyError()), insert_if_free("a"), insert_if_free("b")]

    results = store.group_commit(operations)

    assert names(results) == ["a", "KeyError", "NameTaken", "b"]
    assert store.names == ["a", "b"]


def test_an_error_of_the_database_fails_only_its_write(store: CountingStore) -> None:
    create_project(store, "taken")

    results = store.group_commit([insert("a"), insert("taken"), insert("b"), insert("a"), insert("c")])

    assert names(results) == ["a", "StorageUnavailable", "b", "StorageUnavailable", "c"]
    assert "UNIQUE constraint failed" in str(results[1])
    assert store.names == ["taken", "a", "b", "c"]
    assert store.current_revision() == 4


def test_a_write_that_does_not_fit_on_the_disk_does_not_fail_the_others(store: CountingStore) -> None:
    writer = store.engine._writer
    writer.pragma("max_page_count", writer.pragma("page_count") + 8)

    results = store.group_commit([insert("a"), insert("x" * 200_000), insert("b")])

    assert names(results) == ["a", "StorageFull", "b"]
    assert isinstance(results[1], StorageFull)
    assert store.names == ["a", "b"]


def test_a_failed_commit_fails_all_writes_and_stores_nothing(store: CountingStore) -> None:
    create_project(store, "first")
    store.engine.is_failing = True

    results = store.group_commit([insert("a"), fail_after("b", KeyError()), insert("c")])
    store.engine.is_failing = False

    assert names(results) == ["StorageUnavailable"] * 3
    assert "the disk failed" in str(results[0])
    assert (store.names, store.current_revision(), store.newest_revision()) == (["first"], 1, 1)
    assert names(store.group_commit([insert("a"), insert("c")])) == ["a", "c"]


def test_a_failed_disk_fails_every_write_with_its_own_error(store: CountingStore) -> None:
    store.engine.is_failing = True

    results = store.group_commit([insert("a"), insert("a"), insert("b")])

    assert names(results) == ["StorageUnavailable"] * 3
    assert all("the disk failed" in str(error) for error in results), "not the error of a used name"
    assert store.names == []


def test_the_history_is_chained_through_a_group_commit(store: CountingStore) -> None:
    ctx = WriteContext(create_project(store, "p").id)

    def put(key: str) -> Operation:
        body = parsed({"key": key, **a_body()}, PostDeployment)
        return lambda tx: create_deployment(tx, ctx, body).result

    def delete(key: str) -> Operation:
        return lambda tx: delete_deployment(tx, ctx, key).key

    results = store.group_commit([put("a"), put("a"), put("b"), delete("a"), lambda tx: purge(tx, 0), put("a")])

    assert [str(result) if isinstance(result, str | int) else type(result) for result in results] == [
        "created", KeyTaken, "created", "a", "1", "created"
    ]  # fmt: skip
    with store.dump() as dump:
        action = HISTORY.columns.index("action")
        entries = [(row[0], row[action]) for row in dump.rows(HISTORY)]
    assert entries == [
        (1, "project_created"), (2, "created"), (3, "created"), (4, "deleted"), (5, "purged"), (6, "created")
    ]  # fmt: skip
    assert verify_ledger(store) == []
    assert store.engine.commits == 2


def test_a_discarded_write_stores_nothing_and_uses_no_revision(store: CountingStore) -> None:
    def discard(tx: Transaction) -> str:
        tx.insert_project("discarded")
        tx.discard()
        return "result"

    results = store.group_commit([insert("a"), discard, insert("b")])

    assert (results[1], store.names) == ("result", ["a", "b"])
    assert store.current_revision() == 2


def test_a_discarded_write_outside_of_a_group_stores_nothing(store: CountingStore) -> None:
    with store.write() as tx:
        tx.insert_project("discarded")
        tx.discard()

    assert (store.names, store.current_revision(), store.engine.commits) == ([], 0, 0)


def write_all(store: CountingStore, *operations: Operation) -> list[Any]:
    """Run operations concurrently in a write queue; return their results."""

    async def write_concurrently() -> list[Any]:
        queue = WriteQueue(store, catalog)
        try:
            async with asyncio.timeout(HANG_SECONDS):
                return list(await asyncio.gather(*map(queue.write, operations), return_exceptions=True))
        finally:
            queue.close()

    catalog = Catalog(store)
    catalog.catch_up()
    return asyncio.run(write_concurrently())


def test_a_write_queue_commits_concurrent_writes_in_groups_of_limited_size(store: CountingStore) -> None:
    count = 2 * MAX_GROUP + 3

    results = write_all(store, *(insert(f"p{number}") for number in range(count)))

    assert names(results) == [f"p{number}" for number in range(count)] == store.names
    assert store.engine.commits == 3


def test_a_write_queue_commits_each_large_write_alone(store: CountingStore) -> None:
    sizes = ["small", "small", "LARGE", "LARGE", "small", "LARGE"]

    async def write_concurrently() -> list[StoredProject]:
        queue = WriteQueue(store, Catalog(store))
        try:
            writes = [queue.write(insert(f"p{n}"), is_large=size.isupper()) for n, size in enumerate(sizes)]
            return await asyncio.gather(*writes)
        finally:
            queue.close()

    results = asyncio.run(write_concurrently())

    assert names(results) == [f"p{n}" for n in range(6)] == store.names
    assert store.engine.commits == 5


class Counted(Exception):
    """An error that counts its instances."""

    alive: ClassVar = weakref.WeakSet["Counted"]()

    def __init__(self) -> None:
        super().__init__()
        self.alive.add(self)


def test_an_error_of_a_write_leaves_no_cycle(store: CountingStore) -> None:
    """A cycle would keep the request in memory until the next garbage collection."""

    def fail(_: Transaction) -> None:
        raise Counted

    gc.disable()
    try:
        assert names(write_all(store, fail, insert("b"), fail)) == ["Counted", "b", "Counted"]

        assert len(Counted.alive) == 0
    finally:
        gc.enable()


def test_a_write_queue_returns_each_result_to_its_caller(store: CountingStore) -> None:
    results = write_all(store, insert("a"), fail_after("b", KeyError()), insert("a"), insert("c"))

    assert names(results) == ["a", "KeyError", "StorageUnavailable", "c"]
    assert store.names == ["a", "c"]


def test_a_write_queue_continues_after_a_failed_commit(store: CountingStore) -> None:
    store.engine.is_failing = True
    failed = write_all(store, insert("a"), insert("b"))
    store.engine.is_failing = False

    assert names(failed) == ["StorageUnavailable"] * 2
    assert names(write_all(store, insert("a"), insert("b"))) == ["a", "b"]


def test_only_the_thread_of_the_write_queue_has_a_lower_priority(store: CountingStore) -> None:
    def nice(_: Transaction) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert write_all(store, nice) == [max(NICE, before)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_a_write_runs_even_if_its_caller_is_cancelled(store: CountingStore) -> None:
    async def cancel_first() -> StoredProject:
        queue, loop = WriteQueue(store, Catalog(store)), asyncio.get_running_loop()
        first = loop.create_task(queue.write(insert("first")))
        second = loop.create_task(queue.write(insert("second")))
        await asyncio.sleep(0)  # both are in the queue
        first.cancel()
        try:
            return await asyncio.wait_for(second, HANG_SECONDS)
        finally:
            queue.close()

    assert asyncio.run(cancel_first()).name == "second"
    assert store.names == ["first", "second"]


@contextmanager
def blocked_writes(server: Server) -> Iterator[None]:
    """Hold the lock of the writers until the block ends."""
    lock = os.open(server.folder / "moorage.db-revision", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def test_each_of_many_concurrent_requests_gets_its_own_response(sqlite_server: Server) -> None:
    """The requests wait for the lock, and are committed in one group when it is released."""
    server, project = sqlite_server, sqlite_server.new_project()
    stale = project.put("d7", a_body(model="older")).headers["etag"]
    project.put("d7", a_body(model="newer"))
    before = int(project.get("d7").headers["x-moorage-revision"])
    clients = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=HANG_SECONDS) for _ in range(24)]

    with blocked_writes(server):
        for number, client in enumerate(clients):
            body = a_body(model=f"m{number}", **({"provider": 7} if number == 11 else {}))
            headers = {"Authorization": f"Bearer {project.token}", "X-Request-Id": f"r{number}"}
            headers |= {"If-Match": stale} if number == 7 else {}
            client.request("PUT", f"/v2/deployments/d{number}", json.dumps(body), headers)
        assert project.get("d7").json["prompt_config"]["model"] == "newer", "reads do not wait"
    responses = [client.getresponse() for client in clients]
    results = [
        (response.status, response.headers["X-Request-Id"], json.loads(response.read())) for response in responses
    ]
    for client in clients:
        client.close()

    assert [request_id for _, request_id, _ in results] == [f"r{number}" for number in range(24)]
    errors = {
        number: (status, item["error"]["code"]) for number, (status, _, item) in enumerate(results) if status > 201
    }
    assert errors == {7: (412, "precondition_failed"), 11: (400, "invalid_request_body")}
    assert results[7][2]["error"]["current"]["prompt_config"]["model"] == "newer"
    for number, (status, _, item) in enumerate(results):
        if number not in errors:
            assert (status, item["key"], item["prompt_config"]["model"]) == (201, f"d{number}", f"m{number}")
            assert project.get(f"d{number}").json == item
    assert len(project.page(limit=50).keys) == 23
    assert int(project.get("d7").headers["x-moorage-revision"]) == before + 22
    with closing(open_store(server.database)) as store:
        assert verify_history(store) == []
