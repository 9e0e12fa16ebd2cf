"""The chain of the history: whether an entry was changed, removed, inserted or cut off, and who could have written it.

Each entry's hash covers its fields and the hash before it; the newest hash is stored a second time. That detects damage
and careless changes. Somebody who can write to the database can also chain it again. Two things detect that, because
they are not in the database: the secret keys of the MACs, and a head that was stored elsewhere.
"""

import re
from typing import Self

import msgspec

from moorage.core.deployments.history import Entry
from moorage.core.secret_keys import NO_KEYS, SecretKeys, key_id_of
from moorage.diagnostics.check_result import BoundedFindings
from moorage.store.store import Store
from moorage.store.transfer.dump import HISTORY, DatabaseDump

_HEAD = re.compile(r"(?:([1-9][0-9]{0,17}):)?([0-9a-f]{64})", re.ASCII)

#: The number of unknown secret keys that are named.
_MAX_KEYS = 20

_NEXT_STEP = "if all other checks pass, run: moorage db authenticate"


class Head(msgspec.Struct, frozen=True):
    """The newest entry of a history at some time: its number, counted from 1, and its hash.

    The hash covers all entries before. The number is None if only a hash is known.
    """

    count: int | None
    hash: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the head in a text such as `24:ab62…`, or in a hash alone; otherwise None."""
        found = _HEAD.fullmatch(text.strip())
        return cls(int(found[1]) if found[1] else None, found[2]) if found else None

    def __str__(self) -> str:
        return self.hash if self.count is None else f"{self.count}:{self.hash}"


class ChainResult(msgspec.Struct, frozen=True):
    """The result of one pass over the history. `head` is None if there is no entry.

    `broken` lists violations of the chain, `forged` wrong MACs, `unverified` what prevents a proof of authenticity, and
    `missing` is why the expected head is not in the history. `verified` is the number of entries with a verified MAC,
    and `has_macs` whether any entry has one.
    """

    count: int
    head: Head | None
    broken: list[str]
    forged: list[str]
    unverified: list[str]
    missing: list[str]
    verified: int
    has_macs: bool


def verify_history(store: Store) -> list[str]:
    """Return the violations of the chain; none if every entry is as it was written and no entry is missing."""
    with store.dump() as dump:
        return verify_chain(dump).broken


def verify_chain(dump: DatabaseDump, secret_keys: SecretKeys = NO_KEYS, expected: Head | None = None) -> ChainResult:
    """Verify the hashes, the MACs of known keys, and that the history contains the expected head."""
    broken, macs = BoundedFindings(), _Macs(secret_keys)
    count, before, found = 0, "", expected is None
    for *columns, digest, mac in dump.rows(HISTORY):
        count += 1
        entry = Entry(*columns)
        if any(isinstance(value, bytes) for value in columns) or entry.hash(before) != digest:
            broken.add(f"{_label(entry)}: it was changed, or the previous entry was removed")
        before = str(digest)
        macs.add(entry, before, str(mac))
        found = found or (expected is not None and expected.hash == before and expected.count in (None, count))
    if before != dump.history_hash:
        broken.add("the newest history entry was removed or replaced")
    if macs.newest_key_id != dump.history_key:
        broken.add(f"the newest history entry has the secret key {macs.newest_key_id!r}, not {dump.history_key!r}")
    missing = [] if found or expected is None else [_missing(count, expected)]
    head = Head(count, before) if count else None
    return ChainResult(
        count, head, broken.texts(), macs.forged.texts(), macs.unverified(), missing, macs.verified, macs.has_any
    )


class _Macs:
    """The MACs of a history, entry by entry.

    Each entry must have the MAC of a known key: all of them if the history began with a secret key, otherwise those
    from the last entry `authenticated` on. That entry has a MAC itself, so only the holder of the key can make one.
    """

    def __init__(self, secret_keys: SecretKeys) -> None:
        self._secret_keys = secret_keys
        self._plain, self._first_plain = 0, 0
        self._unknown: dict[str, int] = {}
        self.forged = BoundedFindings()
        self.verified = 0
        self.newest_key_id = ""
        self.has_any = False

    def add(self, entry: Entry, digest: str, mac: str) -> None:
        """Verify the MAC of the next entry."""
        self.newest_key_id = key_id = key_id_of(mac)
        if not mac:
            self._first_plain = self._first_plain or entry.rev
            self._plain += 1
            return
        self.has_any = True
        is_valid = self._secret_keys.verify(digest, mac)
        if is_valid is None:
            key_id = key_id[:40] if len(self._unknown) < _MAX_KEYS or key_id in self._unknown else "…"
            self._unknown[key_id] = self._unknown.get(key_id, 0) + 1
        elif not is_valid:
            self.forged.add(f"{_label(entry)}: it was not written with the secret key {key_id}")
        else:
            self.verified += 1
            if entry.action == "authenticated":
                self._plain, self._first_plain, self._unknown = 0, 0, {}

    def unverified(self) -> list[str]:
        """Return what prevents a proof that all entries were written with a known key."""
        found = [
            f"{count:,} entries were written with the secret key {key_id!r}; add it to MOORAGE_SECRET_KEY"
            for key_id, count in self._unknown.items()
        ]
        if self._plain and self._secret_keys.current_id:
            where = f"{self._plain:,} entries, the first of revision {self._first_plain}"
            found.append(f"{where}, were written without a secret key; {_NEXT_STEP}")
        return found


def _label(entry: Entry) -> str:
    return f"history entry {entry.id} (revision {entry.rev})"


def _missing(count: int, expected: Head) -> str:
    if expected.count is None:
        return f"none of the {count:,} entries has this hash: the history was cut off, replaced, or restored"
    if expected.count > count:
        return f"it has {count:,} entries, fewer than the head: it was cut off, or an older state was restored"
    return f"entry {expected.count:,} has another hash: the history was replaced"
