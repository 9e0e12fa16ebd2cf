"""The servers: Moorage, nginx, and the HTTP server under Moorage with nothing on it. All on 127.0.0.1."""

import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.client import Client
from bench.processes import Tree

_READY_SECONDS = 60
_POLL_SECONDS = 0.005

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
    """A server on a free port, pinned to a core; `seconds_to_ready` is from its start to its first 200."""

    def __init__(self, name: str, folder: Path, core: int | None, ready: str) -> None:
        """`ready` is the target that is answered with 200 when the server is ready."""
        self.name = name
        self.folder = folder
        self.port = _free_port()
        self.seconds_to_ready = 0.0
        self._core = core
        self._ready = ready
        folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """What starts it."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """The environment it starts in."""
        return {name: value for name, value in os.environ.items() if not name.startswith(("MOORAGE_", "GRANIAN_"))}

    def __enter__(self) -> Self:
        self.started = time.perf_counter()
        self.tree = Tree(self.command(), self.folder, self._core, self.environment())
        try:
            self._wait()
        except BaseException:
            self.tree.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tree.stop()

    def _wait(self) -> None:
        while time.perf_counter() - self.started < _READY_SECONDS:
            if not self.tree.is_alive():
                raise RuntimeError(f"{self.name} ended: {self.tree.log.read_text()[-2000:]}")
            try:
                with Client(self.port, timeout=_READY_SECONDS) as client:
                    if client.request("GET", self._ready).status == 200:
                        self.seconds_to_ready = time.perf_counter() - self.started
                        return
            except OSError:
                pass
            time.sleep(_POLL_SECONDS)
        raise RuntimeError(f"{self.name} was not ready after {_READY_SECONDS} s")


class Moorage(Server):
    """`moorage serve` as it comes, with its access log in a file."""

    def __init__(self, folder: Path, core: int | None, database: Path, workers: int = 1) -> None:
        super().__init__("Moorage", folder, core, "/health/ready")
        self._database = database
        self._workers = workers

    def command(self) -> list[str]:
        """See `Server.command`."""
        return [
            sys.executable, "-m", "moorage", "serve", "--port", str(self.port),
            "--database", f"sqlite:///{self._database}", "--workers", str(self._workers),
        ]  # fmt: skip


class Nginx(Server):
    """nginx with files: name -> bytes."""

    def __init__(self, folder: Path, core: int | None, files: Mapping[str, bytes]) -> None:
        super().__init__("nginx", folder, core, f"/{next(iter(files))}")
        pages = folder / "pages"
        pages.mkdir()
        for name, content in files.items():
            (pages / name).write_bytes(content)

    def command(self) -> list[str]:
        """See `Server.command`."""
        config = self.folder / "nginx.conf"
        # Started by root, its worker would be somebody who cannot read the temporary folder.
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(_NGINX.format(folder=self.folder, port=self.port, user=user))
        return ["nginx", "-p", str(self.folder), "-c", str(config), "-e", str(self.folder / "error.log")]


class Bare(Server):
    """Granian as Moorage starts it, with an application that answers everything with the bytes of one file."""

    def __init__(self, folder: Path, core: int | None, interface: str, body: Path) -> None:
        super().__init__(f"granian, bare {interface.upper()}", folder, core, "/")
        self._interface = interface
        self._body = body

    def command(self) -> list[str]:
        """See `Server.command`."""
        return [sys.executable, "-m", "bench.bare", str(self.port), self._interface]

    def environment(self) -> Mapping[str, str]:
        """See `Server.environment`."""
        return {**super().environment(), "BENCH_BODY": str(self._body)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
