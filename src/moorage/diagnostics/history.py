"""Verification of the history, whose entries are chained by their hashes."""

from collections.abc import Iterator

from moorage.core.deployments.history import Entry
from moorage.store.store import Store
from moorage.store.transfer.dump import HISTORY, DatabaseDump


def verify_history(store: Store) -> list[str]:
    """Return the violations of the hash chain, or an empty list.

    The hash of an entry covers its fields and the hash of the previous entry, and the newest hash is also stored
    outside the history. So an entry that was changed, removed, inserted, or cut off at the end is detected.
    """
    with store.dump() as dump:
        return list(chain_violations(dump))


def chain_violations(dump: DatabaseDump) -> Iterator[str]:
    """Yield the violations of the hash chain of a dump, one by one."""
    previous = ""
    for *columns, digest in dump.rows(HISTORY):
        entry = Entry(*columns)
        if entry.hash(previous) != digest:
            yield f"history entry {entry.id} (revision {entry.rev}): it was changed, or the previous entry was removed"
        previous = digest
    if previous != dump.history_hash:
        yield "the newest history entry was removed or replaced"
