"""Audit: whether the ledger is as it was written."""

from moorage.store.store import Store


def verify_ledger(store: Store) -> list[str]:
    """What is wrong with the ledger, in words; nothing if every entry is as it was written, and none is missing.

    Each entry's hash covers its fields and the hash before it, and the newest hash is noted apart, so an entry that was
    changed, removed, put in between, or cut off at the end shows.
    """
    entries, newest = store.ledger()
    wrong, before = [], ""
    for each in entries:
        entry = each.entry
        if entry.hash(before) != each.hash:
            wrong.append(f"the entry {entry.id} of revision {entry.rev} is not what was written, or one before is gone")
        before = each.hash
    if before != newest:
        wrong.append("the newest entry is not the one that was written last")
    return wrong
