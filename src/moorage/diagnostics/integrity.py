"""Check: whether a database is as it must be. It reads everything and changes nothing."""

from collections.abc import Iterator

import msgspec

from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import FIRST_VERSION, VersionNumber
from moorage.core.errors.storage import StorageError
from moorage.diagnostics.history import breaks
from moorage.store.engine import Row
from moorage.store.store import Store
from moorage.store.transfer.dump import HISTORY, TABLES, VERSIONS, DatabaseDump

_columns = VERSIONS.columns
_ID, _DEPLOYMENT, _MAJOR, _MINOR = (_columns.index(name) for name in ("id", "deployment_id", "major", "minor"))
_CONFIG, _VARIABLES, _SERVING, _SHA256 = (
    _columns.index(name) for name in ("prompt_config", "variables", "runtime_config", "content_sha256")
)


class CheckResult(msgspec.Struct, frozen=True):
    """A property of the database that was checked, in words, and every violation of it."""

    what: str
    findings: list[str]


def check(store: Store) -> Iterator[CheckResult]:
    """Look at everything, one thing after the other; all but the first in one committed state.

    Raises:
        StorageUnavailable: the database cannot be reached.
    """
    yield CheckResult("the database finds no damage in itself", store.damage())
    try:
        with store.dump() as dump:
            yield _rows(dump)
            yield _ledger(dump)
            yield _contents(dump)
            yield _numbers(dump)
            yield _pointers(dump)
    except StorageError as error:
        yield CheckResult("every row can be read", [str(error.fields.get("reason", error))])


def _rows(dump: DatabaseDump) -> CheckResult:
    count, findings = 0, []
    for table in TABLES:
        place = table.columns.index("rev") if "rev" in table.columns else None
        for row in dump.rows(table):
            count += 1
            if place is not None and row[place] > dump.rev:
                name = row[place] if table is HISTORY else row[0]
                findings.append(f"the row {name} of {table.name} is of revision {row[place]}, later than the newest")
    return CheckResult(f"{count:,} rows can be read, none is newer than revision {dump.rev:,}", findings)


def _ledger(dump: DatabaseDump) -> CheckResult:
    findings = list(breaks(dump))
    return CheckResult(f"{dump.counts()[HISTORY.name]:,} entries of the history are as they were written", findings)


def _contents(dump: DatabaseDump) -> CheckResult:
    count, erased, findings = 0, 0, []
    for row in dump.rows(VERSIONS):
        if not row[_CONFIG]:
            erased += 1
            continue
        count += 1
        try:
            is_as_written = StoredContent(row[_CONFIG], row[_VARIABLES], row[_SERVING]).sha256() == row[_SHA256]
        except msgspec.DecodeError:
            is_as_written = False
        if not is_as_written:
            findings.append(f"{_named(row)}: its content was changed after it was written")
    return CheckResult(f"{count:,} contents of versions are as they were written ({erased:,} are erased)", findings)


def _numbers(dump: DatabaseDump) -> CheckResult:
    deployment, expected, count = None, {FIRST_VERSION}, 0
    findings = []
    for row in dump.rows(VERSIONS):
        if row[_DEPLOYMENT] != deployment:
            deployment, expected, count = row[_DEPLOYMENT], {FIRST_VERSION}, count + 1
        number = VersionNumber(row[_MAJOR], row[_MINOR])
        if number not in expected:
            before = " or ".join(sorted(map(str, expected)))
            findings.append(f"{_named(row)}: {before} should come first, and is missing")
        expected = {number.next("minor"), number.next("major")}
    return CheckResult(f"the versions of {count:,} deployments are numbered from 1.0 without gaps", findings)


def _pointers(dump: DatabaseDump) -> CheckResult:
    findings = [
        f"the deployment {key} ({deployment_id}): its live version {version_id} is none of its versions"
        for deployment_id, key, version_id in dump.stray_pointers()
    ]
    return CheckResult(f"{dump.counts()['deployment']:,} deployments serve a version of their own", findings)


def _named(row: Row) -> str:
    return f"version {row[_MAJOR]}.{row[_MINOR]} ({row[_ID]}) of the deployment {row[_DEPLOYMENT]}"
