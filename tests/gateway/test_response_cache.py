"""The cache of responses: its limits in bytes and in time."""

from moorage.gateway.response_cache import MAX_RESPONSE, ResponseCache, StreamCollector, is_cacheable
from moorage.providers.completion import Choice, Completion


def a_completion(text: str = "Hello") -> Completion:
    return Completion([Choice(content=text, finish_reason="stop")])


def a_key(number: int) -> bytes:
    return number.to_bytes(32)


def test_a_response_expires_after_its_time() -> None:
    now = 100.0
    cache = ResponseCache(1_000_000, lambda: now)
    cache.store(a_key(1), a_completion())

    now = 109.5
    found, expired = cache.find(a_key(1), 10), cache.find(a_key(1), 9)

    assert found is not None
    assert (found[0].choices[0].content, found[1]) == ("Hello", 9.5)
    assert expired is None


def test_the_cache_never_holds_more_than_its_maximum_and_evicts_what_is_not_requested() -> None:
    cache = ResponseCache(100_000)
    cache.store(a_key(0), a_completion("often"))

    for number in range(1, 500):
        cache.store(a_key(number), a_completion("x" * 1_000))
        assert cache.find(a_key(0), 60) is not None
        assert cache.held <= 100_000

    assert cache.find(a_key(1), 60) is None
    assert cache.find(a_key(499), 60) is not None


def test_a_cache_without_room_holds_nothing() -> None:
    cache = ResponseCache(0)

    cache.store(a_key(1), a_completion())

    assert (cache.find(a_key(1), 60), cache.held) == (None, 0)


def test_events_of_several_choices_are_joined_to_one_response() -> None:
    collector = StreamCollector()

    collector.add([Completion([Choice(0, "Hel"), Choice(1, "By")], model="m"), Completion([Choice(0, "lo")])])
    collector.add([Completion([Choice(1, "e", finish_reason="stop"), Choice(0, "", finish_reason="stop")])])
    found = collector.completion()

    assert found is not None
    assert [(choice.index, choice.content, choice.finish_reason) for choice in found.choices] == [
        (0, "Hello", "stop"), (1, "Bye", "stop"),
    ]  # fmt: skip
    assert is_cacheable(found)


def test_a_stream_without_a_finish_reason_or_of_too_many_bytes_is_not_cacheable() -> None:
    open_end, endless, wide = StreamCollector(), StreamCollector(), StreamCollector()

    open_end.add([Completion([Choice(0, "Hello")])])
    endless.add([Completion([Choice(0, "x" * MAX_RESPONSE)]), Completion([Choice(0, "x", finish_reason="stop")])])
    wide.add([Completion([Choice(index, "", finish_reason="stop")]) for index in range(1_000)])

    found = open_end.completion()
    assert found is not None
    assert not is_cacheable(found)
    assert endless.completion() is wide.completion() is None
