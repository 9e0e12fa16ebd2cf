"""Responses to calls that were sent with an idempotency key. A backup does not have them.

One process runs a call: it holds the claim on the row, and renews it while the call runs. A claim that is not renewed
ends, so a process that was killed holds up a key for seconds.
"""

from typing import Final

import msgspec

from moorage.core.errors.rows import ResultUnreadable
from moorage.store.engine import Engine
from moorage.store.result_writes import STORED_US

#: How long a claim holds unless it is renewed.
CLAIM_US: Final = 30_000_000

#: The bytes of a row in the database without its response, indexes included.
_ROW_BYTES: Final = 1_000

#: How many old rows a new one deletes at most, so that it never waits long.
_MAX_DELETED: Final = 100

_decode_headers = msgspec.json.Decoder(dict[str, str]).decode


class CallKey(msgspec.Struct, frozen=True):
    """An idempotency key of a project, and the request that it was sent with."""

    project_id: str
    key: str
    request_sha256: str
    api_key_id: str


class CallResult(msgspec.Struct, frozen=True):
    """What is stored under a key; `is_running` if another process holds the claim.

    Without `headers`, the response was too large to be stored.
    """

    request_sha256: str
    is_running: bool
    headers: dict[str, str] | None
    body: bytes


class CallResultTable:
    """The stored responses to calls. Times are in microseconds since 1970."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, key: CallKey, claim: str, now_us: int) -> CallResult | None:
        """Store a claim and return None, unless something is stored under the key: then return that.

        Raises:
            ResultUnreadable: another program changed the row.
            StorageFull, StorageUnavailable: nothing was stored.
        """
        if (found := self._find(key, now_us)) is not None:
            return found
        values = msgspec.structs.asdict(key)
        with self._engine.write() as run:
            old = sorted((project_id, name) for project_id, name in run("old_calls", now_us=now_us, limit=_MAX_DELETED))
            if old:  # concurrent writers lock the same rows in the same order
                run("delete_old_call", for_each=[(*each, now_us) for each in old])
            claimed = run("claim_call", claim=claim, now_us=now_us, until_us=now_us + CLAIM_US, **values)
            if list(claimed):
                return None
        return self._find(key, now_us)

    def renew(self, key: CallKey, claim: str, now_us: int) -> bool:
        """Extend a claim; return whether this process still holds it.

        Raises:
            StorageFull, StorageUnavailable
        """
        with self._engine.write() as run:
            rows = run("renew_call", project_id=key.project_id, key=key.key, claim=claim, until_us=now_us + CLAIM_US)
            return bool(list(rows))

    def finish(self, key: CallKey, claim: str, now_us: int, headers: dict[str, str] | None, body: bytes = b"") -> None:
        """Store the response in place of a claim; without `headers`, that there was one.

        Raises:
            StorageFull, StorageUnavailable: the claim holds until its time.
        """
        text = "" if headers is None else msgspec.json.encode(headers).decode()
        with self._engine.write() as run:
            run(
                "finish_call", project_id=key.project_id, key=key.key, claim=claim, until_us=now_us + STORED_US,
                headers=text, body=body.decode(), total_bytes=_ROW_BYTES + len(text) + len(body),
            )  # fmt: skip

    def release(self, key: CallKey, claim: str) -> None:
        """Delete a claim: the call had no response that is stored.

        Raises:
            StorageFull, StorageUnavailable: the claim holds until its time.
        """
        with self._engine.write() as run:
            run("release_call", project_id=key.project_id, key=key.key, claim=claim)

    def bytes_of(self, api_key_id: str) -> int:
        """Return the bytes of the rows of an API key.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            ((held,),) = stream("bytes_of_calls", api_key_id=api_key_id)
            return int(held)

    def _find(self, key: CallKey, now_us: int) -> CallResult | None:
        with self._engine.read() as stream:
            rows = list(stream("find_call", project_id=key.project_id, key=key.key, now_us=now_us))
        for request_sha256, claim, headers, body in rows:
            try:
                decoded = _decode_headers(headers) if headers else None
                return CallResult(request_sha256, bool(claim), decoded, body.encode())
            except (msgspec.DecodeError, AttributeError, UnicodeEncodeError) as error:
                raise ResultUnreadable(param="Idempotency-Key", reason=str(error)[:500]) from error
        return None
