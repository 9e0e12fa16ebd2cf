"""Writes that wait are committed together, and each is kept, refused and told of as if it had been alone."""

import asyncio
import fcntl
import http.client
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from moorage.catalog.catalog import Catalog
from moorage.core.access import Project as StoredProject
from moorage.core.deployments.deployment import PostDeployment
from moorage.core.errors.base import KeyTaken, NameTaken
from moorage.core.errors.storage import StorageFull, StorageUnavailable
from moorage.diagnostics.history import verify_history
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

Operation = Callable[[Transaction], Any]


class Disk(SqliteEngine):
    """SQLite that counts its commits, and fails them while `is_gone`."""

    commits = 0
    is_gone = False

    @contextmanager
    def write(self) -> Iterator[Run]:
        with super().write() as run:
            yield run
            if self.is_gone:
                raise StorageUnavailable(reason="the disk is gone")
        self.commits += 1


class ProjectState(Store):
    """A store on a `Disk`."""

    def __init__(self, folder: Path) -> None:
        self.disk = Disk(folder / "moorage.db")
        super().__init__(self.disk, Clock())

    @property
    def names(self) -> list[str]:
        """The names of the projects that are kept."""
        return [project.name for project in self.projects()]


@pytest.fixture
def store(folder: Path) -> Iterator[ProjectState]:
    with closing(ProjectState(folder)) as made:
        yield made


def insert(name: str) -> Callable[[Transaction], StoredProject]:
    """Operation that makes a project. A second one of the name is an error of the database, not of ours."""

    def operation(tx: Transaction) -> StoredProject:
        return tx.insert_project(name)

    return operation


def insert_if_free(name: str) -> Callable[[Transaction], StoredProject]:
    """Operation that looks first whether the name is free."""

    def operation(tx: Transaction) -> StoredProject:
        if tx.find_project(name):
            raise NameTaken(kind="project", name=name)
        return tx.insert_project(name)

    return operation


def tell() -> Callable[[Transaction], tuple[int, int]]:
    """Operation that writes nothing else; its revision and its time."""

    def operation(tx: Transaction) -> tuple[int, int]:
        return tx.rev, tx.now_us

    return operation


def fail_after(name: str, error: Exception) -> Operation:
    """Operation that makes a project, and then goes wrong."""

    def operation(tx: Transaction) -> None:
        tx.insert_project(name)
        raise error

    return operation


def shown(outcomes: list[Any]) -> list[str]:
    """What each returned or raised, in a word: the name of its project, or of its error."""
    return [each.name if isinstance(each, StoredProject) else type(each).__name__ for each in outcomes]


def test_several_writes_are_one_commit_and_each_has_its_own_revision_in_order(store: ProjectState) -> None:
    create_project(store, "first")
    before = store.disk.commits

    outcomes = store.group_commit([tell() for _ in range(5)])

    revisions, times = zip(*outcomes, strict=True)
    assert store.disk.commits == before + 1
    assert revisions == (2, 3, 4, 5, 6)
    assert list(times) == sorted(set(times))
    assert (store.current_revision(), store.newest_revision()) == (6, 6)


def test_what_was_written_together_is_kept(store: ProjectState, folder: Path) -> None:
    outcomes = store.group_commit([insert(name) for name in "abc"])

    assert shown(outcomes) == ["a", "b", "c"]
    with closing(open_store(f"sqlite:///{folder}/moorage.db")) as other:
        assert [project.name for project in other.projects()] == ["a", "b", "c"]


def test_nothing_to_write_is_nothing_done(store: ProjectState) -> None:
    assert store.group_commit([]) == []
    assert store.current_revision() == 0


def test_a_write_that_is_refused_is_undone_alone(store: ProjectState) -> None:
    error = NameTaken(kind="project", name="b")

    outcomes = store.group_commit([insert("a"), fail_after("b", error), insert("c")])

    assert shown(outcomes) == ["a", "NameTaken", "c"]
    assert outcomes[1] is error
    assert store.names == ["a", "c"]
    assert store.disk.commits == 1
    assert store.current_revision() == 2, "a write that was undone has no revision"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_mistake_in_the_program_is_undone_alone(store: ProjectState, place: int) -> None:
    works: list[Operation] = [insert("a"), insert("b")]
    works.insert(place, fail_after("c", ZeroDivisionError()))

    outcomes = store.group_commit(works)

    assert shown(outcomes) == [*"ab"[:place], "ZeroDivisionError", *"ab"[place:]]
    assert store.names == ["a", "b"]


