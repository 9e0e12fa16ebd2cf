"""Purge: permanently delete expired deleted content. Tombstones stay, so that cursors stay valid."""

from moorage.core.compatibility.consumers import CONSUMER_DAYS
from moorage.core.deployments.deployment import RESTORE_DAYS
from moorage.core.deployments.history import OPERATOR, Subject
from moorage.store.store import Store
from moorage.store.transaction import Transaction

_DAY_US = 86_400_000_000


def is_purge_due(store: Store, days: int = RESTORE_DAYS) -> bool:
    """Return whether `purge` would delete anything, without blocking a write.

    Raises:
        StorageUnavailable
    """
    clock_us = store.now_us()
    with store.read() as reader:
        return reader.can_purge(clock_us - days * _DAY_US, clock_us)


def purge(tx: Transaction, days: int = RESTORE_DAYS) -> int:
    """Permanently delete the content of deployments and versions that were deleted at least `days` days ago.

    They can no longer be restored; the history keeps their entries. Return the number of deployments and versions.
    """
    # No deletion is later than `now_us`, so 0 days include one that was dated in the future.
    count = tx.purge(tx.clock_us - days * _DAY_US if days else tx.now_us)
    if count:
        tx.record("purged", OPERATOR, Subject())
    else:
        tx.discard()
    return count


def delete_old_consumers(store: Store) -> None:
    """Delete the records of consumers that were last served `CONSUMER_DAYS` ago.

    Raises:
        StorageUnavailable
    """
    store.delete_old_consumers(store.now_us() - CONSUMER_DAYS * _DAY_US)
