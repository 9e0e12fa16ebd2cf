"""Finished calls, on their way into the log and the metrics. This is the one place that gets each of them."""

import time
from collections.abc import Callable

import msgspec

from moorage.gateway.call import Progress
from moorage.gateway.resolve import ResolvedCall
from moorage.providers.completion import Usage


class FinishedCall(msgspec.Struct, frozen=True):
    """A call that ended. It has no content.

    `attempts` has the provider and the outcome of each attempt. `status` is that of the response, 499 if the client
    disconnected; `error` is the code of an error, also of one in a stream after its first byte. Times are in seconds,
    `first` that to the first event of a stream. `overhead` is the time that no provider was waited for. `cache` is what
    became of the call in the response cache, as in `X-Moorage-Cache`.
    """

    at: float
    request_id: str
    api_key: str
    call_id: str
    trace_id: str
    deployment: str
    version: str
    variant: str
    provider: str
    model: str
    integration: str
    is_stream: bool
    is_tryout: bool
    attempts: tuple[tuple[str, str], ...]
    status: int
    error: str | None
    usage: Usage | None
    first: float | None
    seconds: float
    overhead: float
    cache: str | None = None


#: What gets each finished call.
CallSink = Callable[[FinishedCall], None]


def finished(  # noqa: PLR0913 -- the parts of a call
    resolved: ResolvedCall,
    progress: Progress,
    *,
    request_id: str,
    api_key: str,
    call_id: str,
    trace_id: str,
    is_stream: bool,
    is_tryout: bool,
    status: int,
    error: str | None,
    at: float,
    cache: str | None = None,
) -> FinishedCall:
    """Return the record of a call that ends now."""
    ended = time.perf_counter()
    responded = ended if progress.first_at is None else progress.first_at
    config = progress.target.config if progress.target else resolved.config
    attempts = tuple((each.provider, each.outcome) for each in progress.attempts)
    return FinishedCall(
        at, request_id, api_key, call_id, trace_id, resolved.live.key, resolved.live.version, resolved.name,
        config.provider, config.model, progress.integration or "", is_stream, is_tryout, attempts, status, error,
        progress.usage, None if progress.first_at is None else progress.first_at - progress.started,
        ended - progress.started, max(0.0, responded - progress.started - progress.waited_seconds), cache,
    )  # fmt: skip
