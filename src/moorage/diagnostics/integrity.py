"""The checks of `moorage db check`. They read the whole database and change nothing."""

from collections.abc import Iterator

from moorage.core.deployments.deployment import FIRST_VERSION, VersionNumber
from moorage.core.errors.storage import StorageError
from moorage.diagnostics.check_result import CheckResult
from moorage.diagnostics.history import Head
from moorage.diagnostics.ledger import Ledger
from moorage.diagnostics.rows import content_is_unchanged, emptied_findings, revision_findings, row_finding
from moorage.store.engine import Row
from moorage.store.store import Store
from moorage.store.transfer.checked_rows import row_name
from moorage.store.transfer.dump import HISTORY, TABLES, VERSIONS, DatabaseDump

_columns = VERSIONS.columns
_ID, _DEPLOYMENT, _MAJOR, _MINOR = (_columns.index(name) for name in ("id", "deployment_id", "major", "minor"))
_CONFIG, _VARIABLES, _RUNTIME_CONFIG, _SHA256 = (
    _columns.index(name) for name in ("prompt_config", "variables", "runtime_config", "content_sha256")
)


def check(store: Store, expected: Head | None = None, *, is_backup: bool = False) -> Iterator[CheckResult]:
    """Yield the results of all checks. All except the first read the same committed state.

    The history must contain the head `expected`. The entries of a backup can be older than the secret key.

    Raises:
        StorageUnavailable: the database is unreachable.
    """
    yield CheckResult("database files", store.damage())
    try:
        with store.dump() as dump:
            yield _check_revisions(dump)
            ledger = Ledger(dump, store.secret_keys, expected, is_backup=is_backup)
            yield from ledger.history()
            yield _check_contents(dump)
            yield _check_version_numbers(dump)
            yield _check_live_versions(dump)
            yield _check_aliases(dump)
            yield from ledger.rows()
    except StorageError as error:
        yield CheckResult("readability of all rows", [str(error.fields.get("reason", error))])


def _check_revisions(dump: DatabaseDump) -> CheckResult:
    count, findings = 0, [*revision_findings(dump), *emptied_findings(dump)]
    for table in TABLES:
        column = table.columns.index("rev") if "rev" in table.columns else None
        for row in dump.rows(table):
            count += 1
            if (finding := row_finding(table, row)) is not None:
                findings.append(finding)
            elif column is not None and row[column] > dump.rev:
                name = row[column] if table is HISTORY else row_name(table.name, row)
                findings.append(
                    f"row {name} of table {table.name}: its revision {row[column]} is newer than the current revision"
                    f" {dump.rev}"
                )
    return CheckResult(f"revisions of all rows ({count:,} rows, current revision {dump.rev:,})", findings)


def _check_contents(dump: DatabaseDump) -> CheckResult:
    count, purged, findings = 0, 0, []
    for row in dump.rows(VERSIONS):
        if not row[_CONFIG]:
            purged += 1
            continue
        count += 1
        if not content_is_unchanged(row[_CONFIG], row[_VARIABLES], row[_RUNTIME_CONFIG], row[_SHA256]):
            findings.append(f"{_label(row)}: its content was changed after it was written")
    return CheckResult(f"content hashes ({count:,} versions, without {purged:,} purged versions)", findings)


def _check_version_numbers(dump: DatabaseDump) -> CheckResult:
    """Check that the versions of each deployment are numbered from 1.0 without gaps."""
    deployment, expected, count = None, {FIRST_VERSION}, 0
    findings = []
    for row in dump.rows(VERSIONS):
        if row[_DEPLOYMENT] != deployment:
            deployment, expected, count = row[_DEPLOYMENT], {FIRST_VERSION}, count + 1
        if not (isinstance(row[_MAJOR], int) and isinstance(row[_MINOR], int)):
            continue  # a finding of the rows
        number = VersionNumber(row[_MAJOR], row[_MINOR])
        if number not in expected:
            missing = " or ".join(sorted(map(str, expected)))
            findings.append(f"{_label(row)}: the version before it is missing ({missing})")
        expected = {number.next("minor"), number.next("major")}
    return CheckResult(f"version numbers ({count:,} deployments)", findings)


def _check_live_versions(dump: DatabaseDump) -> CheckResult:
    findings = [
        f"deployment {key} ({deployment_id}): its live version {version_id} is not one of its versions"
        for deployment_id, key, version_id in dump.stray_pointers()
    ]
    return CheckResult(f"live versions ({dump.counts()['deployment']:,} deployments)", findings)


def _check_aliases(dump: DatabaseDump) -> CheckResult:
    findings = [
        f"deployment {key} ({id_}): its aliases are {aliases!r}, and "
        + (f"the row of the alias {name!r} is not one of them" if name else "a row of one of them is missing")
        for id_, key, aliases, name in dump.stray_aliases()
    ]
    return CheckResult(f"aliases ({dump.counts()['alias']:,} aliases)", findings)


def _label(row: Row) -> str:
    return f"version {row[_MAJOR]}.{row[_MINOR]} ({row[_ID]}) of deployment {row[_DEPLOYMENT]}"
