"""Following the changes while much is written, wires are cut and servers are killed: nothing is missed, and nothing
comes twice."""

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
def writing(project: Project) -> Iterator[Counter[str]]:
    """Three people put, delete and put again, until the block ends; how many of their writes were acknowledged."""
    is_over, done = threading.Event(), Counter[str]()

    def write(person: int) -> None:
        mine = Project(project.server, project.id, project.name, project.token)
        number = 0
        while not is_over.is_set():
            number += 1
            key = f"d{number % KEYS}"
            with suppress(urllib3.exceptions.HTTPError):  # the server is killed in between
                if number % 7 == person:
                    mine.request("DELETE", f"/v2/deployments/{key}")
                elif mine.put(key, a_body(model=f"m{person}-{number}")).status < 300:
                    done[key] += 1

    threads = [threading.Thread(target=write, args=(person,)) for person in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def told_enough(follower: Follower, count: int) -> None:
    """Wait for so many more events."""
    aim = len(follower.told) + count
    follower.wait(lambda: len(follower.told) >= aim)


def snapshot(project: Project) -> Any:
    return project.request("GET", "/v2/deployments/snapshot").json


def knows_all(follower: Follower, project: Project) -> bool:
    """Whether what was told adds up to what there is."""
    known = sorted(follower.state().values(), key=lambda each: str(each["key"]))
    return bool(known == snapshot(project)["deployments"])


def nothing_came_twice(follower: Follower) -> bool:
    revs = [each.rev for each in follower.told]
    return revs == sorted({rev for rev in revs if rev is not None})


def test_two_workers_and_a_wire_that_is_cut(database: Database, folder: Path) -> None:
    arguments = ("--workers", "2", "--disk-cache", str(folder / "snapshot"))
    with Server(folder, *arguments, database=database.url) as server, Proxy(server.port) as proxy:
        project = server.new_project()
        with Follower(project, url=f"http://127.0.0.1:{proxy.port}") as follower:
            with writing(project) as done:
                for _ in range(5):
                    told_enough(follower, 10)
                    proxy.cut()
                told_enough(follower, 10)
            follower.wait(lambda: knows_all(follower, project))

        assert nothing_came_twice(follower)
        assert follower.connections > 5
        assert len(done) == KEYS


def test_a_server_that_is_killed(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        with Follower(project) as follower:
            for _ in range(2):
                with writing(project):
                    told_enough(follower, 20)
                    server.kill()
                server.start()
            with writing(project):
                told_enough(follower, 20)
            follower.wait(lambda: knows_all(follower, project))

        assert nothing_came_twice(follower)


def test_who_misses_something_is_found_out(project: Project) -> None:
    """The positive control: who begins too late does not know all, and who goes back hears it twice."""
    project.fill(3)
    second = snapshot(project)["revision"] - 1
    with Follower(project, str(second)) as late:
        late.wait_for(second + 1)
    with Follower(project) as twice:
        twice.wait_for(second + 1)
    with Follower(project, str(second)) as again:
        again.wait_for(second + 1)
    twice.told += again.told

    assert not knows_all(late, project)
    assert not nothing_came_twice(twice)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_a_client_knows_after_it_all_is_the_bundle_byte_for_byte(folder: Path, workers: str) -> None:
    with Server(folder, "--workers", workers) as server, Proxy(server.port) as proxy:
        project = server.new_project()
        url = f"http://127.0.0.1:{proxy.port}"
        sync = Sync(HttpClient(url, project.token), DiskCache(folder / "cache", url, project.token), None)
        with Follower(project) as follower:
            with writing(project):
                for _ in range(3):
                    told_enough(follower, 10)
                    proxy.cut()
                told_enough(follower, 10)
            body = project.request("GET", "/v2/deployments/snapshot").body
            follower.wait(lambda: sync.wait().encoded() == body)
        sync.close()

        assert DiskCache(folder / "cache", url, project.token).load().encoded() == body
