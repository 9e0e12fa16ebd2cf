"""What is wrong in a row of a table: types, ranges, and texts without a meaning."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec

from moorage.core.access import Scope
from moorage.core.deployments.cases import CaseBody
from moorage.core.deployments.content import DECODE_ERRORS, StoredContent
from moorage.core.deployments.history import decode_changes
from moorage.core.deployments.ids import check_key
from moorage.core.errors.requests import InvalidKey
from moorage.core.integrations import decode_options
from moorage.store.column_problems import type_problem
from moorage.store.columns import COLUMNS
from moorage.store.engine import Row

_MAX_SHOWN = 60
_SCOPES = frozenset(scope.value for scope in Scope)
_decode_names = msgspec.json.Decoder(list[str]).decode


def problem_of(table: str, row: Row) -> str | None:
    """Return what is wrong in a row, without its prompts; None if Moorage can decode it."""
    kind = COLUMNS[table]
    found = type_problem(kind, row)
    if found is not None:
        return found
    for column, value in zip(kind.__struct_fields__, row, strict=True):
        if isinstance(value, str) and "\0" in value:
            return f"{column} has a NUL character"
    try:
        _MEANINGS[table](msgspec.convert(row, kind))
    except (ValueError, InvalidKey, *DECODE_ERRORS) as error:
        return str(error)[:500]
    return None


def is_storable(table: str, row: Row) -> bool:
    """Return whether every database can store a row: SQLite stores other types than those of its columns, too."""
    return all(
        isinstance(value, kinds) and not (isinstance(value, str) and "\0" in value)
        for value, kinds in zip(row, _stored_types(table), strict=True)
    )


def read_scopes(text: str) -> frozenset[Scope]:
    """Return the scopes of an API key.

    Raises:
        ValueError: a scope is unknown.
    """
    scopes = text.split()
    for scope in scopes:
        if scope not in _SCOPES:
            raise ValueError(f"scopes has {scope[:_MAX_SHOWN]!r}, which is no scope")
    return frozenset(map(Scope, scopes))


def _check_project(row: Any) -> None:
    if not row.name.isprintable():
        raise ValueError(f"name is {row.name!r}; it must be printable")


def _check_api_key(row: Any) -> None:
    read_scopes(row.scopes)


def _check_integration(row: Any) -> None:
    decode_options(row.options)


def _check_deployment(row: Any) -> None:
    check_key(row.key)


def _check_version(row: Any) -> None:
    content = StoredContent(row.prompt_config, row.variables, row.runtime_config)
    if content != StoredContent("", "", ""):  # permanently deleted
        content.decode()


def _check_entry(row: Any) -> None:
    if row.breaking:
        _decode_names(row.breaking)
    if row.changes:
        decode_changes(row.changes)


def _check_result(row: Any) -> None:
    msgspec.json.decode(row.result)


def _check_nothing(row: Any) -> None:
    """Its columns have no texts with a form of their own."""


def _check_item(row: Any) -> None:
    if row.breaking:
        _decode_names(row.breaking)


def _check_consumer(row: Any) -> None:
    _decode_names(row.inputs)


def _check_case(row: Any) -> None:
    msgspec.json.decode(row.body, type=CaseBody)


def _check_alias(row: Any) -> None:
    check_key(row.name)


#: Table -> raises an error if the texts of a row have no meaning.
_MEANINGS: Mapping[str, Callable[[Any], None]] = {
    "project": _check_project, "api_key": _check_api_key, "deployment": _check_deployment, "version": _check_version,
    "integration": _check_integration, "history": _check_entry, "idempotency": _check_result,
    "consumer": _check_consumer, "environment": _check_nothing, "pointer": _check_nothing, "proposal": _check_nothing,
    "proposal_item": _check_item, "approval": _check_nothing, "try_case": _check_case,
    "alias": _check_alias,
}  # fmt: skip


@cache
def _stored_types(table: str) -> list[tuple[type, ...]]:
    """Return the types that each column can have."""
    found = []
    for hint in get_type_hints(COLUMNS[table]).values():
        options = get_args(hint) or (hint,)
        found.append(tuple(option if isinstance(option, type) else str for option in options))
    return found
