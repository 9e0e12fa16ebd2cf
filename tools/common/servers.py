"""Servers under measurement on 127.0.0.1: Moorage of any checkout, and nginx."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import msgspec

from tools.common.client import Client
from tools.common.data import NewDeployment
from tools.common.process import ProcessTree

#: The folder of this checkout.
REPOSITORY = Path(__file__).parents[2]

_READY_SECONDS = 60
_POLL_SECONDS = 0.005
_SEEDING_CONNECTIONS = 12

_NGINX = """
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile off;
    output_buffers 1 128k;
    open_file_cache max=100 inactive=1h;
    open_file_cache_valid 1h;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    default_type application/json;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}/pages; }}
}}
"""


class Server:
    """Server on a free port, pinned to a core. `seconds_to_ready` is the time from its start to its first 200."""

    def __init__(self, name: str, folder: Path, core: int | None, ready: str) -> None:
        """`ready` is the target that returns 200 when the server is ready."""
        self.name = name
        self.folder = folder
        self.port = _free_port()
        self.seconds_to_ready = 0.0
        self._core = core
        self._ready = ready
        folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """Return the command that starts the server."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Return variables for the server, in addition to those of this program."""
        return {}

    def __enter__(self) -> Self:
        self.started = time.perf_counter()
        self.tree = ProcessTree(self.command(), self.folder, self._core, {**_environment(), **self.environment()})
        try:
            self._wait()
        except BaseException:
            self.tree.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.tree.stop()

    def _wait(self) -> None:
        with Client(self.port, timeout=_READY_SECONDS) as client:
            while time.perf_counter() - self.started < _READY_SECONDS:
                if not self.tree.is_alive():
                    raise RuntimeError(f"{self.name} exited: {self.tree.log.read_text()[-2000:]}")
                try:
                    if client.request("GET", self._ready).status == 200:
                        self.seconds_to_ready = time.perf_counter() - self.started
                        return
                except OSError:
                    pass
                time.sleep(_POLL_SECONDS)
        raise RuntimeError(f"{self.name} was not ready after {_READY_SECONDS} s")


class Checkout(msgspec.Struct, frozen=True):
    """Checkout of Moorage with its virtual environment."""

    name: str
    python: str

    @classmethod
    def current(cls) -> Self:
        """Return the checkout that runs this program."""
        return cls("this checkout", sys.executable)

    @classmethod
    def at(cls, folder: Path) -> Self:
        """Return the checkout in a folder; exit with one line if its `.venv` does not import its `src`."""
        python, source = str(folder.absolute() / ".venv/bin/python"), folder.resolve() / "src"
        command = [python, "-c", "import moorage; print(moorage.__path__[0])"]
        try:
            found = subprocess.run(command, cwd="/", env=_environment(), capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"{folder} has no working virtual environment: {error}")
        if not Path(found.stdout.strip()).resolve().is_relative_to(source):
            sys.exit(f"{python} imports moorage from {found.stdout.strip()}, not from {source}")
        return cls(str(folder), python)


class Moorage(Server):
    """`moorage serve` with default settings and its access log in a file."""

    def __init__(
        self,
        folder: Path,
        core: int | None,
        database: Path,
        checkout: Checkout | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("Moorage", folder, core, "/health/ready")
        self._database = database
        self._checkout = checkout or Checkout.current()
        self._environment = environment or {}

    def environment(self) -> Mapping[str, str]:
        """See `Server.environment`."""
        return self._environment

    def command(self) -> list[str]:
        """See `Server.command`."""
        return [
            self._checkout.python, "-m", "moorage", "serve", "--port", str(self.port),
            "--database", f"sqlite:///{self._database}",
        ]  # fmt: skip

    def first_token(self) -> str:
        """Return the API key that the first start with a new database prints."""
        return wait_for_text(self.tree, r"\b(mrg_[\w-]+)")


class Nginx(Server):
    """nginx that serves files: name -> bytes."""

    def __init__(self, folder: Path, core: int | None, files: Mapping[str, bytes]) -> None:
        super().__init__("nginx", folder, core, f"/{next(iter(files))}")
        pages = folder / "pages"
        pages.mkdir()
        for name, content in files.items():
            (pages / name).write_bytes(content)

    def command(self) -> list[str]:
        """See `Server.command`."""
        config = self.folder / "nginx.conf"
        # If root starts nginx, the worker runs as another user, who cannot read the temporary folder.
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(_NGINX.format(folder=self.folder, port=self.port, user=user))
        return ["nginx", "-p", str(self.folder), "-c", str(config), "-e", str(self.folder / "error.log")]


def wait_for_text(tree: ProcessTree, pattern: str) -> str:
    """Return the first group of a pattern, as soon as the log of a server has it."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and tree.is_alive():
        if found := re.search(pattern, tree.log.read_text()):
            return found[1]
        time.sleep(_POLL_SECONDS)
    raise RuntimeError(f"The log has no {pattern!r}: {tree.log.read_text()[-2000:]}")


def seed(server: Server, token: str, deployments: Iterable[NewDeployment], environment: str = "") -> None:
    """Create deployments over HTTP, or put known ones in an environment.

    The order of new ones in the list is only roughly the given one.
    """
    clients = [Client(server.port, token, timeout=60) for _ in range(_SEEDING_CONNECTIONS)]
    remaining = iter(list(deployments))  # its `next` is atomic, unlike that of a generator

    def create(client: Client) -> None:
        with client:
            while (deployment := next(remaining, None)) is not None:
                client.expect(deployment.put_in(environment) if environment else deployment.create())

    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(create, clients))


def _environment() -> dict[str, str]:
    skipped = ("MOORAGE_", "GRANIAN_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(skipped)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
