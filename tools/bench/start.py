"""Start time and memory with many deployments."""

import time
from pathlib import Path
from statistics import median

import msgspec

from tools.bench.plan import Plan
from tools.bench.report import Figure
from tools.bench.subject import list_ids
from tools.common.client import Client
from tools.common.data import deployment
from tools.common.machine import Cores
from tools.common.process import resident_mb
from tools.common.report import Bound, pluralize, spread, table
from tools.common.servers import Moorage, seed

_BASE_MB, _KB_EACH = 120, 3
_IDLE_SECONDS = 1.0  # after which the start has released its memory


class Start(msgspec.Struct, frozen=True):
    """Seconds to /health/ready and to a correct list; MB of the worker after the start and after all pages."""

    ready: float
    listed: float
    fresh: float
    read: float


def measure(plan: Plan, cores: Cores, folder: Path) -> list[Figure]:
    """Start several times on one database."""
    database, size = folder / "moorage.db", plan.largest
    with Moorage(folder, cores.server, database) as server:
        token = server.first_token()
        seed(server, token, map(deployment, range(size)))
        with Client(server.port, token) as client:
            ids = list(list_ids(client, 10))
    starts = [
        start_once(Moorage(folder / f"{n}", cores.server, database), token, ids, size) for n in range(plan.starts)
    ]
    header = ["s to ready", "s to a correct list", "MB after the start", "MB after all pages"]
    cells = [
        spread([start.ready for start in starts], ".2f"),
        spread([start.listed for start in starts], ".2f"),
        spread([start.fresh for start in starts], ".0f"),
        spread([start.read for start in starts], ".0f"),
    ]
    text = f"""
A database with {size:,} deployments of 1.1 KB on average. Times are from the start of the process to the first 200 of
/health/ready, and to the first correct list page. The server runs on one core; the database file is in the page cache
of the system. Memory is the resident memory of the worker (VmRSS, MB of 10⁶ bytes): after the start, and after all
pages of 50 deployments were read. {pluralize(plan.starts, "start")}.

{table(header, [cells], texts=0)}
"""
    figure = f"memory of a worker with {size:,} deployments, after all pages"
    required = _BASE_MB + _KB_EACH * size / 1000
    bound = Bound(figure, median(start.read for start in starts), required=required, unit="MB")
    return [Figure(f"Start and memory with {size:,} deployments", text, [bound])]


def start_once(moorage: Moorage, token: str, ids: list[str], size: int) -> Start:
    """Start a server on a database with so many deployments, of which `ids` are the newest."""
    with moorage as server, Client(server.port, token, timeout=60) as client:
        if list(list_ids(client, 10)) != ids:
            raise RuntimeError("the first list page after the start is not correct")
        listed = time.perf_counter() - server.started
        (worker,) = server.tree.workers()
        time.sleep(_IDLE_SECONDS)
        fresh = resident_mb(worker)
        list(list_ids(client, size))
        return Start(server.seconds_to_ready, listed, fresh, resident_mb(worker))
