"""The processes of a server: what they log, what the service manager learns, and what signals do."""

import json
import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import urllib3

from moorage import __version__
from moorage.core.access import Scope
from tests.support.server import Server, TerminalServer
from tests.support.threads import HANG_SECONDS, until


def events(server: Server) -> list[dict[str, Any]]:
    """Return the lines of the log about the server, without its requests and without the dates."""
    lines = [line for line in server.log_lines() if line.get("logger") == "moorage.server"]
    return [{name: value for name, value in line.items() if name not in ("time", "logger")} for line in lines]


def test_the_log_has_the_start_and_the_stop(folder: Path) -> None:
    with Server(folder, "--workers", "2") as server:
        assert server.process is not None
        pid = server.process.pid
        server.wait_for_event("the server is ready")
        assert server.stop() == 0
        found = events(server)

    assert found == [
        {
            "level": "info", "event": "the server is starting", "version": __version__, "workers": 2,
            "address": f"127.0.0.1:{server.port}", "database": "sqlite", "pid": pid,
        },
        {"level": "info", "event": "the server is ready", "url": server.url, "status": "ready"},
        {"level": "info", "event": "the server is stopping", "reason": "SIGTERM"},
        {"level": "info", "event": "the server has stopped"},
    ]  # fmt: skip


def test_the_log_names_a_worker_that_was_killed_and_its_replacement(folder: Path) -> None:
    with Server(folder) as server:
        (killed,) = server.workers()
        os.kill(killed, signal.SIGKILL)
        line = server.wait_for_event("a worker was replaced")
        server.wait_until_ready()

        assert (line["level"], line["worker"], line["exit_code"]) == ("warning", killed, -signal.SIGKILL)
        assert [line["new_worker"]] == server.workers()


@pytest.mark.parametrize(("given", "expected"), [({}, b"33554432"), ({"MALLOC_TRIM_THRESHOLD_": "1000"}, b"1000")])
def test_workers_keep_freed_memory_unless_the_environment_says_otherwise(
    folder: Path, given: dict[str, str], expected: bytes
) -> None:
    with Server(folder, prefix=("env", *(f"{name}={value}" for name, value in given.items()))) as server:
        (worker,) = server.workers()
        environment = Path(f"/proc/{worker}/environ").read_bytes().split(b"\0")
    assert b"MALLOC_TRIM_THRESHOLD_=" + expected in environment
    assert b"MALLOC_MMAP_THRESHOLD_=33554432" in environment


def test_a_server_whose_workers_end_right_after_their_start_stops_with_the_reason(folder: Path) -> None:
    with Server(folder) as server:
        assert server.process is not None
        process = server.process

        def has_exited() -> bool:
            if process.poll() is None:
                with suppress(FileNotFoundError, ProcessLookupError):  # it exits
                    for worker in server.workers():
                        os.kill(worker, signal.SIGKILL)
            return process.poll() is not None

        until(has_exited)
        assert server.process.wait(HANG_SECONDS) == 1
        found = events(server)

    assert found[-2:] == [
        {"level": "info", "event": "the server is stopping", "reason": "workers end right after their start"},
        {"level": "info", "event": "the server has stopped"},
    ]


def test_a_server_stops_when_its_terminal_is_closed(folder: Path) -> None:
    with TerminalServer(folder) as server:
        assert server.process is not None
        server.greeting()
        server.process.send_signal(signal.SIGHUP)

        assert server.process.wait(HANG_SECONDS) == 0
        assert server.wait_for_event("the server is stopping")["reason"] == "SIGHUP"


def test_without_a_terminal_only_the_token_is_printed_and_it_is_not_in_the_log(folder: Path) -> None:
    with Server(folder) as server:
        token = server.token()
        server.wait_for_event("the server is ready")
        server.stop()
        first = server.startup_output()
        server.start()
        server.stop()
        second = server.startup_output()

    assert first == f"Your API key, shown this once: {token}\n"
    assert second == ""
    assert "mrg_" not in server.log.read_text()


def test_the_first_key_that_a_new_installation_prints_can_do_everything(folder: Path) -> None:
    with Server(folder) as server:
        request = urllib.request.Request(
            f"{server.url}/v2/api-keys", headers={"Authorization": f"Bearer {server.token()}"}
        )
        with urllib.request.urlopen(request, timeout=HANG_SECONDS) as response:
            (first,) = json.load(response)["data"]

    assert first["scopes"] == sorted(Scope)
    assert first["status"] == "active"
    assert "expires_at" not in first
    assert "environment" not in first


def test_a_terminal_gets_the_first_steps(folder: Path) -> None:
    with TerminalServer(folder) as server:
        greeting = server.greeting()

    assert f"is ready at {server.url}" in greeting
    assert greeting.count(server.token()) == 1


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, folder: Path) -> Iterator[socket.socket]:
    """Return the socket of a service manager."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as receiver:
        name = str(folder / "notify")
        receiver.bind(name if request.param == "file" else f"\0{name}")
        receiver.settimeout(HANG_SECONDS)
        yield receiver


def test_the_service_manager_learns_when_the_server_is_ready_and_when_it_stops(
    manager: socket.socket, folder: Path
) -> None:
    address = manager.getsockname()
    shown = f"@{address[1:].decode()}" if isinstance(address, bytes) else address
    with Server(folder, prefix=("env", f"NOTIFY_SOCKET={shown}")) as server:
        ready = manager.recv(4_096).decode().splitlines()
        server.stop()
        stopping = manager.recv(4_096)

    assert ready == ["READY=1", f"STATUS=ready at {server.url}"]
    assert stopping == b"STOPPING=1"


@pytest.mark.parametrize("address", ["/nowhere/notify", "@nobody", "relative", ""])
def test_a_server_starts_without_its_service_manager(folder: Path, address: str) -> None:
    with Server(folder, prefix=("env", f"NOTIFY_SOCKET={address}")) as server:
        server.wait_for_event("the server is ready")

        assert server.stop() == 0


def test_sighup_replaces_the_workers_and_the_server_continues_to_respond(folder: Path) -> None:
    with Server(folder) as server:
        assert server.process is not None
        project = server.new_project()
        (before,) = server.workers()
        stream = urllib.request.Request(f"{server.url}/v2/deployments/changes")
        stream.add_header("Authorization", f"Bearer {project.token}")
        statuses: list[int] = []

        def is_replaced() -> bool:
            with suppress(urllib3.exceptions.ProtocolError):  # the old worker closed an idle connection
                statuses.append(project.page().status)
            return "a worker was replaced" in server.log.read_text()

        with urllib.request.urlopen(stream, timeout=HANG_SECONDS) as response:
            server.process.send_signal(signal.SIGHUP)
            until(is_replaced)
            received = response.read()  # until the end of the stream; a worker that was killed would cut it off
        line = server.wait_for_event("a worker was replaced")

        assert [line["new_worker"]] == server.workers()
    assert (line["level"], line["worker"], line["exit_code"]) == ("info", before, None)
    assert set(statuses) == {200}
    assert received.startswith(b"retry:")
