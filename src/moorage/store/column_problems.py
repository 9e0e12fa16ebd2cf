"""What is wrong with a row that another program changed, in words: the column, its value, and what it must be."""

import re
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from moorage.store.columns import TableRow
from moorage.store.engine import Row

#: Columns whose values are not shown.
_PRIVATE = frozenset(
    {
        "token_sha256",
        "prompt_config",
        "variables",
        "runtime_config",
        "result",
        "body",
        "inputs",
        "options",
        "credentials",
        "headers",
    }
)

_MAX_SHOWN = 60
_PLACE = re.compile(r"`\$\[(\d+)\]")


def type_problem(kind: type[TableRow], row: Row) -> str | None:
    """Return which column of a row has another type or range than its table; None if none has."""
    try:
        msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        if place is None:
            return str(error)
        column, value = kind.__struct_fields__[int(place[1])], row[int(place[1])]
        return f"{column} is {_shown(column, value)}; it must be {_expected(kind, column)}"
    return None


def _shown(column: str, value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"a blob or a text that is not UTF-8 ({len(value)} bytes)"
    if column in _PRIVATE and isinstance(value, str):
        return f"a text of {len(value)} characters"
    shown = repr(value)
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}…"


def _expected(kind: type[TableRow], column: str) -> str:
    hint = get_type_hints(kind, include_extras=True)[column]
    optional = type(None) in get_args(hint) and get_origin(hint) is not Literal
    if optional:
        hint = next(each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is Annotated:
        text = next(meta.description for meta in get_args(hint) if isinstance(meta, Meta)) or ""
    elif get_origin(hint) is Literal:
        text = f"one of {', '.join(get_args(hint))}"
    else:
        text = {str: "a text", int: "a whole number"}[hint]
    return f"{text}, or NULL" if optional else text
