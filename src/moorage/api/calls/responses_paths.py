"""The places of problems in a request of the Responses API: messages are validated, but the caller sent items."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.resolution.config import Object

_PATH: Final = re.compile(r"messages\[([0-9]+)\](?:\.tool_calls\[([0-9]+)\])?(.*)", re.DOTALL)
_PART: Final = re.compile(r"\.content\[([0-9]+)\](.*)", re.DOTALL)

#: The names of the fields of messages in an item of each type.
_NAMES: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "message": ((".image_url.url", ".image_url"), (".file.uri", ".file_url"), (".file.", ".")),
    "function_call": ((".function.", "."), (".id", ".call_id")),
    "function_call_output": ((".tool_call_id", ".call_id"), (".content", ".output")),
}

#: The names of fields in the form of chats, and those that the caller sent.
_FIELDS: Final = {
    "max_completion_tokens": "max_output_tokens", "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
}  # fmt: skip


def in_fields(error: InvalidBody) -> InvalidBody:
    """Return the error with the names of the fields of the Responses API."""
    return InvalidBody.of([
        Problem(_FIELDS.get(each.path) or each.path.replace("].function.", "]."), each.message)
        for each in error.problems
    ])  # fmt: skip


def in_items(
    error: InvalidBody, items: Sequence[Object], untranslated: Mapping[str, str], *, n_first: int
) -> InvalidBody:
    """Return the error with the paths of items.

    The first `n_first` messages are the instructions; `untranslated` has the paths of parts that no message has.
    """
    sources = _sources(items)

    def renamed(path: str) -> str:
        found = _PATH.fullmatch(path)
        number = int(found[1]) - n_first if found is not None else 0
        if found is None or number >= len(sources):
            return path
        if number < 0:
            return f"instructions{found[3].removeprefix('.content')}"
        index = sources[number][0 if found[2] is None else int(found[2]) + 1]
        return f"input[{index}]{_renamed(found[3], items[index], f'input[{index}]', untranslated)}"

    return InvalidBody.of([Problem(renamed(problem.path), problem.message) for problem in error.problems])


def _sources(items: Sequence[Object]) -> list[list[int]]:
    """Return the items of each message: that of its content, and its calls. The calls of a turn follow its text."""
    sources, is_turn = list[list[int]](), False
    for index, item in enumerate(items):
        kind = item.get("type", "message")
        if kind == "function_call" and is_turn:
            sources[-1].append(index)
        elif kind in _NAMES:
            sources.append([index, index] if kind == "function_call" else [index])
            is_turn = kind == "function_call" or item.get("role") == "assistant"
    return sources


def _renamed(rest: str, item: Object, path: str, untranslated: Mapping[str, str]) -> str:
    if (part := _PART.fullmatch(rest)) is not None:
        field, index = "output" if item.get("type") == "function_call_output" else "content", int(part[1])
        for position in range(len(item[field])):
            index += position <= index and f"{path}.{field}[{position}]" in untranslated
        rest = f".content[{index}]{part[2]}"
    for old, new in _NAMES[item.get("type", "message")]:
        rest = rest.replace(old, new, 1)
    return rest
