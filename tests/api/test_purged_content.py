"""What was deleted long ago is erased by the server itself, and told of as gone for good."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from moorage.diagnostics.history import verify_history
from moorage.store.opening import open_store
from tests.api.test_versions import content, history, post, versions
from tests.support.registry import purge
from tests.support.server import Answer, Project, Server
from tests.support.stores import behind

DAY_US = 86_400_000_000

SECRET = "the words of the prompt"


@pytest.fixture
def own(folder: Path, new_database: Callable[[Path], str]) -> Iterator[Server]:
    """A server of the test's own: what is erased is erased in all projects."""
    with Server(folder, database=new_database(folder)) as running:
        yield running


def delete(project: Project, path: str) -> Answer:
    answer = project.request("DELETE", f"/v2/deployments/{path}")
    assert answer.status == 200, answer.body
    return answer


def put_back(server: Server, table: str, item_id: str, days: int = 31) -> None:
    """Have something deleted that many days earlier than it was."""
    change = f"UPDATE {table} SET deleted_us = deleted_us - {days * DAY_US} WHERE id = '{item_id}'"
    assert len(behind(server.database, f"{change} RETURNING id")) == 1


def holds(server: Server, text: str) -> bool:
    """Whether the text stands in a row that the server keeps content in."""
    tables = ("version", "deployment", "idempotency")
    return any(text in str(row) for table in tables for row in behind(server.database, f"SELECT * FROM {table}"))


def erase(server: Server, days: int = 30) -> int:
    """What `moorage db purge` does beside a server that runs."""
    with closing(open_store(server.database)) as store:
        return purge(store, days)


def wait_until_gone(project: Project, path: str) -> Answer:
    """Ask until it is gone for good."""
    deadline = time.monotonic() + 20
    while True:
        answer = project.request("GET", f"/v2/deployments/{path}")
        assert answer.status == 404, answer.body
        if "It was permanently deleted." in answer.error["message"]:
            return answer
        assert time.monotonic() < deadline, f"not erased by the server: {answer.error['message']}"


def test_a_server_that_starts_erases_what_was_deleted_more_than_thirty_days_ago(own: Server) -> None:
    project = own.new_project()
    old = project.put("old", content(f"old: {SECRET}", description=f"old: {SECRET}")).json["id"]
    recent = project.put("recent", content(f"recent: {SECRET}")).json["id"]
    project.put("kept", content(f"kept: {SECRET}"))
    draft = post(project, "kept/versions", content(f"draft: {SECRET}")).json["_id"]
    for path in ("old", "recent", "kept/versions/1.1"):
        delete(project, path)
    assert own.stop() == 0
    for table, item, days in (("deployment", old, 31), ("deployment", recent, 29), ("version", draft, 31)):
        put_back(own, table, item, days)
    assert holds(own, f"old: {SECRET}")

    own.start()
    of_old, of_draft = wait_until_gone(project, "old"), wait_until_gone(project, "kept/versions/1.1")

    assert (of_old.error["code"], of_draft.error["code"]) == ("deployment_deleted", "version_deleted")
    assert not holds(own, f"old: {SECRET}")
    assert not holds(own, f"draft: {SECRET}")
    assert holds(own, f"recent: {SECRET}")
    assert holds(own, f"kept: {SECRET}")
    assert "can be restored until" in project.get("recent").error["message"]
    assert post(project, "recent/restore").status == 200
    assert post(project, "old/restore").error["code"] == "deployment_deleted"
    assert project.page().keys == ["kept", "recent"]


def test_workers_that_start_together_erase_it_once(folder: Path, new_database: Callable[[Path], str]) -> None:
    with Server(folder, "--workers", "2", database=new_database(folder)) as server:
        project = server.new_project()
        old = project.put("old").json["id"]
        before = int(delete(project, "old").headers["x-moorage-revision"])
        assert server.stop() == 0
        put_back(server, "deployment", old)

        server.start()
        gone = wait_until_gone(project, "old")
        after = int(project.put("new").headers["x-moorage-revision"])

        assert gone.error["code"] == "deployment_deleted"
        assert after == before + 2, "one write that erased, and one put"


def test_a_server_that_runs_follows_what_is_erased_beside_it(own: Server) -> None:
    project = own.new_project()
    erased = project.put("a", content(SECRET)).json["id"]
    deleted = delete(project, "a").json
    before = project.get("a").error["message"]

    assert erase(own, days=0) == 1

    for name in ("a", erased):
        gone = project.get(name)
        assert (gone.status, gone.error["code"]) == (404, "deployment_deleted")
        assert gone.error["message"] == (
            f"Deployment 'a' was deleted at {deleted['deleted_at']}. It was permanently deleted."
        )
        refused = post(project, f"{name}/restore")
        assert (refused.status, refused.error["code"]) == (404, "deployment_deleted")
        assert refused.error["message"] == gone.error["message"]
    assert f"It can be restored until {deleted['restorable_until']}" in before
    assert not holds(own, SECRET)


