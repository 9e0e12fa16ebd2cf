"""The change stream under load: no event is lost or sent twice while connections are cut and servers are killed."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import urllib3

from moorage.client.cache import DiskCache
from moorage.client.http import HttpClient
from moorage.client.sync import Sync
from tests.support.follower import Follower
from tests.support.proxy import Proxy
from tests.support.server import Project, Server, a_body
from tests.support.stores import Database

KEYS = 6


@contextmanager
def concurrent_writers(project: Project) -> Iterator[Counter[str]]:
    """Put and delete deployments in three threads until the block ends; yield the acknowledged puts by key."""
    stopped, acknowledged = threading.Event(), Counter[str]()

    def write(writer: int) -> None:
        client = Project(project.server, project.id, project.name, project.token)
        number = 0
        while not stopped.is_set():
            number += 1
            key = f"d{number % KEYS}"
            with suppress(urllib3.exceptions.HTTPError):  # the server was killed
                if number % 7 == writer:
                    client.request("DELETE", f"/v2/deployments/{key}")
                elif client.put(key, a_body(model=f"m{writer}-{number}")).status < 300:
                    acknowledged[key] += 1

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def wait_for_events(follower: Follower, count: int) -> None:
    """Return when this number of further events has arrived."""
    target = len(follower.events) + count
    follower.wait(lambda: len(follower.events) >= target)


def snapshot(project: Project) -> Any:
    return project.request("GET", "/v2/deployments/snapshot").json


def is_up_to_date(follower: Follower, project: Project) -> bool:
    """Return whether the events result in the state of the snapshot."""
    deployments = sorted(follower.state().values(), key=lambda deployment: str(deployment["key"]))
    return bool(deployments == snapshot(project)["deployments"])


def has_no_duplicates(follower: Follower) -> bool:
    """Return whether the revisions of the events increase."""
    revs = [event.rev for event in follower.events]
    return revs == sorted({rev for rev in revs if rev is not None})


def test_a_client_whose_connection_is_cut_gets_every_event_of_two_workers_once(
    database: Database, folder: Path
) -> None:
    arguments = ("--workers", "2", "--disk-cache", str(folder / "snapshot"))
    with Server(folder, *arguments, database=database.url) as server, Proxy(server.port) as proxy:
        project = server.new_project()
        with Follower(project, url=f"http://127.0.0.1:{proxy.port}") as follower:
            with concurrent_writers(project) as acknowledged:
                for _ in range(5):
                    wait_for_events(follower, 10)
                    proxy.cut()
                wait_for_events(follower, 10)
            follower.wait(lambda: is_up_to_date(follower, project))

        assert has_no_duplicates(follower)
        assert follower.connections > 5
        assert len(acknowledged) == KEYS


def test_a_client_of_a_killed_server_gets_every_event_once(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        with Follower(project) as follower:
            for _ in range(2):
                with concurrent_writers(project):
                    wait_for_events(follower, 20)
                    server.kill()
                server.start()
            with concurrent_writers(project):
                wait_for_events(follower, 20)
            follower.wait(lambda: is_up_to_date(follower, project))

        assert has_no_duplicates(follower)


def test_a_lost_or_repeated_event_is_detected(project: Project) -> None:
    """The positive control: one client starts too late, and the events of another are combined with repeated ones."""
    project.fill(3)
    second = snapshot(project)["revision"] - 1
    with Follower(project, str(second)) as late:
        late.wait_for(second + 1)
    with Follower(project) as complete:
        complete.wait_for(second + 1)
    with Follower(project, str(second)) as again:
        again.wait_for(second + 1)
    complete.events += again.events

    assert not is_up_to_date(late, project)
    assert not has_no_duplicates(complete)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_client_that_reconnects_has_the_bytes_of_the_snapshot(folder: Path, workers: str) -> None:
    with Server(folder, "--workers", workers) as server, Proxy(server.port) as proxy:
        project = server.new_project()
        url = f"http://127.0.0.1:{proxy.port}"
        sync = Sync(HttpClient(url, project.token), DiskCache(folder / "cache", url, project.token), None)
        with Follower(project) as follower:
            with concurrent_writers(project):
                for _ in range(3):
                    wait_for_events(follower, 10)
                    proxy.cut()
                wait_for_events(follower, 10)
            body = project.request("GET", "/v2/deployments/snapshot").body
            follower.wait(lambda: sync.wait().encoded() == body)
        sync.close()

        assert DiskCache(folder / "cache", url, project.token).load().encoded() == body
