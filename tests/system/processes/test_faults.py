"""Faults of the disk, the database file, processes and the start: the server reports them and recovers by itself."""

import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import reserve_port
from tests.support.server import Project, Server, a_body
from tests.support.small_disk import SmallDisk
from tests.support.threads import HANG_SECONDS, until

LARGE = a_body(messages=[{"role": "user", "content": "x" * 200_000}])


def test_a_write_that_the_disk_rejects_is_503_and_reads_continue(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        stored = project.put("stored")
        limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in server.workers()}
        for pid, (_, hard) in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))  # the kernel now rejects writes to files

        rejected = project.put("rejected", LARGE)
        read = project.page()
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)
        again = project.put("again")

        assert rejected.status == 503
        assert rejected.error["code"] == "storage_unavailable"
        assert rejected.headers["retry-after"] == "1"
        assert read.keys == ["stored"]
        assert again.status == 201
        assert project.page().keys == ["again", "stored"]
        assert project.get("stored").body == stored.body


def test_a_write_to_a_full_disk_is_507_and_acknowledged_writes_are_stored(folder: Path) -> None:
    disk = SmallDisk(folder / "disk", 3 * 2**20)
    assert disk.unsupported_reason() == ""
    server = Server(disk.folder, prefix=disk.prefix)
    server.log, server.output = folder / "log", folder / "output"
    with server:
        token = server.token()
        project = Project(server, "", "default", token)
        responses = {f"d{number}": project.put(f"d{number}", LARGE) for number in range(40)}
        acknowledged = [key for key, response in responses.items() if response.status == 201]
        page = project.page(limit=50)

        assert 0 < len(acknowledged) < 40
        for rejected in (response for key, response in responses.items() if key not in acknowledged):
            assert rejected.status == 507
            assert rejected.error["code"] == "storage_full"
        assert sorted(page.keys) == sorted(acknowledged)
        for pid in server.workers():  # the new worker reads the disk
            os.kill(pid, signal.SIGKILL)
        server.wait_until_ready()
        assert sorted(project.page(limit=50).keys) == sorted(acknowledged)


def test_a_killed_worker_is_replaced_and_the_server_continues(folder: Path) -> None:
    with Server(folder, "--workers", "2") as server:
        project = server.new_project()
        project.put("a")
        first = server.workers()[0]

        os.kill(first, signal.SIGKILL)
        until(lambda: first not in server.workers() and len(server.workers()) == 2)
        server.wait_until_ready()

        assert project.page().keys == ["a"]
        assert project.put("more").status == 201


@pytest.mark.parametrize("name", ["moorage.db", "moorage.db-revision"])
def test_a_write_is_503_while_the_database_file_is_missing(folder: Path, name: str) -> None:
    with Server(folder) as server:
        project = server.new_project()
        project.put("a")
        (folder / name).rename(folder / "moved")

        rejected, read = project.put("rejected"), project.page()
        (folder / "moved").rename(folder / name)

        assert rejected.status == 503
        assert str(folder) not in rejected.body.decode()
        assert "moved or replaced" in next(
            line["event"] for line in server.log_lines() if line.get("request_id") == rejected.error["request_id"]
        )
        assert read.keys == ["a"]
        assert project.put("again").status == 201


def test_workers_exit_when_the_process_that_started_them_is_killed(folder: Path) -> None:
    with Server(folder, "--workers", "2") as server:
        assert server.process is not None
        assert is_in_use(server.port)

        os.kill(server.process.pid, signal.SIGKILL)
        until(lambda: not is_in_use(server.port), details=lambda: "the workers of a killed server still listen")


def test_requests_succeed_while_the_log_cannot_be_written(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        (worker,) = server.workers()
        limit = resource.prlimit(worker, resource.RLIMIT_FSIZE)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (0, limit[1]))

        statuses = {project.page().status for _ in range(600)}
        resource.prlimit(worker, resource.RLIMIT_FSIZE, limit)
        other = server.new_project()

        assert statuses == {200}
        assert other.put("a").status == 201


def test_a_server_that_cannot_start_prints_the_reason(folder: Path) -> None:
    with Server(folder) as server:
        in_use = start(folder, "--port", str(server.port), "--database", f"sqlite:///{folder}/other.db")
    lines = {
        "port in use": (in_use, "address already in use"),
        "no folder": (start(folder, "--database", "sqlite:////nowhere/x.db"), "the folder /nowhere does not exist"),
        "a folder": (start(folder, "--database", f"sqlite:///{folder}"), "it is a folder"),
        "bad host": (start(folder, "--host", "no.such.host.invalid"), "Cannot listen on no.such.host.invalid"),
        "bad load": (start(folder, "--load", f"{folder}/missing.yaml"), "No such file"),
    }

    for name, (result, expected) in lines.items():
        assert result.returncode == 1, name
        assert expected in result.stderr, name
        assert "Traceback" not in result.stderr, name
        assert len(result.stderr.strip().splitlines()) <= 2, name
    assert not (folder / "other.db").exists(), "a server that does not start creates no database"


def test_a_database_in_a_read_only_folder_is_rejected(folder: Path) -> None:
    """Root can write to every folder of the disk, so the test uses /proc then."""
    read_only = folder / "read-only"
    read_only.mkdir(mode=0o555)
    if os.geteuid() == 0:
        result = start(Path("/proc"), "--database", "sqlite:////proc/moorage.db")
    else:
        result = start(folder, "--database", f"sqlite:///{read_only}/moorage.db")

    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1


def is_in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    port = () if "--port" in arguments else ("--port", str(reserve_port()))
    command = [sys.executable, "-m", "moorage", "serve", *port, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)


def test_sigterm_stops_the_server_and_its_workers_with_exit_code_0(folder: Path) -> None:
    server = Server(folder, "--workers", "2")
    server.start()
    project = server.new_project()
    project.put("a")
    workers = server.workers()

    code = server.stop()

    assert code == 0
    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
