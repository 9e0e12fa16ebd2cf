"""A server in processes of its own, and a plain client that shows what is on the wire."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import urllib3

from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.store.opening import open_store
from moorage.store.store import Store
from tests.support.ports import reserve_port
from tests.support.registry import create_api_key, create_project
from tests.support.threads import HANG_SECONDS, until

_numbers = itertools.count(1)
PROGRAM = (sys.executable, "-W", "error", "-m", "moorage")


def clean_environment(**settings: str) -> dict[str, str]:
    """The environment without settings of Moorage, plus these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MOORAGE_", "ORQ_"))}
    return {**kept, **settings}


class Server:
    """`moorage serve` on a database in `folder`, or on another one; `arguments` are added to the command."""

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
        self._start = (*prefix, *program)
        self.process: subprocess.Popen[bytes] | None = None
        self._printed = 0  # bytes, before the last start

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start, and return when it is ready."""
        command = [*self._start, "serve", "--port", str(self.port), "--database", self.database]
        self._printed = self.output.stat().st_size if self.output.exists() else 0
        with self.log.open("ab") as log, self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, *self._arguments], stdout=output, stderr=log, env=clean_environment(), start_new_session=True
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when /health/ready says so."""
        with urllib3.PoolManager(retries=False, timeout=HANG_SECONDS) as pool:

            def is_ready() -> bool:
                assert self.process is not None
                if self.process.poll() is not None:
                    raise AssertionError(f"the server ended: {self.log.read_text()}{self.output.read_text()}")
                with suppress(urllib3.exceptions.HTTPError):  # it does not listen yet
                    return pool.request("GET", f"{self.url}/health/ready").status == 200
                return False

            until(is_ready, shown=self.log.read_text)

    def stop(self) -> int:
        """SIGTERM, as a service manager does; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(HANG_SECONDS)

    def kill(self) -> None:
        """SIGKILL to all its processes: nothing of it can tidy up."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(HANG_SECONDS)
            self.process = None

    def new_project(self) -> "Project":
        """A new project with a key for all of it, made as `moorage projects` and `moorage keys` do."""
        with self.opened() as store:
            project = create_project(store, f"test-{next(_numbers)}")
            _, token = create_api_key(store, project.id, "test", DEFAULT_SCOPES)
        return Project(self, project.id, project.name, token)

    def opened(self) -> AbstractContextManager[Store]:
        """Its database, for one use."""
        return closing(open_store(self.database))

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in _command_line(pid)]

    def greeting(self) -> str:
        """What it printed for the person who started it."""
        until(lambda: "Stop the server with Ctrl-C" in self._printed_now(), shown=self._printed_now)
        return self._printed_now()

    def _printed_now(self) -> str:
        return self.output.read_bytes()[self._printed :].decode()

    def log_lines(self) -> list[dict[str, Any]]:
        """The log as it is now; written a few times a second."""
        whole = self.log.read_text().split("\n")[:-1]  # the last may still be on its way
        return [json.loads(line) for line in whole if line.startswith("{")]


def _command_line(pid: str) -> bytes:
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since it was listed
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


class LastingServer(Server):
    """A server of many tests, which harm neither it nor its database: that is opened once for all of them."""

    _store: Store | None = None

    def opened(self) -> AbstractContextManager[Store]:
        """The same, kept open."""
        if self._store is None:
            self._store = open_store(self.database)
        return nullcontext(self._store)

    def kill(self) -> None:
        """The same, and close the database."""
        super().kill()
        if self._store is not None:
            self._store.close()
            self._store = None


class Answer:
    """What came back."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.data

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error's detail, after checking the shape that every client can parse."""
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
    """A project on a server, as its owner sees it."""

    def __init__(self, server: Server, project_id: str, name: str, token: str) -> None:
        self.server = server
        self.id = project_id
        self.name = name
        self.token = token
        self._pool = urllib3.PoolManager(retries=False, timeout=HANG_SECONDS)

    def seen_by(self, server: Server) -> "Project":
        """The same project as another server shows it, once it does."""
        there = Project(server, self.id, self.name, self.token)
        until(lambda: there.page().status == 200)
        return there

    def key(self, *scopes: Scope, expires_us: int | None = None) -> tuple[str, str]:
        """One more API key of the project: its id and its token."""
        with self.server.opened() as store:
            key, token = create_api_key(store, self.id, "more", scopes, expires_us)
        return key.id, token

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request with the project's token, unless `headers` has its own Authorization."""
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return Answer(self._pool.request(method, self.server.url + path, body=body, headers=sent))

    def page(self, **query: object) -> Answer:
        """A page."""
        return self.request("GET", "/v2/deployments" + (f"?{urlencode(query)}" if query else ""))

    def get(self, key_or_id: str, **headers: str) -> Answer:
        """One deployment."""
        return self.request("GET", f"/v2/deployments/{key_or_id}", headers=headers)

    def put(self, key: str, body: Mapping[str, Any] | bytes | None = None, query: str = "", **headers: str) -> Answer:
        """Put one deployment; a small one if there is no body."""
        data = body if isinstance(body, bytes) else json.dumps(a_body() if body is None else body).encode()
        return self.request("PUT", f"/v2/deployments/{key}{query}", data, headers)

    def fill(self, count: int) -> list[dict[str, Any]]:
        """Put d1 (oldest) to d<count>; their items, oldest first."""
        return [self.put(f"d{number}").json for number in range(1, count + 1)]

    def walk(self, limit: int, direction: str = "starting_after", cursor: str | None = None) -> Iterator[Answer]:
        """Pages, one after the other, until there are no more."""
        while True:
            query = {"limit": limit} | ({direction: cursor} if cursor else {})
            page = self.page(**query)
            assert page.status == 200, page.body
            yield page
            if not page.json["has_more"]:
                return
            cursor = page.json["data"][-1 if direction == "starting_after" else 0]["id"]


def a_body(**changes: Any) -> dict[str, Any]:
    """A small body for put, with changes to its prompt_config."""
    config = {
        "tools": [],
        "model": "openai/gpt-4o",
        "model_type": "chat",
        "model_parameters": {"temperature": 0.2, "maxTokens": 512},
        "provider": "openai",
        "messages": [{"role": "system", "content": "You help customers."}],
    }
    return {"description": "Answers refunds", "prompt_config": {**config, **changes}}
