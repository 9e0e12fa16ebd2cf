"""The response cache in a call: what the caller allows, the response from the cache, and what is stored."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from starlette.responses import Response

from moorage import clock
from moorage.api.calls.shape import CallIds
from moorage.api.finished_calls import finished
from moorage.api.repeated_hits import RawHeaders, Repeat, is_plain
from moorage.core.errors.base import MoorageError
from moorage.gateway.call import Progress, Target
from moorage.gateway.response_cache import TYPES, StreamCollector, response_key
from moorage.providers.completion import Choice, Completion

if TYPE_CHECKING:
    from moorage.api.calls.running import RunningCall

#: The headers of a hit that differ from call to call.
_CHANGING: Final = frozenset({b"age", b"x-moorage-overhead-ms", b"content-length"})

#: What became of a call in the cache; `bypass`: the cache was neither read nor written.
CacheResult = Literal["hit", "miss", "bypass"]


class CacheUse:
    """How one call uses the cache. Without a key, its response is not stored."""

    __slots__ = ("_collector", "_key", "age", "result")

    def __init__(self, result: CacheResult, key: bytes | None = None, age: float | None = None) -> None:
        """`age` is that of the response from the cache (seconds)."""
        self.result = result
        self.age = age
        self._key = key
        self._collector: StreamCollector | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers about the cache."""
        age = {} if self.age is None else {"Age": str(int(self.age))}
        return {"X-Moorage-Cache": self.result, **age}

    def add(self, completions: Sequence[Completion]) -> None:
        """Add events of the stream that the call receives."""
        if self._key is not None:
            self._collector = self._collector or StreamCollector()
            self._collector.add(completions)

    def store(self, running: "RunningCall", completion: Completion | None = None) -> None:
        """Store the response of the configured model; without `completion`, that of the stream."""
        target = running.progress.target
        if self._key is None or target is None or target.config is not running.resolved.config:
            return  # the response of a fallback would outlast the failure of the model
        if completion is None and self._collector is not None:
            completion = self._collector.completion()
        services, seconds = running.ctx.services, running.resolved.variant.cache_seconds
        if completion is not None and services.response_cache.store(self._key, completion) and seconds:
            services.shared_cache.store(self._key, completion, seconds)


async def respond_from_cache(running: "RunningCall") -> Response | None:
    """Return the response from the cache; None if the model must be called. Set how the call uses the cache.

    Raises:
        InvalidApiKey, ExpiredApiKey, InsufficientScope
    """
    seconds = running.resolved.variant.cache_seconds
    if seconds is None or running.resolved.config.type not in TYPES:
        return None
    directives = _directives(running)
    if running.request.is_tryout or "no-store" in directives:
        running.cache = CacheUse("bypass")
        return None
    try:
        key = await _key(running)
    except MoorageError:  # the call reports it, or a fallback responds
        running.cache = CacheUse("miss")
        return None
    cache = running.ctx.services.response_cache
    found = None
    if "no-cache" not in directives:
        found = cache.find(key, seconds) or await running.ctx.services.shared_cache.find(key, seconds)
    if found is None:
        running.cache = CacheUse("miss", key)
        return None
    running.ctx.check_caller_now()
    completion, age = found
    running.cache = CacheUse("hit", age=age)
    response = _response(running, completion)
    _remember(running, key, seconds, response)
    return response


def _directives(running: "RunningCall") -> set[str]:
    """Return the directives of the Cache-Control header, without their values."""
    value = running.ctx.request.headers.get("cache-control", "")[:1_000]
    return {part.partition("=")[0].strip().lower() for part in value.split(",")} if value else set()


async def _key(running: "RunningCall") -> bytes:
    call = running.call()
    find = running.ctx.services.providers.find
    connection = find(call.project_id, call.integration, call.config.provider)
    make = partial(response_key, call, connection, running.resolved.live.version_id)
    if call.is_small:
        return make()
    return await asyncio.get_running_loop().run_in_executor(running.ctx.services.compute, make)


