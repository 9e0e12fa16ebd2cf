"""HTTP clients of tests. The server closes a connection after ten seconds without a request.

On a busy machine a test can be that slow, and its next request can meet the close. So a connection that was idle for
half of that time is not used again.
"""

import http.client
import time
from typing import Any, Final

import urllib3

from tests.support.threads import HANG_SECONDS

_IDLE_SECONDS: Final = 5.0


class Pool:
    """Connections of one client, for any number of threads."""

    def __init__(self) -> None:
        self._pool = _new_pool()
        self._used_at = time.monotonic()

    def request(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
        """Send a request; the options are those of urllib3."""
        if time.monotonic() - self._used_at > _IDLE_SECONDS:
            self._pool = _new_pool()
        self._used_at = time.monotonic()
        return self._pool.request(method, url, **options)


class Connection(http.client.HTTPConnection):
    """One connection, which is opened again when it was idle."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port, timeout=HANG_SECONDS)
        self._used_at = time.monotonic()

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send a request."""
        if time.monotonic() - self._used_at > _IDLE_SECONDS:
            self.close()
        self._used_at = time.monotonic()
        super().request(*arguments, **options)


def _new_pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=False, timeout=HANG_SECONDS)
