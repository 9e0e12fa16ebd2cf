"""Replay: the rows that follow from the entries of the history, except those about consumers and stored results.

An expected row is a dictionary by column. Texts that a purge deletes are compared by their hashes.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from typing import Any

import msgspec
from msgspec import UNSET

from moorage.core.deployments.history import NO_CHANGES, Changes, Entry, decode_changes, description_sha256
from moorage.core.integrations import sealed_sha256
from moorage.store.engine import Row
from moorage.store.transfer.dump import Fingerprint

ExpectedRow = dict[str, Any]

#: Adds an entry to the expected row.
Step = Callable[[ExpectedRow, Entry, Changes], None]

#: The columns that a reset of the clock changes.
_TIMES = ("created_us", "updated_us", "deleted_us", "revoked_us", "closed_us")

#: Later than every revision.
_NEVER = 2**63


class ClockResets:
    """The times of `moorage db reset-clock`, which replaced all later times in the rows of that revision."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Read them from the rows of the query `clock_resets`."""
        self._resets: list[tuple[int, int]] = []
        for rev, text in rows:
            clock_us = changes_of(text).clock_us
            if isinstance(rev, int) and clock_us is not UNSET:
                self._resets.append((rev, clock_us))

    def between(self, after: object, before: object = _NEVER) -> Iterator[tuple[int, int]]:
        """Return revision and time of each reset between two revisions."""
        if isinstance(after, int) and isinstance(before, int):
            yield from (each for each in self._resets if after < each[0] < before)

    def apply(self, expected: ExpectedRow, before: object = _NEVER) -> None:
        """Apply the resets after the revision of a row, as the queries `redate_…` do."""
        for rev, clock_us in self.between(expected.get("rev"), before):
            times = {name: expected[name] for name in _TIMES if _is_later(expected.get(name), clock_us)}
            if not times:
                continue
            if "updated_us" in times and "deleted_us" not in times and expected.get("deleted_us") is not None:
                expected["updated_us"] = expected["deleted_us"]
                del times["updated_us"]
            expected.update(dict.fromkeys(times, clock_us), rev=rev)

    def time(self, at_us: int | None, rev: int | None) -> int | None:
        """Return the time of a version that an entry set, after the resets since."""
        for _, clock_us in self.between(rev):
            if _is_later(at_us, clock_us):
                at_us = clock_us
        return at_us


def replay(
    rows: Iterable[Row], subject: Callable[[Entry], str | None], step: Step, resets: ClockResets
) -> Iterator[ExpectedRow]:
    """Yield the expected row of each subject; the entries of one subject are consecutive, oldest first.

    The resets of the clock after the last entry are not applied.
    """
    for subject_id, entries in groupby((Entry(*row) for row in rows), subject):
        expected: ExpectedRow = {"id": subject_id}
        for entry in entries:
            resets.apply(expected, entry.rev)
            step(expected, entry, changes_of(entry.changes))
            expected["rev"] = entry.rev
        yield expected


def changes_of(text: object) -> Changes:
    """Return the changes in an entry. Unreadable ones are empty: the entry's hash is wrong, and the row will differ."""
    try:
        return decode_changes(text) if isinstance(text, str) and text else NO_CHANGES
    except msgspec.DecodeError:
        return NO_CHANGES


def step_project(expected: ExpectedRow, entry: Entry, changes: Changes) -> None:
    """Add an entry about a project."""
    expected.update(name=changes.name, created_us=entry.at_us)


def step_api_key(expected: ExpectedRow, entry: Entry, changes: Changes) -> None:
    """Add an entry about an API key."""
    match entry.action:
        case "key_created":
            expected.update(
                project_id=entry.project_id, name=changes.name, scopes=changes.scopes, created_us=changes.created_us,
                token_sha256=changes.token_sha256, expires_us=changes.expires_us, revoked_us=None,
                environment_id=None if changes.bound_to is UNSET else changes.bound_to, created_by=entry.api_key_id,
            )  # fmt: skip
        case "key_renamed":
            expected["name"] = changes.name
        case "key_rotated":
            expected["token_sha256"] = changes.token_sha256
        case "key_revoked":
            expected["revoked_us"] = changes.revoked_us


