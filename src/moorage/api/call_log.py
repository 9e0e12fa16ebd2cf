"""The call log: finished calls on their way into the metrics and the log, in batches like the request log.

A line has no content of a request or a response: only names, numbers and times.
"""

import msgspec
from msgspec import UNSET, UnsetType

from moorage.api.call_metrics import CallMetrics
from moorage.api.finished_calls import FinishedCall
from moorage.core.times import iso
from moorage.logs import AccessLog

#: A larger batch costs no less, and delays the call that flushes it.
_MAX_BATCH = 32


class CallLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call in the log. Durations are in milliseconds; `first_ms` is that to the first event of a stream.

    `tryout` is true for a try-out, else absent. `cache` is absent if the variant has no cache.
    """

    time: str
    level: str
    event: str
    request_id: str
    call_id: str
    trace_id: str
    api_key: str
    deployment: str
    version: str
    variant: str
    provider: str
    model: str
    integration: str
    stream: bool
    attempts: int
    status: int
    duration_ms: float
    overhead_ms: float
    first_ms: float | UnsetType = UNSET
    prompt_tokens: int | UnsetType = UNSET
    completion_tokens: int | UnsetType = UNSET
    error: str | UnsetType = UNSET
    tryout: bool = False
    cache: str | UnsetType = UNSET


class CallLog:
    """Collects finished calls; counts and logs them in batches."""

    def __init__(self, metrics: CallMetrics, access_log: AccessLog) -> None:
        self._metrics = metrics
        self._access_log = access_log
        self._batch: list[FinishedCall] = []

    def record(self, call: FinishedCall) -> None:
        """Record a finished call."""
        self._batch.append(call)
        if len(self._batch) >= _MAX_BATCH:
            self.flush()

    def flush(self) -> None:
        """Count and log all recorded calls."""
        batch, self._batch = self._batch, []
        for call in batch:
            self._metrics.add(call)
            level = "info" if call.error is None and call.status < 400 else "warning" if call.status < 500 else "error"
            self._access_log.line(level, _line(call, level))
        if batch:
            self._access_log.flush()


def _line(call: FinishedCall, level: str) -> CallLine:
    usage = call.usage
    return CallLine(
        iso(int(call.at * 1e6)), level, "call", call.request_id, call.call_id, call.trace_id, call.api_key,
        call.deployment, call.version, call.variant, call.provider, call.model, call.integration, call.is_stream,
        len(call.attempts), call.status, round(call.seconds * 1e3, 3), round(call.overhead * 1e3, 3),
        UNSET if call.first is None else round(call.first * 1e3, 3),
        UNSET if usage is None else usage.prompt_tokens, UNSET if usage is None else usage.completion_tokens,
        call.error or UNSET, call.is_tryout, call.cache or UNSET,
    )  # fmt: skip
