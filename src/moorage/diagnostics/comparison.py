"""Comparison of the rows of a table with the rows that follow from the history."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import UNSET

from moorage.core.deployments.history import description_sha256
from moorage.core.integrations import sealed_sha256, settings_sha256
from moorage.diagnostics.check_result import BoundedFindings, CheckResult
from moorage.diagnostics.replay import ExpectedRow
from moorage.store.row_problems import problem_of
from moorage.store.transfer.dump import (
    DEPLOYMENTS,
    INTEGRATIONS,
    POINTERS,
    DatabaseDump,
    TableSpec,
)

FoundRow = dict[str, Any]

NOT_CREATED = "no history entry created it"

#: Columns that are compared by a hash, as they are called in findings.
_HASHED = {
    "description_sha256": "its description", "text_sha256": "its content, notes or description",
    "settings_sha256": "its address, with its options,", "sealed_sha256": "the text of its encrypted credentials",
}  # fmt: skip

#: The number of characters of a value in a finding.
_MAX_SHOWN = 80


def compare_table(
    dump: DatabaseDump,
    table: TableSpec,
    kind: str,
    expected: Iterable[ExpectedRow],
    apply_later: Callable[[ExpectedRow, object], None],
) -> CheckResult:
    """Compare the rows of a table with the expected rows, which are in the same order.

    `apply_later` applies to an expected row what followed its last entry, up to the revision of the row.
    """
    findings, count, columns, remaining = BoundedFindings(), 0, table.columns, iter(expected)
    following = next(remaining, None)
    for row in dump.rows(table):
        count += 1
        found = dict(zip(columns, row, strict=True))
        if table.name in _PREPARE:
            _PREPARE[table.name](found)
        called = found.get("key") or found.get("name")
        name = f"{kind} ({found['id']})" if called is None else f"{kind} {shown(called)} ({found['id']})"
        if following is None or following["id"] != found["id"]:
            findings.add(f"{name}: {NOT_CREATED}")
            continue
        apply_later(following, found["rev"])
        if problem_of(table.name, row) is None:  # otherwise, it is a finding of the rows
            compare_row(findings, name, found, following)
        following = next(remaining, None)
    return CheckResult(f"{kind}s, compared with the history ({count:,} {kind}s)", findings.texts())


def compare_row(findings: BoundedFindings, name: str, found: FoundRow, expected: ExpectedRow) -> None:
    """Add a finding for each column that differs from the expected row."""
    for column, value in found.items():
        wanted = expected.get(column, UNSET)
        if type(value) is type(wanted) and value == wanted:
            continue
        if column.endswith("_sha256"):
            findings.add(f"{name}: {_HASHED.get(column, column)} differs from the history")
        else:
            findings.add(f"{name}: {column} is {shown(value)}, and {shown(wanted)} in the history")


def shown(value: object) -> str:
    """Return a value as it is in a finding."""
    if value is None or value is UNSET:
        return "empty"
    text = str(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def pointer_id(deployment_id: object, environment_id: object) -> str:
    """Return the name of a row of `pointer`, which has two ids."""
    return f"{deployment_id} {environment_id}"


def _prepare_deployment(found: FoundRow) -> None:
    text = found.pop("description")
    found["description_sha256"] = description_sha256(text) if isinstance(text, str) else "not a text"


def _prepare_integration(found: FoundRow) -> None:
    found["settings_sha256"] = settings_sha256(_text(found.pop("base_url")), _text(found.pop("options")))
    sealed = (_text(found.pop(column)) for column in ("credentials", "headers", "key_id"))
    found["sealed_sha256"] = sealed_sha256(*sealed)


def _prepare_pointer(found: FoundRow) -> None:
    found["id"] = pointer_id(found["deployment_id"], found["environment_id"])


#: Table -> replaces columns of a row by those of the expected row: texts by their hashes, two ids by one.
_PREPARE: Mapping[str, Callable[[FoundRow], None]] = {
    DEPLOYMENTS.name: _prepare_deployment, INTEGRATIONS.name: _prepare_integration, POINTERS.name: _prepare_pointer,
}  # fmt: skip


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else "not a text"
