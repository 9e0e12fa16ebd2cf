"""`moorage apply` of a thousand deployments."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import msgspec

from bench.client import Client
from bench.data import Named, Plain
from bench.machine import Cores
from bench.plan import Plan
from bench.report import Bound, Figure, counted, spread, table
from bench.seeding import seed
from bench.servers import Moorage

COUNT = 1_000
_ALLOWED_SECONDS = 5


def measure(plan: Plan, cores: Cores, folder: Path, prompts: Path | None) -> list[Figure]:
    """Time the whole command, on fresh databases: first all is new, then all is there."""
    lines = _lines(plan, prompts)
    file = folder / "deployments.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    created, unchanged = [], []
    for number in range(plan.applies):
        empty = seed(folder / f"apply-{number}", [])
        with Moorage(empty.database.parent, cores.server, empty.database) as server:
            created.append(_apply(server, empty.tokens[0], file))
            deployments, revision = _state(server)
            unchanged.append(_apply(server, empty.tokens[0], file))
            if deployments != len(lines) or _state(server) != (deployments, revision):
                raise RuntimeError("the applies did not do what they should: create all, then change nothing")
    return [_figure(plan, lines, created, unchanged, are_real=prompts is not None)]


def _figure(plan: Plan, lines: list[bytes], created: list[float], unchanged: list[float], *, are_real: bool) -> Figure:
    sizes = [len(line) for line in lines]
    what = "real prompts (from a file given with --prompts)" if are_real else "generated deployments"
    runs = {"first apply, all created": created, "second apply, all unchanged": unchanged}
    rows = [
        [name, spread(seconds, ".2f"), f"{median(seconds) * 1e3 / len(lines):.2f}"] for name, seconds in runs.items()
    ]
    text = f"""
`moorage apply FILE` with {len(lines):,} {what} as JSONL: {median(sizes):,.0f} bytes in the median,
{sum(sizes) / 1e6:.1f} MB in all. The whole command is timed, its start included; the server is on one core, the
command on the other; {counted(plan.applies, "time")}, each on a fresh database. Every put is one request, and what it
changes is on the disk before it is acknowledged, so the first apply depends on how long the disk takes to say so.

{table(["", "seconds", "ms for each"], rows)}
"""
    bounds = [
        Bound(f"apply of {len(lines):,} {what}, {name}", median(seconds), required=_ALLOWED_SECONDS, unit="s")
        for name, seconds in runs.items()
    ]
    return Figure(f"Applying {len(lines):,} deployments", text, bounds)


def _lines(plan: Plan, prompts: Path | None) -> list[bytes]:
    if prompts:
        return [line for line in prompts.read_bytes().splitlines() if line.strip()]
    plain = Plain(plan.seed)
    return [_line(plain.make(number)) for number in range(COUNT)]


def _line(named: Named) -> bytes:
    return msgspec.json.encode({"key": named.key, **named.body})


def _apply(server: Moorage, token: str, file: Path) -> float:
    """The seconds one command takes."""
    command = [sys.executable, "-m", "moorage", "apply", str(file), "--url", f"http://127.0.0.1:{server.port}"]
    started = time.perf_counter()
    environment = {**server.environment(), "MOORAGE_API_KEY": token}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"apply failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds


def _state(server: Moorage) -> tuple[int, int]:
    """How many deployments the server has, and its revision."""
    with Client(server.port) as client:
        numbers = client.get("/metrics").body.decode()
    return _number(numbers, "moorage_catalog_deployments"), _number(numbers, "moorage_revision")


def _number(numbers: str, name: str) -> int:
    return int(float(next(line for line in numbers.splitlines() if line.startswith(name + " ")).split()[1]))
