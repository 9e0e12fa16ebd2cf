"""Idempotency keys: a POST that is sent again is not run again. Results are stored for 24 hours, as at Stripe."""

from collections.abc import Callable
from typing import Any

from moorage.core.access import masked
from moorage.core.errors.base import IdempotencyConflict
from moorage.registry.results import decode_result, encode_result
from moorage.store.transaction import StoredResult, Transaction


def run_idempotent(
    tx: Transaction, project_id: str, key: str, request_sha256: str, operation: Callable[[Transaction], Any]
) -> tuple[Any, bool]:
    """Run an operation and store its result under `key` in the same transaction, or return the stored result.

    The second value says whether the result was stored before. An error is not stored: nothing was written, and the
    corrected request may use the same key. Tokens are masked in what is stored.

    Raises:
        IdempotencyConflict: the key was used for another request.
    """
    stored = tx.find_result(project_id, key)
    if stored is not None:
        if stored.request_sha256 != request_sha256:
            raise IdempotencyConflict(param="Idempotency-Key")
        tx.discard()
        return decode_result(stored.result), True
    result = operation(tx)
    tx.is_discarded = False  # an operation without an effect has a result, too
    tx.insert_result(project_id, key, StoredResult(request_sha256, masked(encode_result(result).decode())))
    return result, False
