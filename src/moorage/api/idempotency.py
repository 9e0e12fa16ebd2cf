"""Idempotency keys: a POST that is sent again is not run again. Outcomes are stored for 24 hours, as at Stripe."""

from collections.abc import Callable
from typing import Any

from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.errors.base import IdempotencyConflict, IdempotencyQuotaExceeded
from moorage.core.errors.rows import ResultUnreadable
from moorage.registry.outcomes import decode_outcome, encode_outcome, outcome_of, result_of
from moorage.registry.write_context import WriteContext
from moorage.store.result_writes import StoredResult
from moorage.store.transaction import Transaction

#: How many bytes the outcomes of one API key may take in the database: those of about 50,000 requests.
MAX_STORED = 32 * 1024 * 1024


def run_idempotent(
    tx: Transaction, ctx: WriteContext, key: str, request_sha256: str, operation: Callable[[Transaction], Any]
) -> tuple[Any, bool]:
    """Run an operation and store its outcome under `key` in the same transaction, or return the stored result.

    The second value says whether the result was stored before. An error is not stored: nothing was written, and the
    corrected request may use the same key.

    Raises:
        IdempotencyConflict: the key was used for another request.
        IdempotencyQuotaExceeded: the outcomes of the API key already take `MAX_STORED` bytes.
        ResultUnreadable: another program changed the stored outcome.
    """
    stored = tx.find_result(ctx.project_id, key)
    if stored is not None:
        if stored.request_sha256 != request_sha256:
            raise IdempotencyConflict(param="Idempotency-Key")
        tx.discard()
        try:
            outcome = decode_outcome(stored.result)
        except DECODE_ERRORS as error:
            raise ResultUnreadable(param="Idempotency-Key", reason=str(error)[:500]) from error
        return result_of(tx, ctx, outcome), True
    api_key_id = ctx.actor.api_key_id or ""
    tx.delete_old_results()
    if api_key_id and (held := tx.bytes_of_results(api_key_id)) >= MAX_STORED:
        raise IdempotencyQuotaExceeded(param="Idempotency-Key", held=held, maximum=MAX_STORED)
    result = operation(tx)
    tx.is_discarded = False  # an operation without an effect has an outcome, too
    outcome = encode_outcome(outcome_of(result)).decode()
    tx.insert_result(ctx.project_id, key, StoredResult(request_sha256, outcome), api_key_id)
    return result, False
