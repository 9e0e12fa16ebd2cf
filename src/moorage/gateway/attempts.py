"""The records of what a call tried."""

import time

from msgspec import UNSET

from moorage.gateway.call import Target
from moorage.gateway.connection import Connection
from moorage.gateway.errors import Attempt
from moorage.gateway.failures import Failure


def attempt_of(target: Target, connection: Connection, failure: Failure | None, started: float) -> Attempt:
    """Return the record of a request that ends now, with its failure, if it has one."""
    milliseconds = round((time.perf_counter() - started) * 1e3, 1)
    common = target.config.provider, target.config.model, connection.name
    if failure is None:
        return Attempt(*common, "ok", milliseconds, 200)
    status = UNSET if failure.status is None else failure.status
    return Attempt(*common, failure.kind.code, milliseconds, status, failure.reason)


def skipped_attempt(target: Target, outcome: str, reason: str) -> Attempt:
    """Return the record of a model that got no request."""
    name = target.integration or target.config.provider
    return Attempt(target.config.provider, target.config.model, name, outcome, reason=reason)
