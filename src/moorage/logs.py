"""Logs: one JSON object a line on standard error, or plain text for a person. Never a token, never a body.

The standard library's logging with one formatter, because the HTTP server logs through it too; a request's line is
written without it (`AccessLog`), since a logging call costs as much as answering a page.
"""

import contextlib
import logging
import sys
from typing import IO

import msgspec

from moorage.core.access import TOKEN_PREFIX, masked
from moorage.core.escaping import escape_json, visible, visible_lines
from moorage.core.times import iso
from moorage.settings import LogFormat, LogLevel

_encode = msgspec.json.Encoder().encode


class RequestRecord(msgspec.Struct, frozen=True, gc=False):
    """A completed request.

    `at` is in seconds since 1970, `route` the path in the route table, `api_key` the id of a key, `client` an address,
    and `error` the code of an error.
    """

    at: float
    seconds: float
    method: str
    route: str
    path: str
    status: int
    request_id: bytes
    api_key: str | None
    client: str
    error: str | None = None


class RequestLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request in the log. `duration_ms` is until the answer was handed to the network; `api_key` is a key's id,
    `client` an address, and `error` the code of an error."""

    time: str
    level: str
    event: str
    method: str
    path: str
    status: int
    duration_ms: float
    request_id: str
    api_key: str | None
    client: str
    error: str | None = None


class Formatter(logging.Formatter):
    """Records of the standard library's logging as our lines."""

    def __init__(self, log_format: LogFormat = "json") -> None:
        super().__init__()
        self._is_json = log_format == "json"

    def format(self, record: logging.LogRecord) -> str:
        """One line (in the console format, a traceback follows on lines of its own)."""
        when, event = iso(int(record.created * 1e6)), masked(record.getMessage())
        trace = masked(self.formatException(record.exc_info)) if record.exc_info else None
        fields: dict[str, object] = getattr(record, "fields", {})
        if not self._is_json:
            values = "".join(f" {name}={value}" for name, value in fields.items())
            shown = f"{when} {record.levelname.lower():7} {visible(event + values)}"
            return shown + (f"\n{visible_lines(trace)}" if trace else "")
        line = {"time": when, "level": record.levelname.lower(), "event": event, "logger": record.name, **fields}
        if trace:
            line["exception"] = trace
        return escape_json(_encode(line).decode())


def configuration(log_format: LogFormat, log_level: LogLevel) -> dict[str, object]:
    """For `logging.config.dictConfig`: everything through one formatter to standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": Formatter, "log_format": log_format}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
        "root": {"level": log_level.upper(), "handlers": ["stderr"]},
        # The HTTP server's own lines at `info` are about processes; ours have the facts that a person needs.
        "loggers": {"_granian": {"level": "WARNING"}, "granian.access": {"level": "WARNING"}},
    }


class AccessLog:
    """A line for each request, written in pieces at `flush`."""

    def __init__(self, log_format: LogFormat, log_level: LogLevel, stream: IO[bytes] | None = None) -> None:
        self._stream = stream or sys.stderr.buffer
        self._is_json = log_format == "json"
        self._level = getattr(logging, log_level.upper())
        self._lines: list[bytes] = []

    def request(self, record: RequestRecord) -> None:
        """Note one request: level `info`, `warning` for what the caller did wrong, `error` for what we did."""
        status, method, path = record.status, record.method, record.path
        level = 20 if status < 400 else 30 if status < 500 else 40
        if level < self._level:
            return
        if TOKEN_PREFIX in path:  # somebody put a token into the address
            path = path.partition(TOKEN_PREFIX)[0] + "…"
        when, name = iso(int(record.at * 1e6)), logging.getLevelName(level).lower()
        request_id, milliseconds = record.request_id.decode(), record.seconds * 1e3
        if self._is_json:
            end = record.api_key, record.client, record.error
            line = _encode(
                RequestLine(when, name, "request", method, path, status, round(milliseconds, 3), request_id, *end)
            )
            if not line.isascii() or b"\x7f" in line:
                line = escape_json(line.decode()).encode()
        else:
            shown = visible(path)
            request = f"{status} {visible(method)} {shown} {milliseconds:.1f} ms"
            line = f"{when} {name:7} {request} {record.client} {request_id}".encode()
        self._lines.append(line)

    def line(self, level: str, line: msgspec.Struct) -> None:
        """Record a line with further fields, such as that of a call."""
        if getattr(logging, level.upper()) < self._level:
            return
        if self._is_json:
            encoded = _encode(line)
            if not encoded.isascii() or b"\x7f" in encoded:
                encoded = escape_json(encoded.decode()).encode()
        else:
            values = msgspec.structs.asdict(line)
            shown = " ".join(f"{name}={value}" for name, value in [*values.items()][3:] if value is not msgspec.UNSET)
            encoded = f"{values['time']} {level:7} {values['event']} {visible(shown)}".encode()
        self._lines.append(encoded)

    def flush(self) -> None:
        """Write what was noted."""
        if self._lines:
            lines, self._lines = self._lines, []
            with contextlib.suppress(OSError):  # a full disk or a closed pipe takes the lines, never the answers
                self._stream.write(b"\n".join(lines) + b"\n")
                self._stream.flush()
