"""A server in its own processes, and an HTTP client that returns responses unchanged."""

import itertools
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import urllib3

from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.core.secret_keys import SecretKeys
from moorage.providers.table import PROVIDERS
from moorage.store.opening import open_store
from moorage.store.store import Store
from tests.support.connections import Pool
from tests.support.ports import reserve_port
from tests.support.registry import create_api_key, create_project
from tests.support.threads import HANG_SECONDS, until

_numbers = itertools.count(1)
PROGRAM = (sys.executable, "-W", "error", "-m", "moorage")


#: The start of the names of variables that a test sets itself: settings, and those of providers.
_REMOVED = ("MOORAGE_", "ORQ_", "AWS_", "GOOGLE_", *(name for row in PROVIDERS.values() for name in row.key_variables))


def clean_environment(**settings: str) -> dict[str, str]:
    """Return the environment of this process with these settings of Moorage and no others, and without credentials."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_REMOVED)}
    return {**inherited, **settings}


class Server:
    """`moorage serve` on a database in `folder` or at `database`, with additional `arguments`."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        prefix: tuple[str, ...] = (),
        database: str | None = None,
        program: tuple[str, ...] = PROGRAM,
    ) -> None:
        self.folder = folder
        self.port = reserve_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = database or f"sqlite:///{folder / 'moorage.db'}"
        self.log = folder / "log"
        self.output = folder / "output"
        self._arguments = arguments
        self._program = (*prefix, *program)
        self.process: subprocess.Popen[bytes] | None = None
        self._output_size = 0  # in bytes, before the last start

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start the server, and return when it is ready."""
        # Many tests send requests without a valid API key, all from one address.
        options = ["--port", str(self.port), "--database", self.database, "--failures-per-address", "0"]
        command = [*self._program, "serve", *options]
        self._output_size = self.output.stat().st_size if self.output.exists() else 0
        with self.log.open("ab") as log, self._open_output() as output:
            self.process = subprocess.Popen(
                [*command, *self._arguments],
                cwd=self.folder,  # a server on PostgreSQL writes its disk cache there
                stdout=output,
                stderr=log,
                env=clean_environment(),
                start_new_session=True,
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when `/health/ready` returns 200."""
        with urllib3.PoolManager(retries=False, timeout=HANG_SECONDS) as pool:

            def is_ready() -> bool:
                assert self.process is not None
                if self.process.poll() is not None:
                    raise AssertionError(f"the server exited: {self.log.read_text()}{self.output.read_text()}")
                with suppress(urllib3.exceptions.HTTPError):  # the server does not accept connections yet
                    return pool.request("GET", f"{self.url}/health/ready").status == 200
                return False

            until(is_ready, details=self.log.read_text)

    def stop(self) -> int:
        """Send SIGTERM; return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(HANG_SECONDS)

    def kill(self) -> None:
        """Send SIGKILL to all processes of the server."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(HANG_SECONDS)
            self.process = None

    def new_project(self) -> "Project":
        """Create a project and an API key with the default scopes in the database, as the commands do."""
        with self.open_store() as store:
            project = create_project(store, f"test-{next(_numbers)}")
            _, token = create_api_key(store, project.id, "test", DEFAULT_SCOPES)
        return Project(self, project.id, project.name, token)

    def open_store(self) -> AbstractContextManager[Store]:
        """Open the database; the end of the block closes it."""
        return closing(open_store(self.database))

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in _command_line(pid)]

    def token(self) -> str:
        """Return the token of the first API key, which the server printed at its last start."""
        until(lambda: "mrg_" in self.startup_output(), details=self.startup_output)
        return next(re.finditer(r"mrg_\w+", self.startup_output()))[0]

    def startup_output(self) -> str:
        """Return what the server printed on standard output since its last start."""
        return self.output.read_bytes()[self._output_size :].decode()

    def _open_output(self) -> AbstractContextManager[int]:
        """Open standard output for a start."""
        return _closing_descriptor(os.open(self.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))

    def wait_for_event(self, start: str) -> dict[str, Any]:
        """Return the newest line of the log whose event starts with a text, as soon as there is one."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.log_lines() if line["event"].startswith(start)]

        until(lambda: bool(found()), details=self.log.read_text)
        return found()[-1]

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the current log; a server writes it several times per second."""
        complete = self.log.read_text().split("\n")[:-1]  # the last line may be incomplete
        return [json.loads(line) for line in complete if line.startswith("{")]


