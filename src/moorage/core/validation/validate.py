"""Validation of a JSON value against a type: all problems with their paths, and normalized values.

`msgspec.convert` stops at the first problem, but a user who edits a configuration needs all of them. Clients cannot
parse some equivalent values (an optional `null`, a number as text), so these are normalized, and their paths reported.
Both follow from the types alone. A field with its own rule has `Annotated[T, Meta(extra={"normalize": function})]`,
where `function(value, path, report)` returns the value to validate further, or `DROP` to omit the field.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from msgspec import inspect

from moorage.core.errors.base import Problem
from moorage.core.validation.json_path import MAX_PATH, JsonPath, cut
from moorage.core.validation.messages import name_of, nearest, shown

DROP: Final = object()
MAX_PROBLEMS = 100
MAX_NORMALIZED = 200
_MAX_MESSAGE = 1_000  # characters
_MAX_SUGGESTIONS = 10
_MAX_CHOICES = 12

Options = tuple[inspect.Type, ...]


class Report:
    """The problems of a value, and the paths that were normalized. All lists and texts in it are bounded."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._normalized: list[JsonPath] = []
        self._suggestions = 0

    @property
    def is_full(self) -> bool:
        """Whether there are `MAX_PROBLEMS` already: further problems are not reported."""
        return len(self.problems) >= MAX_PROBLEMS

    @property
    def normalized(self) -> list[str]:
        """The paths that were normalized; dots at the end stand for more than `MAX_NORMALIZED`."""
        shown_paths = [str(path) for path in self._normalized[:MAX_NORMALIZED]]
        return [*shown_paths, "..."] if len(self._normalized) > MAX_NORMALIZED else shown_paths

    def problem(self, path: JsonPath | str, message: str) -> None:
        """Add a problem, unless there are `MAX_PROBLEMS` already."""
        if not self.is_full:
            self.problems.append(Problem(cut(str(path), MAX_PATH), cut(message, _MAX_MESSAGE)))

    def mark_normalized(self, path: JsonPath) -> None:
        """Record that the value at `path` was replaced by an equivalent one."""
        if len(self._normalized) <= MAX_NORMALIZED:
            self._normalized.append(path)

    def suggestion(self, value: Any, choices: Sequence[str]) -> str:
        """Return the question that ends a message; only the first problems have one, because it is slow."""
        if self._suggestions >= _MAX_SUGGESTIONS:
            return ""
        self._suggestions += 1
        return nearest(value, choices)


def validate(value: Any, to: Any) -> tuple[Any, Report]:
    """Validate a value against the type `to`.

    Returns:
        The normalized value and the report. If it has no problems, `msgspec.convert(value, to)` succeeds.
    """
    report = Report()
    return _validate(value, _type_info(to), JsonPath(), report), report


@cache
def _type_info(to: Any) -> inspect.Type:
    return inspect.type_info(to)


def _validate(value: Any, to: inspect.Type, path: JsonPath, report: Report) -> Any:
    if report.is_full:
        return value  # the rest is not reported
    if isinstance(to, inspect.Metadata):
        normalize: Callable[[Any, JsonPath, Report], Any] | None = (to.extra or {}).get("normalize")
        if normalize is not None:
            value = normalize(value, path, report)
            if value is DROP:
                return DROP
        return _validate(value, to.type, path, report)
    options = _options(to)
    chosen = _choose(value, options, path, report) if type(value) is dict else None
    for option in options if chosen is None else (chosen,):
        handler = _HANDLERS.get((type(option), type(value)))
        if handler is not None:
            return handler(value, option, path, report)
    if isinstance(value, str) and (number := _number_for(value, options)) is not None:
        report.mark_normalized(path)
        return number
    if not any(isinstance(option, inspect.AnyType) for option in options):
        expected = dict.fromkeys(_type_name(option) for option in options)
        report.problem(path, f"must be {' or '.join(expected)}, not {name_of(value)}")
    return value


def _object(value: dict[str, Any], to: inspect.StructType, path: JsonPath, report: Report) -> dict[str, Any]:
    fields = {field.encode_name: field for field in to.fields}
    result: dict[str, Any] = {}
    for key, child in value.items():
        field = fields.get(key)
        here = path / key
        if key == to.tag_field:
            result[key] = _tag(child, to, here, report)
        elif field is None:
            if to.forbid_unknown_fields and not report.is_full:
                report.problem(here, _unknown(key, [*fields, *([to.tag_field] if to.tag_field else [])], report))
        elif child is None and not field.required and not _nullable(field.type):
            report.mark_normalized(here)
        elif (normalized := _validate(child, field.type, here, report)) is not DROP:
            result[key] = normalized
    if to.tag_field is not None and to.tag_field not in value:
        report.problem(path / to.tag_field, f"is required, and must be {json.dumps(to.tag)}")
    for key, field in fields.items():
        if field.required and key not in value:
            report.problem(path / key, "is required")
    return result


def _tag(value: Any, to: inspect.StructType, path: JsonPath, report: Report) -> Any:
    if value != to.tag:
        report.problem(path, f"must be {json.dumps(to.tag)}")
    return value


def _array(value: list[Any], to: inspect.ListType, path: JsonPath, report: Report) -> list[Any]:
    if to.min_length is not None and len(value) < to.min_length:
        report.problem(path, "must not be empty" if to.min_length == 1 else f"must have at least {to.min_length} items")
    if to.max_length is not None and len(value) > to.max_length:
        report.problem(path, f"must have at most {to.max_length} items; got {len(value)}")
        return value
    normalized = (_validate(child, to.item_type, path / index, report) for index, child in enumerate(value))
    return [child for child in normalized if child is not DROP]


