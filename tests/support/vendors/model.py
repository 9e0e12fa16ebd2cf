"""A model that responds deterministically, so that a test can see in the response what arrived at the vendor.

The fake of each vendor translates a request to `Asked`, and an `Answer` to the form of its API. A token is a word.
"""

import json
from typing import Any, Literal

import msgspec

#: What a model that thinks thinks.
THOUGHT = "The user wants something."

Reason = Literal["stop", "length", "tool_calls"]


class Tool(msgspec.Struct, frozen=True):
    """A tool that the model can call; `schema` describes its arguments."""

    name: str
    schema: dict[str, Any]


class Medium(msgspec.Struct, frozen=True):
    """An image or a file: its media type with the number of bytes, or its URL."""

    description: str


class Asked(msgspec.Struct):
    """A request. `results` are those of tools after the last message of the user."""

    model: str
    texts: list[str] = []
    last: str = ""
    results: list[str] = []
    media: list[Medium] = []
    tools: list[Tool] = []
    must_call: bool = False
    schema: dict[str, Any] | None = None
    is_json: bool = False
    thinks: bool = False
    max_tokens: int | None = None
    choices: int = 1

    def add(self, role: str, text: str, media: list[Medium]) -> None:
        """Add a message of a conversation."""
        self.texts.append(text)
        self.media += media
        if role == "user":
            self.last, self.results = text, []
        elif role == "tool":
            self.results.append(text)


class Call(msgspec.Struct, frozen=True):
    """A call of a tool."""

    id: str
    name: str
    arguments: dict[str, Any]

    @property
    def json(self) -> str:
        """The arguments as a JSON text."""
        return json.dumps(self.arguments)


class Answer(msgspec.Struct):
    """A response."""

    text: str = ""
    thought: str | None = None
    calls: list[Call] = []
    reason: Reason = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    thought_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """The tokens of the prompt and of the response."""
        return self.prompt_tokens + self.completion_tokens


def answer(asked: Asked) -> Answer:
    """Return the response of the model.

    It calls the tools that the last text names, and otherwise repeats what it was told and describes what it was shown.
    """
    found = Answer(prompt_tokens=sum(len(text.split()) for text in asked.texts) + len(asked.media))
    called = [tool for tool in asked.tools if tool.name in asked.last] or (asked.tools if asked.must_call else [])
    if called and not asked.results:
        found.calls = [Call(f"call_{index}", tool.name, sample(tool.schema)) for index, tool in enumerate(called)]
        found.reason = "tool_calls"
    elif asked.schema is not None:
        found.text = json.dumps(sample(asked.schema))
    elif asked.is_json:
        found.text = json.dumps({"said": asked.last})
    else:
        found.text = _said(asked)
    if asked.thinks:
        found.thought = THOUGHT
    words = found.text.split(" ")
    if asked.max_tokens is not None and len(words) > asked.max_tokens:
        found.text, found.reason = " ".join(words[: asked.max_tokens]), "length"
    found.thought_tokens = len((found.thought or "").split())
    spoken = [found.text, *(f"{call.name} {call.json}" for call in found.calls)]
    found.completion_tokens = found.thought_tokens + sum(len(text.split()) for text in spoken)
    return found


def _said(asked: Asked) -> str:
    said = f"The tool said: {', '.join(asked.results)}" if asked.results else f"You said: {asked.last}"
    return said + "".join(f" I see {medium.description}." for medium in asked.media)


def sample(schema: dict[str, Any]) -> Any:
    """Return a value that a JSON Schema describes; a text is the path of its property."""
    return _sample(schema, "value")


def _sample(schema: dict[str, Any], name: str) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {key: _sample(each, key) for key, each in schema.get("properties", {}).items()}
        case "array":
            return [_sample(schema.get("items", {}), name)]
        case "integer" | "number":
            return 7
        case "boolean":
            return True
    return f"a {name} in Zürich"


def pieces(text: str) -> list[str]:
    """Return a text in the pieces in which models stream it: a word with the space before it."""
    first, *others = text.split(" ")
    return [first, *(f" {word}" for word in others)]


def halves(text: str) -> tuple[str, str]:
    """Return the two halves of a text."""
    middle = len(text) // 2
    return text[:middle], text[middle:]
