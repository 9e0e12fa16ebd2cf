"""The records of finished calls."""

from types import SimpleNamespace
from typing import Any

import pytest

from moorage.api.finished_calls import finished
from moorage.gateway.call import Progress


@pytest.mark.parametrize("first_at", [1_001.0, None])
def test_the_overhead_of_a_stream_ends_with_its_first_event(first_at: float | None, monkeypatch: Any) -> None:
    monkeypatch.setattr("time.perf_counter", lambda: 1_060.0)
    resolved: Any = SimpleNamespace(
        live=SimpleNamespace(key="a", version="1.0"), name="default", config=SimpleNamespace(provider="p", model="m")
    )
    progress = Progress(1_000.0)
    progress.first_at, progress.waited_seconds = first_at, 0.75

    call = finished(
        resolved, progress, request_id="r", api_key="k", call_id="c", trace_id="t", is_stream=True, is_tryout=False,
        status=200, error=None, at=0.0,
    )  # fmt: skip

    assert (call.first, call.seconds) == (None if first_at is None else 1.0, 60.0)
    assert call.overhead == (59.25 if first_at is None else 0.25)
