"""Log lines: one line for each event, without tokens and control characters."""

import io
import json
import logging
import sys

import pytest

from moorage.core.access import new_token
from moorage.logs import AccessLog, Formatter, RequestRecord
from moorage.settings import LogFormat

EVIL = "\x1b[2J\x9b31m\x7f\u202e\u2028\nforged"


def formatted(log_format: LogFormat, message: str, error: BaseException | None = None) -> str:
    """Return the line of a record with an error."""
    trace = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("moorage", logging.ERROR, "file", 1, message, None, trace)
    return Formatter(log_format).format(record)


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_message_has_no_token_and_no_control_character(log_format: LogFormat) -> None:
    _, token = new_token()

    line = formatted(log_format, f"{EVIL} {token}")

    assert line.isprintable()
    assert token not in line
    assert f"{token[:16]}_…" in line
    if log_format == "json":
        assert json.loads(line)["event"] == f"{EVIL} {token[:16]}_…"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_has_no_token_and_no_control_character(log_format: LogFormat) -> None:
    _, token = new_token()
    try:
        raise ValueError(f"Invalid header value {token} {EVIL}")
    except ValueError:
        line = formatted(log_format, "a request failed", sys.exc_info()[1])

    assert "ValueError" in line
    assert token not in line
    assert line.replace("\n", "").isprintable()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_request_is_one_line_without_control_characters(log_format: LogFormat) -> None:
    stream = io.BytesIO()
    log = AccessLog(log_format, "info", stream)

    log.request(RequestRecord(1.0, 0.001, "GET", "none", f"/{EVIL}", 200, b"id", None, "127.0.0.1"))
    log.request(RequestRecord(1.0, 0.001, f"G{EVIL}", "none", "/\x7f", 200, b"id", None, "127.0.0.1"))
    log.request(RequestRecord(1.0, 0.001, "GET", "none", "/日本 é", 200, b"id", None, "127.0.0.1"))
    log.flush()

    lines = stream.getvalue().decode().split("\n")
    assert (len(lines), lines[-1]) == (4, "")
    assert all(line.isprintable() for line in lines)
    assert "/日本 é" in lines[2]
    if log_format == "json":
        assert json.loads(lines[0])["path"] == f"/{EVIL}"
