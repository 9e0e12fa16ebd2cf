"""The headers of calls: which deployment and model responded, after how many attempts."""

import re
import time
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from starlette.requests import Request

from moorage.api.calls.shape import CallIds
from moorage.api.environment import HEADER, header_value
from moorage.core.deployments.retired_models import Retirement, find_retirement
from moorage.gateway.call import Progress
from moorage.gateway.resolve import ResolvedCall
from moorage.providers.request import native_model

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_NO_TRACE: Final = "0" * 32

#: The longest value of a header that is a list.
_MAX_LIST: Final = 2_000

#: The characters of names that a header can have.
_READABLE: Final = " !#$&'()*+-./:;<=>?@[]^_`{|}~"


def call_ids(request: Request) -> CallIds:
    """Return the ids of a new call, in the trace of the caller if it sends one (W3C Trace Context)."""
    found = _TRACEPARENT.fullmatch(request.headers.get("traceparent", "")[:512])
    is_valid = found is not None and found[1] != _NO_TRACE and not found[0].startswith("ff")
    return CallIds.new(found[1] if found is not None and is_valid else None)


def resolved_headers(resolved: ResolvedCall) -> dict[str, str]:
    """Return the headers about the deployment."""
    return {
        "X-Moorage-Deployment": _value(resolved.live.key),
        "X-Moorage-Version": resolved.live.version,
        "X-Moorage-Variant": _value(resolved.name),
        "X-Moorage-Reason": resolved.reason,
        HEADER: header_value(resolved.environment, follows=resolved.follows),
    }


def progress_headers(progress: Progress) -> dict[str, str]:
    """Return the headers about what the gateway did so far."""
    headers = {"X-Moorage-Attempts": str(len(progress.attempts))}
    if progress.target is not None:
        config = progress.target.config
        headers["X-Moorage-Provider"] = _value(config.provider)
        headers["X-Moorage-Model"] = _value(native_model(config.provider, config.model))
        retirement = find_retirement(config.provider, config.model)
        if retirement is not None:
            headers |= retirement_headers(retirement)
    overhead = time.perf_counter() - progress.started - progress.waited_seconds
    headers["X-Moorage-Overhead-Ms"] = f"{max(0.0, overhead) * 1e3:.2f}"
    if progress.omitted:
        names = ", ".join(_value(path.removeprefix("parameters.")) for path in progress.omitted)
        headers["X-Moorage-Dropped"] = _cut(names, ", ")
    if len(progress.attempts) > 1:
        log = "; ".join(
            f"{_value(attempt.integration)} {attempt.outcome} {attempt.milliseconds:.0f}ms"
            + (f" {attempt.next}" if isinstance(attempt.next, str) else "")
            for attempt in progress.attempts[:20]
        )
        headers["X-Moorage-Attempt-Log"] = _cut(log, "; ")
    return headers


def retirement_headers(retirement: Retirement) -> dict[str, str]:
    """Return the headers about the end of a model: RFC 8594, RFC 9745, and the page with the dates."""
    headers = {
        "Sunset": format_datetime(_midnight(retirement.retires), usegmt=True),
        "Link": f'<{retirement.source.url}>; rel="deprecation"; type="text/html"',
    }
    if retirement.announced is not None:
        headers["Deprecation"] = f"@{int(_midnight(retirement.announced).timestamp())}"
    return headers


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _cut(text: str, separator: str) -> str:
    """Return a list that is short enough for a header."""
    return text if len(text) <= _MAX_LIST else text[:_MAX_LIST].rpartition(separator)[0]


def _value(name: str) -> str:
    return name if name.isascii() and name.isprintable() else quote(name, safe=_READABLE)
