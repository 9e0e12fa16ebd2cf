"""Metrics of calls for Prometheus: by deployment and by model, so that the number of series is bounded."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from moorage.api.finished_calls import FinishedCall

#: The bounds of durations (seconds): those of the conventions of OpenTelemetry for generative models, and 164.
_BUCKETS: Final = tuple(0.01 * 2**power for power in range(15))

#: The bounds of the time that Moorage itself takes (seconds).
_OVERHEAD_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0)

#: The kinds of tokens.
_KINDS: Final = ("prompt", "completion", "cached", "reasoning")

#: With more series, those of further deployments and models are counted as `other`.
_MAX_SERIES: Final = 2_000


class CallMetrics:
    """The metrics of calls of this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "moorage_calls", "Calls of models by their result: `ok`, or the code of an error.",
            ["deployment", "provider", "model", "result"], registry=registry,
        )  # fmt: skip
        self._attempts = Counter(
            "moorage_call_attempts", "Requests to providers, with retries and fallbacks, and what was skipped.",
            ["provider", "result"], registry=registry,
        )  # fmt: skip
        self._tryouts = Counter(
            "moorage_call_tryouts", "Calls that were try-outs of a version; the other metrics count them, too.",
            registry=registry,
        )  # fmt: skip
        self._cached = Counter(
            "moorage_call_cache", "Calls of variants with a response cache, by what became of them in it.",
            ["result"], registry=registry,
        )  # fmt: skip
        self._tokens = Counter(
            "moorage_call_tokens", "Tokens that providers reported.", ["provider", "model", "kind"], registry=registry
        )
        self._duration = Histogram(
            "moorage_call_duration_seconds", "Seconds until the end of the response.", ["provider", "model"],
            buckets=_BUCKETS, registry=registry,
        )  # fmt: skip
        self._first = Histogram(
            "moorage_call_first_event_seconds", "Seconds until the first event of a stream.", ["provider", "model"],
            buckets=_BUCKETS, registry=registry,
        )  # fmt: skip
        self._overhead = Histogram(
            "moorage_call_overhead_seconds", "Seconds of a call in which no provider was waited for.",
            buckets=_OVERHEAD_BUCKETS, registry=registry,
        )  # fmt: skip
        self._models: dict[tuple[str, str], _ModelSeries] = {}
        self._tried: dict[tuple[str, str], Counter] = {}
        self._results: dict[tuple[str, str, str, str], Counter] = {}

    def add(self, call: FinishedCall) -> None:
        """Count a finished call."""
        result = call.error or ("client_closed_request" if call.status == 499 else "ok")
        key = call.deployment, call.provider, call.model, result
        counter = self._results.get(key)
        if counter is None:
            if len(self._results) >= _MAX_SERIES:
                key = "other", call.provider, "other", result
            counter = self._results[key] = self._calls.labels(*key)
        counter.inc()
        series = self._models.get((call.provider, call.model)) or self._add_model(call.provider, call.model)
        series.add(call)
        for attempt in call.attempts:
            counter = self._tried.get(attempt)
            if counter is None:
                counter = self._tried[attempt] = self._attempts.labels(*attempt)
            counter.inc()
        self._overhead.observe(call.overhead)
        if call.cache is not None:
            self._cached.labels(call.cache).inc()
        if call.is_tryout:
            self._tryouts.inc()

    def _add_model(self, provider: str, model: str) -> "_ModelSeries":
        model = model if len(self._models) < _MAX_SERIES else "other"
        series = self._models[provider, model] = _ModelSeries(
            self._duration.labels(provider, model),
            self._first.labels(provider, model),
            {kind: self._tokens.labels(provider, model, kind) for kind in _KINDS},
        )  # fmt: skip
        return series


class _ModelSeries:
    """The series of one model."""

    __slots__ = ("_duration", "_first", "_tokens")

    def __init__(self, duration: Histogram, first: Histogram, tokens: dict[str, Counter]) -> None:
        self._duration, self._first, self._tokens = duration, first, tokens

    def add(self, call: FinishedCall) -> None:
        self._duration.observe(call.seconds)
        if call.first is not None:
            self._first.observe(call.first)
        if (usage := call.usage) is not None:
            self._tokens["prompt"].inc(usage.prompt_tokens)
            self._tokens["completion"].inc(usage.completion_tokens)
            self._tokens["cached"].inc(usage.cached_tokens or 0)
            self._tokens["reasoning"].inc(usage.reasoning_tokens or 0)
