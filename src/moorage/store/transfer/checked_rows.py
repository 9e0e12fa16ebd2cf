"""The rows of a dump, with a report of those that cannot be decoded.

Any database must be able to store every row of a copy or a backup. SQLite stores values of any type, and keys to rows
that do not exist. Such rows are left out, and so are the rows that belong to them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from moorage.store.columns import COLUMNS
from moorage.store.engine import Row
from moorage.store.row_problems import is_storable, problem_of
from moorage.store.transfer.dump import DatabaseDump, TableSpec

#: The columns that name a row.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "project": ("id",), "api_key": ("id",), "deployment": ("id",), "version": ("id",),
    "integration": ("id",), "history": ("id",), "idempotency": ("project_id", "key"),
    "consumer": ("version_id", "api_key_id", "environment_id"), "environment": ("id",),
    "pointer": ("deployment_id", "environment_id"), "proposal": ("id",), "proposal_item": ("proposal_id", "n"),
    "approval": ("proposal_id", "api_key_id"), "try_case": ("deployment_id", "name"),
    "alias": ("project_id", "name", "deployment_id"),
}  # fmt: skip

#: The columns that name a row of another table.
_PARENTS: Mapping[str, Mapping[str, str]] = {
    "project": {}, "environment": {"project_id": "project"},
    "api_key": {"project_id": "project", "environment_id": "environment"}, "deployment": {"project_id": "project"},
    "version": {"deployment_id": "deployment"},
    "integration": {"project_id": "project"},
    "history": {
        "project_id": "project", "deployment_id": "deployment", "subject_key_id": "api_key",
        "integration_id": "integration", "environment_id": "environment", "proposal_id": "proposal",
    },
    "pointer": {"deployment_id": "deployment", "environment_id": "environment"},
    "proposal": {"project_id": "project", "environment_id": "environment"},
    "proposal_item": {"proposal_id": "proposal", "deployment_id": "deployment"},
    "approval": {"proposal_id": "proposal", "api_key_id": "api_key"},
    "idempotency": {"project_id": "project"},
    "consumer": {"version_id": "version", "api_key_id": "api_key"}, "try_case": {"deployment_id": "deployment"},
    "alias": {"project_id": "project", "deployment_id": "deployment"},
}  # fmt: skip

#: How many reports are kept; the counts are complete.
_MAX_REPORTS = 1_000


class RowReport(msgspec.Struct, frozen=True):
    """A row of `table` that cannot be decoded; if it `is_left_out`, the copy does not have it."""

    table: str
    name: str
    reason: str
    is_left_out: bool


class CheckedRows:
    """The rows of a dump that every database can store, and reports of the others."""

    def __init__(self, dump: DatabaseDump) -> None:
        self.dump = dump
        self.reports: list[RowReport] = []
        #: Table -> how many rows are left out, and how many are copied but cannot be decoded.
        self.left_out: Counter[str] = Counter()
        self.undecoded: Counter[str] = Counter()
        self._orphans = {(table, name): parent for table, name, parent in dump.orphans()}
        self._missing: defaultdict[str, set[object]] = defaultdict(set)

    def rows(self, table: TableSpec) -> Iterator[Row]:
        """Yield the rows of a table that every database can store. Call it for the tables in the order of `TABLES`."""
        for row in self.dump.rows(table):
            problem = problem_of(table.name, row)
            if problem is None and not self._orphans and not self._missing:
                yield row
                continue
            name = row_name(table.name, row)
            parent = self._missing_parent(table.name, name, row)
            if parent is not None:
                problem = parent
            if parent is not None or (problem is not None and not is_storable(table.name, row)):
                self._missing[table.name].add(name)
                self.left_out[table.name] += 1
                self._report(RowReport(table.name, name, problem or "", is_left_out=True))
                continue
            if problem is not None:
                self.undecoded[table.name] += 1
                self._report(RowReport(table.name, name, problem, is_left_out=False))
            yield row

    def _missing_parent(self, table: str, name: str, row: Row) -> str | None:
        if (table, name) in self._orphans:
            return f"it belongs to no row of {self._orphans[table, name]}"
        fields = COLUMNS[table].__struct_fields__
        for column, parent in _PARENTS[table].items():
            value = row[fields.index(column)]
            if value in self._missing.get(parent, ()):
                return f"it belongs to the row {value} of {parent}, which is left out"
        return None

    def _report(self, report: RowReport) -> None:
        if len(self.reports) < _MAX_REPORTS:
            self.reports.append(report)


def row_name(table: str, row: Row) -> str:
    """Return the values that name a row."""
    fields = COLUMNS[table].__struct_fields__
    values = [row[fields.index(column)] for column in _NAMES[table]]
    return " ".join(value if isinstance(value, str) else repr(value) for value in values)
