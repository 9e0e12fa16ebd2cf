"""Server-sent events of providers: the same events however the bytes arrive."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moorage.providers.errors import MalformedResponse
from moorage.providers.protocol import Event
from moorage.providers.sse import MAX_EVENT, SseSplitter

STREAM = (
    ": a comment\n\n"
    'data: {"a": "é🗼"}\n\n'
    "event: message_delta\nid: 1\nretry: 10\ndata: {}\n\n"
    "data:no space\ndata: second line\n\n\n\n"
    ": ping\ndata: {}\n\n"
    "event: without data\n\n"
    "data: [DONE]"
)
EVENTS = [
    Event('{"a": "é🗼"}'.encode()), Event(b"{}", "message_delta"), Event(b"no space\nsecond line"), Event(b"{}"),
    Event(b"[DONE]"),
]  # fmt: skip


def events_of(pieces: list[bytes]) -> list[Event]:
    splitter = SseSplitter()
    found = [event for piece in pieces for event in splitter.feed(piece)]
    return [*found, *splitter.close()]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(0, 1_000), max_size=12), st.booleans())
@example("\r\n", list(range(300)), True)  # each byte alone
@example("\n", list(range(300)), False)
def test_events_are_the_same_wherever_the_bytes_are_cut(line_end: str, places: list[int], has_bom: bool) -> None:
    data = (b"\xef\xbb\xbf" if has_bom else b"") + STREAM.replace("\n", line_end).encode()
    assert events_of(cut(data, places)) == EVENTS


def test_the_last_event_needs_no_empty_line() -> None:
    assert events_of([b"data: 1\n\ndata: 2\n"]) == [Event(b"1"), Event(b"2")]


def test_an_event_without_an_end_is_too_large() -> None:
    pieces = [b"x" * 65_536] * (MAX_EVENT // 65_536 + 2)
    with pytest.raises(MalformedResponse):
        events_of(pieces)


def test_an_event_of_many_lines_is_rejected() -> None:
    with pytest.raises(MalformedResponse):
        SseSplitter().feed(b"data: 1\n" * 20_000 + b"\n")
