"""Generated deployments: of a ferry company that is not one, in two kinds.

*Rich* ones use much of what the format has, and ten of them make a page of 11 to 12 KB. *Plain* ones have the sizes of
deployments that people write. Both repeat their sizes every ten, so that all pages of one limit have the same length
wherever they are in the list, and a difference in time is not one in bytes.
"""

import random
from typing import Any

import msgspec

#: The lengths of ten plain deployments on the wire, in bytes; on average 1,500.
PLAIN_SIZES = (700, 850, 1_000, 1_100, 1_250, 1_400, 1_600, 1_900, 2_300, 2_900)

_WORDS = [
    "answer", "arrival", "berth", "board", "booking", "cabin", "captain", "cargo", "change", "clerk", "coast",
    "crew", "crossing", "customer", "date", "deck", "delay", "desk", "door", "evening", "family", "fare",
    "ferry", "first", "fog", "form", "friendly", "gate", "group", "guest", "harbour", "help", "hour", "island",
    "language", "late", "letter", "line", "luggage", "map", "meal", "minute", "morning", "name", "night",
    "note", "number", "open", "order", "passenger", "pier", "plain", "polite", "port", "quay", "question",
    "reason", "refund", "reply", "route", "safe", "seat", "short", "sign", "storm", "summer", "table", "ticket",
    "tide", "time", "tone", "towel", "trip", "vehicle", "voyage", "wait", "weather", "week", "wheelchair",
    "winter", "write", "year",
]  # fmt: skip

_TOPICS = (
    ("timetable", "the sailings of a day and how long the crossing takes"),
    ("refund", "money back for a sailing that was late or did not sail"),
    ("cabin", "which cabin suits a party, and what is in it"),
    ("vehicle", "the length, height and price class of a vehicle"),
    ("lost_property", "things that were left on board, from a photograph"),
    ("weather", "whether the sea will be rough, in words that calm"),
    ("group", "prices for school classes and clubs"),
    ("menu", "what the kitchen has, with allergens"),
    ("access", "lifts, ramps and help for people who ask for it"),
    ("freight", "bookings of lorries, with papers for dangerous goods"),
)

_LOOK_UP = {
    "type": "function",
    "function": {
        "name": "look_up_sailing",
        "description": "Finds one sailing, its berth and its state",
        "parameters": {
            "type": "object",
            "properties": {
                "route": {"type": "string"},
                "day": {"type": "string", "format": "date"},
                "seats": {"type": "integer", "minimum": 1},
            },
            "required": ["route", "day"],
        },
    },
}

_VERDICT = {
    "type": "json_schema",
    "json_schema": {
        "name": "verdict",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "is_answered": {"type": "boolean"},
                "answer": {"type": "string"},
                "sailings": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["is_answered", "answer", "sailings"],
            "additionalProperties": False,
        },
    },
}

_MODELS = (
    ("openai", "openai/gpt-4o"),
    ("anthropic", "anthropic/claude-sonnet-4"),
    ("mistral", "mistral/mistral-large-latest"),
)


class Named(msgspec.Struct, frozen=True):
    """A deployment to be: its key, and the body of its put."""

    key: str
    body: dict[str, Any]


def rich(number: int) -> Named:
    """Deployment `number`, from 0."""
    kind = number % 10
    topic, subject = _TOPICS[kind]
    provider, model = _MODELS[kind % 3]
    has_tool, has_image, has_schema = kind % 2 == 0, kind in {1, 4, 7}, kind in {3, 9}
    parameters: dict[str, Any] = {"temperature": 0.2, "maxTokens": 700, "topP": 0.9}
    if has_schema:
        parameters |= {"responseFormat": _VERDICT, "seed": 7}
    messages: list[dict[str, Any]] = [
        {
            "role": "system",
            "content": f"You work at the desk of a ferry line and answer questions on {subject}. "
            "Write in {{language}}, and stay with the facts you are given. Three sentences are enough.",
        }
    ]
    if has_tool:
        asked = {"route": "North Quay - Gull Island", "day": "2026-07-14", "seats": 2}
        call = {"name": "look_up_sailing", "arguments": msgspec.json.encode(asked).decode()}
        messages += [
            {"role": "user", "content": "Two of us want to sail on the fourteenth, in the morning."},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"type": "function", "id": f"call_{kind}", "function": call}],
            },
            {"role": "tool", "tool_call_id": f"call_{kind}", "content": '{"sails":"09:40","berth":3,"state":"open"}'},
        ]
    if has_image:
        image = {"url": f"https://ferry.example/pictures/{topic}.jpg", "detail": "low"}
        messages.append(
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "This is what I mean: {{question}}"},
                    {"type": "image_url", "image_url": image},
                ],
            }
        )
    else:
        messages.append({"role": "user", "content": "{{question}}"})
    return Named(
        f"{topic}-{number:05}",
        {
            "description": f"Answers questions on {subject}",
            "prompt_config": {
                "tools": [_LOOK_UP] if has_tool else [],
                "model": model,
                "model_type": "chat",
                "model_parameters": parameters,
                "provider": provider,
                "messages": messages,
            },
        },
    )


class Plain:
    """Plain deployments; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        random_ = random.Random(seed)
        self._random = random_
        self._text = " ".join(random_.choices(_WORDS, k=100_000))
        self._item_overhead = len('{"id":"","created":"","updated":"","key":"","version":"1.0"},') + 36 + 2 * 24

    def make(self, number: int) -> Named:
        """Deployment `number`, from 0, of the size that `PLAIN_SIZES` says."""
        provider, model = _MODELS[number % 3]
        key = f"plain-{number:06}"
        body: dict[str, Any] = {
            "description": f"Deployment {number:06}",
            "prompt_config": {
                "tools": [],
                "model": model,
                "model_type": "chat",
                "model_parameters": {"temperature": 0.7, "maxTokens": 1024},
                "provider": provider,
                "messages": [{"role": "system", "content": ""}],
            },
        }
        length = PLAIN_SIZES[number % 10] - self._item_overhead - len(key) - len(msgspec.json.encode(body)) + 2
        start = self._random.randrange(len(self._text) - length)
        body["prompt_config"]["messages"][0]["content"] = self._text[start : start + length]
        return Named(key, body)