def _command_line(pid: str) -> bytes:
    with suppress(FileNotFoundError, ProcessLookupError):  # the process has ended
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@contextmanager
def _closing_descriptor(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class TerminalServer(Server):
    """A server whose standard output is a terminal, so that it prints the first steps."""

    def greeting(self) -> str:
        """Return the first steps that the server printed at its last start."""
        until(lambda: "Stop the server with Ctrl-C" in self.startup_output(), details=self.startup_output)
        return self.startup_output()

    def _open_output(self) -> AbstractContextManager[int]:
        terminal, output = pty.openpty()
        threading.Thread(target=self._copy, args=(terminal,)).start()
        return _closing_descriptor(output)

    def _copy(self, terminal: int) -> None:
        with _closing_descriptor(terminal), self.output.open("ab", buffering=0) as file, suppress(OSError):
            while True:  # until the last process that has the terminal ends, which is an error of the read
                file.write(os.read(terminal, 65_536).replace(b"\r\n", b"\n"))


class SharedServer(Server):
    """A server that several tests use. Its database stays open between them."""

    _store: Store | None = None

    def open_store(self) -> AbstractContextManager[Store]:
        """Return the database, which stays open after the block."""
        if self._store is None:
            self._store = open_store(self.database)
        return nullcontext(self._store)

    def kill(self) -> None:
        """Kill the server, and close the database."""
        super().kill()
        if self._store is not None:
            self._store.close()
            self._store = None


class KeyedServer(SharedServer):
    """A server with a secret key in its environment: on PostgreSQL, no file has one."""

    _SECRET = "b2" * 32

    def __init__(self, folder: Path, *options: str, prefix: tuple[str, ...], database: str) -> None:
        """Create a server; `prefix` begins with `env`."""
        super().__init__(
            folder, *options, prefix=(*prefix, f"MOORAGE_SECRET_KEY={self._SECRET}"), database=database
        )  # fmt: skip

    def open_store(self) -> AbstractContextManager[Store]:
        """Return the database, which stays open after the block."""
        if self._store is None:
            self._store = open_store(self.database, secret_keys=SecretKeys.parse(self._SECRET))
        return nullcontext(self._store)


class Response:
    """An HTTP response."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.data

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error details, after a check of the format that every client can parse."""
        body = self.json
        assert self.headers["content-type"] == "application/json"
        assert set(body) == {"message", "error"}, "no `code` at the top level: clients disagree on its type"
        assert isinstance(body["message"], str)
        detail: dict[str, Any] = body["error"]
        assert {"code", "message", "request_id", "doc_url"} <= set(detail)
        assert detail["message"] == body["message"]
        assert detail["request_id"] == self.headers["x-request-id"]
        return detail

    @property
    def keys(self) -> list[str]:
        """The keys of a list page, in order."""
        return [item["key"] for item in self.json["data"]]


class Project:
    """A project on a server, and requests with its API key."""

    def __init__(self, server: Server, project_id: str, name: str, token: str) -> None:
        self.server = server
        self.id = project_id
        self.name = name
        self.token = token
        self._pool = Pool()

    def on_server(self, server: Server) -> "Project":
        """Return the project as a client of another server; wait until that server has the project."""
        project = Project(server, self.id, self.name, self.token)
        until(lambda: project.page().status == 200)
        return project

    def key(self, *scopes: Scope, expires_us: int | None = None) -> tuple[str, str]:
        """Create an API key; return its id and its token."""
        with self.server.open_store() as store:
            key, token = create_api_key(store, self.id, "more", scopes, expires_us)
        return key.id, token

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send a request with the token of the project; an `Authorization` in `headers` replaces it."""
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return Response(self._pool.request(method, self.server.url + path, body=body, headers=sent))

    def get_at(self, path: str, revision: object, headers: Mapping[str, str] | None = None) -> Response:
        """Get a path at a revision.

        A node waits two seconds for the revision, and then returns the error `stale`. A busy node can need longer, so
        the request is retried.
        """
        responses: list[Response] = []

        def is_at_revision() -> bool:
            responses.append(
                self.request("GET", path, headers={"X-Moorage-Min-Revision": str(revision), **(headers or {})})
            )
            return responses[-1].status != 503 or responses[-1].error["code"] != "stale"

        until(is_at_revision)
        return responses[-1]

    def page(self, **query: object) -> Response:
        """Return a page of the list."""
        return self.request("GET", "/v2/deployments" + (f"?{urlencode(query)}" if query else ""))

    def get(self, key_or_id: str, **headers: str) -> Response:
        """Get a deployment."""
        return self.request("GET", f"/v2/deployments/{key_or_id}", headers=headers)

    def put(self, key: str, body: Mapping[str, Any] | bytes | None = None, query: str = "", **headers: str) -> Response:
        """Put a deployment; without a body, a small one."""
        data = body if isinstance(body, bytes) else json.dumps(a_body() if body is None else body).encode()
        return self.request("PUT", f"/v2/deployments/{key}{query}", data, headers)

    def fill(self, count: int) -> list[dict[str, Any]]:
        """Put the deployments d1 to d<count>; return their items, oldest first."""
        return [self.put(f"d{number}").json for number in range(1, count + 1)]

    def walk(self, limit: int, direction: str = "starting_after", cursor: str | None = None) -> Iterator[Response]:
        """Yield the pages from a cursor to the end of the list."""
        while True:
            query = {"limit": limit} | ({direction: cursor} if cursor else {})
            page = self.page(**query)
            assert page.status == 200, page.body
            yield page
            if not page.json["has_more"]:
                return
            cursor = page.json["data"][-1 if direction == "starting_after" else 0]["id"]


def a_body(**changes: Any) -> dict[str, Any]:
    """Return a small body for put, with changes to its prompt_config."""
    config = {
        "tools": [],
        "model": "openai/my-gpt",
        "model_type": "chat",
        "model_parameters": {"temperature": 0.2, "maxTokens": 512},
        "provider": "openai",
        "messages": [{"role": "system", "content": "You help customers."}],
    }
    return {"description": "Answers refunds", "prompt_config": {**config, **changes}}
