"""Mixed load: clients that read, write, ask for what is not there, send nonsense, and come and go."""

import http.client
import itertools
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import msgspec
from bench.changes import publish, put
from bench.client import Client
from bench.data import rich
from tests.support.server import Project

CLIENTS = 4

_DEPLOYMENTS = [rich(number) for number in range(50)]

#: The pause of a client between two requests, in seconds: a load for long, and not for the most.
_PAUSE = 0.03

#: How often a client comes back on another connection.
_RENEWED = 0.1

_RUDE = (
    b"",
    b"nonsense\r\n\r\n",
    b"GET /v2/deployments HTTP/1.1\r\nHost: a\r\n",
    b"PUT /v2/deployments/a HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{",
)


class Wait(msgspec.Struct, frozen=True):
    """A page that was waited for: when it came, and how long it took, in seconds."""

    at: float
    seconds: float


class MixedLoad:
    """Clients of a project. `pages` are the waits for pages, `refused` how many writes were refused, and `wrong` the
    answers that must not be: a write may be refused with 503 while `is_faulty` is set."""

    def __init__(self, project: Project, seed: str) -> None:
        """Creates its deployments."""
        self.requests = 0
        self.refused = 0
        self.pages: list[Wait] = []
        self.wrong: list[str] = []
        self.is_faulty = False
        self._port = project.server.port
        self._token = project.token
        self._seed = seed
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]
        with self._client() as client:
            for named in _DEPLOYMENTS:
                client.request("PUT", f"/v2/deployments/{named.key}", msgspec.json.encode(named.body))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _client(self) -> Client:
        return Client(self._port, self._token, timeout=30.0)

    def _run(self, number: int) -> None:
        rng = random.Random(f"{self._seed} {number}")
        actions: dict[Callable[[Client, random.Random, str], None], int] = {
            self._page: 40, self._read: 20, self._write: 20, self._fail: 15, self._be_rude: 5,
        }  # fmt: skip
        marks = (f"{self._seed}-{number}-{count}" for count in itertools.count())
        while not self._stopped.is_set():
            with self._client() as client:
                while not self._stopped.wait(_PAUSE):
                    (action,) = rng.choices(list(actions), list(actions.values()))
                    try:
                        action(client, rng, next(marks))
                    except (OSError, http.client.HTTPException) as error:
                        self.wrong.append(f"{action.__name__}: {error!r}")
                        break
                    self.requests += 1
                    if rng.random() < _RENEWED:
                        break

    def _page(self, client: Client, rng: random.Random, mark: str) -> None:
        _ = mark
        started = time.perf_counter()
        self._ask(client, f"GET /v2/deployments?limit={rng.choice((1, 10, 50))}", {200})
        self.pages.append(Wait(time.perf_counter(), time.perf_counter() - started))

    def _read(self, client: Client, rng: random.Random, mark: str) -> None:
        _ = mark
        what = rng.choice(("", "/versions", "/history", "/versions/1.0"))
        self._ask(client, f"GET /v2/deployments/{rng.choice(_DEPLOYMENTS).key}{what}", {200})

    def _write(self, client: Client, rng: random.Random, mark: str) -> None:
        request = rng.choice((put, publish))(rng.choice(_DEPLOYMENTS), mark)
        headers = {"Idempotency-Key": mark} if request.method == "POST" else {}
        self._ask(client, f"{request.method} {request.target}", {200, 201}, request.body, headers)

    def _fail(self, client: Client, rng: random.Random, mark: str) -> None:
        what = rng.choice(("GET /v2/deployments?limit=0", f"GET /v2/deployments/{mark}", f"PUT /v2/deployments/{mark}"))
        self._ask(client, what, {400, 404}, b"{" if what.startswith("PUT") else None)

    def _be_rude(self, client: Client, rng: random.Random, mark: str) -> None:
        _ = client, mark
        with socket.create_connection(("127.0.0.1", self._port)) as connection:
            connection.sendall(rng.choice(_RUDE))

    def _ask(
        self,
        client: Client,
        what: str,
        expected: set[int],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        was_faulty = self.is_faulty
        method, _, target = what.partition(" ")
        reply = client.request(method, target, body, headers)
        if reply.status == 503 and method != "GET" and (was_faulty or self.is_faulty):
            self.refused += 1
        elif reply.status not in expected:
            self.wrong.append(f"{what} was answered with {reply.status}: {reply.body[:200]!r}")