def _map(value: dict[str, Any], to: inspect.DictType, path: JsonPath, report: Report) -> dict[str, Any]:
    if isinstance(to.value_type, inspect.AnyType):
        return value
    if to.max_length is not None and len(value) > to.max_length:
        report.problem(path, f"must have at most {to.max_length} fields; got {len(value)}")
        return value
    result: dict[str, Any] = {}
    for key, child in value.items():
        here = path / key
        _validate(key, to.key_type, here, report)
        if (normalized := _validate(child, to.value_type, here, report)) is not DROP:
            result[key] = normalized
    return result


def _text(value: str, to: inspect.StrType, path: JsonPath, report: Report) -> str:
    if to.min_length is not None and len(value) < to.min_length:
        report.problem(
            path, "must not be empty" if to.min_length == 1 else f"must be at least {to.min_length} characters long"
        )
    elif to.max_length is not None and len(value) > to.max_length:
        report.problem(path, f"must be at most {to.max_length} characters long; got {len(value)}")
    elif to.pattern is not None and not re.fullmatch(to.pattern, value):
        report.problem(path, f"must match {to.pattern}")
    return value


def _choice(value: str, to: inspect.LiteralType, path: JsonPath, report: Report) -> str:
    if value not in to.values:
        choices = [str(choice) for choice in to.values]
        hint = report.suggestion(value, choices)
        report.problem(path, f"must be one of {_listed(choices, is_short=bool(hint))}; got {shown(value)}{hint}")
    return value


def _listed(choices: list[str], *, is_short: bool) -> str:
    """Return the choices; of a long list, only some if the reader needs no others."""
    if is_short and len(choices) > _MAX_CHOICES:
        return f"{', '.join(choices[:3])}, … ({len(choices)} values)"
    return ", ".join(choices)


def _number(value: Any, to: inspect.Type, path: JsonPath, report: Report) -> Any:
    # 512.0 and 512 are the same JSON number. Use one form, so that a round trip through a float is no change.
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _unchanged(value: Any, to: inspect.Type, path: JsonPath, report: Report) -> Any:
    return value


_HANDLERS: dict[tuple[type[inspect.Type], type], Callable[[Any, Any, JsonPath, Report], Any]] = {
    (inspect.StructType, dict): _object,
    (inspect.ListType, list): _array,
    (inspect.StrType, str): _text,
    (inspect.LiteralType, str): _choice,
    (inspect.IntType, int): _number,
    (inspect.FloatType, float): _number,
    (inspect.BoolType, bool): _unchanged,
    (inspect.NoneType, type(None)): _unchanged,
    (inspect.DictType, dict): _map,
    (inspect.AnyType, dict): _unchanged,
}


def _choose(value: dict[str, Any], options: Options, path: JsonPath, report: Report) -> inspect.Type | None:
    """Return the struct that the tag of an object selects. Report an unknown tag, and skip the other fields."""
    structs = [option for option in options if isinstance(option, inspect.StructType)]
    if len(structs) < 2:
        return None
    tag_field = structs[0].tag_field or "type"
    tags = [str(struct.tag) for struct in structs]
    found = value.get(tag_field)
    for struct in structs:
        if struct.tag == found:
            return struct
    here = path / tag_field
    if tag_field not in value:
        report.problem(here, f"is required: one of {', '.join(tags)}")
    else:
        report.problem(here, f"must be one of {', '.join(tags)}; got {shown(found)}{report.suggestion(found, tags)}")
    return inspect.AnyType()


def _options(to: inspect.Type) -> Options:
    return to.types if isinstance(to, inspect.UnionType) else (to,)


def _nullable(to: inspect.Type) -> bool:
    if isinstance(to, inspect.Metadata):
        return _nullable(to.type)
    return any(isinstance(option, inspect.NoneType | inspect.AnyType) for option in _options(to))


def _number_for(text: str, options: Options) -> float | None:
    """Return the number that a string contains, if one of the options is a number."""
    if not any(isinstance(option, inspect.FloatType) for option in options):
        return None
    try:
        number = json.loads(text)
    except ValueError:
        return None
    return _number(number, options[0], JsonPath(), Report()) if type(number) is int or _is_finite(number) else None


def _is_finite(number: object) -> bool:
    return type(number) is float and math.isfinite(number)


def _type_name(to: inspect.Type) -> str:
    names: dict[type[inspect.Type], str] = {
        inspect.StructType: "an object", inspect.DictType: "an object", inspect.ListType: "an array",
        inspect.StrType: "a string", inspect.IntType: "a number", inspect.FloatType: "a number",
        inspect.BoolType: "true or false", inspect.NoneType: "null",
    }  # fmt: skip
    if isinstance(to, inspect.LiteralType):
        return f"one of {', '.join(map(str, to.values))}"
    return names[type(to)]


def similar_field(name: str, fields: Sequence[str], report: Report) -> str:
    """Return the question whether another field was meant, or nothing: `maxTokens` for `max_tokens`, `input`…"""
    plain = {field.replace("_", "").lower(): field for field in fields}
    same = plain.get(name.replace("_", "").lower())
    return f". Did you mean {same!r}?" if same else report.suggestion(name, fields)


def _unknown(key: str, fields: list[str], report: Report) -> str:
    hint = similar_field(key, fields, report) or f"; the fields are {', '.join(fields)}"
    return f"is an unknown field{hint}"
