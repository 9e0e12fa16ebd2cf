"""Memory with many deployments in environments."""

from pathlib import Path
from statistics import median

from tools.bench.environments import NAMES, PROMOTED, admin_token, create_environment, promote, staged
from tools.bench.plan import Plan
from tools.bench.report import Figure
from tools.bench.start import Start, start_once
from tools.bench.subject import list_ids
from tools.common.client import Client
from tools.common.data import deployment
from tools.common.machine import Cores
from tools.common.report import Bound, pluralize, spread, table
from tools.common.servers import Moorage, seed

_ALLOWED = 1.05


def measure(plan: Plan, cores: Cores, folder: Path) -> list[Figure]:
    """Start on one database without environments, then with few and with all deployments that differ in three."""
    database, size = folder / "moorage.db", plan.largest
    few = size // 100
    with Moorage(folder, cores.server, database) as server:
        token = admin_token(server)
        seed(server, token, map(deployment, range(size)))
    found = {"none": _starts(plan, cores, folder / "none", database, token)}
    for name, numbers in ((f"{few:,}", range(few)), ("all", range(few, size))):
        with Moorage(folder / f"fill-{name}", cores.server, database) as server:
            _differ(server, token, numbers, is_first=numbers.start == 0)
        found[name] = _starts(plan, cores, folder / name, database, token)
    read = {name: median(start.read for start in starts) for name, starts in found.items()}
    share, control = read[f"{few:,}"] / read["none"], read["all"] / read["none"]
    if control <= _ALLOWED:
        raise RuntimeError(f"the memory with all deployments that differ is only {control:.3f} of that without")
    rows = [
        [
            name,
            spread([start.ready for start in starts], ".2f"),
            spread([start.fresh for start in starts], ".0f"),
            spread([start.read for start in starts], ".0f"),
            f"{read[name] / read['none']:.3f}",
        ]
        for name, starts in found.items()
    ]  # fmt: skip
    text = f"""
The same measurement with {pluralize(len(NAMES), "environment")} besides production, in each of which none, one in a
hundred, or all of {size:,} deployments have a version of their own. The last row is the positive control.

{table(["that differ", "s to ready", "MB after the start", "MB after all pages", "of none"], rows)}
"""
    figure = f"memory with {len(NAMES)} environments in which 1 % of {size:,} deployments differ, of that without them"
    return [Figure(f"Memory with environments of {size:,} deployments", text, [Bound(figure, share, _ALLOWED)])]


def _starts(plan: Plan, cores: Cores, folder: Path, database: Path, token: str) -> list[Start]:
    with (
        Moorage(folder / "ids", cores.server, database) as server,
        Client(server.port, token, timeout=60) as client,
    ):
        ids = list(list_ids(client, 10))
    return [
        start_once(Moorage(folder / f"{n}", cores.server, database), token, ids, plan.largest)
        for n in range(plan.starts)
    ]


def _differ(server: Moorage, token: str, numbers: range, *, is_first: bool) -> None:
    """Put other versions in the first environment, and promote them to the others."""
    for name in NAMES if is_first else ():
        create_environment(server, token, name)
    seed(server, token, (staged(deployment(number), NAMES[0]) for number in numbers), NAMES[0])
    with Client(server.port, token, timeout=60) as client:
        for name in NAMES[1:]:
            for start in range(numbers.start, numbers.stop, PROMOTED):
                promote(client, NAMES[0], name, range(start, min(start + PROMOTED, numbers.stop)))
