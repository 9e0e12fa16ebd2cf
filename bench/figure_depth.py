"""Pages deep in long lists against the first page."""

from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.client import Client
from bench.machine import Cores
from bench.plan import Plan
from bench.report import Bound, Figure, counted, spread, table
from bench.seeding import Seeded
from bench.servers import Moorage
from bench.wrk import Load, Measured, Walk, run
from moorage.api.answers import MAX_ANSWERS

#: How many API keys ask in turn; more than there are answers kept, so none is given from memory.
KEYS = MAX_ANSWERS + 500

PLACES = ("first", "middle", "deepest")
LIMITS = (10, 50)
_ALLOWED = 1.25


def with_tokens(seeded: Seeded, tokens: list[str]) -> Seeded:
    """The list with other API keys."""
    return Seeded(seeded.database, seeded.project_id, seeded.ids, tokens)


class Cell(NamedTuple):
    """What one number is for."""

    size: int
    limit: int
    place: str


def measure(plan: Plan, cores: Cores, folder: Path, lists: list[Seeded]) -> list[Figure]:
    """Latency at one connection, at three places of lists of several lengths. Each list has `KEYS` tokens."""
    loads: dict[Cell, Load] = {}
    with ExitStack() as stack:
        for seeded in lists:
            size = len(seeded.ids)
            server = stack.enter_context(Moorage(folder / str(size), cores.server, seeded.database))
            for limit in LIMITS:
                for place in PLACES:
                    walk = Walk(_requests(server, seeded, limit, place))
                    loads[Cell(size, limit, place)] = Load(server, walk=walk)
        found = _rounds(plan, loads)
    return [_figure(plan, [len(seeded.ids) for seeded in lists], found)]


def _rounds(plan: Plan, loads: dict[Cell, Load]) -> dict[Cell, list[Measured]]:
    order, found = plan.shuffle("depth"), {cell: list[Measured]() for cell in loads}
    for load in {load.server.port: load for load in loads.values()}.values():
        run(load, 1, 1)
    groups = sorted({cell[:2] for cell in loads})
    for _ in range(plan.depth_rounds):
        for size, limit in order.sample(groups, len(groups)):
            for place in order.sample(PLACES, len(PLACES)):
                cell = Cell(size, limit, place)
                found[cell].append(run(loads[cell], 1, 1))
    return found


def _requests(server: Moorage, seeded: Seeded, limit: int, place: str) -> Path:
    """A file of `KEYS` requests, one for each API key, in a place: all for the first page, or spread over a tenth."""
    size = len(seeded.ids)
    last = size - limit - 1  # the cursor with exactly one page behind it
    band = {"first": range(0), "middle": range(size * 9 // 20, size * 11 // 20), "deepest": range(size * 9 // 10, last)}
    cursors = band[place]
    targets = []
    for number in range(KEYS):
        cursor = cursors[number * len(cursors) // KEYS] if cursors else None
        after = "" if cursor is None else f"&starting_after={seeded.ids[cursor]}"
        targets.append((f"/v2/deployments?limit={limit}{after}", 0 if cursor is None else cursor + 1))
    for number in (0, KEYS - 1):
        target, start = targets[number]
        with Client(server.port, seeded.tokens[number]) as client:
            ids = [item["id"] for item in client.get(target).json["data"]]
        if ids != seeded.ids[start : start + limit]:
            raise RuntimeError(f"{target} is not the page it should be")
    file = server.folder / f"{limit}-{place}"
    file.write_text("".join(f"{targets[n][0]}\t{seeded.tokens[n]}\n" for n in range(KEYS)))
    return file


def _figure(plan: Plan, sizes: list[int], found: dict[Cell, list[Measured]]) -> Figure:
    rows, bounds = [], []

    def ratio(cell: Cell, to: Cell) -> list[float]:
        return [one.p50_us / other.p50_us for one, other in zip(found[cell], found[to], strict=True)]

    for size in sizes:
        deeper = []
        for limit in LIMITS:
            first = Cell(size, limit, "first")
            ratios = [ratio(Cell(size, limit, place), first) for place in PLACES[1:]]
            deeper += [median(each) for each in ratios]
            shown = [
                f"{median(one.p50_us for one in found[first._replace(place=place)]):,.0f} µs, "
                f"{median(one.cpu_us for one in found[first._replace(place=place)]):.0f} µs CPU"
                for place in PLACES
            ]
            rows.append([f"{size:,}, limit {limit}", *shown, *(spread(each, ".2f") for each in ratios)])
        what = f"{size:,} deployments: p50 of a middle or deepest page as a multiple of the first page's, the worst"
        bounds.append(Bound(what, max(deeper), required=_ALLOWED))
    shortest, longest = sizes[0], sizes[-1]
    across = [
        median(ratio(Cell(longest, limit, place), Cell(shortest, limit, place))) for limit in LIMITS for place in PLACES
    ]
    what = f"p50 of a page of {longest:,} deployments as a multiple of the same page's of {shortest:,}, the worst"
    bounds.append(Bound(what, max(across), required=_ALLOWED))
    text = f"""
Lists of {", ".join(f"{size:,}" for size in sizes)} deployments (1.5 KB each on average; all pages of a limit have the
same length). At one connection; {counted(plan.depth_rounds, "round")} of 1 s for each number, the three places one
after the other in an order drawn from the seed. {KEYS:,} API keys ask in turn and {MAX_ANSWERS:,} finished answers are
kept, so no request is answered from those: every page is looked up and put together. The cursors of "middle" are spread
over the tenth of the list around its middle, those of "deepest" over the last tenth up to the last full page; the first
page is always the same one, so its deployments are more often in the processor's cache. Shown are the medians of p50
and of the server's processor time for one request, and the ratio of the p50s with its spread.

{table(["", "first", "middle", "deepest", "middle / first", "deepest / first"], rows)}
"""
    return Figure("Pages deep in the list", text, bounds)
