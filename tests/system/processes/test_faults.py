"""The disk is full, or refuses to be written: told as such, nothing half-done, and it heals by itself."""

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


def test_a_disk_that_refuses_writes_is_503_and_reads_go_on(folder: Path) -> None:
    with Server(folder) as server:
        project = server.new_project()
        kept = project.put("kept")
        limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in server.workers()}
        for pid, (_, hard) in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))  # the kernel now refuses to write any file

        refused = project.put("refused", LARGE)
        read = project.page()
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)
        again = project.put("again")

        assert refused.status == 503
        assert refused.error["code"] == "storage_unavailable"
        assert refused.headers["retry-after"] == "1"
        assert read.keys == ["kept"]
        assert again.status == 201
        assert project.page().keys == ["again", "kept"]
        assert project.get("kept").body == kept.body


def test_a_full_disk_is_507_and_all_that_was_acknowledged_is_there(folder: Path) -> None:
    disk = SmallDisk(folder / "disk", 3 * 2**20)
    assert disk.problem() == ""
    server = Server(disk.folder, prefix=disk.prefix)
    server.log, server.output = folder / "log", folder / "output"
    with server:
        token = next(word for word in server.greeting().split() if word.startswith("mrg_"))
        project = Project(server, "", "default", token)
        answers = {f"d{number}": project.put(f"d{number}", LARGE) for number in range(40)}
        acknowledged = [key for key, answer in answers.items() if answer.status == 201]
        page = project.page(limit=50)

        assert 0 < len(acknowledged) < 40
        for refused in (answer for key, answer in answers.items() if key not in acknowledged):
            assert refused.status == 507
            assert refused.error["code"] == "storage_full"
        assert sorted(page.keys) == sorted(acknowledged)
        for pid in server.workers():  # the next one reads the disk
            os.kill(pid, signal.SIGKILL)
        server.wait_until_ready()
        assert sorted(project.page(limit=50).keys) == sorted(acknowledged)


def test_a_killed_worker_is_replaced_and_nobody_else_notices(folder: Path) -> None:
    with Server(folder, "--workers", "2") as server:
        project = server.new_project()
        project.put("kept")
        first = server.workers()[0]

        os.kill(first, signal.SIGKILL)
        until(lambda: first not in server.workers() and len(server.workers()) == 2)
        server.wait_until_ready()

        assert project.page().keys == ["kept"]
        assert project.put("more").status == 201


@pytest.mark.parametrize("name", ["moorage.db", "moorage.db-revision"])
def test_a_database_that_was_taken_away_is_503_until_it_is_back(folder: Path, name: str) -> None:
    with Server(folder) as server:
        project = server.new_project()
        project.put("kept")
        (folder / name).rename(folder / "elsewhere")

        refused, read = project.put("refused"), project.page()
        (folder / "elsewhere").rename(folder / name)

        assert refused.status == 503
        assert "moved or replaced" in refused.error["message"]
        assert read.keys == ["kept"]
        assert project.put("again").status == 201


def test_workers_end_when_the_process_that_started_them_is_killed(folder: Path) -> None:
    with Server(folder, "--workers", "2") as server:
        assert server.process is not None
        assert is_taken(server.port)

        os.kill(server.process.pid, signal.SIGKILL)
        until(lambda: not is_taken(server.port), shown=lambda: "the workers of a killed server still listen")


def test_a_log_that_cannot_be_written_stops_nothing(folder: Path) -> None:
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


def test_a_line_tells_why_the_server_does_not_start(folder: Path) -> None:
    with Server(folder) as server:
        taken = start(folder, "--port", str(server.port), "--database", f"sqlite:///{folder}/other.db")
    lines = {
        "taken port": (taken, "address already in use"),
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
    assert not (folder / "other.db").exists(), "a server that does not start leaves nothing behind"


def test_a_folder_that_cannot_be_written_is_refused(folder: Path) -> None:
    """As an ordinary user: root may write everywhere."""
    closed = folder / "closed"
    closed.mkdir(mode=0o555)
    if os.geteuid() == 0:
        result = start(Path("/proc"), "--database", "sqlite:////proc/moorage.db")
    else:
        result = start(folder, "--database", f"sqlite:///{closed}/moorage.db")

    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    port = () if "--port" in arguments else ("--port", str(reserve_port()))
    command = [sys.executable, "-m", "moorage", "serve", *port, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)


def test_sigterm_ends_the_server_in_order_with_exit_code_0(folder: Path) -> None:
    server = Server(folder, "--workers", "2")
    server.start()
    project = server.new_project()
    project.put("kept")
    workers = server.workers()

    code = server.stop()

    assert code == 0
    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
