"""The templates in messages: the texts that the inputs of a request fill."""

from collections.abc import Iterable, Iterator
from typing import Any

Object = dict[str, Any]

#: Type of a part -> the field with the object whose fields are templates (empty: the part itself), and these fields.
_TEMPLATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "text": ("", ("text",)),
    "image_url": ("image_url", ("url",)),
    "file": ("file", ("file_data", "uri", "mimeType", "filename")),
}


def templates_in(messages: Iterable[Object]) -> Iterator[tuple[str, str]]:
    """Yield the templates in messages, in order, each with its path, such as `[0].content[1].file.uri`."""
    for index, message in enumerate(messages):
        path, content = f"[{index}].content", message["content"]
        if isinstance(content, str):
            yield path, content
        for number, part in enumerate(content if isinstance(content, list) else ()):
            inner, fields = _TEMPLATES[part["type"]]
            owner, where = (part[inner], f"{path}[{number}].{inner}") if inner else (part, f"{path}[{number}]")
            yield from ((f"{where}.{name}", owner[name]) for name in fields if name in owner)


def with_texts(message: Object, texts: Iterator[str]) -> Object:
    """Return a message with the next texts instead of its templates, in the same order."""
    content = message["content"]
    if isinstance(content, str):
        return {**message, "content": next(texts)}
    if isinstance(content, list):
        return {**message, "content": [_filled_part(part, texts) for part in content]}
    return message


def _filled_part(part: Object, texts: Iterator[str]) -> Object:
    inner, fields = _TEMPLATES[part["type"]]
    owner = part[inner] if inner else part
    changed = {**owner, **{name: next(texts) for name in fields if name in owner}}
    return {**part, inner: changed} if inner else changed
