"""`GET /v2/deployments/changes`: what changes, as server-sent events."""

import socket
import time
from contextlib import closing
from pathlib import Path

import pytest

from moorage.core.access import Scope
from moorage.store.opening import open_store
from tests.support.follower import Follower
from tests.support.registry import purge, revoke_api_key
from tests.support.server import Project, Server, a_body


def revision(project: Project) -> int:
    return int(project.page(limit=1).headers["x-moorage-revision"])


def test_each_deployment_that_changed_comes_once_and_in_order(project: Project) -> None:
    project.fill(3)
    project.put("d1", a_body(model="other"))
    project.request("DELETE", "/v2/deployments/d2")

    with Follower(project) as follower:
        follower.wait_for(revision(project))

    assert [(each.name, each.data["key"]) for each in follower.told] == [
        ("deployment", "d3"),
        ("deployment", "d1"),
        ("deleted", "d2"),
    ]
    revs = [each.rev for each in follower.told]
    assert revs == sorted({rev for rev in revs if rev is not None})
    assert follower.told[1].data["version"] == "1.1"


def test_an_event_has_what_the_snapshot_has(project: Project) -> None:
    project.fill(3)
    with Follower(project) as follower:
        follower.wait_for(revision(project))

    snapshot = project.request("GET", "/v2/deployments/snapshot").json
    assert sorted(follower.state().values(), key=lambda each: str(each["key"])) == snapshot["deployments"]


def test_what_changes_later_comes_when_it_does(project: Project) -> None:
    with Follower(project, str(revision(project))) as follower:
        follower.wait(lambda: bool(follower.comments))
        assert follower.told == []
        for number in range(5):
            project.put("one", a_body(model=f"m{number}"))
            follower.wait_for(revision(project))

    assert [each.data["prompt_config"]["model"] for each in follower.told] == [f"m{number}" for number in range(5)]


def test_it_says_at_once_that_it_is_there_and_how_old(project: Project) -> None:
    with Follower(project, str(revision(project))) as follower:
        follower.wait(lambda: bool(follower.comments))

    assert follower.comments[0] == b"age 0"


def test_another_projects_changes_do_not_come(server: Server, project: Project) -> None:
    other = server.new_project()
    with Follower(project, str(revision(project))) as follower:
        other.put("theirs")
        project.put("mine")
        follower.wait_for(revision(project))

    assert [each.data["key"] for each in follower.told] == ["mine"]


@pytest.mark.parametrize("since", ["999999", "1.another-epoch"])
def test_who_comes_from_elsewhere_is_told_to_begin_again_and_then_what_changes(project: Project, since: str) -> None:
    project.put("before")
    with Follower(project, since) as follower:
        follower.wait(lambda: bool(follower.told))
        project.put("after")
        follower.wait_for(revision(project))

    assert [each.name for each in follower.told] == ["reset", "deployment"]
    assert follower.told[1].data["key"] == "after"


@pytest.mark.parametrize("since", ["", "x", "-1", "1.5/", "9" * 19])
def test_what_is_no_place_is_refused(project: Project, since: str) -> None:
    answer = project.request("GET", f"/v2/deployments/changes?since={since}")

    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "invalid_since", "since")


def test_a_header_that_is_no_place_is_named(project: Project) -> None:
    answer = project.request("GET", "/v2/deployments/changes?since=1", headers={"Last-Event-ID": "x"})

    assert (answer.status, answer.error["param"]) == (400, "Last-Event-ID")


def test_of_a_revision_that_changed_several_the_last_event_has_the_id(folder: Path) -> None:
    """Who is cut off between two of them comes back before the first."""
    with Server(folder) as server:
        project = server.new_project()
        project.fill(3)
        for key in ("d1", "d2", "d3"):
            project.request("DELETE", f"/v2/deployments/{key}")
        with closing(open_store(server.database)) as store:
            purge(store, 0)
        with Follower(project) as follower:
            follower.wait(lambda: len(follower.told) == 3)

    assert {each.name for each in follower.told} == {"deleted"}
    revs = [each.rev for each in follower.told]
    assert revs[-1] is not None
    assert revs[:-1] == [None, None] or None not in revs, "either one revision, or one for each"


def open_streams(project: Project, count: int, token: str | None = None) -> list[socket.socket]:
    """So many streams, each after its first comment."""
    authorization = f"Authorization: Bearer {token or project.token}"
    request = f"GET /v2/deployments/changes HTTP/1.1\r\nHost: x\r\n{authorization}\r\n\r\n"
    opened = [socket.create_connection(("127.0.0.1", project.server.port), timeout=30) for _ in range(count)]
    for each in opened:
        each.sendall(request.encode())
    for each in opened:
        head = b""
        while b"age 0" not in head:
            head += each.recv(4_096)
    return opened


def is_ended(stream: socket.socket) -> bool:
    """Whether a stream ended as one should: its last chunk is empty."""
    received = b""
    while data := stream.recv(65_536):
        received += data
        if received.endswith(b"0\r\n\r\n"):
            return True
    return False


def descriptors(server: Server) -> int:
    (worker,) = server.workers()
    return len([*Path(f"/proc/{worker}/fd").iterdir()])


def test_what_a_stream_had_is_free_after_its_client_left(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        revision(project)
        before = descriptors(server)
        streams = open_streams(project, 200)
        during = descriptors(server)
        project.put("told-to-all")
        for each in streams:
            each.close()

        assert during >= before + 200
        deadline = time.monotonic() + 30
        while descriptors(server) > before:
            assert time.monotonic() < deadline, descriptors(server)
            time.sleep(0.05)  # looked at again, up to the deadline
        assert project.page().status == 200


def test_a_key_that_is_revoked_ends_its_streams_and_no_other(project: Project) -> None:
    key_id, token = project.key(Scope.INVOKE)
    (theirs,), (mine,) = open_streams(project, 1, token), open_streams(project, 1)

    with closing(open_store(project.server.database)) as store, closing(theirs), closing(mine):
        revoke_api_key(store, key_id)

        assert is_ended(theirs)
        project.put("after")
        assert b"event: deployment" in mine.recv(65_536)


def test_a_server_that_stops_ends_its_streams(folder: Path) -> None:
    with Server(folder) as server:
        streams = open_streams(server.new_project(), 5)

        assert server.stop() == 0

        assert all(map(is_ended, streams))
        for each in streams:
            each.close()
        assert "refused to gracefully stop" not in server.log.read_text()