def _response(running: "RunningCall", completion: Completion) -> Response:
    progress = running.progress
    progress.target, progress.usage = running.call().target(0), completion.usage
    if not running.request.is_stream:
        body = running.shape.response(completion)
        running.record(200)
        return Response(body, headers=running.headers(), media_type="application/json")
    progress.first_at = time.perf_counter()
    body = running.shape.chunks(_as_events(completion)) + running.shape.end()
    running.record(200)
    headers = {**running.headers(), "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
    return Response(body, headers=headers, media_type="text/event-stream")


def _remember(running: "RunningCall", key: bytes, seconds: float, response: Response) -> None:
    """Let equal requests of the API key have the response without being read, until the catalog changes."""
    ctx, scope = running.ctx, running.ctx.request.scope
    is_unusual = ctx.choice is None or ctx.choice.warning is not None or running.resolved.variant.engine == "jinja"
    if is_unusual or "moorage.body" not in scope or scope["query_string"] or not is_plain(scope["headers"]):
        return
    fixed = [(name, value) for name, value in response.raw_headers if name not in _CHANGING]
    ctx.services.repeated_hits.add(
        ctx.key.id, scope["path"], scope["moorage.body"], _repeat(running, key, seconds, fixed),
        int(scope["moorage.revision"]),
    )  # fmt: skip


def _repeat(running: "RunningCall", key: bytes, seconds: float, fixed: RawHeaders) -> Repeat:
    """Return the function that makes the response again. It keeps nothing of the request but what it needs."""
    services, api_key_id, place = running.ctx.services, running.ctx.key.id, running.ctx.environment.pointer_id
    request, is_stream = running.request, running.request.is_stream
    inputs, shape_of = [*request.request.inputs], request.shape
    config = msgspec.structs.replace(running.resolved.config, messages=[], tools=[], parameters={})
    resolved = msgspec.structs.replace(running.resolved, config=config)
    target = Target(config, running.resolved.variant.integration)

    def repeat(request_id: str) -> tuple[RawHeaders, bytes] | None:
        progress, found = Progress(time.perf_counter()), services.response_cache.find(key, seconds)
        if found is None:
            return None
        completion, age = found
        ids, at = CallIds.new(), clock.now_seconds()
        shape = shape_of(ids, config)
        progress.target, progress.usage = target, completion.usage
        if is_stream:
            progress.first_at = time.perf_counter()
            body = shape.chunks(_as_events(completion)) + shape.end()
        else:
            body = shape.response(completion)
        services.consumers.record(resolved.live.version_id, api_key_id, inputs, place)
        services.finished_calls(
            finished(
                resolved, progress, request_id=request_id, api_key=api_key_id, call_id=ids.id, trace_id=ids.trace_id,
                is_stream=is_stream, is_tryout=False, status=200, error=None, at=at, cache="hit",
            )
        )  # fmt: skip
        overhead = (time.perf_counter() - progress.started) * 1e3
        headers = [
            *fixed, (b"age", b"%d" % age), (b"x-moorage-overhead-ms", b"%.2f" % overhead),
            (b"content-length", b"%d" % len(body)),
        ]  # fmt: skip
        return headers, body

    return repeat


def _as_events(completion: Completion) -> list[Completion]:
    """Return a response as the events of a stream: its content, then its end."""
    if completion.output is not None:
        return [completion]
    texts = [_without_reason(choice) for choice in completion.choices]
    ends = [Choice(choice.index, finish_reason=choice.finish_reason) for choice in completion.choices]
    return [
        Completion(texts, None, completion.id, completion.model, completion.system_fingerprint),
        Completion(ends, completion.usage, completion.id, completion.model, completion.system_fingerprint),
    ]


def _without_reason(choice: Choice) -> Choice:
    return Choice(
        choice.index, choice.content, choice.reasoning, choice.reasoning_signature, choice.redacted_reasoning,
        choice.refusal, logprobs=choice.logprobs, annotations=choice.annotations, audio=choice.audio,
    )  # fmt: skip
