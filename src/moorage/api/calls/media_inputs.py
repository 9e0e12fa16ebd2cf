"""Images and files as values of variables: a message that has the variable in a text gets a part with the image there.

Templates render texts only. So such a value is rendered as a mark, and each mark is replaced after that.
"""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.resolution.config import MAX_CALL_BODY, Object, ResolvedConfig

#: The most parts that the variables of a request become, and the most characters of these: a template can repeat them.
_MAX_PARTS: Final = 1_000
_MAX_SIZE: Final = MAX_CALL_BODY

#: Roles of messages that can have images.
_ROLES: Final = ("user", "prompt")


class MediaInputs(msgspec.Struct, frozen=True):
    """The values of variables that are no texts: a part of a message for each path. `mark` is random."""

    mark: str = ""
    parts: Sequence[tuple[str, Object]] = ()

    @classmethod
    def of(cls, parts: Mapping[str, Object]) -> "MediaInputs":
        """Return the values for the paths of variables, such as `prompt.variables.photo`."""
        return cls(f"media{secrets.token_hex(16)}", [*parts.items()]) if parts else NO_MEDIA

    def inputs(self) -> dict[str, str]:
        """Return the mark of each path."""
        return {path: f"{self.mark}x{index}x" for index, (path, _) in enumerate(self.parts)}

    def applied_to(self, config: ResolvedConfig) -> ResolvedConfig:
        """Return a configuration with parts in place of the marks.

        Raises:
            InvalidBody: a message cannot have them, or they are too many.
        """
        return _Replacement(self).config(config)


NO_MEDIA: Final = MediaInputs()


class _Replacement:
    def __init__(self, media: MediaInputs) -> None:
        self._media = media
        self._pattern = re.compile(f"{media.mark}x([0-9]{{1,9}})x")
        self._sizes = [sum(len(str(value)) for value in _texts_of(part)) for _, part in media.parts]
        self._n_parts = self._size = 0

    def config(self, config: ResolvedConfig) -> ResolvedConfig:
        messages = [self._message(message) for message in config.messages]
        return msgspec.structs.replace(config, messages=messages)

    def _message(self, message: Object) -> Object:
        content, role = message.get("content"), message["role"]
        if isinstance(content, str):
            if self._media.mark not in content:
                return message
            return {**message, "content": [*self._split(content, role)]}
        if not isinstance(content, list):
            return message
        return {**message, "content": [new for part in content for new in self._part(part, role)]}

    def _part(self, part: Object, role: str) -> Iterator[Object]:
        """Yield what becomes of a part. The address of an image can be a variable, too."""
        if part.get("type") == "text":
            yield from self._split(part["text"], role, part)
            return
        for text in _texts_of(part):
            if self._media.mark in text:
                found = self._pattern.fullmatch(text)
                if found is None:
                    index = self._index(self._pattern.search(text))
                    raise self._problem(index, "is a part of an address; an image or a file must be all of it")
                yield self._of(self._index(found), role)
                return
        yield part

    def _split(self, text: str, role: str, part: Object | None = None) -> Iterator[Object]:
        position = 0
        for found in self._pattern.finditer(text):
            if found.start() > position:
                yield {**(part or {"type": "text"}), "text": text[position : found.start()]}
            yield self._of(self._index(found), role)
            position = found.end()
        if position < len(text) or not text:
            yield {**(part or {"type": "text"}), "text": text[position:]}

    def _index(self, found: re.Match[str] | None) -> int:
        return min(int(found[1]), len(self._media.parts) - 1) if found is not None else 0

    def _of(self, index: int, role: str) -> Object:
        if role not in _ROLES:
            raise self._problem(index, f"is an image or a file in a message with the role {role!r}; send a text")
        self._n_parts, self._size = self._n_parts + 1, self._size + self._sizes[index]
        if self._n_parts > _MAX_PARTS or self._size > _MAX_SIZE:
            limit = f"{_MAX_PARTS} parts or {_MAX_SIZE} characters"
            raise self._problem(index, f"is repeated by the templates, which makes more than {limit}")
        return self._media.parts[index][1]

    def _problem(self, index: int, message: str) -> InvalidBody:
        return InvalidBody.of([Problem(self._media.parts[index][0], message)])


def _texts_of(part: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of a part and of its object, without their names."""
    for name, value in part.items():
        if isinstance(value, str) and name != "type":
            yield value
        elif isinstance(value, dict):
            yield from (each for each in value.values() if isinstance(each, str))