def step_integration(expected: ExpectedRow, entry: Entry, changes: Changes) -> None:
    """Add an entry about an integration."""
    if entry.action == "integration_set":
        if "name" not in expected:
            expected.update(
                project_id=entry.project_id, name=changes.name, created_us=entry.at_us, created_by=entry.api_key_id,
                deleted_us=None,
            )  # fmt: skip
        expected.update(
            provider=changes.provider, settings_sha256=changes.settings_sha256, sealed_sha256=changes.sealed_sha256
        )
    elif entry.action == "integration_deleted":
        expected.update(deleted_us=changes.deleted_us, sealed_sha256=sealed_sha256("", "", ""))
    expected.update(updated_us=entry.at_us, updated_by=entry.api_key_id)


class Rotations:
    """The entries that encrypted credentials again: the last revision, and the new hash, of each integration."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Read them from the rows of the query `rotations`."""
        self._last: dict[str, tuple[int, str]] = {}
        for rev, text in rows:
            rotated = changes_of(text).rotated
            if isinstance(rev, int) and rotated is not UNSET:
                self._last.update((id_, (rev, sealed)) for id_, sealed in rotated.items())

    def apply(self, expected: ExpectedRow, resets: ClockResets) -> None:
        """Apply what followed the last entry of an integration: resets of the clock, and its last rotation."""
        rev, sealed = self._last.get(expected["id"], (0, ""))
        if rev > expected["rev"]:
            resets.apply(expected, rev)
            expected.update(rev=rev, sealed_sha256=sealed)
        resets.apply(expected)


def step_deployment(expected: ExpectedRow, entry: Entry, changes: Changes) -> None:
    """Add an entry about a deployment, or about one of its versions, that does not concern another environment.

    A deployment that was created in another environment is not in production, where the API manages it.
    """
    is_elsewhere = entry.environment_id is not None
    match entry.action:
        case "created":
            expected.update(
                project_id=entry.project_id, key=changes.key, seq=entry.rev, created_us=entry.at_us, deleted_us=None,
                updated_us=entry.at_us, live_version_id=None if is_elsewhere else entry.to_version_id, owner="api",
                file=None, aliases="",
            )  # fmt: skip
        case "published" | "undone":
            expected.update(live_version_id=entry.to_version_id, updated_us=entry.at_us)
        case "deleted" if not entry.concerns_version:
            expected.update(deleted_us=changes.deleted_us, updated_us=entry.at_us)
        case "restored" if not entry.concerns_version:
            expected.update(deleted_us=None, updated_us=entry.at_us)
    if changes.description_sha256 is not UNSET:
        expected.update(description_sha256=changes.description_sha256, updated_us=entry.at_us)
    if changes.aliases is not UNSET:
        expected.update(aliases=" ".join(changes.aliases), updated_us=entry.at_us)
    if changes.owner is not UNSET and not is_elsewhere:
        expected.update(owner=changes.owner, file=changes.file)


class Purges:
    """The purges in the history, and the purged rows that were found; both are the same rows.

    A purge deletes texts, so its entry has the fingerprint of the ids. Which rows it had to delete depends on clocks.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        """Read the purges from the rows of the query `purges`."""
        self._revs: set[object] = set()
        self._expected, self._found = Fingerprint(), Fingerprint()
        for rev, text in rows:
            changes = changes_of(text)
            self._revs.add(rev)
            if changes.purged is not UNSET and changes.purged_sum is not UNSET:
                with suppress(ValueError):  # then the entry's hash is wrong
                    self._expected.merge(changes.purged, changes.purged_sum)

    def add(self, id_: object) -> None:
        """Add a row that was found to be purged."""
        self._found.add((id_,))

    def apply(self, expected: ExpectedRow, rev: object, resets: ClockResets) -> None:
        """Apply what followed the last entry of a deployment with the revision `rev`: resets, or a purge."""
        if expected.get("deleted_us") is None or rev not in self._revs or not _is_later(rev, expected["rev"]):
            resets.apply(expected)
            return
        resets.apply(expected, rev)
        self.add(expected["id"])
        expected.update(rev=rev, description_sha256=description_sha256(""), aliases="")

    def problems(self) -> list[str]:
        """Return what differs between the purges and the purged rows."""
        if (self._expected.count, self._expected.digest) == (self._found.count, self._found.digest):
            return []
        counts = (
            f"{self._found.count:,} deployments and versions have no texts, and {self._expected.count:,} were purged"
        )
        return [f"{counts}: other ones were emptied, or purged ones were filled"]


def _is_later(rev: object, other: object) -> bool:
    return isinstance(rev, int) and isinstance(other, int) and rev > other
