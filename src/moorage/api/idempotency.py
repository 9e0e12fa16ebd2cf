"""Idempotency: a POST that is sent again is not done again (as with Stripe, keys are kept for 24 hours)."""

from collections.abc import Callable

import msgspec
from starlette.responses import Response

from moorage.core.access import masked
from moorage.core.errors import IdempotencyConflict
from moorage.store.store import Joined, Writable
from moorage.store.transaction import KeptAnswer

#: Made anew for each answer.
_NOT_KEPT = ("content-length", "x-moorage-revision")


class _Replay(Exception):  # no error: leaves the transaction with no revision
    def __init__(self, answer: KeptAnswer) -> None:
        self.answer = answer


def answer_once(
    store: Writable, project_id: str, key: str, request_sha256: str, work: Callable[[Writable], Response]
) -> KeptAnswer:
    """Do `work` and keep its answer in the same transaction; or give the answer that was kept under `key` before.

    An error is not kept: nothing was done, and the request may be mended and sent again. Nor is a token: it is shown
    once, and in what is kept it is masked.

    Raises:
        IdempotencyConflict: the key was used for another request.
    """
    try:
        with store.write() as write:
            kept = write.find_answer(project_id, key)
            if kept is not None:
                if kept.request_sha256 != request_sha256:
                    raise IdempotencyConflict(param="Idempotency-Key")
                kept.headers["X-Moorage-Replayed"] = "true"
                raise _Replay(kept)
            response = work(Joined(write))
            headers = {name: value for name, value in response.headers.items() if name not in _NOT_KEPT}
            answer = KeptAnswer(request_sha256, response.status_code, headers, bytes(response.body).decode())
            write.keep_answer(project_id, key, msgspec.structs.replace(answer, body=masked(answer.body)))
            return answer
    except _Replay as replay:
        return replay.answer