def test_if_all_are_refused_nothing_is_written(store: ProjectState) -> None:
    outcomes = store.group_commit([fail_after(name, KeyError(name)) for name in "ab"])

    assert shown(outcomes) == ["KeyError", "KeyError"]
    assert (store.names, store.current_revision(), store.newest_revision()) == ([], 0, 0)
    assert create_project(store, "next").name == "next"


def test_each_sees_what_those_before_it_wrote_and_none_that_was_undone(store: ProjectState) -> None:
    works = [insert_if_free("a"), fail_after("b", KeyError()), insert_if_free("a"), insert_if_free("b")]

    outcomes = store.group_commit(works)

    assert shown(outcomes) == ["a", "KeyError", "NameTaken", "b"]
    assert store.names == ["a", "b"]


def test_an_error_of_the_database_fails_only_the_write_it_is_about(store: ProjectState) -> None:
    create_project(store, "taken")

    outcomes = store.group_commit([insert("a"), insert("taken"), insert("b"), insert("a"), insert("c")])

    assert shown(outcomes) == ["a", "StorageUnavailable", "b", "StorageUnavailable", "c"]
    assert "UNIQUE constraint failed" in str(outcomes[1])
    assert store.names == ["taken", "a", "b", "c"]
    assert store.current_revision() == 4


def test_a_write_that_does_not_fit_on_the_disk_is_no_harm_to_the_others(store: ProjectState) -> None:
    writer = store.disk._writer
    writer.pragma("max_page_count", writer.pragma("page_count") + 8)

    outcomes = store.group_commit([insert("a"), insert("x" * 200_000), insert("b")])

    assert shown(outcomes) == ["a", "StorageFull", "b"]
    assert isinstance(outcomes[1], StorageFull)
    assert store.names == ["a", "b"]


def test_when_the_commit_fails_all_failed_and_nothing_is_kept(store: ProjectState) -> None:
    create_project(store, "first")
    store.disk.is_gone = True

    outcomes = store.group_commit([insert("a"), fail_after("b", KeyError()), insert("c")])
    store.disk.is_gone = False

    assert shown(outcomes) == ["StorageUnavailable"] * 3
    assert "the disk is gone" in str(outcomes[0])
    assert (store.names, store.current_revision(), store.newest_revision()) == (["first"], 1, 1)
    assert shown(store.group_commit([insert("a"), insert("c")])) == ["a", "c"]


def test_when_the_disk_is_gone_for_one_it_is_gone_for_each_alone(store: ProjectState) -> None:
    store.disk.is_gone = True

    outcomes = store.group_commit([insert("a"), insert("a"), insert("b")])

    assert shown(outcomes) == ["StorageUnavailable"] * 3
    assert all("the disk is gone" in str(each) for each in outcomes), "none is told that its name is taken"
    assert store.names == []


def test_the_ledger_is_chained_through_writes_that_are_committed_together(store: ProjectState) -> None:
    ctx = WriteContext(create_project(store, "p").id)

    def put(key: str) -> Operation:
        body = parsed({"key": key, **a_body()}, PostDeployment)
        return lambda tx: create_deployment(tx, ctx, body).result

    def take_away(key: str) -> Operation:
        return lambda tx: delete_deployment(tx, ctx, key).key

    outcomes = store.group_commit([put("a"), put("a"), put("b"), take_away("a"), lambda tx: purge(tx, 0), put("a")])

    assert [str(each) if isinstance(each, str | int) else type(each) for each in outcomes] == [
        "created", KeyTaken, "created", "a", "1", "created"
    ]  # fmt: skip
    with store.whole() as whole:
        entries = [(row[0], row[4]) for row in whole.rows(HISTORY)]
    assert entries == [(2, "created"), (3, "created"), (4, "deleted"), (6, "created")]
    assert verify_history(store) == []
    assert store.disk.commits == 2


def test_a_discarded_write_leaves_nothing_and_uses_no_revision(store: ProjectState) -> None:
    def discard(tx: Transaction) -> str:
        tx.insert_project("discarded")
        tx.discard()
        return "result"

    outcomes = store.group_commit([insert("a"), discard, insert("b")])

    assert (outcomes[1], store.names) == ("result", ["a", "b"])
    assert store.current_revision() == 2


def test_a_discarded_write_of_its_own_leaves_nothing(store: ProjectState) -> None:
    with store.write() as tx:
        tx.insert_project("discarded")
        tx.discard()

    assert (store.names, store.current_revision(), store.disk.commits) == ([], 0, 0)


