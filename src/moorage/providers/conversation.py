"""The messages of a configuration, before their translation: only known roles, and each tool call has an id."""

import hashlib
import re
from typing import Any

import msgspec

from moorage.core.resolution.config import Object
from moorage.core.validation.strict_json import MAX_DEPTH
from moorage.providers.request import Translation

#: Roles of notes about a model's output, which are not a part of the conversation.
_NOTES = ("exception", "correction", "expected_output")

_ROLES = {"prompt": "user"}

#: The fields of messages by role. Other fields of a request are unknown: nobody has validated them.
_FIELDS = {
    "system": ("content", "name"), "developer": ("content", "name"), "user": ("content", "name"),
    "assistant": ("content", "name", "tool_calls", "refusal", "audio", "reasoning_content"),
    "tool": ("content", "tool_call_id", "cache_control"),
}  # fmt: skip


class Turn:
    """A message with the path that errors name."""

    def __init__(self, path: str, message: Object, role: str) -> None:
        self.path, self.role = path, role
        self.message: Object = {name: value for name, value in message.items() if name in _FIELDS[role]}
        self.calls: list[Object] = [dict(call) for call in self.message.get("tool_calls") or ()]
        self.call_id: str | None = self.message.get("tool_call_id")

    def parts(self) -> list[tuple[str, Object]]:
        """Return the parts of the content with their paths; a text is one part."""
        content = self.message.get("content")
        if content is None:
            return []
        if isinstance(content, str):
            return [(f"{self.path}.content", {"type": "text", "text": content})]
        return [(f"{self.path}.content[{index}]", part) for index, part in enumerate(content)]


def turns(messages: list[Object], translation: Translation) -> list[Turn]:
    """Return the messages to send.

    Providers require the id of a call in the call and its result; stored messages can omit both. A result without an
    id belongs to the earliest call without a result.

    Raises:
        NotSupportedByProvider: a result has no call, or another role than the assistant's has calls.
    """
    found: list[Turn] = []
    waiting: list[Object] = []
    for index, message in enumerate(messages):
        path, role = f"messages[{index}]", str(message["role"])
        if role in _NOTES:
            translation.omit(path, f"a message with the role {role!r} is not a part of the conversation")
            continue
        turn = Turn(path, message, _ROLES.get(role, role))
        if turn.role == "tool":
            turn.call_id = _answered(turn, waiting, translation)
        elif message.get("tool_call_id"):
            translation.omit(f"{path}.tool_call_id", f"a message with the role {role!r} is not the result of a call")
        if message.get("tool_calls") and turn.role != "assistant":
            raise translation.reject(f"{path}.tool_calls", "only a message with the role 'assistant' has tool calls")
        waiting += turn.calls
        found.append(turn)
    for turn in found:
        for index, call in enumerate(turn.calls):
            call["id"] = call.get("id") or _generated(turn, index)
    return found


def accepted_id(call_id: str, pattern: re.Pattern[str], form: str = "call_{:.24}") -> str:
    """Return the id of a tool call for a provider that takes only some: the same for the same id.

    Ids of other providers arrive in conversations that a fallback continues.
    """
    if pattern.fullmatch(call_id):
        return call_id
    return form.format(hashlib.sha256(call_id.encode(errors="replace")).hexdigest())


def read_object(text: str) -> Object | None:
    """Return the object in a JSON text; None for another value, and for one with too many levels to send on."""
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
    # Few brackets cannot be too deep, and most texts have few.
    is_flat = text.count("{") + text.count("[") <= MAX_DEPTH
    return value if isinstance(value, dict) and (is_flat or _has_depth(value)) else None


def _has_depth(value: Object) -> bool:
    """Return whether a value has at most `MAX_DEPTH` levels."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return True
    return False


def _answered(turn: Turn, waiting: list[Object], translation: Translation) -> str:
    """Remove the call that a result belongs to from `waiting`, and return its id."""
    by_id = [call for call in waiting if turn.call_id and call.get("id") == turn.call_id]
    without_id = [call for call in waiting if not call.get("id")]
    for call in (*by_id, *without_id) if turn.call_id else waiting:
        waiting[:] = [other for other in waiting if other is not call]
        call["id"] = turn.call_id or call.get("id") or f"call_{turn.path[9:-1]}"
        return str(call["id"])
    if turn.call_id:
        return turn.call_id
    raise translation.reject(f"{turn.path}.tool_call_id", "it is empty, and no tool call before it lacks a result")


def _generated(turn: Turn, index: int) -> str:
    return f"call_{turn.path[9:-1]}_{index}"
