"""`GET /v2/deployments/changes`: the changes of a project as server-sent events."""

import re
import socket
from contextlib import closing, suppress
from pathlib import Path

import pytest

from moorage.core.access import Scope
from moorage.store.opening import open_store
from tests.support.follower import Follower
from tests.support.registry import purge, revoke_api_key
from tests.support.server import Project, Server, a_body
from tests.support.threads import HANG_SECONDS, until


def revision(project: Project) -> int:
    return int(project.page(limit=1).headers["x-moorage-revision"])


def test_each_changed_deployment_is_sent_once_in_the_order_of_changes(project: Project) -> None:
    project.fill(3)
    project.put("d1", a_body(model="other"))
    project.request("DELETE", "/v2/deployments/d2")

    with Follower(project) as follower:
        follower.wait_for(revision(project))

    assert [(event.name, event.data["key"]) for event in follower.events] == [
        ("deployment", "d3"),
        ("deployment", "d1"),
        ("deleted", "d2"),
    ]
    revs = [event.rev for event in follower.events]
    assert revs == sorted({rev for rev in revs if rev is not None})
    assert follower.events[1].data["version"] == "1.1"


def test_an_event_has_the_fields_of_the_snapshot(project: Project) -> None:
    project.fill(3)
    with Follower(project) as follower:
        follower.wait_for(revision(project))

    snapshot = project.request("GET", "/v2/deployments/snapshot").json
    assert sorted(follower.state().values(), key=lambda item: str(item["key"])) == snapshot["deployments"]


def test_later_changes_are_sent_as_they_happen(project: Project) -> None:
    with Follower(project, str(revision(project))) as follower:
        follower.wait(lambda: bool(follower.comments))
        assert follower.events == []
        for number in range(5):
            project.put("one", a_body(model=f"m{number}"))
            follower.wait_for(revision(project))

    assert [event.data["prompt_config"]["model"] for event in follower.events] == [f"m{number}" for number in range(5)]


def test_a_stream_starts_with_the_age(project: Project) -> None:
    with Follower(project, str(revision(project))) as follower:
        follower.wait(lambda: b"age 0" in follower.comments)

    assert re.fullmatch(rb"age \d+", follower.comments[0]), "the age can be above 0 on a busy machine"


def test_changes_of_another_project_are_not_sent(server: Server, project: Project) -> None:
    other = server.new_project()
    with Follower(project, str(revision(project))) as follower:
        other.put("theirs")
        project.put("mine")
        follower.wait_for(revision(project))

    assert [event.data["key"] for event in follower.events] == ["mine"]


@pytest.mark.parametrize("since", ["999999", "1.another-epoch"])
def test_an_unknown_position_gets_a_reset_and_then_the_changes(project: Project, since: str) -> None:
    project.put("before")
    with Follower(project, since) as follower:
        follower.wait(lambda: bool(follower.events))
        project.put("after")
        follower.wait_for(revision(project))

    assert [event.name for event in follower.events] == ["reset", "deployment"]
    assert follower.events[1].data["key"] == "after"


@pytest.mark.parametrize("since", ["", "x", "-1", "1.5/", "9" * 19])
def test_an_invalid_position_is_rejected(project: Project, since: str) -> None:
    response = project.request("GET", f"/v2/deployments/changes?since={since}")

    assert (response.status, response.error["code"], response.error["param"]) == (400, "invalid_since", "since")


def test_an_invalid_last_event_id_is_rejected_by_name(project: Project) -> None:
    response = project.request("GET", "/v2/deployments/changes?since=1", headers={"Last-Event-ID": "x"})

    assert (response.status, response.error["param"]) == (400, "Last-Event-ID")


def test_only_the_last_event_of_a_revision_has_the_id(folder: Path) -> None:
    """A client that disconnects between two events of a revision resumes before the first."""
    with Server(folder) as server:
        project = server.new_project()
        project.fill(3)
        for key in ("d1", "d2", "d3"):
            project.request("DELETE", f"/v2/deployments/{key}")
        with closing(open_store(server.database)) as store:
            purge(store, 0)
        with Follower(project) as follower:
            follower.wait(lambda: len(follower.events) == 3)

    assert {event.name for event in follower.events} == {"deleted"}
    revs = [event.rev for event in follower.events]
    assert revs[-1] is not None
    assert revs[:-1] == [None, None] or None not in revs, "either one revision, or one revision for each deletion"


def open_streams(project: Project, count: int, token: str | None = None) -> list[socket.socket]:
    """Open streams, and wait for the first comment of each."""
    authorization = f"Authorization: Bearer {token or project.token}"
    request = f"GET /v2/deployments/changes HTTP/1.1\r\nHost: x\r\n{authorization}\r\n\r\n"
    opened = [socket.create_connection(("127.0.0.1", project.server.port), timeout=HANG_SECONDS) for _ in range(count)]
    for stream in opened:
        stream.sendall(request.encode())
    for stream in opened:
        head = b""
        while not re.search(rb": age \d+\n\n", head):
            head += (part := stream.recv(4_096))
            assert part, f"the server closed the stream: {head!r}"
    return opened


def has_ended(stream: socket.socket) -> bool:
    """Read a stream to its end; return whether it ended with an empty chunk."""
    received = b""
    while data := stream.recv(65_536):
        received += data
        if received.endswith(b"0\r\n\r\n"):
            return True
    return False


def descriptors(server: Server) -> set[tuple[str, str]]:
    """Return the open descriptors of the worker: number and target, which for a socket is unique."""
    (worker,) = server.workers()
    found = set()
    for file in Path(f"/proc/{worker}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since the folder was read
            found.add((file.name, str(file.readlink())))
    return found


def test_the_descriptors_of_a_stream_are_closed_after_its_client_disconnects(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        revision(project)
        before = descriptors(server)
        streams = open_streams(project, 200)
        added = descriptors(server) - before  # a count would include connections that close at the same time
        project.put("a")
        for stream in streams:
            stream.close()

        assert len(added) >= 200
        until(lambda: not added & descriptors(server), details=lambda: descriptors(server) - before)
        assert project.page().status == 200


def test_revoking_a_key_ends_its_streams_and_no_other(project: Project) -> None:
    key_id, token = project.key(Scope.INVOKE)
    (revoked,), (other,) = open_streams(project, 1, token), open_streams(project, 1)

    with closing(open_store(project.server.database)) as store, closing(revoked), closing(other):
        revoke_api_key(store, key_id)

        assert has_ended(revoked)
        project.put("after")
        assert b"event: deployment" in other.recv(65_536)


def test_a_server_that_stops_ends_its_streams(folder: Path) -> None:
    with Server(folder) as server:
        streams = open_streams(server.new_project(), 5)

        assert server.stop() == 0

        assert all(map(has_ended, streams))
        for stream in streams:
            stream.close()
        assert "refused to gracefully stop" not in server.log.read_text()