def test_the_key_of_an_erased_deployment_is_free(own: Server) -> None:
    project = own.new_project()
    erased = project.put("a").json["id"]
    delete(project, "a")
    erase(own, days=0)

    again = project.put("a")

    assert (again.status, again.json["version"]) == (201, "1.0")
    assert again.json["id"] != erased
    assert project.get("a").json == again.json
    assert "It was permanently deleted." in project.get(erased).error["message"]


def test_cursors_to_an_erased_deployment_still_page_before_and_after_a_start(own: Server) -> None:
    project = own.new_project()
    items = project.fill(5)
    delete(project, "d3")
    erase(own, days=0)
    cursor = items[2]["id"]

    for _ in range(2):
        assert project.page(starting_after=cursor).keys == ["d2", "d1"]
        assert project.page(ending_before=cursor).keys == ["d5", "d4"]
        for way, keys in (("starting_after", ["d2", "d1"]), ("ending_before", ["d5", "d4"])):
            assert project.request("GET", f"/v2/manifests?{way}={cursor}").keys == keys
        own.stop()
        own.start()


def test_the_history_of_an_erased_deployment_is_still_listed(own: Server) -> None:
    project = own.new_project()
    project.put("a", content("one"))
    erased = project.put("a", content(SECRET)).json["id"]
    delete(project, "a")
    before = project.request("GET", f"/v2/deployments/{erased}/history").json

    assert erase(own, days=0) == 1

    assert history(project, erased) == ["deleted 1.1 None", "published 1.0 1.1", "created None 1.0"]
    assert project.request("GET", "/v2/deployments/a/history").json == before
    project.put("a")
    assert history(project, "a") == ["created None 1.0"]
    assert project.request("GET", f"/v2/deployments/{erased}/history").json == before


def test_the_history_names_an_erased_version_and_its_number_is_not_given_again(own: Server) -> None:
    project = own.new_project()
    project.put("a", content("one"))
    cursor = post(project, "a/versions", content(SECRET)).json["_id"]
    post(project, "a/versions", content("three"))
    delete(project, "a/versions/1.1")
    before = project.get("a").headers["etag"]

    assert erase(own, days=0) == 1

    assert project.get("a").headers["etag"] == before
    assert history(project) == ["deleted 1.1 1.1", "created None 1.0"]
    assert [each["version"] for each in versions(project)] == ["1.2", "1.0"]
    assert [each["version"] for each in versions(project, query=f"starting_after={cursor}")] == ["1.0"]
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/publish"), ("POST", "/restore")):
        gone = project.request(method, f"/v2/deployments/a/versions/1.1{path}")
        assert (gone.status, gone.error["code"]) == (404, "version_deleted")
        assert "It was permanently deleted." in gone.error["message"]
    assert project.put("a", content(SECRET)).json["version"] == "1.3"
    with closing(open_store(own.database)) as store:
        assert verify_history(store) == []


def test_of_several_deployments_that_had_a_key_the_one_deleted_last_is_told_of(own: Server) -> None:
    project = own.new_project()
    first = project.put("a").json["id"]
    delete(project, "a")
    second = project.put("a").json["id"]
    deleted = delete(project, "a").json
    put_back(own, "deployment", first)

    assert erase(own) == 1

    for _ in range(2):  # as the server followed, and as it reads everything when it starts
        gone = project.get("a").error["message"]
        assert deleted["deleted_at"] in gone
        assert f"POST /v2/deployments/{second}/restore" in gone
        assert "It was permanently deleted." in project.get(first).error["message"]
        own.stop()
        own.start()
    assert post(project, "a/restore").json["id"] == second
    assert project.get("a").json["id"] == second


def test_the_one_deleted_last_may_be_the_one_created_first(own: Server) -> None:
    project = own.new_project()
    first = project.put("a").json["id"]
    delete(project, "a")
    second = project.put("a").json["id"]
    delete(project, "a")
    post(project, f"{first}/restore")
    delete(project, "a")
    put_back(own, "deployment", second)

    assert erase(own) == 1

    for _ in range(2):
        assert f"POST /v2/deployments/{first}/restore" in project.get("a").error["message"]
        own.stop()
        own.start()


def test_an_answer_that_is_given_again_has_no_word_of_what_was_erased(own: Server) -> None:
    project = own.new_project()
    project.put("a")
    post(project, "a/versions", content(SECRET), **{"Idempotency-Key": "k1"})
    delete(project, "a/versions/1.1")
    erase(own, days=0)

    again = post(project, "a/versions", content(SECRET), **{"Idempotency-Key": "k1"})

    replayed = again.body if "x-moorage-replayed" in again.headers else b""
    assert SECRET not in replayed.decode()
