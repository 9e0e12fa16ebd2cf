"""Clients in forked processes, as with `gunicorn --preload` and Celery: they follow the server as their parent does."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from moorage.client.cache import DiskCache
from moorage.client.state import ClientState
from moorage.core.resolution.snapshot import digest_of, read_snapshot
from tests.support.middleman import Middleman
from tests.support.server import Project, Server, a_body, clean_environment
from tests.support.threads import HANG_SECONDS, until

pytestmark = pytest.mark.system


class Program:
    """A program of `tests.client.forked`, and its output."""

    def __init__(self, name: str, url: str, token: str, cache: Path | None = None, environment: str = "") -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.client.forked", name, url, token, str(cache or "")]
        self._process = subprocess.Popen(
            [*command, environment],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment(),
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            os.killpg(self._process.pid, 9)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        rest = self._process.stdout.read()
        self._process.stdout.close()
        assert (self._process.wait(HANG_SECONDS), rest) == (0, b"") or kind is not None

    def says(self) -> Any:
        """Return the next value of the output."""
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def go_on(self) -> None:
        """Let the process continue that waits for the test."""
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()


@pytest.fixture
def own_project(folder: Path) -> Iterator[Project]:
    """Return a project with a deployment, on a separate server."""
    (folder / "server").mkdir()
    with Server(folder / "server") as server:
        project = server.new_project()
        project.put("greeting")
        yield project


def test_a_child_and_its_child_follow_the_server(project: Project, tmp_path: Path) -> None:
    project.put("greeting")
    with Program("publish", project.server.url, project.token, tmp_path) as program:
        assert (program.says(), program.says()) == ("1.0", "forked")
        project.put("greeting", a_body(model="other"))
        program.go_on()

        assert [program.says() for _ in range(3)] == [
            ["grandchild", "server"], ["child", "server"], ["parent", "server"],
        ]  # fmt: skip


def test_the_asynchronous_client_follows_the_server_in_a_child(project: Project) -> None:
    project.put("greeting")
    with Program("publish_async", project.server.url, project.token) as program:
        assert program.says() == "forked"
        project.put("greeting", a_body(model="other"))
        program.go_on()

        assert program.says() == "seen"


def test_a_closed_or_unreferenced_client_does_not_run_in_a_child(project: Project) -> None:
    project.put("greeting")
    with Program("closed", project.server.url, project.token) as program:
        assert program.says() == [["moorage-client"], "1.0", "server"]


def test_a_fork_during_a_response_gives_the_child_its_own_connection(project: Project) -> None:
    project.put("greeting")
    with Middleman(project.server.url) as middleman:
        held = [True]

        def hold(path: str, send: object) -> bool:
            until(lambda: not held[0])
            return False

        middleman.on_raw = hold
        with Program("in_request", middleman.url, project.token) as program:
            until(lambda: len(middleman.requests) == 1)
            program.go_on()
            assert program.says() == ["forked", []]
            until(lambda: len(middleman.requests) == 2)
            held[0] = False

            assert (program.says(), program.says()) == (["child", "server"], ["parent", "server"])


def test_a_lock_that_was_held_at_the_fork_does_not_block_the_child(project: Project) -> None:
    project.put("greeting")
    with Program("locked", project.server.url, project.token) as program:
        assert (program.says(), program.says()) == ("1.0", "closed")


def test_the_age_in_a_child_grows_while_the_server_is_unreachable(own_project: Project) -> None:
    with Program("unreachable", own_project.server.url, own_project.token) as program:
        assert program.says() == "forked"
        own_project.server.stop()
        program.go_on()
        assert (program.says(), program.says()) == (["server", "1.0", True, True], "starts")
        own_project.server.start()
        own_project.put("greeting", a_body(model="other"))

        assert program.says() == "server"


def test_a_child_replaces_the_disk_cache_by_the_server(own_project: Project, tmp_path: Path) -> None:
    with Program("writers", own_project.server.url, own_project.token, tmp_path) as program:
        assert program.says() == "forked"
        for number in range(9):
            own_project.put("greeting", a_body(model=f"model-{number}"))
        assert program.says() == "closed"
    own_project.server.stop()

    with Program("first_request", own_project.server.url, own_project.token, tmp_path) as program:
        assert (program.says(), program.says()) == ("disk", "disk")
        own_project.server.start()
        program.go_on()

        assert program.says() == "server"


def test_two_processes_leave_the_newest_state_in_the_disk_cache(project: Project, tmp_path: Path) -> None:
    project.put("greeting")
    with Program("writers", project.server.url, project.token, tmp_path) as program:
        assert program.says() == "forked"
        for number in range(9):
            project.put("greeting", a_body(model=f"model-{number}"))
        assert program.says() == "closed"

    (file,) = tmp_path.iterdir()
    signature, _, body = file.read_bytes().partition(b"\n")
    sent = project.request("GET", "/v2/deployments/snapshot")
    assert (signature.decode(), body) == (sent.headers["X-Moorage-Signature"], sent.body)


def test_a_child_renders_jinja_templates_beside_its_parent(folder: Path) -> None:
    (folder / "server").mkdir()
    with Server(folder / "server", "--jinja", "on") as server:
        project = server.new_project()
        messages = [{"role": "system", "content": "Hello {{ customer }}."}]
        project.put("greeting", {**a_body(messages=messages), "settings": {"engine": "jinja"}})
        with Program("jinja", server.url, project.token) as program:
            assert [program.says() for _ in range(3)] == ["Hello Ada.", "Hello child.", "Hello parent."]


def signed_states(project: Project) -> list[tuple[ClientState, str, bytes]]:
    """Return an older and a newer state of a project, with their signatures and bytes."""
    states = []
    for model in ("first", "second"):
        project.put("greeting", a_body(model=model))
        sent = project.request("GET", "/v2/deployments/snapshot")
        state = ClientState(read_snapshot(sent.body), digest_of(sent.body), "server", time.monotonic())
        states.append((state, sent.headers["X-Moorage-Signature"], sent.body))
    return states


def test_a_process_that_is_behind_does_not_change_the_disk_cache(project: Project, tmp_path: Path) -> None:
    (old, old_signature, old_body), (new, new_signature, new_body) = signed_states(project)
    cache = DiskCache(tmp_path, project.server.url, project.token)
    new.current_at -= 1_000
    cache.save(new, new_signature, new_body)
    before = cache.path.stat()

    cache.save(old, old_signature, old_body)

    after = cache.path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert cache.load().revision == new.revision
    assert cache.load().age() >= 1_000


def test_a_process_replaces_an_older_state_that_another_one_wrote_at_the_same_time(
    project: Project, tmp_path: Path
) -> None:
    (old, old_signature, old_body), (new, new_signature, new_body) = signed_states(project)
    cache = DiskCache(tmp_path, project.server.url, project.token)
    cache.save(new, new_signature, new_body)
    cache.path.write_bytes(old_signature.encode() + b"\n" + old_body)
    assert cache.load().revision == old.revision

    cache.save(new, new_signature, None)

    assert cache.path.read_bytes() == new_signature.encode() + b"\n" + new_body


def test_the_time_of_the_disk_cache_does_not_go_back_but_from_the_future(project: Project, tmp_path: Path) -> None:
    _, (state, signature, body) = signed_states(project)
    cache = DiskCache(tmp_path, project.server.url, project.token)
    cache.save(state, signature, body)
    written_at = cache.path.stat().st_mtime
    state.current_at -= 1_000
    cache.save(state, signature, None)
    assert cache.path.stat().st_mtime == written_at

    os.utime(cache.path, (written_at + 3_600, written_at + 3_600))
    cache.save(state, signature, None)
    assert cache.load().age() >= 1_000
