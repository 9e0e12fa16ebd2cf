"""Comparison of the stored versions and history of a deployment with the acknowledged publishes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import msgspec

from tools.common.client import Client
from tools.common.data import marker_of

_LIMIT = 50  # the largest page size


class MarkedVersion(NamedTuple):
    """Version number, and the marker in the content of the version."""

    version: str
    marker: str


class Move(NamedTuple):
    """History entry `published`: the live version before and after it."""

    before: str | None
    after: str | None


class Violations(msgspec.Struct, frozen=True):
    """Acknowledged publishes that are missing, and errors in version numbers or history, in words."""

    lost: list[str]
    broken: list[str]


class StoredVersions(msgspec.Struct, frozen=True):
    """All versions and publishes of a deployment, oldest first; `live` is the live version."""

    versions: list[MarkedVersion]
    published: list[Move]
    live: str

    @classmethod
    def read(cls, client: Client, key: str) -> Self:
        """Read all pages of versions and history."""
        target = f"/v2/deployments/{key}"
        versions = [
            MarkedVersion(item["version"], marker_of(item["prompt_config"]))
            for item in _items(client, f"{target}/versions", "_id")
        ]
        moves = [
            Move(entry["from_version"], entry["to_version"])
            for entry in _items(client, f"{target}/history", "id")
            if entry["action"] == "published"
        ]
        return cls(versions[::-1], moves[::-1], client.get(target).json["version"])

    def violations(self, acknowledged: Sequence[MarkedVersion], unacknowledged: int) -> Violations:
        """Return the violations; at most `unacknowledged` publishes can be stored without an acknowledgement."""
        missing = Counter(acknowledged) - Counter(self.versions)
        lost = [f"{version} with marker {marker} is not stored" for version, marker in missing]
        lost += [f"{number} was acknowledged {times} times" for number, times in _repeated(acknowledged)]
        numbers, expected = [each.version for each in self.versions], [f"1.{n}" for n in range(len(self.versions))]
        broken = [f"version {found} instead of {wanted}" for found, wanted in _difference(numbers, expected)]
        broken += [f"{number} is stored {times} times" for number, times in _repeated(self.versions)]
        moves = list(map(Move, expected, expected[1:]))
        broken += [f"history entry {found} instead of {wanted}" for found, wanted in _difference(self.published, moves)]
        if numbers and self.live != numbers[-1]:
            broken.append(f"{self.live} is live, not {numbers[-1]}")
        surplus = len(self.versions) - 1 - len(acknowledged)
        if surplus > unacknowledged:
            broken.append(
                f"{surplus} versions without acknowledgement, but only {unacknowledged} requests without response"
            )
        return Violations(lost, broken)


def check_detection(stored: StoredVersions, acknowledged: Sequence[MarkedVersion], unacknowledged: int) -> int:
    """Corrupt copies of the stored versions, one way at a time; return the number of ways.

    Raises:
        RuntimeError: `violations` does not detect one of them.
    """
    victim = acknowledged[len(acknowledged) // 2]
    place = stored.versions.index(victim)
    replace = msgspec.structs.replace
    versions, published = stored.versions, stored.published
    last = max(number for number, version in enumerate(versions) if version in set(acknowledged))
    shortened = replace(stored, versions=versions[:last], published=published[: last - 1], live=versions[last - 1][0])
    other = victim._replace(marker="another")
    corrupted = {  # copy, is something lost, is something broken
        "a missing version": (replace(stored, versions=[*versions[:place], *versions[place + 1 :]]), True, True),
        "missing newest versions": (shortened, True, False),
        "a duplicated version": (replace(stored, versions=[*versions[: place + 1], *versions[place:]]), False, True),
        "a changed version": (
            replace(stored, versions=[*versions[:place], other, *versions[place + 1 :]]), True, False,
        ),
        "a missing history entry": (
            replace(stored, published=[*published[: place - 1], *published[place:]]), False, True,
        ),
    }  # fmt: skip
    for name, (copy, is_lost, is_broken) in corrupted.items():
        found = copy.violations(acknowledged, unacknowledged)
        if bool(found.lost) < is_lost or bool(found.broken) < is_broken:
            raise RuntimeError(f"the comparison does not detect {name}")
    return len(corrupted)


def _repeated(versions: Iterable[MarkedVersion]) -> list[tuple[str, int]]:
    return [(number, times) for number, times in Counter(each.version for each in versions).items() if times > 1]


def _difference(found: Sequence[object], wanted: Sequence[object]) -> Iterator[tuple[object, object]]:
    """Yield the first pair that differs, and the lengths if they differ."""
    differing = next((pair for pair in zip(found, wanted, strict=False) if pair[0] != pair[1]), None)
    if differing is not None:
        yield differing
    if len(found) != len(wanted):
        yield f"{len(found):,} entries", f"{len(wanted):,}"


def _items(client: Client, target: str, cursor: str) -> Iterator[Any]:
    after = ""
    while True:
        page = client.get(f"{target}?limit={_LIMIT}{after}").json
        yield from page["data"]
        if not page["has_more"]:
            return
        after = f"&starting_after={page['data'][-1][cursor]}"
