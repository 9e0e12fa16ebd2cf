"""What the tests of the Responses API share."""

from typing import Any

#: Providers that get requests of the Responses API in that form, beside Perplexity.
NATIVE = ("openai", "azure")

#: A tool that these providers run themselves, and functions.
SEARCH: Any = {"type": "web_search", "search_context_size": "low"}
CITY: Any = {
    "type": "function", "name": "get_weather", "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}  # fmt: skip
TIME: Any = CITY | {"name": "get_time"}


def user(text: str) -> Any:
    """Return a message of the user."""
    return {"role": "user", "content": text}


def events_of(stream: Any) -> list[Any]:
    """Return the events of a stream, whose numbers must be complete."""
    events = [*stream]
    assert [event.sequence_number for event in events] == [*range(len(events))]
    return events
