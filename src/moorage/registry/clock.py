"""The clock of a database: writes are dated after the newest one, also if its date was wrong."""

from moorage.core.deployments.history import OPERATOR, Subject
from moorage.store.store import Store
from moorage.store.transaction import Transaction

#: How far the clocks of two nodes may be apart (microseconds).
SLACK_US = 1_000_000


def seconds_ahead(store: Store) -> int:
    """Return by how many seconds the newest write is dated after the time of this machine; 0 for less than one.

    Raises:
        StorageUnavailable
    """
    with store.read() as reader:
        ahead_us = reader.newest_time_us() - store.now_us()
    return ahead_us // 1_000_000 if ahead_us > SLACK_US else 0


def reset_clock(tx: Transaction) -> None:
    """Replace all times in the future by the time of this machine, so that the next write is dated by its clock.

    The entries of the history keep their times: its hashes cover them. A new entry has the time that replaced the times
    of rows, so that the rows still follow from the history.
    """
    if tx.now_us > tx.clock_us + SLACK_US:
        tx.reset_clock()
        tx.record("clock_reset", OPERATOR, Subject())
    else:
        tx.discard()
