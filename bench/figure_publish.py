"""Publishes on one hot deployment, and whether each of them is kept."""

from pathlib import Path
from statistics import median

from bench.commits import commit_seconds
from bench.machine import Cores
from bench.plan import Plan
from bench.publishing import WRITERS, Checked, Publisher
from bench.report import Bound, Figure, counted, spread, table
from bench.seeding import Seeded
from bench.servers import Moorage
from bench.wrk import Measured

_REQUIRED_RATE = 500.0
_COMMITS = 500

#: The rows: name -> at how many connections.
_ROWS = {f"Moorage, {WRITERS} connections": WRITERS, "Moorage, 1 connection": 1}
_ANCHOR = "SQLite alone"


def measure(plan: Plan, cores: Cores, folder: Path, seeded: Seeded) -> list[Figure]:
    """Publish from many connections and from one, beside what SQLite commits alone, in interleaved rounds."""
    order = plan.shuffle("publish")
    found: dict[str, list[Measured]] = {name: [] for name in _ROWS}
    commits: list[list[float]] = []
    with Moorage(folder / "publish", cores.server, seeded.database) as server:
        publisher = Publisher(server, seeded.tokens[0], "hot", plan.seed)
        publisher.run(WRITERS, plan.warm_up)
        for _ in range(plan.publish_rounds):
            for name in order.sample([*_ROWS, _ANCHOR], len(_ROWS) + 1):
                if name == _ANCHOR:
                    commits.append(commit_seconds(server.folder / "alone.db", publisher.body, _COMMITS))
                else:
                    found[name].append(publisher.run(_ROWS[name], plan.publish_seconds))
        checked = publisher.check()
    return [_figure(plan, found, commits, checked, len(publisher.body))]


def _figure(
    plan: Plan, found: dict[str, list[Measured]], commits: list[list[float]], checked: Checked, length: int
) -> Figure:
    alone = [len(times) / sum(times) for times in commits]
    rows = [
        [
            name,
            spread([one.rate for one in runs], ",.0f"),
            spread([one.rate / other for one, other in zip(runs, alone, strict=True)], ".2f"),
            spread([one.p50_us / 1e3 for one in runs], ".2f"),
            spread([one.p99_us / 1e3 for one in runs], ".2f"),
            f"{median(one.cpu_us for one in runs):,.0f}",
            f"{median(one.core_in_use for one in runs):.0%}",
        ]
        for name, runs in found.items()
    ]
    middle, last = ([sorted(times)[len(times) * part // 100] * 1e3 for times in commits] for part in (50, 99))
    rows.append([_ANCHOR, spread(alone, ",.0f"), "1.00", spread(middle, ".2f"), spread(last, ".2f"), "", ""])
    header = ["", "a second", "of SQLite alone", "p50 ms", "p99 ms", "CPU µs/publish", "core in use"]
    lost, breaks = checked.faults.lost, checked.faults.breaks
    shown = f"""
To show that it can fail, the same check was given what was kept with a version removed, the newest ones removed, one
doubled, one changed, and an entry of the history removed: it found each of the {checked.controls}.
"""
    text = f"""
`POST /v2/deployments/hot/versions` with `"status": "published"` on SQLite with `synchronous=FULL`: every request saves
a version with a content of its own ({length:,} bytes, a mark in it that is drawn from the seed {plan.seed}), makes it
the live one and records that in the history, all of it on the disk before it is answered with 201. wrk sends from
{WRITERS} connections, and from one, each as fast as it is answered, to the same deployment;
{counted(plan.publish_rounds, "round")} of {plan.publish_seconds} s in an order drawn from the seed. "{_ANCHOR}" is a
table of one column: {_COMMITS} rows of as many bytes in each round, one commit for each, by this program on the other
core. It is what the disk and the library leave room for where no two writes share a commit.

{table(header, rows)}

Afterwards all pages of versions and of the history were read and compared with the 201s that wrk got, the warm-up's
too: {checked.acknowledged:,} publishes were acknowledged, and {checked.published:,} are in the history (wrk ends
without the answers to its last requests, at most one for each connection). Lost is one whose version is not there with
its mark, or whose number was given out twice; a break is a number that is missing, doubled or out of order among the
versions 1.0, 1.1, 1.2 …, an entry of the history that does not lead from one of them to the next, or a version more
than were sent. {_words(lost, "lost")} {_words(breaks, "broken")} {shown.strip() if checked.controls else ""}
"""
    many, _ = found
    bounds = [
        Bound(
            f"publishes on one deployment from {WRITERS} connections, SQLite with synchronous=FULL",
            median(one.rate for one in found[many]),
            required=_REQUIRED_RATE,
            unit="/s",
            is_at_least=True,
        ),
        Bound(f"lost updates among {checked.acknowledged:,} acknowledged publishes", len(lost), required=0),
        Bound(
            f"gaps and other breaks in {checked.published + 1:,} versions and their history", len(breaks), required=0
        ),
    ]
    return Figure("Publishes on one deployment", text, bounds)


def _words(faults: list[str], what: str) -> str:
    return f"{len(faults)} {what}: {'; '.join(faults[:5])}." if faults else f"None is {what}."
