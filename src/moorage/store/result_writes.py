"""The operations of a write on the results that are stored under idempotency keys."""

import msgspec

from moorage.core.errors.rows import ResultUnreadable
from moorage.store.environment_writes import EnvironmentWrites

#: How long the result under an idempotency key is stored.
STORED_US = 24 * 3_600_000_000

#: The bytes of a stored result in the database without its key and its text, indexes included.
_RESULT_BYTES = 400


class StoredResult(msgspec.Struct, frozen=True):
    """The outcome of a write as JSON, and the hash of the request."""

    request_sha256: str
    result: str


class ResultWrites(EnvironmentWrites):
    """These operations, those on environments, and the lookups."""

    def find_result(self, project_id: str, key: str) -> StoredResult | None:
        """Return the result that was stored under an idempotency key in the last 24 hours.

        Raises:
            ResultUnreadable
        """
        for sha256, result in self._run(
            "find_result", project_id=project_id, key=key, since_us=self.clock_us - STORED_US
        ):
            if not isinstance(sha256, str) or not isinstance(result, str):
                raise ResultUnreadable(param="Idempotency-Key", reason="a column is not a text")
            return StoredResult(sha256, result)
        return None

    def delete_old_results(self) -> None:
        """Delete results that are 24 hours older than another one.

        The other one was stored before, so that a clock that is ahead for this one write deletes nothing too early.
        """
        self._run("delete_old_results", clock_us=self.clock_us, stored_us=STORED_US)

    def bytes_of_results(self, api_key_id: str) -> int:
        """Return the bytes of the results of an API key in the last 24 hours but the oldest, without their rows."""
        period = {"since_us": self.clock_us - STORED_US, "clock_us": self.clock_us}
        ((held,),) = self._run("bytes_of_results", api_key_id=api_key_id, **period)
        return int(held)

    def insert_result(self, project_id: str, key: str, result: StoredResult, api_key_id: str = "") -> None:
        """Store a result of an API key, or of the operator, under an idempotency key."""
        self._run(
            "insert_result", project_id=project_id, key=key, request_sha256=result.request_sha256,
            result=result.result, clock_us=self.clock_us, api_key_id=api_key_id,
            bytes=_RESULT_BYTES + len(key) + len(result.result.encode()),
        )  # fmt: skip
