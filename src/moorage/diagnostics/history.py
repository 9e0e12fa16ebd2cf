"""Audit: whether the ledger is as it was written."""

from collections.abc import Iterator

from moorage.core.deployments.history import Entry
from moorage.store.store import Store
from moorage.store.transfer.dump import HISTORY, DatabaseDump


def verify_history(store: Store) -> list[str]:
    """Yield the problems of the history, in words; none if every entry is as it was written and no entry is missing.

    Each entry's hash covers its fields and the hash before it, and the newest hash is noted apart, so an entry that was
    changed, removed, put in between, or cut off at the end shows.
    """
    with store.dump() as dump:
        return list(breaks(dump))


def breaks(dump: DatabaseDump) -> Iterator[str]:
    """The same, of a state, one by one."""
    before = ""
    for *columns, digest in dump.rows(HISTORY):
        entry = Entry(*columns)
        if entry.hash(before) != digest:
            yield f"entry {entry.id} of revision {entry.rev} was changed after it was written, or one before is gone"
        before = digest
    if before != dump.history_hash:
        yield "the newest entry is not the one that was written last"
