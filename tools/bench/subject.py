"""Server under measurement, with seeded deployments and the measured requests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tools.bench.plan import Plan
from tools.bench.publishing import WRITERS, Publisher
from tools.bench.wrk import Load, Measured, run
from tools.common.client import Client
from tools.common.data import deployment, get_config_body, routed_deployment
from tools.common.machine import rng
from tools.common.servers import Checkout, Moorage, seed

CONNECTIONS = 32
SIZES = (1, 10, 50)
LIST = "/v2/deployments"
GET_CONFIG = f"{LIST}/get_config"
ROUTED = 200

PAGE, NOT_CACHED = "list page of 10", "list page of 10, not in the response cache"
DIFFERENT, REPEATED = "get_config, different bodies", "get_config, repeated bodies"
PUBLISH = "publish"

_BODIES_PER_SECOND = 50_000
_REPEATED = 100


class Subject:
    """Moorage of one checkout with the same deployments as any other. All measured requests are in the orq.ai API, so
    that old checkouts can be compared with new ones."""

    def __init__(self, server: Moorage, token: str, plan: Plan) -> None:
        """Seeds the deployments over HTTP."""
        self.server = server
        self.token = token
        self.publisher = Publisher(server, token, "hot", plan.seed)
        self._plan = plan
        self._random = rng(plan.seed, "get_config")  # not shared, so that each subject gets the same bodies
        seed(server, token, map(routed_deployment, range(ROUTED)))
        seed(server, token, map(deployment, range(plan.deployments)))
        with Client(server.port, token) as client:
            self.pages = {size: client.get(f"{LIST}?limit={size}").body for size in SIZES}
            ids = list(list_ids(client, plan.deployments))
        walk = self._file("walk", [f"{LIST}?limit=10&starting_after={cursor}" for cursor in ids[:-10]])
        self._different = Load(server, GET_CONFIG, token, "post.lua")
        repeated = Load(server, GET_CONFIG, token, "post.lua", file=self._file("repeated", self._bodies(_REPEATED)))
        self.requests: dict[str, Callable[[int, int, int], Measured]] = {
            PAGE: partial(run, Load(server, f"{LIST}?limit=10", token)),
            NOT_CACHED: partial(run, Load(server, "/", token, file=walk)),
            DIFFERENT: self._run_different,
            REPEATED: partial(run, repeated),
            PUBLISH: self._run_publishes,
        }

    def _run_different(self, connections: int, seconds: int, warm_up: int) -> Measured:
        """Send bodies that are used only once."""
        if warm_up:
            self._run_different(connections, warm_up, 0)
        self._different.file = self._file("different", self._bodies(seconds * _BODIES_PER_SECOND))
        self._different.sent = 0
        return run(self._different, connections, seconds)

    def _run_publishes(self, connections: int, seconds: int, warm_up: int) -> Measured:
        return self.publisher.run(min(connections, WRITERS), seconds, warm_up)

    def _bodies(self, count: int) -> list[str]:
        return [get_config_body(self._random.randrange(ROUTED), self._random) for _ in range(count)]

    def _file(self, name: str, lines: list[str]) -> Path:
        file = self.server.folder / name
        file.write_text("".join(f"{line}\n" for line in lines))
        return file


@contextmanager
def started(plan: Plan, core: int, folder: Path, checkout: Checkout | None = None) -> Iterator[Subject]:
    """Start the server of a checkout on a new database."""
    with Moorage(folder, core, folder / "moorage.db", checkout) as server:
        yield Subject(server, server.first_token(), plan)


def list_ids(client: Client, count: int) -> Iterator[str]:
    """Yield the ids of the newest `count` deployments, from pages of 50."""
    cursor = ""
    while count > 0:
        page = client.get(f"{LIST}?limit={min(count, 50)}{cursor}").json
        yield from (item["id"] for item in page["data"])
        count -= len(page["data"])
        cursor = f"&starting_after={page['data'][-1]['id']}"
        if not page["has_more"]:
            return
