"""Journal: answered requests on their way into the metrics and the log.

Both cost about as much as answering a remembered page, and less when many are done at once than one between two
answers; so the front only notes what was answered, and `settle` runs a few times a second, when many are waiting, and
before the metrics are shown.
"""

import msgspec

from moorage.api.metrics import Metrics
from moorage.logs import AccessLog

_SETTLE_AT = 32  # hundreds would be no cheaper, and hold up the request that comes after them for milliseconds


class RequestRecord(msgspec.Struct, frozen=True, gc=False):
    """An answered request. `at` is in seconds since 1970, `route` the path in the route table, `api_key` a key's id."""

    at: float
    seconds: float
    method: str
    route: str
    path: str
    status: int
    request_id: bytes
    api_key: str | None


class RequestLog:
    """Notes requests, and later counts and logs them."""

    def __init__(self, metrics: Metrics, access_log: AccessLog) -> None:
        self._metrics = metrics
        self._access_log = access_log
        self._waiting: list[RequestRecord] = []

    def record(self, finished: RequestRecord) -> None:
        """Note one request."""
        self._waiting.append(finished)
        if len(self._waiting) >= _SETTLE_AT:
            self.flush()

    def flush(self) -> None:
        """Count and log all that were noted."""
        waiting, self._waiting = self._waiting, []
        kinds: dict[tuple[str, str, int], list[float]] = {}
        for each in waiting:
            kinds.setdefault((each.method, each.route, each.status), []).append(each.seconds)
            self._access_log.request(
                each.at, each.method, each.path, each.status, each.seconds, each.request_id.decode(), each.api_key
            )
        for kind, seconds in kinds.items():
            self._metrics.requests(*kind, seconds)
        self._access_log.flush()
