"""Kept: what the server has of a deployment after many publishes, against what it acknowledged."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self

import msgspec

from bench.changes import mark_of
from bench.client import Client

_LIMIT = 50  # of a page, the most there is


class Marked(NamedTuple):
    """A version's number, and the mark in its content."""

    version: str
    mark: str


class Move(NamedTuple):
    """An entry `published` of the history: which version was live before, and which after."""

    before: str | None
    after: str | None


class Faults(msgspec.Struct, frozen=True):
    """What is wrong, in words: acknowledged publishes that are not there, and breaks in the rows of numbers."""

    lost: list[str]
    breaks: list[str]


class Kept(msgspec.Struct, frozen=True):
    """Everything of one deployment, oldest first; `live` is the version that its item shows."""

    versions: list[Marked]
    published: list[Move]
    live: str

    @classmethod
    def read(cls, client: Client, key: str) -> Self:
        """Page through all versions and the whole history."""
        target = f"/v2/deployments/{key}"
        versions = [
            Marked(item["version"], mark_of(item["prompt_config"]))
            for item in _pages(client, f"{target}/versions", "_id")
        ]
        moves = [
            Move(entry["from_version"], entry["to_version"])
            for entry in _pages(client, f"{target}/history", "id")
            if entry["action"] == "published"
        ]
        return cls(versions[::-1], moves[::-1], client.get(target).json["version"])

    def faults(self, acknowledged: Sequence[Marked], in_flight: int) -> Faults:
        """What is wrong. `in_flight` requests at most were cut off before their answers, and may be there or not."""
        stored, answered = Counter(self.versions), Counter(acknowledged)
        lost = [f"{version} with the mark {mark} is not there" for version, mark in answered - stored]
        lost += [f"{number} was given out {times} times" for number, times in _repeated(acknowledged)]
        numbers, expected = [each.version for each in self.versions], _numbers(len(self.versions))
        breaks = [f"{found} is where {wanted} should be" for found, wanted in _differences(numbers, expected)]
        breaks += [f"{number} is there {times} times" for number, times in _repeated(self.versions)]
        moves = list(map(Move, expected, expected[1:]))
        breaks += [f"the history has {found}, not {wanted}" for found, wanted in _differences(self.published, moves)]
        if numbers and self.live != numbers[-1]:
            breaks.append(f"{self.live} is live, not {numbers[-1]}")
        surplus = len(self.versions) - 1 - len(acknowledged)
        if surplus > in_flight:
            breaks.append(f"{surplus} versions were not acknowledged, and only {in_flight} requests were cut off")
        return Faults(lost, breaks)


def controls(kept: Kept, acknowledged: Sequence[Marked], in_flight: int) -> int:
    """Spoil what was kept in several ways, one at a time; how many there were.

    Raises:
        RuntimeError: the check did not find one of them, so that it finds nothing says nothing.
    """
    victim = acknowledged[len(acknowledged) // 2]
    place = kept.versions.index(victim)
    replace = msgspec.structs.replace
    versions, published = kept.versions, kept.published
    without = [*versions[:place], *versions[place + 1 :]]
    twice = [*versions[: place + 1], *versions[place:]]
    other = [*versions[:place], victim._replace(mark="another"), *versions[place + 1 :]]
    answered = set(acknowledged)
    cut = next(number for number in reversed(range(len(versions))) if versions[number] in answered)
    spoilt = {
        "a version removed": (replace(kept, versions=without), True, True),
        "the newest versions removed": (
            replace(kept, versions=versions[:cut], published=published[: cut - 1], live=versions[cut - 1].version),
            True,
            False,
        ),
        "a version doubled": (replace(kept, versions=twice), False, True),
        "a version with the content of another": (replace(kept, versions=other), True, False),
        "an entry of the history removed": (
            replace(kept, published=[*published[: place - 1], *published[place:]]),
            False,
            True,
        ),
    }
    for what, (copy, is_lost, is_broken) in spoilt.items():
        found = copy.faults(acknowledged, in_flight)
        if bool(found.lost) < is_lost or bool(found.breaks) < is_broken:
            raise RuntimeError(f"the check of what was kept does not find this: {what}")
    return len(spoilt)


def _numbers(count: int) -> list[str]:
    return [f"1.{minor}" for minor in range(count)]


def _repeated(versions: Sequence[Marked]) -> Iterator[tuple[str, int]]:
    counts = Counter(each.version for each in versions)
    return ((number, times) for number, times in counts.items() if times > 1)


def _differences(found: Sequence[object], wanted: Sequence[object]) -> Iterator[tuple[object, object]]:
    """The first place where two rows are not the same, and one more if they are not as long."""
    differing = next(((one, other) for one, other in zip(found, wanted, strict=False) if one != other), None)
    if differing is not None:
        yield differing
    if len(found) != len(wanted):
        yield f"a row of {len(found):,}", f"one of {len(wanted):,}"


def _pages(client: Client, target: str, cursor: str) -> Iterator[Any]:
    after = ""
    while True:
        page = client.get(f"{target}?limit={_LIMIT}{after}").json
        yield from page["data"]
        if not page["has_more"]:
            return
        after = f"&starting_after={page['data'][-1][cursor]}"
