"""Several writes that are committed together, with one wait for the disk."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from moorage.core.errors.storage import StorageError
from moorage.store.engine import Engine, Run
from moorage.store.transaction import Transaction

#: A failure after this time is a failure of the database, not of a single write.
_SLOW_SECONDS = 1.0

T = TypeVar("T")


def group_commit(
    engine: Engine, begin: Callable[[Run], Transaction], operations: Sequence[Callable[[Transaction], T]]
) -> list[T | Exception]:
    """Run several writes in one transaction of the database.

    Each write has a revision of its own and is rolled back by itself. The result has what each one returned or raised.
    If the database fails inside a write, everything is rolled back and each write runs once more alone. So a write that
    the database cannot store does not fail the others. If the database fails at the commit, or after `_SLOW_SECONDS`,
    all writes fail.
    """
    results: list[T | Exception] = []
    is_in_a_write, started = False, time.monotonic()
    try:
        with engine.write() as run:
            for operation in operations:
                is_in_a_write = True
                results.append(_run_savepoint(run, begin, operation))
                is_in_a_write = False
    except StorageError as error:
        # With a database that hangs, a retry of each write would wait as many times.
        if is_in_a_write and len(operations) > 1 and time.monotonic() - started < _SLOW_SECONDS:
            return [result for operation in operations for result in group_commit(engine, begin, [operation])]
        return [error] * len(operations)
    return results


def _run_savepoint(
    run: Run, begin: Callable[[Run], Transaction], operation: Callable[[Transaction], T]
) -> T | Exception:
    """Run one write of a group, and return its result or its error; an error or a discard rolls back that write alone.

    Raises:
        StorageError: it rolls back the whole transaction.
    """
    run("savepoint")
    try:
        tx = begin(run)
        result = operation(tx)
        if not tx.is_discarded:
            tx.finish()
    except StorageError:
        raise
    except BaseException as error:  # an interrupt must leave nothing in the transaction, either
        run("rollback_to_savepoint")
        run("release_savepoint")
        if isinstance(error, Exception):
            return error  # raised in the request of this write; the others continue
        raise
    if tx.is_discarded:
        run("rollback_to_savepoint")
    run("release_savepoint")
    return result
