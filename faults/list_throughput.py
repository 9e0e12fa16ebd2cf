"""Requests a second of the list on a node with PostgreSQL against one with SQLite, in turn on the same core."""

import os
import random
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec
from bench.client import Client
from bench.data import rich
from bench.machine import claim_cores
from bench.report import Bound, spread
from bench.servers import Server
from bench.wrk import Load, Walk
from bench.wrk import run as ask
from tests.support.postgres import PostgresServer

from faults.outcome import NotRun, Outcome
from moorage.api.answers import MAX_ANSWERS
from moorage.core.access import DEFAULT_SCOPES
from moorage.registry.api_keys import create_api_key
from moorage.registry.projects import create_project
from moorage.store.opening import open_store

CONNECTIONS = 32

_DEPLOYMENTS = 50
_SECONDS, _WARM_UP = 3, 1

_LIST = "/v2/deployments"
_REMEMBERED, _NOT_REMEMBERED = "page of 10", "pages that are not remembered"

#: The rate on PostgreSQL is to be this part of SQLite's at least.
_REQUIRED = 0.9


class Node(Server):
    """`moorage serve` on a database, with a few deployments, an API key, and many different pages to ask for."""

    def __init__(self, name: str, folder: Path, core: int, database: str) -> None:
        super().__init__(name, folder, core, "/health/ready")
        self._database = database
        store = open_store(database)
        project = create_project(store, "throughput")
        _, self.token = create_api_key(store, project.id, "throughput", DEFAULT_SCOPES)
        store.close()

    def command(self) -> list[str]:
        """See `Server.command`."""
        options = ["--port", str(self.port), "--database", self._database, "--snapshot", str(self.folder / "snapshot")]
        return [sys.executable, "-m", "moorage", "serve", *options]

    def fill(self) -> list[str]:
        """Put the deployments; their ids."""
        with Client(self.port, self.token) as client:
            bodies = [rich(number) for number in range(_DEPLOYMENTS)]
            made = [
                client.request("PUT", f"{_LIST}/{each.key}", msgspec.json.encode(each.body)).json for each in bodies
            ]
        return [item["id"] for item in made]

    def walk(self, ids: list[str], file: Path) -> Walk:
        """Pages that are each asked for once before any comes again; more than are remembered."""
        pages = [f"{_LIST}?limit={limit}&starting_after={name}" for name in ids for limit in range(1, 51)]
        if len(pages) <= MAX_ANSWERS:
            raise RuntimeError("all of these pages would be remembered")
        file.write_text("".join(f"{page}\t{self.token}\n" for page in pages))
        return Walk(file)


class Contender(NamedTuple):
    """What is asked, and of whom."""

    what: str
    engine: str
    load: Load


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Measure in so many rounds; see `Part`. Rounds are shorter where there are but one or two."""
    missing = [tool for tool in ("wrk", "taskset") if shutil.which(tool) is None]
    if missing:
        raise NotRun(f"there is no program {' and no '.join(missing)} here")
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        raise NotRun("two cores are needed: one for the server, one for the load")
    try:
        rates = _measure(count, random.Random(f"{seed} list-throughput"), folder, claim_cores().server)
    finally:
        os.sched_setaffinity(0, allowed)
    ratios = {what: _ratios(rates, what, what) for what in (_REMEMBERED, _NOT_REMEMBERED)}
    control = median(_ratios(rates, _NOT_REMEMBERED, _REMEMBERED))
    return Outcome(
        fault="none: the list at 32 connections, one worker on a core of its own, the two engines in turn",
        invariant="a node on PostgreSQL answers as many requests in a second as one on SQLite, within 10 %: both read "
        "from memory (a figure: it fails nothing)",
        count=count,
        result="; ".join(
            f"{what}: {spread(rates[what, 'PostgreSQL'], ',.0f')} against {spread(rates[what, 'SQLite'], ',.0f')} "
            f"requests/s"
            for what in ratios
        ),
        violations=[],
        control=f"on PostgreSQL pages that are not remembered, against the one that is: {control:.3f}",
        is_control_found=control < _REQUIRED,
        bounds=[
            Bound(f"{what}, requests/s on PostgreSQL as a part of SQLite's", median(found), _REQUIRED, is_at_least=True)
            for what, found in ratios.items()
        ],
    )


Rates = dict[tuple[str, str], list[float]]


def _measure(count: int, rng: random.Random, folder: Path, core: int) -> Rates:
    seconds, warm_up = (_SECONDS, _WARM_UP) if count > 2 else (1, 0)
    contenders = []
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer())
        databases = {"SQLite": f"sqlite:///{folder / 'moorage.db'}", "PostgreSQL": postgres.new_database()}
        for engine, database in databases.items():
            node = stack.enter_context(Node(engine, folder / engine, core, database))
            walk = node.walk(node.fill(), folder / f"{engine}.pages")
            contenders += [
                Contender(_REMEMBERED, engine, Load(node, f"{_LIST}?limit=10", node.token)),
                Contender(_NOT_REMEMBERED, engine, Load(node, walk=walk)),
            ]
        rates: Rates = {(each.what, each.engine): [] for each in contenders}
        for _ in range(count):
            for each in rng.sample(contenders, len(contenders)):
                rates[each.what, each.engine].append(ask(each.load, CONNECTIONS, seconds, warm_up).rate)
    return rates


def _ratios(rates: Rates, what: str, anchor: str) -> list[float]:
    """PostgreSQL's rates as parts of SQLite's in the same rounds."""
    pairs = zip(rates[what, "PostgreSQL"], rates[anchor, "SQLite"], strict=True)
    return [one / other for one, other in pairs]
