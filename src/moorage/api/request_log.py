"""The request log: completed requests on their way into the metrics and the access log.

Both cost about as much as a cached response, and less for a batch than for single requests. So the pipeline only
records each request. `flush` runs a few times a second, when a batch is full, and before the metrics are read.
"""

from collections import Counter

from moorage.api.metrics import Metrics
from moorage.logs import AccessLog, RequestRecord

#: A larger batch costs no less, and delays the request that flushes it by milliseconds.
_MAX_BATCH = 32


class RequestLog:
    """Collects records of requests; counts and logs them in batches."""

    def __init__(self, metrics: Metrics, access_log: AccessLog) -> None:
        self._metrics = metrics
        self._access_log = access_log
        self._batch: list[RequestRecord] = []

    def record(self, record: RequestRecord) -> None:
        """Record a request."""
        self._batch.append(record)
        if len(self._batch) >= _MAX_BATCH:
            self.flush()

    def flush(self) -> None:
        """Count and log all recorded requests."""
        batch, self._batch = self._batch, []
        durations: dict[tuple[str, str, int], list[float]] = {}
        errors = Counter(record.error for record in batch if record.error)
        for record in batch:
            durations.setdefault((record.method, record.route, record.status), []).append(record.seconds)
            self._access_log.request(record)
        for labels, seconds in durations.items():
            self._metrics.requests(*labels, seconds)
        for code, count in errors.items():
            self._metrics.error_responses(code, count)
        self._access_log.flush()
