"""Purge: what was deleted long enough ago is erased for good; tombstones stay, so that cursors still page. Who was
served long ago is forgotten too."""

from moorage.core.deployment import RESTORE_DAYS
from moorage.core.usage import USAGE_DAYS
from moorage.store.store import Store, Writable

_DAY_US = 86_400_000_000


class _Nothing(Exception):  # no error: leaves the transaction with no revision
    pass


def is_purge_due(store: Store, days: int = RESTORE_DAYS) -> bool:
    """Whether `purge` would erase anything; asked without holding up a write.

    Raises:
        StorageUnavailable
    """
    with store.read() as reading:
        return reading.can_erase(store.now_us() - days * _DAY_US)


def purge(store: Writable, days: int = RESTORE_DAYS) -> int:
    """Erase the content of what was deleted at least `days` days ago: of deployments with all their versions, and of
    single versions. Returns how many of both. Nothing of it can be restored; the history keeps that it was there.

    Raises:
        StorageFull, StorageUnavailable: nothing was erased.
    """
    try:
        with store.write() as write:
            count = write.erase(write.now_us - days * _DAY_US)
            if not count:
                raise _Nothing
            return count
    except _Nothing:
        return 0


def forget_usage(store: Store) -> None:
    """Forget who was served `USAGE_DAYS` ago and not since.

    Raises:
        StorageUnavailable
    """
    store.forget_usage(store.now_us() - USAGE_DAYS * _DAY_US)
