"""Requests in environments against those in production, and promotions."""

import time
from functools import partial
from pathlib import Path
from statistics import median

import msgspec

from tools.bench.plan import Plan
from tools.bench.report import Figure
from tools.bench.rounds import Contenders, Rounds, interleave, ratios
from tools.bench.subject import CONNECTIONS, GET_CONFIG, LIST, ROUTED, list_ids
from tools.bench.wrk import Load, run
from tools.common.client import Client, Request
from tools.common.data import NewDeployment, deployment, get_config_body, routed_deployment
from tools.common.machine import Cores, rng
from tools.common.report import Bound, pluralize, spread, table
from tools.common.servers import Moorage, seed

#: Environments in which each routed deployment has a version of its own. No routing rule names them.
NAMES = ("qa", "dev", "test")

#: The number of deployments of the largest promotion.
PROMOTED = 1_000

ONE, THREE = "get_config, one environment", "get_config, three environments in turn"
PRODUCTION, OTHER = "list page of 10 of production", "list page of 10 of an environment"
PRODUCTION_WALK, OTHER_WALK = f"{PRODUCTION}, not cached", f"{OTHER}, not cached"

_BODIES = 50_000


def measure(plan: Plan, cores: Cores, folder: Path) -> list[Figure]:
    """Measure requests in interleaved rounds, then promotions."""
    database, size = folder / "moorage.db", max(plan.deployments, PROMOTED + 1)
    with Moorage(folder, cores.server, database) as server:
        token = admin_token(server)
        seed(server, token, map(routed_deployment, range(ROUTED)))
        seed(server, token, map(deployment, range(size)))
        for name in NAMES:
            create_environment(server, token, name)
            seed(server, token, (staged(routed_deployment(n), name) for n in range(ROUTED)), name)
        seed(server, token, (staged(deployment(n), NAMES[0]) for n in range(PROMOTED + 1)), NAMES[0])
        rates = interleave(
            plan, "environments", _contenders(plan, server, token, size), CONNECTIONS, plan.rounds, plan.seconds
        )
        with Moorage(folder / "other", cores.server, database) as other:
            promotions = _promotions(plan, server, other, token)
    return [_requests(plan, rates), _figure_of_promotions(promotions)]


def admin_token(server: Moorage) -> str:
    """Return a key that may create environments, made with the first key of the server."""
    with Client(server.port, server.first_token()) as client:
        names = ("read", "write", "publish", "invoke")
        scopes = [*(f"deployments:{name}" for name in names), "environments:admin"]
        body = msgspec.json.encode({"name": "bench", "scopes": scopes})
        token: str = client.expect(Request("POST", "/v2/api-keys", body, status=201)).json["token"]
        return token


def create_environment(server: Moorage, token: str, name: str) -> None:
    """Create an environment."""
    with Client(server.port, token) as client:
        client.expect(Request("PUT", f"/v2/environments/{name}", b"{}", status=201))


def staged(new: NewDeployment, name: str) -> NewDeployment:
    """Return a deployment with another content, for an environment."""
    return msgspec.structs.replace(new, body={**new.body, "prompt_config": new.marked(name)})


def promote(client: Client, source: str, target: str, numbers: range) -> int:
    """Promote generated deployments; return the revision."""
    items = [{"key": deployment(number).key} for number in numbers]
    body = msgspec.json.encode({"from": source, "to": target, "deployments": items})
    revision: int = client.expect(Request("POST", "/v2/promotions", body)).json["revision"]
    return revision


