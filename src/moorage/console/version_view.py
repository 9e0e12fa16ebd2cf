"""A version as its page shows it: texts with their variables marked, tools, rules; all of it bounded."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

#: A page shows so many messages, tools, rules and variables; its JSON has all of them.
MAX_SHOWN: Final = 200

#: So many variables of a text are marked.
_MAX_MARKED: Final = 1_000

#: The largest content that a page shows as JSON or YAML, in bytes.
MAX_DOCUMENT: Final = 200_000

_OPERATORS: Final = {"eq": "=", "ne": "≠", "gt": ">", "gte": "≥", "lt": "<", "lte": "≤"}

_VARIABLE: Final = re.compile(r"\{\{\s*[#^/&]?\s*([^{}\s]{1,200})[^{}\n]{0,200}\}\}")


class Segment(msgspec.Struct, frozen=True):
    """A part of a text. `kind` is empty for plain text, else that of a variable: known, needed or unknown."""

    text: str
    kind: str = ""


class ShownMessage(msgspec.Struct, frozen=True):
    """A message: its place, its role, and its parts in order."""

    path: str
    role: str
    parts: list[list[Segment]]
    characters: int


def messages(version: Mapping[str, Any]) -> list[ShownMessage]:
    """Return the messages of a version with the variables marked."""
    values = {variable["key"]: variable.get("value") for variable in version["variables"]}
    return [
        _message(index, message, values)
        for index, message in enumerate(version["prompt_config"].get("messages", [])[:MAX_SHOWN])
    ]


def _message(index: int, message: Mapping[str, Any], values: Mapping[str, Any]) -> ShownMessage:
    texts = [*_texts(message.get("content")), *map(_compact, message.get("tool_calls", []))]
    parts = [marked(text, values) for text in texts]
    return ShownMessage(f"messages[{index}]", message["role"], parts, sum(map(len, texts)))


def _texts(content: Any) -> Iterator[str]:
    """Yield the text of a content, or of each of its parts; a part of another kind as JSON: it is never loaded."""
    if isinstance(content, str):
        yield content
    elif content is not None:
        for part in content[:MAX_SHOWN]:
            text = part.get("text") if isinstance(part, dict) else None
            yield text if isinstance(text, str) else _compact(part)


def marked(text: str, values: Mapping[str, Any]) -> list[Segment]:
    """Return a text as segments; `values` has the declared variables with their defaults, or None."""
    segments, end = list[Segment](), 0
    for found in islice(_VARIABLE.finditer(text), _MAX_MARKED):
        if found.start() > end:
            segments.append(Segment(text[end : found.start()]))
        name = found[1] if found[1] in values else found[1].partition(".")[0]
        kind = "unknown" if name not in values else "needed" if values[name] in (None, "") else "known"
        segments.append(Segment(found[0], kind))
        end = found.end()
    if end < len(text):
        segments.append(Segment(text[end:]))
    return segments


def variables_of(text: str) -> list[str]:
    """Return the names of the variables in a text."""
    return [found[1] for found in islice(_VARIABLE.finditer(text), _MAX_MARKED)]


def parameters(version: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of the model, as short texts."""
    return {name: short(value) for name, value in version["prompt_config"].get("model_parameters", {}).items()}


def arguments(tool: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return the arguments of a tool: name, type, whether it is required, description."""
    schema = tool["function"].get("parameters") or {}
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return []
    names: Sequence[Any] = required if isinstance(required, list) else ()
    shown = islice(properties.items(), MAX_SHOWN)
    return [
        (name, short(_field(each, "type")), "yes" if name in names else "no", short(_field(each, "description")))
        for name, each in shown
    ]


def _field(value: Any, name: str) -> Any:
    return value.get(name, "") if isinstance(value, dict) else ""


def rules(version: Mapping[str, Any]) -> list[tuple[int, list[str], str, str]]:
    """Return the routing table: number, conditions, share, variant; the default is number 0."""
    found = version.get("routing") or []
    rows = [
        (number, list(_conditions(rule.get("when") or {})), _share(rule.get("split")),
         rule["variant"])
        for number, rule in enumerate(found[:MAX_SHOWN], 1)
    ]  # fmt: skip
    return [*rows, (0, [], "", "default")] if rows else []


def _share(split: Mapping[str, Any] | None) -> str:
    return f"{split['percent']} % by {short(split['by'])}" if split else ""


def _conditions(when: Mapping[str, Any]) -> Iterator[str]:
    for attribute, operators in islice(when.items(), MAX_SHOWN):
        for operator, value in operators.items():
            values = value if isinstance(value, list) else [value]
            yield short(f"{attribute} {_OPERATORS.get(operator, operator)} {' or '.join(map(short, values))}")


def short(value: Any, length: int = 300) -> str:
    """Return a value as a short text: a string as it is, else as JSON."""
    text = value if isinstance(value, str) else _compact(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def document(key: str, description: str, version: Mapping[str, Any], aliases: Sequence[str] = ()) -> dict[str, Any]:
    """Return a version as a file for `moorage apply` has it."""
    prompt_config = {name: value for name, value in version["prompt_config"].items() if name != "model_db_id"}
    prompt_config["tools"] = version["tools"]
    fields = {"key": key, "description": description, **_without_empty({"aliases": [*aliases]})}
    fields["prompt_config"] = _without_empty(prompt_config)
    names = ("variables", "settings", "fallbacks", "retry_count", "variants", "routing")
    return fields | _without_empty({name: version[name] for name in names if name in version})


def _without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def more(values: Iterable[Any]) -> int:
    """Return how many values a page leaves out."""
    return max(0, len(list(values)) - MAX_SHOWN)
