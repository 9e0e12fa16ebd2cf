"""Results: the last run of each part, kept in a file beside this one; the page is made from it."""

from pathlib import Path

import msgspec

from faults.outcome import Outcome

RESULTS = Path(__file__).with_name("results.json")


class Result(msgspec.Struct, frozen=True):
    """A run of a part. `outcome` is None if it was not run, and `reason` tells why; `day` is a date as in ISO 8601,
    `machine` what it ran on, and `load` what else that was busy with."""

    part: str
    unit: str
    seed: int
    day: str
    minutes: float
    machine: str
    load: str
    outcome: Outcome | None = None
    reason: str = ""


def load(file: Path = RESULTS) -> list[Result]:
    """All results, by the names of their parts."""
    return msgspec.json.decode(file.read_bytes(), type=list[Result]) if file.exists() else []


def keep(result: Result, file: Path = RESULTS) -> None:
    """Put a result in the place of the one before; the others stay."""
    others = [each for each in load(file) if each.part != result.part]
    encoded = msgspec.json.encode(sorted([*others, result], key=lambda each: each.part))
    file.write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")