def ask(store: ProjectState, *operations: Operation) -> list[Any]:
    """Have a writer do it all at once; what each that asked was told."""

    async def together() -> list[Any]:
        writer = WriteQueue(store, catalog)
        try:
            async with asyncio.timeout(30):
                return list(await asyncio.gather(*map(writer.write, operations), return_exceptions=True))
        finally:
            writer.close()

    catalog = Catalog(store)
    catalog.catch_up()
    return asyncio.run(together())


def test_a_writer_commits_together_what_came_in_at_once_but_never_too_much(store: ProjectState) -> None:
    count = 2 * MAX_GROUP + 3

    outcomes = ask(store, *(insert(f"p{number}") for number in range(count)))

    assert shown(outcomes) == [f"p{number}" for number in range(count)] == store.names
    assert store.disk.commits == 3


def test_a_writer_tells_each_its_own(store: ProjectState) -> None:
    outcomes = ask(store, insert("a"), fail_after("b", KeyError()), insert("a"), insert("c"))

    assert shown(outcomes) == ["a", "KeyError", "StorageUnavailable", "c"]
    assert store.names == ["a", "c"]


def test_a_writer_goes_on_after_a_commit_that_failed(store: ProjectState) -> None:
    store.disk.is_gone = True
    lost = ask(store, insert("a"), insert("b"))
    store.disk.is_gone = False

    assert shown(lost) == ["StorageUnavailable"] * 2
    assert shown(ask(store, insert("a"), insert("b"))) == ["a", "b"]


def test_the_thread_that_writes_steps_back_and_no_other_does(store: ProjectState) -> None:
    def nice(_: Transaction) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert ask(store, nice) == [max(NICE, before)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_a_write_is_done_whether_or_not_anybody_waits_for_it(store: ProjectState) -> None:
    async def leave() -> StoredProject:
        writer, loop = WriteQueue(store, Catalog(store)), asyncio.get_running_loop()
        leaver = loop.create_task(writer.write(insert("left")))
        stayer = loop.create_task(writer.write(insert("stayed")))
        await asyncio.sleep(0)  # both have asked
        leaver.cancel()
        try:
            return await asyncio.wait_for(stayer, 30)
        finally:
            writer.close()

    assert asyncio.run(leave()).name == "stayed"
    assert store.names == ["left", "stayed"]


@contextmanager
def held_up(server: Server) -> Iterator[None]:
    """Nobody can write meanwhile: the lock is ours."""
    lock = os.open(server.folder / "moorage.db-revision", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def test_of_many_who_write_at_once_each_gets_its_own_answer(sqlite_server: Server) -> None:
    """They come in while the lock is held, and are committed together when it is not."""
    server, project = sqlite_server, sqlite_server.new_project()
    stale = project.put("d7", a_body(model="older")).headers["etag"]
    project.put("d7", a_body(model="newer"))
    before = int(project.get("d7").headers["x-moorage-revision"])
    clients = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=30) for _ in range(24)]

    with held_up(server):
        for number, client in enumerate(clients):
            body = a_body(model=f"m{number}", **({"provider": 7} if number == 11 else {}))
            headers = {"Authorization": f"Bearer {project.token}", "X-Request-Id": f"r{number}"}
            headers |= {"If-Match": stale} if number == 7 else {}
            client.request("PUT", f"/v2/deployments/d{number}", json.dumps(body), headers)
        assert project.get("d7").json["prompt_config"]["model"] == "newer", "reads wait for nobody"
    answers = [client.getresponse() for client in clients]
    told = [(answer.status, answer.headers["X-Request-Id"], json.loads(answer.read())) for answer in answers]
    for client in clients:
        client.close()

    assert [request_id for _, request_id, _ in told] == [f"r{number}" for number in range(24)]
    errors = {number: (status, item["error"]["code"]) for number, (status, _, item) in enumerate(told) if status > 201}
    assert errors == {7: (412, "precondition_failed"), 11: (400, "invalid_request_body")}
    assert told[7][2]["error"]["current"]["prompt_config"]["model"] == "newer"
    for number, (status, _, item) in enumerate(told):
        if number not in errors:
            assert (status, item["key"], item["prompt_config"]["model"]) == (201, f"d{number}", f"m{number}")
            assert project.get(f"d{number}").json == item
    assert len(project.page(limit=50).keys) == 23
    assert int(project.get("d7").headers["x-moorage-revision"]) == before + 22
    with closing(open_store(server.database)) as store:
        assert verify_history(store) == []
