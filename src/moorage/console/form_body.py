"""Form to JSON and back: the name of a field is the path of its value in the body of the API.

After the path, a name can have a kind: `PATH` is a text as it is, `PATH:optional` a text that is left out if it is
empty, `PATH:json` a value as JSON, or a text that is not JSON, and `PATH:list` says that there is a list, which may be
empty. A text with a carriage return is always shown as JSON, because forms cannot carry one.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody, InvalidJson
from moorage.core.validation import strict_json

#: The lists whose items have fields of their own; all other lists are JSON.
LISTS: Final = ("prompt_config.messages", "prompt_config.tools", "variables")

#: The fields of a body that are its content. A form has other fields, too.
CONTENT: Final = ("prompt_config", "variables", "settings", "fallbacks", "retry_count", "variants", "routing")

#: The objects whose values have fields of their own.
_OBJECTS: Final = re.compile(
    r"(prompt_config|prompt_config\.model_parameters|prompt_config\.messages\[\d+\]|prompt_config\.tools\[\d+\]"
    r"|prompt_config\.tools\[\d+\]\.function|variables\[\d+\])"
)

#: Texts that are optional, so that an empty field leaves them out.
_OPTIONAL: Final = re.compile(
    r"variables\[\d+\]\.(value|description)|prompt_config\.(integration_id|tools\[\d+\]\.(display_name|function\.description)"
    r"|messages\[\d+\]\.tool_call_id)"
)

_PARAMETERS: Final = "prompt_config.model_parameters"
_PARAMETER: Final = re.compile(r"prompt_config\.model_parameters\.\w+")
_NAME: Final = re.compile(r"((?:[A-Za-z]\w*|\.[A-Za-z]\w*|\[\d{1,4}\])+)(?::(optional|json|list))?", re.ASCII)
_STEP: Final = re.compile(r"\[(\d+)\]|\.?(\w+)", re.ASCII)

_OMITTED: Final = object()

Fields = dict[str, str]


class FieldName(NamedTuple):
    """The parts of the name of a field."""

    path: str
    kind: str


def split_name(name: str) -> FieldName | None:
    """Return the path and the kind of a field of the content; None for other fields of a form."""
    found = _NAME.fullmatch(name)
    if found is None or re.split(r"[.\[]", found[1])[0] not in CONTENT:
        return None
    return FieldName(found[1], found[2] or "")


def fields_of(content: Mapping[str, Any]) -> Fields:
    """Return the fields of a content, whatever its shape is: `content_of` returns an equal one."""
    return {name: text for key in CONTENT if key in content for name, text in _fields(key, content[key])}


def content_of_version(version: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a version, as a body has it."""
    config = {name: value for name, value in version["prompt_config"].items() if name != "model_db_id"}
    others = {name: version[name] for name in CONTENT if name in version and (name in LISTS or version[name] != [])}
    return {**others, "prompt_config": {**config, "tools": version["tools"]}}


def _fields(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if path in LISTS and isinstance(value, list) and all(isinstance(item, dict) for item in value):
        yield f"{path}:list", ""
        for index, item in enumerate(value):
            yield from _fields(f"{path}[{index}]", item)
    elif value and isinstance(value, dict) and _OBJECTS.fullmatch(path) and all(map(_NAME.fullmatch, value)):
        for key, child in value.items():
            yield from _fields(f"{path}.{key}", child)
    elif path != _PARAMETERS or value != {}:
        yield _field(path, value)


def _field(path: str, value: Any) -> tuple[str, str]:
    """Return the name and the text of a field."""
    if _PARAMETER.fullmatch(path):
        return f"{path}:json", parameter_text(value)
    if isinstance(value, str) and "\r" not in value:
        if not _OPTIONAL.fullmatch(path):
            return path, value
        if value:
            return f"{path}:optional", value
    return f"{path}:json", as_json(value)


def as_json(value: Any) -> str:
    """Return a value as JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def parameter_text(value: Any) -> str:
    """Return the text of a parameter: a text that is not JSON is shown without quotes."""
    if isinstance(value, str) and "\r" not in value and _is_plain(value):
        return value
    return as_json(value)


def _is_plain(text: str) -> bool:
    try:
        return bool(_value(text) == text)
    except InvalidJson:
        return False


def _value(text: str) -> Any:
    """Return the value of a field of the kind `json`.

    Raises:
        InvalidJson: it begins as an array, an object or a text does, but is none.
    """
    stripped = text.strip()
    if not stripped:
        return _OMITTED
    try:
        return strict_json.parse(text.encode(errors="surrogatepass"))
    except InvalidJson:
        if stripped[0] in '[{"':
            raise
        return text


def content_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the content that fields describe. The keys of its objects are sorted, except inside a field.

    Raises:
        InvalidBody: a field has malformed JSON; with all of them.
    """
    root: dict[Any, Any] = {}
    problems = list[Problem]()
    for name, text in fields.items():
        found = split_name(name)
        if found is None:
            continue
        try:
            value = _leaf(found.kind, text)
        except InvalidJson as error:
            problems.append(Problem(found.path, error.message))
        else:
            if value is not _OMITTED:
                _set(root, found.path, value)
    if problems:
        raise InvalidBody.of(problems)
    content: dict[str, Any] = _plain(root)
    return content


def _leaf(kind: str, text: str) -> Any:
    if kind == "list":
        return _List()
    value = _value(text) if kind == "json" else _OMITTED if kind == "optional" and not text else text
    return _OMITTED if value is _OMITTED else _Leaf(value)


class _Leaf(NamedTuple):
    """The value of a field."""

    value: Any


class _List(dict[Any, Any]):
    """A list by its indexes."""


def _set(root: dict[Any, Any], path: str, value: Any) -> None:
    """Set the value at a path, unless there are fields for its parts."""
    steps = [int(index) if index else key for index, key in _STEP.findall(path)]
    node = root
    for step, following in pairwise(steps):
        child = node.get(step)
        if not isinstance(child, dict):
            child = node[step] = _List() if isinstance(following, int) else {}
        node = child
    if not isinstance(node.get(steps[-1]), dict):
        node[steps[-1]] = value


def _plain(node: Any) -> Any:
    if isinstance(node, _Leaf):
        return node.value
    if isinstance(node, _List):
        return [_plain(node[index]) for index in sorted(step for step in node if isinstance(step, int))]
    return {str(key): _plain(node[key]) for key in sorted(node, key=str)}


def renamed(fields: Mapping[str, str], path: str, change: Callable[[int], int | None]) -> Fields:
    """Return fields in which the items of a list have other indexes; an item without a new index is removed."""
    found = Fields()
    for name, text in fields.items():
        item = re.fullmatch(rf"{re.escape(path)}\[(\d+)\](.*)", name, re.DOTALL)
        index = change(int(item[1])) if item else 0
        if index is not None:
            found[f"{path}[{index}]{item[2]}" if item else name] = text
    return found


def indexes(fields: Mapping[str, str], path: str) -> list[int]:
    """Return the indexes of the items of a list that have fields."""
    items = (re.match(rf"{re.escape(path)}\[(\d+)\]", name) for name in fields)
    return sorted({int(item[1]) for item in items if item})
