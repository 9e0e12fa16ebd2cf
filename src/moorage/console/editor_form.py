"""The form of the editor: its content, as fields or as one JSON document, and the buttons that change its shape."""

import re
from collections.abc import Mapping
from typing import Any, Final, Self

import msgspec

from moorage.console.editor_view import PARAMETERS
from moorage.console.form import Form
from moorage.console.form_body import (
    CONTENT,
    LISTS,
    Fields,
    as_json,
    content_of,
    fields_of,
    indexes,
    renamed,
    split_name,
)
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody, InvalidJson
from moorage.core.validation import strict_json

#: A content with more fields is edited as JSON: a page with more controls is slow in the server and in the browser.
MAX_FIELDS: Final = 2_000

#: The fields of the form besides its content.
OTHERS: Final = ("key", "description", "notes", "version_bump", "live")

_ITEM: Final = re.compile(r"(.+)\[(\d{1,4})\]", re.DOTALL)

_NEW_TOOL: Final = {"type": "function", "function": {"name": "", "parameters": {"type": "object", "properties": {}}}}


class EditorForm(msgspec.Struct):
    """What the form has: the fields of the content, or the text of a JSON document; and the other fields."""

    fields: Fields
    document: str | None = None
    others: dict[str, str] = {}

    @classmethod
    def of_content(cls, content: Mapping[str, Any], *, is_json: bool, **others: str) -> Self:
        """Return the form of a content."""
        fields = fields_of(content)
        if is_json or len(fields) > MAX_FIELDS:
            ordered = {name: content[name] for name in CONTENT if name in content}
            return cls({}, as_json(ordered), others)
        return cls(fields, None, others)

    @classmethod
    def of_form(cls, form: Form) -> Self:
        """Return what somebody sent."""
        others = {name: form.get(name) for name in OTHERS if name in form}
        if "document" in form:
            return cls({}, form.get("document"), others)
        return cls({name: text for name, text in form.fields if split_name(name)}, None, others)

    def content(self) -> dict[str, Any]:
        """Return the content that the form describes.

        Raises:
            InvalidBody: it is malformed JSON, at the path of a field, or of `document`.
        """
        if self.document is None:
            return content_of(self.fields)
        try:
            content = strict_json.parse(self.document.encode(errors="surrogatepass"))
        except InvalidJson as error:
            raise InvalidBody.of([Problem("document", error.message)]) from error
        if not isinstance(content, dict):
            raise InvalidBody.of([Problem("document", "must be an object")])
        return content

    def as_document(self) -> Self:
        """Return the same content as a JSON document.

        Raises:
            InvalidBody
        """
        return self.of_content(self.content(), is_json=True, **self.others)

    def as_fields(self) -> Self:
        """Return the same content as fields.

        Raises:
            InvalidBody: also if a part of it has no place in the form.
        """
        content = self.content()
        unknown = [name for name in content if name not in CONTENT]
        if unknown or not isinstance(content.get("prompt_config", {}), dict):
            path = unknown[0] if unknown else "prompt_config"
            raise InvalidBody.of([Problem("document", f"{path} has no place in the form: remove it, or stay here")])
        return self.of_content(content, is_json=False, **self.others)

    def moved(self, move: str, added: str = "") -> Self:
        """Return the form after a button; `added` is the parameter to add. An unknown button changes nothing.

        Raises:
            InvalidBody: the content cannot be shown in the other form.
        """
        if move == "as:json":
            return self if self.document is not None else self.as_document()
        if move == "as:form":
            return self if self.document is None else self.as_fields()
        path, _, action = move.partition(":")
        return msgspec.structs.replace(self, fields=_moved(self.fields, path, action, added))


def _moved(fields: Fields, path: str, action: str, added: str) -> Fields:
    item = _ITEM.fullmatch(path)
    if item and item[1] in LISTS and action in ("up", "down", "remove"):
        return _reordered(fields, item[1], int(item[2]), action)
    if path == PARAMETERS and action == "add" and re.fullmatch(r"\w+", added):
        return {f"{PARAMETERS}.{added}:json": ""} | fields
    if path.startswith(PARAMETERS) and action == "remove":
        return {name: text for name, text in fields.items() if name.partition(":")[0] != path}
    kind, _, name = action.partition(":")
    if path in LISTS and kind == "add":
        return fields | _new_item(path, max(indexes(fields, path), default=-1) + 1, name)
    return fields


def _reordered(fields: Fields, path: str, index: int, action: str) -> Fields:
    """Return the fields with an item removed, or in the place of its neighbour."""
    there = indexes(fields, path)
    if index not in there:
        return fields
    order = [each for each in there if each != index]
    if action != "remove":
        place = there.index(index) + (1 if action == "down" else -1)
        order.insert(max(place, 0), index)
    places = {each: place for place, each in enumerate(order)}
    return renamed(fields, path, places.get)


def _new_item(path: str, index: int, name: str) -> Fields:
    item: dict[str, Any] = {"key": name}
    if path.endswith("tools"):
        item = _NEW_TOOL
    elif path.endswith("messages"):
        item = {"role": name or "user", "content": ""}
    root, _, key = path.rpartition(".")
    before: list[dict[str, Any]] = [{}] * index
    new = fields_of({root: {key: [*before, item]}} if root else {key: [*before, item]})
    return {each: text for each, text in new.items() if each.startswith(f"{path}[{index}]")}