def _contenders(plan: Plan, server: Moorage, token: str, size: int) -> Contenders:
    random_ = rng(plan.seed, "environments")
    bodies = {
        ONE: [get_config_body(n % ROUTED, random_, NAMES[0]) for n in range(_BODIES)],
        THREE: [get_config_body(n // len(NAMES) % ROUTED, random_, NAMES[n % len(NAMES)]) for n in range(_BODIES)],
    }
    with Client(server.port, token) as client:
        cursors = list(list_ids(client, size))[:-10]
    lists = {PRODUCTION: f"{LIST}?limit=10", OTHER: f"{LIST}?limit=10&environment={NAMES[0]}"}
    contenders: Contenders = {name: partial(run, Load(server, target, token)) for name, target in lists.items()}
    for number, (name, target) in enumerate(zip((PRODUCTION_WALK, OTHER_WALK), lists.values(), strict=True)):
        walk = _file(server, f"walk-{number}", [f"{target}&starting_after={cursor}" for cursor in cursors])
        contenders[name] = partial(run, Load(server, "/", token, file=walk))
    for number, (name, lines) in enumerate(bodies.items()):
        file = _file(server, f"bodies-{number}", lines)
        contenders[name] = partial(run, Load(server, GET_CONFIG, token, "post.lua", file=file))
    return contenders


def _file(server: Moorage, name: str, lines: list[str]) -> Path:
    file = server.folder / name
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def _requests(plan: Plan, rates: Rounds) -> Figure:
    rows = []
    anchors = {THREE: ONE, OTHER: PRODUCTION, OTHER_WALK: PRODUCTION_WALK}
    for name, runs in rates.items():
        anchor = anchors.get(name)
        rows.append([
            name,
            spread([one.rate for one in runs], ",.0f"),
            spread([one.cpu_us for one in runs], ",.1f"),
            spread(ratios(rates, name, anchor, lambda run: run.rate)) if anchor else "",
        ])  # fmt: skip
    text = f"""
{CONNECTIONS} connections, {pluralize(plan.rounds, "round")} of {plan.seconds} s in random order. The context of each
get_config names the environment; in the three environments, each of the {ROUTED} deployments has a version of its own.
"Against" is the rate divided by that of the same request in one environment, or in production, in the same round. The
environment of the list differs from production in {PROMOTED + 1 + ROUTED:,} of its deployments.

{table(["", "requests/s", "CPU µs/request", "against"], rows)}
"""
    share = median(ratios(rates, THREE, ONE, lambda run: run.rate))
    figure = "get_config in three environments in turn, requests/s divided by those in one"
    return Figure("Requests in environments", text, [Bound(figure, share, required=0.97, is_at_least=True)])


class _Promotions(msgspec.Struct, frozen=True):
    """Seconds of promotions of one and of all deployments, and until another server showed all."""

    one: list[float]
    all: list[float]
    shown: list[float]


def _promotions(plan: Plan, server: Moorage, other: Moorage, token: str) -> _Promotions:
    """Promote versions to an environment and back; another process reads them."""
    found = _Promotions([], [], [])
    with Client(server.port, token, timeout=60) as client, Client(other.port, token, timeout=60) as reader:
        target = f"/v2/deployments/{deployment(0).key}?environment=test"
        reader.get(target)
        revision = 0
        for _ in range(plan.rounds):
            for source in (NAMES[0], "production"):
                for numbers, seconds in ((range(PROMOTED, PROMOTED + 1), found.one), (range(PROMOTED), found.all)):
                    started = time.perf_counter()
                    revision = promote(client, source, NAMES[2], numbers)
                    seconds.append(time.perf_counter() - started)
                started = time.perf_counter()
                response = reader.request("GET", target, headers={"X-Moorage-Min-Revision": str(revision)})
                found.shown.append(time.perf_counter() - started)
                if response.status != 200 or int(response.headers["x-moorage-revision"]) < revision:
                    raise RuntimeError(f"the other server does not show revision {revision}: {response}")
    return found


def _figure_of_promotions(found: _Promotions) -> Figure:
    rows = [
        ["a promotion of one deployment", spread(found.one)],
        [f"a promotion of {PROMOTED:,} deployments", spread(found.all)],
        ["until another server shows all of it", spread(found.shown)],
    ]
    text = f"""
`POST /v2/promotions` to an environment, {len(found.all)} times, in turn from another one and from production, and one
deployment before each. Both servers have the same database and core; the second one is read with
`X-Moorage-Min-Revision` as soon as the first one has responded.

{table(["", "seconds"], rows)}
"""
    bound = Bound(f"promotion of {PROMOTED:,} deployments", median(found.all), required=2.0, unit="s")
    return Figure("Promotions", text, [bound])
