"""Moorage with a provider on the other core, and the measured calls."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tools.bench.anchors import Anchor
from tools.bench.plan import Plan
from tools.bench.provider import BURSTS, HELD, SINGLE, TEXT, UNARY, WORD, WORDS, Provider
from tools.bench.rounds import Contender, Contenders
from tools.bench.stream_client import StreamClient
from tools.bench.wrk import Load, run
from tools.common.client import Client, Request
from tools.common.data import called_deployment, chat_body, deployment, invoke_body
from tools.common.machine import Cores, rng
from tools.common.servers import Moorage, Server, seed

INVOKE, STREAM, CHAT = "/v2/deployments/invoke", "/v2/deployments/stream", "/v1/chat/completions"
PROVIDER, BARE, PASSED = "the provider itself", "granian, body read", "granian, bytes passed on"

JSON = {"Content-Type": "application/json"}

_BODIES = 1_000
_LISTED = 200


class Called:
    """The provider, the anchors, and Moorage with deployments of each model of the provider."""

    def __init__(self, provider: Provider, anchor: Anchor, server: Moorage, plan: Plan) -> None:
        """Creates the deployments, and checks that the calls work."""
        self.provider, self.anchor, self.server, self.plan = provider, anchor, server, plan
        self.token = server.first_token()
        self.loads: list[Load] = []
        seed(server, self.token, map(called_deployment, (UNARY, BURSTS, SINGLE, HELD)))
        seed(server, self.token, map(deployment, range(_LISTED)))
        self.imported = [self._has_client()]
        self._check_unary()
        self.imported.append(self._has_client())

    @property
    def base_url(self) -> str:
        """The base URL of the provider."""
        return f"http://127.0.0.1:{self.provider.port}/v1"

    def unary(self) -> Contenders:
        """Return the calls without a stream, and their anchors."""
        sent = self.sent(INVOKE, self.bodies("invoke", UNARY)[0])
        return {
            PROVIDER: self._run(self.provider, CHAT, "upstream", [sent]),
            BARE: self._run(self.anchor, "/", "bare", self.bodies("invoke", UNARY)),
            "invoke": self._run(self.server, INVOKE, "invoke", self.bodies("invoke", UNARY)),
            "chat/completions": self._run(self.server, CHAT, "chat", self.bodies("chat", UNARY)),
        }

    def streams(self, model: str) -> Contenders:
        """Return the streamed calls of a model, and their anchors."""
        bodies, chat = self.bodies("invoke", model), self.bodies("chat", model)
        sent = self.sent(STREAM, bodies[0])
        for server, target, body in (
            (self.provider, CHAT, sent), (self.anchor, "/stream", sent), (self.server, STREAM, bodies[0]),
            (self.server, CHAT, chat[0]),
        ):  # fmt: skip
            check_stream(server, target, self.token, body)
        return {
            PROVIDER: self._run(self.provider, CHAT, f"upstream-{model}", [sent]),
            PASSED: self._run(self.anchor, "/stream", f"passed-{model}", [sent]),
            "stream": self._run(self.server, STREAM, f"stream-{model}", bodies),
            "chat/completions": self._run(self.server, CHAT, f"chat-{model}", chat),
        }

    def bodies(self, kind: str, model: str) -> list[str]:
        """Return bodies of invoke and stream, or of chat completions, as JSON."""
        random_ = rng(self.plan.seed, f"{kind} {model}")
        if kind == "invoke":
            return [invoke_body(model, random_) for _ in range(_BODIES)]
        return [chat_body(model, random_, is_stream=model != UNARY) for _ in range(_BODIES)]

    def load(
        self,
        server: Server,
        target: str,
        name: str,
        bodies: list[str],
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Load:
        """Return the load of bodies in turn."""
        file = self.server.folder / name
        file.write_text("".join(f"{body}\n" for body in bodies))
        all_headers = {**JSON, **(headers or {})}
        load = Load(server, target, token or self.token, "post.lua", file=file, headers=all_headers)
        self.loads.append(load)
        return load

    def sent(self, target: str, body: str) -> str:
        """Return the request that Moorage sends to the provider for a call."""
        with Client(self.server.port, self.token) as client, Client(self.provider.port) as provider:
            if target == STREAM:
                with StreamClient(self.server.port, target, self.token) as stream:
                    stream.send(body)
            else:
                client.expect(Request("POST", target, body.encode()))
            return provider.get("/last").body.decode()

    def check_requests(self) -> int:
        """Return the number of requests that the provider got.

        Raises:
            RuntimeError: a response of wrk's runs did not come from the provider.
        """
        with Client(self.provider.port) as client:
            got = int(client.get("/requests").body)
        expected = sum(load.completed for load in self.loads if load.target != "/")
        if got < expected:
            raise RuntimeError(f"{expected:,} calls made only {got:,} requests to the provider")
        return got

    def _run(self, server: Server, target: str, name: str, bodies: list[str]) -> Contender:
        return partial(run, self.load(server, target, name, bodies))

    def worker(self) -> int:
        """Return the process that serves requests."""
        (worker,) = self.server.tree.workers()
        return worker

    def _has_client(self) -> bool:
        """Return whether the process has imported the HTTP client."""
        return "aiohttp" in Path(f"/proc/{self.worker()}/maps").read_text()

    def _check_unary(self) -> None:
        for target, kind in ((INVOKE, "invoke"), (CHAT, "chat")):
            check_response(self.server, target, self.token, self.bodies(kind, UNARY)[0])


def check_stream(server: Server, target: str, token: str, body: str, headers: Mapping[str, str] | None = None) -> None:
    """Raise unless the response is the whole stream of the provider."""
    with StreamClient(server.port, target, token, headers) as client:
        received = client.send(body).received
    if received.count(WORD.encode()) != WORDS:
        raise RuntimeError(f"{target} sent {received!r}")


def check_response(
    server: Server, target: str, token: str, body: str, headers: Mapping[str, str] | None = None
) -> None:
    """Raise unless the response has the text of the provider."""
    with Client(server.port) as client:
        request = Request("POST", target, body.encode()).encode(token, {**JSON, **(headers or {})})
        response = client.send(request)
    if response.status != 200 or response.json["choices"][0]["message"]["content"] != TEXT:
        raise RuntimeError(f"{target} returned {response}")


@contextmanager
def called(plan: Plan, cores: Cores, folder: Path) -> Iterator[Called]:
    """Start the provider on the core of the load; an anchor and Moorage on the core of the server."""
    with Provider(folder / "provider", cores.load) as provider:
        base = f"http://127.0.0.1:{provider.port}/v1"
        environment = {
            "OPENAI_API_KEY": "sk-bench", "OPENAI_BASE_URL": base, "MOORAGE_PRIVATE_HOSTS": "127.0.0.1",
            "STUB_URL": base,
        }  # fmt: skip
        with (
            Anchor(folder / "anchor", cores.server, f"{base}/chat/completions") as anchor,
            Moorage(folder / "moorage", cores.server, folder / "calls.db", environment=environment) as server,
        ):
            yield Called(provider, anchor, server, plan)
