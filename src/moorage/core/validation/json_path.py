"""The path of a value in a JSON document, such as `prompt_config.messages[2].role`."""

import json
from typing import Final

#: The maximum length of a path in a response, in characters.
MAX_PATH: Final = 500

#: The step to all items of an array, for the path of their schema.
EVERY_ITEM: Final = -1


class JsonPath:
    """A path as a chain of keys and indexes.

    Validation creates one for each value and shows very few. A text for each would repeat the keys above it: a body of
    90 KB with one long key needed 900 MB.
    """

    __slots__ = ("_parent", "_step")

    def __init__(self, step: str | int = "", parent: "JsonPath | None" = None) -> None:
        self._step = step
        self._parent = parent

    def __truediv__(self, step: str | int) -> "JsonPath":
        """Return the path of a field or an item of this value."""
        return JsonPath(step, self)

    def __str__(self) -> str:
        steps: list[str | int] = []
        path: JsonPath | None = self
        while path is not None:
            steps.append(path._step)
            path = path._parent
        text = ""
        for step in reversed(steps):
            if isinstance(step, int):
                text += "[]" if step == EVERY_ITEM else f"[{step}]"
            else:
                text = join(text, step)
        return cut(text, MAX_PATH)


def join(path: str, key: str) -> str:
    """Return the path of `key` inside `path`: `a.b`, or `a["b c"]` if the key is not a plain word."""
    if not key and not path:
        return ""  # the document itself
    if key.isidentifier() or key.replace("-", "_").isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key)}]"


def cut(text: str, length: int) -> str:
    """Return a text of at most `length` characters, with dots in place of its middle."""
    if len(text) <= length:
        return text
    end = length // 3
    return f"{text[: length - end - 1]}…{text[-end:]}"
